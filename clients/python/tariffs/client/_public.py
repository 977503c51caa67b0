"""Public names of the client, in one module that `tariffs.client` loads at the first use of one."""

from __future__ import annotations

from tariffs.client._replay import Replay, replay
from tariffs.client.client import Client
from tariffs.client.config import Config, Deadlines
from tariffs.client.entries import EntriesResult
from tariffs.client.errors import (
    Cancelled,
    DeadlineExceeded,
    ExtraMissing,
    InternalError,
    InvalidRequest,
    NotFound,
    ResourceExhausted,
    TariffsError,
    Unauthenticated,
    Unavailable,
    Violation,
)
from tariffs.client.lawchanges import LawChange, LawChanges
from tariffs.client.lawinfo import CheckResult, Difference, Law, Measure, Problem, ScenarioInfo, Switch
from tariffs.client.linestream import LineStream
from tariffs.client.refunds import RefundsResult
from tariffs.client.results import ImpactResult, Layer, Note, Quote, Ranges, TimelineResult
from tariffs.client.runs import Run, RunStatus
from tariffs.client.scenario import Scenario
from tariffs.client.tables import TableHandle

__all__ = [
    "Cancelled",
    "CheckResult",
    "Client",
    "Config",
    "DeadlineExceeded",
    "Deadlines",
    "Difference",
    "EntriesResult",
    "ExtraMissing",
    "ImpactResult",
    "InternalError",
    "InvalidRequest",
    "Law",
    "LawChange",
    "LawChanges",
    "Layer",
    "LineStream",
    "Measure",
    "NotFound",
    "Note",
    "Problem",
    "Quote",
    "Ranges",
    "RefundsResult",
    "Replay",
    "ResourceExhausted",
    "Run",
    "RunStatus",
    "Scenario",
    "ScenarioInfo",
    "Switch",
    "TableHandle",
    "TariffsError",
    "TimelineResult",
    "Unauthenticated",
    "Unavailable",
    "Violation",
    "replay",
]
