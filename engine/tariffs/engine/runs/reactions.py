"""Answer duties on the goods of a country with a duty on its imports: reaction functions. See docs/models/reactions.md.

The United States' mean duty on a partner's goods under a scenario, less that of the same day without it, times a slope:
that rate the partner adds on all goods of the United States.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property

from tariffs.engine.law.amendments import Change
from tariffs.engine.law.law import EXPORT, IMPORT, Law
from tariffs.engine.law.notes import Note
from tariffs.engine.line_duty.entry_dates import entry_instant, entry_moment
from tariffs.engine.response.constants import constants
from tariffs.engine.runs.finish import group_rows
from tariffs.engine.runs.options import Options, Point
from tariffs.engine.runs.outcomes.table_run import RunContext, TableRun
from tariffs.engine.scenario import Scenario, components, library
from tariffs.engine.scenario.model import Component

NAME = "reaction"
_WITHOUT = "base"
"""Scenario of the library without changes, whose duties are those before an answer."""
_DIGITS = 9
"""Digits of an added rate, a fraction."""


@dataclass(frozen=True, slots=True)
class MeanDuty:
    """Customs value of the goods of an origin, USD, and their mean assessed duty without and under a scenario.

    The duty is a fraction; None where nothing of it may enter.
    """

    value: float
    before: float | None
    after: float | None

    @property
    def rise(self) -> float:
        """Rise by the scenario; 0 where the duty falls, or no mean is known."""
        if self.before is None or self.after is None:
            return 0.0
        return max(self.after - self.before, 0.0)


@dataclass(frozen=True)
class Answers:
    """Mean duty on goods of each origin under a scenario on a day, and the rate that each market adds, a fraction."""

    duties: Mapping[str, MeanDuty]
    rates: Mapping[str, Decimal]

    def notes(self, slope: float) -> Iterator[Note]:
        """Say what each market answers at a slope, and whose answers are not computed."""
        for market, rate in self.rates.items():
            duty = self.duties.get(market)
            if duty is None or duty.before is None or duty.after is None:
                text = f"{market}: not computed, as no mean duty on its goods is known."
                yield Note("REACTION_UNKNOWN", text)
                continue
            moved = f"the mean duty on its goods goes from {duty.before:.2%} to {duty.after:.2%}"
            answer = f"it adds {float(rate):.2%} on all goods" if rate else "it adds nothing"
            yield Note("REACTION", f"{market}: {moved}; at a slope of {slope:g}, an assumption, {answer}.")
        others = {
            name: duty for name, duty in self.duties.items() if duty.rise > 0.0 and name not in self.rates
        }
        if others:
            value = sum(duty.value for duty in others.values())
            largest = sorted(others, key=lambda name: (-others[name].value, name))[:5]
            text = (
                f"Not computed: answers of {len(others)} other origins whose duty rises, with imports of {value:,.0f} "
                f"USD ({', '.join(largest)}{' and others' if len(others) > len(largest) else ''}): the run has the "
                f"markets {', '.join(self.rates)} alone."
            )
            yield Note("REACTION_UNKNOWN", text)


class Reactions:
    """Reactions of the markets of a run over exports to scenarios, each to every component of a mixture.

    They depend on no goods of the table, so that parts of a table have the same. The law is that before the options of
    the run, whose slope is above 0.
    """

    def __init__(self, law: Law, options: Options, context: RunContext) -> None:
        self._law, self._options, self._check = law, options, context.check
        self._markets = sorted(options.goods_markets(law))
        self._means: dict[tuple[str, str], Mapping[str, tuple[float, float | None]]] = {}

    def answered(self, point: Point) -> Point:
        """Add the answers to the scenario of a point, or to the components of a mixture."""
        scenario, on = point.scenario, point.on
        if not scenario.mixture:
            return replace(point, scenario=self._answered(scenario, on))
        parts = [(weight, self._answered(part, on)) for weight, part in components(scenario)]
        answered = replace(
            scenario,
            mixture=tuple(Component(part.id, weight) for weight, part in parts),
            named={part.id: part for _, part in parts},
            digest=_digest([scenario.digest, *(part.digest for _, part in parts)]),
        )
        return replace(point, scenario=answered)

    def notes(self, point: Point) -> list[Note]:
        """Say what each market answers to a point, and whose answers are not computed."""
        slope, found = self._options.reaction, list[Note]()
        for _, part in components(point.scenario):
            name = f"{part.id}: " if point.scenario.mixture else ""
            notes = self._answers(part, point.on).notes(slope)
            found += [replace(note, message=f"{name}{note.message}") for note in notes]
        return found

    def facts(self, points: Sequence[Point]) -> dict[str, object]:
        """Describe the slope and the added rates of points, or components of a mixture, for the provenance."""
        value, source = constants()[NAME]
        slope, rates = self._options.reaction, {}
        for point in points:
            for _, part in components(point.scenario):
                name = f"{point.scenario.id}/{part.id}" if point.scenario.mixture else part.id
                answers = self._answers(part, point.on)
                rates[f"{name}@{point.on}"] = {market: float(rate) for market, rate in answers.rates.items()}
        return {NAME: {"slope": slope, "source": source if slope == value else "given", "rates": rates}}

    def _answers(self, scenario: Scenario, on: str) -> Answers:
        before, after = (self._mean_duties(one, on) for one in (library()[_WITHOUT], scenario))
        duties = {
            origin: MeanDuty(value, before.get(origin, (0.0, None))[1], rate)
            for origin, (value, rate) in after.items()
        }
        rises = {market: duties[market].rise if market in duties else 0.0 for market in self._markets}
        slope = self._options.reaction
        return Answers(duties, {market: _rounded(slope * rise) for market, rise in rises.items()})

    def _answered(self, scenario: Scenario, on: str) -> Scenario:
        """Add the answers to a scenario; one that none answers is returned as it is."""
        rates = self._answers(scenario, on).rates
        changes = [self._change(market, rate, on) for market, rate in rates.items() if rate]
        if not changes:
            return scenario
        digest = _digest([scenario.digest, *(str(change.measure) for change in changes)])
        return replace(scenario, changes=(*scenario.changes, *changes), digest=digest)

    def _change(self, market: str, rate: Decimal, on: str) -> Change:
        """Make the duty that a market adds from the start of the day of a point on."""
        zone = self._law.zones[market]
        day = entry_instant(self._law, on or str(self._law.as_of), market).astimezone(zone).date()
        label = f"{NAME}.{market.lower()}"
        rows = [{"origins": [self._law.home], "rate": str(rate)}]
        period = {"id": label.replace(".", "_"), "from": f"{day.isoformat()}T00:00", "rows": rows}
        measure = {
            "id": label,
            "title": f"Answer of {market} to duties on its goods",
            "authority": NAME,
            "direction": EXPORT,
            "destination": market,
            "periods": [period],
        }
        return Change("add", measure=measure, path=f"{NAME}[{market}]", source=NAME)

    def _mean_duties(self, scenario: Scenario, on: str) -> Mapping[str, tuple[float, float | None]]:
        """Compute customs value and mean duty by origin of the embedded imports under a scenario; kept."""
        self._check()
        day = entry_moment(self._law, on or self._law.as_of, IMPORT).text
        key = scenario.digest, day
        if key not in self._means:
            sums = self._imports.sums(self._imports.outcomes(scenario, day))
            columns = group_rows(sums).frame.select("origin", "customs_value", "effective_rate")
            self._means[key] = {origin: (value, rate) for origin, value, rate in columns.iter_rows()}
        return self._means[key]

    @cached_property
    def _imports(self) -> TableRun:
        return TableRun(None, self._law, self._options.imports(), RunContext(None, None))


def _rounded(rate: float) -> Decimal:
    return Decimal(repr(round(rate, _DIGITS))) if round(rate, _DIGITS) else Decimal(0)


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("".join(parts).encode()).hexdigest()
