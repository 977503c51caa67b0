"""Law behind a result in words: its scenarios, its open points, and the sources of its measures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tariffs.client.results.law import Measure, ScenarioInfo, Switch
from tariffs.client.results.scenario_check import Difference
from tariffs.client.results.short_names import label_of


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

    @property
    def title(self) -> str:
        """Its title, of the library or of its own file; its id where it has none."""
        own = re.search(r"^title: *(.+)$", self.text, re.MULTILINE)
        return self.info.title if self.info else own[1].strip("'\"") if own else self.id


@dataclass(frozen=True, slots=True)
class LegalText:
    """Law behind a result.

    Attributes:
        scenarios: its scenarios, in order.
        switches: open points of the law that it depends on, by name.
        measures: measures of its direction that are modelled and have an instrument.
        events: changes of the law in words by day, of a result over a period.
    """

    scenarios: tuple[ScenarioText, ...]
    switches: Mapping[str, Switch]
    measures: tuple[Measure, ...]
    events: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def doubts(self, settings: Mapping[str, object]) -> list[str]:
        """Write the open points that a result depends on, with their question, values and sources."""
        return [self._doubt(name, str(value)) for name, value in settings.items()]

    @property
    def by_authority(self) -> dict[str, list[Measure]]:
        """All measures by authority."""
        found: dict[str, list[Measure]] = {}
        for one in sorted(self.measures, key=lambda one: one.authority.partition(".")[0]):
            node = one.authority.partition(".")[0]
            found.setdefault(label_of("authority", node), []).append(one)
        return found

    def changed_by(self, scenario: ScenarioText) -> list[Measure]:
        """List the measures that a scenario changes."""
        changed = {one.id for one in scenario.changes}
        return [one for one in self.measures if one.id in changed]

    def title_of(self, scenario: str) -> str:
        """Title of a scenario; its id where it has none."""
        return next((one.title for one in self.scenarios if one.id == scenario), scenario)

    def _doubt(self, name: str, value: str) -> str:
        switch = self.switches.get(name)
        if switch is None:
            return f"Open point {name}, taken as {value}"
        others = ", ".join(one for one in switch.values if one != value)
        sources = f" [{'; '.join(switch.citations)}]" if switch.citations else ""
        return f"{name}, taken as {value} (or {others}): {switch.text}{sources}"
