"""Look up the law behind a result in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tariffs.client._verbs.changes import LawCalls
from tariffs.client.errors import NotFound
from tariffs.client.results.legal_text import LegalText, ScenarioText
from tariffs.client.results.scenario_check import Difference
from tariffs.client.results.shown import TableResult
from tariffs.client.scenario import Scenario

_EXPORT = "export"
_VERBS = {
    "invalidate": "void",
    "enact": "in force",
    "suspend": "suspended",
    "terminate": "repealed",
    "end": "ends",
}
"""Kinds of changes that are named as events, in the order in which a day names them, with what is said of each."""


class LegalTextCalls(LawCalls):
    """Law behind a result in words; mixed into `Client`."""

    def legal_text(self, result: TableResult) -> LegalText:
        """Get the law behind a result in words, for its report: scenarios, open points and legal sources.

        Raises:
            TariffsError: a call failed, or the law has changed so that a scenario cannot be compared any more.
        """
        request = result.provenance.get("request")
        request = request if isinstance(request, Mapping) else {}
        given = list(dict.fromkeys(_given(one) for one in _listed(request, "scenarios")))
        names = [str(one["id"]) for one in _listed(result.provenance, "scenarios")]
        options = request.get("options")
        direction = options.get("direction", "") if isinstance(options, Mapping) else ""
        pairs = zip(names, given, strict=False)
        measures = tuple(
            one
            for one in self.measures()
            if one.modelled and not one.announced and (one.direction == _EXPORT) == (direction == _EXPORT)
        )
        return LegalText(
            tuple(self._scenario(name, one, given[0], result.days) for name, one in pairs),
            {switch.id: switch for switch in self.law().switches},
            measures,
            self._events(result.days, direction, {one.id: one.title for one in measures}),
        )

    def _events(self, days: Sequence[str], direction: str, titles: Mapping[str, str]) -> dict[str, list[str]]:
        """Name the changes of the law by day over the period of a result, starts of duties before acts on them."""
        if len(days) < 2:
            return {}
        found: dict[str, list[str]] = {}
        changes = self.changes(min(days), max(days), direction=direction or "import").changes
        for kind, verb in _VERBS.items():
            for one in changes:
                title = titles.get(one.measures[0]) if one.measures and one.kind == kind else None
                if title:
                    more = f" and {len(one.measures) - 1} others" if len(one.measures) > 1 else ""
                    text = one.text.rstrip(".") if one.text.startswith(title) else f"{title}{more}: {verb}"
                    found.setdefault(one.effect_time[:10], []).append(text)
        return {
            day: sorted(dict.fromkeys(texts), key=lambda text: "_" in text) for day, texts in found.items()
        }

    def _scenario(
        self, name: str, scenario: str | Scenario, first: str | Scenario, days: Sequence[str]
    ) -> ScenarioText:
        changes = () if scenario == first else self.diff(first, scenario)
        in_force = tuple(one for one in changes if _meets(one, days))
        if isinstance(scenario, Scenario):
            return ScenarioText(name, None, in_force, scenario.text)
        try:
            return ScenarioText(name, self.scenario(scenario), in_force)
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
