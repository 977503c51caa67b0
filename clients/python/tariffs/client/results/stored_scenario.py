"""Scenario that a server keeps for a caller and its group, and what happens to it."""

from __future__ import annotations

from dataclasses import dataclass

from tariffs.client.results.json_values import Plain
from tariffs.client.results.scenario_check import CheckResult


@dataclass(frozen=True, slots=True)
class StoredScenario(Plain):
    """Version of a scenario on a server; its `name` can be given wherever a scenario is expected.

    Attributes:
        name: `team/OWNER/NAME`; in calls also `team/NAME`, with `@VERSION` or `#DIGEST` behind.
        version: version, from 1.
        digest: SHA-256 of its canonical form.
        title: one line.
        etag: state of the scenario, to give when it is saved again.
        shared_with: group whose members see and use it; empty if it is not shared.
        create_time: time at which it was saved first, RFC 3339.
        update_time: time at which this version was saved, RFC 3339.
        text: its YAML; empty in lists.
        check: result of its newest check; None before it.
        check_law_version: version of the law of that check.
    """

    name: str
    version: int
    digest: str
    title: str
    etag: str
    shared_with: str
    create_time: str
    update_time: str
    text: str
    check: CheckResult | None
    check_law_version: str
    _left_out = "text"


@dataclass(frozen=True, slots=True)
class ScenarioEvent(Plain):
    """Event of a stored scenario.

    Attributes:
        number: rises from event to event; give the last one to watch from there.
        kind: saved, shared, deleted, or checked: under a new law its check has another result.
        name: name of the scenario.
        version: its version.
        time: time of the event, RFC 3339.
        check: the check under the new law; None for other events.
        check_law_version: version of that law.
    """

    number: int
    kind: str
    name: str
    version: int
    time: str
    check: CheckResult | None
    check_law_version: str
