"""Public names of the client, loaded by `tariffs.client` when one is first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tariffs.client._answer_names import PLACES
from tariffs.client._verbs.line_stream import LineStream
from tariffs.client._verbs.public_tables import ImportedTable, import_table, read_table
from tariffs.client._verbs.replay import Replay, replay
from tariffs.client._verbs.run_handle import Run, RunStatus
from tariffs.client._verbs.world import WorldOptions
from tariffs.client.async_client import AsyncClient
from tariffs.client.client import Client
from tariffs.client.config import Config, Deadlines
from tariffs.client.errors import (
    Cancelled,
    DeadlineExceeded,
    ExtraMissing,
    InternalError,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    TariffsError,
    Unauthenticated,
    Unavailable,
    Unsupported,
    Violation,
)
from tariffs.client.results.bom import BomAllocation, BomAmounts, BomChange, BomGroup, BomResult, BomScenario
from tariffs.client.results.both_sides import BothSides
from tariffs.client.results.entries import EntriesResult
from tariffs.client.results.find import FindCandidate, FindResult
from tariffs.client.results.impact import ImpactResult, TimelineResult
from tariffs.client.results.law import Law, Measure, ScenarioInfo, Switch
from tariffs.client.results.law_changes import LawChange, LawChanges
from tariffs.client.results.legal_text import LegalText
from tariffs.client.results.quote import Layer, Note, Quote
from tariffs.client.results.ranges import Ranges
from tariffs.client.results.refund import RefundsResult
from tariffs.client.results.scenario_check import CheckResult, Difference, Problem
from tariffs.client.results.server_info import CallerInfo, CallerQuota, ServerVersion
from tariffs.client.results.stored_scenario import ScenarioEvent, StoredScenario
from tariffs.client.results.sweep import Seek, SeekJump, SeekRoot, Sweep
from tariffs.client.results.table_check import TableCheck, TableColumn
from tariffs.client.results.table_handle import TableHandle
from tariffs.client.results.watch import WatchEvent, WatchResult
from tariffs.client.results.world import World
from tariffs.client.scenario import Scenario
from tariffs.run_spec.typed import LawOptions, ResponseOptions, RunOptions, TimelineOptions

if TYPE_CHECKING:
    from tariffs.client._answer_names import *  # noqa: F403

__all__ = [
    "AsyncClient", "BomAllocation", "BomAmounts", "BomChange", "BomGroup", "BomResult", "BomScenario",
    "BothSides", "CallerInfo", "CallerQuota", "Cancelled", "CheckResult", "Client", "Config",
    "DeadlineExceeded", "Deadlines", "Difference", "EntriesResult", "ExtraMissing",
    "FindCandidate", "FindResult", "ImpactResult", "ImportedTable", "InternalError", "InvalidRequest",
    "Law", "LawChange", "LawChanges", "LawOptions", "Layer", "LegalText", "LineStream", "Measure",
    "NotFound", "Note", "PermissionDenied", "Problem", "Quote", "Ranges", "RefundsResult", "Replay",
    "ResourceExhausted",
    "ResponseOptions", "Run", "RunOptions", "RunStatus", "Scenario", "ScenarioEvent",
    "ScenarioInfo", "Seek", "SeekJump", "SeekRoot", "ServerVersion",
    "StoredScenario", "Sweep", "Switch", "TableCheck", "TableColumn", "TableHandle",
    "TariffsError", "TimelineOptions", "TimelineResult", "Unauthenticated", "Unavailable", "Unsupported",
    "Violation", "WatchEvent", "WatchResult", "World", "WorldOptions", "import_table", "read_table",
    "replay",
]  # fmt: skip
__all__ += PLACES


def __getattr__(name: str) -> Any:
    if name in PLACES:
        return globals().setdefault(name, getattr(import_module(PLACES[name]), name))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
