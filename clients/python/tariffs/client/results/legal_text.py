"""Law behind a result in words: its scenarios, its open points, and the sources of its measures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from tariffs.client.results import html
from tariffs.client.results.law import Measure, ScenarioInfo, Switch
from tariffs.client.results.scenario_check import Difference

_SHOWN_CHANGES = 40


@dataclass(frozen=True, slots=True)
class ScenarioText:
    """Scenario of a result in words.

    Attributes:
        id: its id.
        info: its title and description; None for one that is not in the library.
        changes: differences of its law from that of the first scenario on the days of the result.
        text: its file, if the caller wrote it.
    """

    id: str
    info: ScenarioInfo | None
    changes: tuple[Difference, ...]
    text: str = ""


@dataclass(frozen=True, slots=True)
class LegalText:
    """Law behind a result.

    Attributes:
        scenarios: its scenarios, in order.
        switches: open points of the law that it depends on, by name.
        measures: measures of its direction that are modelled and have an instrument.
    """

    scenarios: tuple[ScenarioText, ...]
    switches: Mapping[str, Switch]
    measures: tuple[Measure, ...]

    def scenarios_html(self) -> str:
        """Write the scenarios in words, with the sources of the measures that they change."""
        first = self.scenarios[0].id if self.scenarios else ""
        return "".join(self._scenario_html(one, first) for one in self.scenarios)

    def doubts(self, settings: Mapping[str, object]) -> list[str]:
        """Write the open points that a result depends on, with their question, values and sources."""
        return [self._doubt(name, str(value)) for name, value in settings.items()]

    def sources_html(self) -> str:
        """Write the legal sources of all measures, folded by authority."""
        by_authority: dict[str, list[Measure]] = {}
        for one in self.measures:
            by_authority.setdefault(one.authority.partition(".")[0], []).append(one)
        return "".join(
            html.folded(f"{authority}: {len(measures)} measures", _sources(measures))
            for authority, measures in sorted(by_authority.items())
        )

    def _doubt(self, name: str, value: str) -> str:
        switch = self.switches.get(name)
        if switch is None:
            return f"Open point {name}, taken as {value}"
        others = ", ".join(one for one in switch.values if one != value)
        sources = f" [{'; '.join(switch.citations)}]" if switch.citations else ""
        return f"{name}, taken as {value} (or {others}): {switch.text}{sources}"

    def _scenario_html(self, scenario: ScenarioText, first: str) -> str:
        info = scenario.info
        name = f"{scenario.id}: {info.title} ({info.basis})" if info is not None else scenario.id
        parts = [f"<h3>{escape(name)}</h3>"]
        if info is not None and info.description:
            parts.append(html.paragraph(info.description))
        if scenario.id != first:
            parts.append(self._changes_html(scenario.changes, first))
        if scenario.text:
            parts.append(html.folded("Text of the scenario", html.code(scenario.text)))
        return "".join(parts)

    def _changes_html(self, changes: Sequence[Difference], first: str) -> str:
        if not changes:
            return html.paragraph(f"On the days of this result its law is that of {first}.")
        rows = [[one.text + (f" ({one.goods})" if one.goods else "")] for one in changes[:_SHOWN_CHANGES]]
        table = html.table((f"change of the law against {first}",), 0, rows)
        left_out = len(changes) - _SHOWN_CHANGES
        more = html.paragraph(f"and {left_out:,} more changes", "dim") if left_out > 0 else ""
        changed = {one.id for one in changes}
        return table + more + _sources([one for one in self.measures if one.id in changed])


def _sources(measures: Iterable[Measure]) -> str:
    rows = [[one.id, one.title, "; ".join(one.citations) or "no citation"] for one in measures]
    return html.table(("measure", "title", "legal sources"), 0, rows) if rows else ""
