"""Look up the law behind a result in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from tariffs.client.errors import NotFound
from tariffs.client.results.law import Law, Measure, ScenarioInfo
from tariffs.client.results.legal_text import LegalText, ScenarioText
from tariffs.client.results.scenario_check import Difference
from tariffs.client.scenario import Scenario

_EXPORT = "export"


class LawReader(Protocol):
    """Client, as far as the law is read."""

    def law(self) -> Law:
        """Get the law."""

    def measures(self) -> tuple[Measure, ...]:
        """List the measures."""

    def scenario(self, name: str) -> ScenarioInfo:
        """Get a scenario of the library."""

    def diff(self, first: str | Scenario, second: str | Scenario) -> tuple[Difference, ...]:
        """Compare the law under two scenarios."""


def legal_text(client: LawReader, provenance: Mapping[str, object], days: Sequence[str]) -> LegalText:
    """Look up the scenarios, open points and measures of a result.

    Args:
        client: reads the law.
        provenance: that of the result, with the call.
        days: days of the result, ISO; the first and last of a period.

    Raises:
        TariffsError: a call failed.
    """
    request = provenance.get("request")
    request = request if isinstance(request, Mapping) else {}
    given = list(dict.fromkeys(_given(one) for one in _listed(request, "scenarios")))
    names = [str(one["id"]) for one in _listed(provenance, "scenarios")]
    options = request.get("options")
    direction = options.get("direction", "") if isinstance(options, Mapping) else ""
    return LegalText(
        tuple(_scenario(client, name, one, given[0], days) for name, one in zip(names, given, strict=False)),
        {switch.id: switch for switch in client.law().switches},
        tuple(
            one
            for one in client.measures()
            if one.modelled and not one.announced and (one.direction == _EXPORT) == (direction == _EXPORT)
        ),
    )


def _scenario(
    client: LawReader, name: str, scenario: str | Scenario, first: str | Scenario, days: Sequence[str]
) -> ScenarioText:
    changes = () if scenario == first else client.diff(first, scenario)
    in_force = tuple(one for one in changes if _meets(one, days))
    if isinstance(scenario, Scenario):
        return ScenarioText(name, None, in_force, scenario.text)
    try:
        return ScenarioText(name, client.scenario(scenario), in_force)
    except NotFound:
        return ScenarioText(name, None, in_force)


def _meets(change: Difference, days: Sequence[str]) -> bool:
    """Test whether a change is in force on a day from the first to the last."""
    return change.start[:10] <= max(days) and (not change.end or change.end[:10] > min(days))


def _given(one: Any) -> str | Scenario:
    return Scenario.from_text(one["text"]) if one.get("text") else str(one["name"] or "base")


def _listed(facts: Mapping[Any, object], key: str) -> Iterable[Any]:
    listed = facts.get(key)
    return listed if isinstance(listed, Iterable) else ()
