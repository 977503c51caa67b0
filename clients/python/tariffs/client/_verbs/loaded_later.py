"""Load the methods of a client with their module when they are first asked for.

A command calls one verb; the modules of all verbs, with their results, take longer to load than a quote to compute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from tariffs.questions.index import INDEX

METHODS: Mapping[str, Sequence[str]] = {
    "bom.BomCalls": ("bom",),
    "find.FindCalls": ("find",),
    "line_stream.LineStreamCalls": ("lines",),
    "outcomes.OutcomeCalls": ("collections", "hindcast"),
    "question_calls.QuestionCalls": tuple(INDEX),
    "refund.RefundCalls": ("refund",),
    "stored_scenarios.StoredScenarioCalls": (
        "delete_scenario", "save_scenario", "scenario_versions", "share_scenario", "stored_scenario",
        "stored_scenarios", "watch_scenarios",
    ),
    "watch.WatchCalls": ("watch_events",),
    "world.WorldCalls": ("world",),
}  # fmt: skip
"""Methods by the class that has them, named with its module."""


class _Later:
    """Method of another class, which takes its own place in a class when it is first asked for."""

    def __init__(self, place: str) -> None:
        self._module, self._class = place.split(".")

    def __set_name__(self, owner: type, name: str) -> None:
        self._owner, self._name = owner, name

    def __get__(self, client: object, kind: type) -> Any:
        holder = getattr(import_module(f"{__package__}.{self._module}"), self._class)
        setattr(self._owner, self._name, vars(holder)[self._name])
        return getattr(kind if client is None else client, self._name)


LaterCalls = type(
    "LaterCalls", (), {name: _Later(place) for place, names in METHODS.items() for name in names}
)
