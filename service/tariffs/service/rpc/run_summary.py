"""Summarize the request of a stored run: its scenarios and its table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tariffs.service.rpc.scenario_refs import refs_of
from tariffs.service.rpc.shared import BASE
from tariffs.service.rpc.verbs import VERBS
from tariffs.service.storage.run_rows import RunRow
from tariffs.v1 import common_pb2

EMBEDDED, SENT = "embedded", "sent"
_UNNAMED = "unnamed"
# Listing a thousand runs must not parse a thousand scenario files.
_ID = re.compile(r"""^\s*id:\s*["']?([^\s"'#]+)""", re.MULTILINE)


def summary_of(run: RunRow) -> tuple[Sequence[str], str]:
    """Return the scenarios of a run, each once, and its table: `embedded`, a handle, or `sent`."""
    request = request_of(run)
    names = dict.fromkeys(_name(scenario) for scenario, _ in refs_of(request))
    given = request.WhichOneof("table")
    table = {"handle": request.handle, "arrow": SENT}.get(given, EMBEDDED)
    return list(names) or [BASE], table


def law_version_of(run: RunRow) -> str:
    """Return the law that a run was started with, as `VERSION@DIGEST`; empty in runs of earlier releases."""
    name: str = request_of(run).law_version
    return name


def request_of(run: RunRow) -> Any:
    """Return the request of a run."""
    return VERBS[run.kind].request.FromString(run.request)


def _name(scenario: common_pb2.ScenarioRef) -> str:
    if scenario.WhichOneof("scenario") != "yaml":
        return scenario.name or BASE
    found = _ID.search(scenario.yaml)
    return found[1] if found else _UNNAMED
