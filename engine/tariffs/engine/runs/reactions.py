"""Answer duties on the goods of a country with a duty on its imports: reaction functions. See docs/models/reactions.md.

The United States' mean duty on a partner's goods under a scenario, less that of the same day without it, times a slope:
that rate the partner adds on all goods of the United States.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from tariffs.engine.law.amendments import Change
from tariffs.engine.law.law import EXPORT, IMPORT, Law
from tariffs.engine.law.notes import Note
from tariffs.engine.line_duty.entry_dates import entry_instant, entry_moment
from tariffs.engine.response.constants import constants
from tariffs.engine.runs.finish import group_rows
from tariffs.engine.runs.options import Options, Point
from tariffs.engine.runs.outcomes.run_context import RunContext
from tariffs.engine.runs.outcomes.table_run import TableRun
from tariffs.engine.scenario import Scenario, library

NAME = "reaction"
_WITHOUT = "base"
"""Scenario of the library without changes, whose duties are those before an answer."""
_DIGITS = 9
"""Digits of an added rate, a fraction."""


@dataclass(frozen=True, slots=True)
class MeanDuty:
    """Mean assessed duty on the goods of an origin, a fraction; None where nothing of it may enter.

    Attributes:
        value: customs value of its goods, USD.
        before: without the scenario.
        after: under it.
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
    """Answers to one point.

    Attributes:
        duties: mean duty on the goods of each origin.
        rates: rate that each market adds, a fraction.
        slope: slope of the reactions.
    """

    duties: Mapping[str, MeanDuty]
    rates: Mapping[str, Decimal]
    slope: float

    def notes(self) -> tuple[Note, ...]:
        """Say what each market answers, and whose answers are not computed."""
        return (*(self._note(market) for market in self.rates), *self._unknown())

    def _note(self, market: str) -> Note:
        duty, rate = self.duties.get(market), self.rates[market]
        if duty is None or duty.before is None or duty.after is None:
            text = f"{market}: not computed, as no mean duty on its goods is known."
            return Note("REACTION_UNKNOWN", text)
        moved = f"the mean duty on its goods goes from {duty.before:.2%} to {duty.after:.2%}"
        answer = f"it adds {float(rate):.2%} on all goods" if rate else "it adds nothing"
        return Note("REACTION", f"{market}: {moved}; at a slope of {self.slope:g}, an assumption, {answer}.")

    def _unknown(self) -> tuple[Note, ...]:
        others = {
            name: duty for name, duty in self.duties.items() if duty.rise > 0.0 and name not in self.rates
        }
        if not others:
            return ()
        value = sum(duty.value for duty in others.values())
        largest = sorted(others, key=lambda name: (-others[name].value, name))[:5]
        text = (
            f"Not computed: answers of {len(others)} other origins whose duty rises, with imports of {value:,.0f} USD "
            f"({', '.join(largest)}{' and others' if len(others) > len(largest) else ''}): the run has the markets "
            f"{', '.join(self.rates)} alone."
        )
        return (Note("REACTION_UNKNOWN", text),)


class Reactions:
    """Reactions of the markets of a run over exports to its points.

    Args:
        law: the law before the options of the run.
        options: options of the run, whose slope is above 0.
        points: the points, their days as given.
        markets: the markets whose goods the run has.
        context: cancellation of the run.
    """

    def __init__(
        self,
        law: Law,
        options: Options,
        points: Sequence[Point],
        markets: Sequence[str],
        context: RunContext,
    ) -> None:
        self._law, self._options, self._points, self._markets = law, options, points, markets
        self._context = RunContext(None, None)
        self._check = context.check
        self._run: TableRun | None = None
        self._means: dict[tuple[str, str], Mapping[str, tuple[float, float | None]]] = {}
        self._kept: dict[int, Answers] = {}

    def answers(self, index: int) -> Answers:
        """Compute the answers to a point; kept."""
        if index not in self._kept:
            point, slope = self._points[index], self._options.reaction
            before, after = (
                self._mean_duties(each, point.on) for each in (library()[_WITHOUT], point.scenario)
            )
            duties = {
                origin: MeanDuty(value, before.get(origin, (0.0, None))[1], rate)
                for origin, (value, rate) in after.items()
            }
            rates = {
                market: _rounded(slope * duties[market].rise) if market in duties else Decimal(0)
                for market in self._markets
            }
            self._kept[index] = Answers(duties, rates, slope)
        return self._kept[index]

    def answered(self, index: int) -> Point:
        """Add the answers to the scenario of a point; one that none answers is returned as it is."""
        point = self._points[index]
        changes = [
            self._change(market, rate, point.on) for market, rate in self.answers(index).rates.items() if rate
        ]
        if not changes:
            return point
        scenario = point.scenario
        text = "".join([scenario.digest, *(str(change.measure) for change in changes)])
        digest = hashlib.sha256(text.encode()).hexdigest()
        return replace(
            point, scenario=replace(scenario, changes=(*scenario.changes, *changes), digest=digest)
        )

    def facts(self) -> dict[str, object]:
        """Describe the slope and the added rates of every point for the provenance."""
        value, source = constants()[NAME]
        rates = {
            f"{point.scenario.id}@{point.on}": {
                market: float(rate) for market, rate in self.answers(index).rates.items()
            }
            for index, point in enumerate(self._points)
        }
        slope = self._options.reaction
        return {NAME: {"slope": slope, "source": source if slope == value else "given", "rates": rates}}

    def _change(self, market: str, rate: Decimal, on: str) -> Change:
        """Make the duty that a market adds from the start of the day of a point on."""
        zone = self._law.zones[market]
        day = entry_instant(self._law, on or str(self._law.as_of), market).astimezone(zone).date()
        label = f"{NAME}.{market.lower()}"
        measure = {
            "id": label,
            "title": f"Answer of {market} to duties on its goods",
            "authority": NAME,
            "direction": EXPORT,
            "destination": market,
            "periods": [
                {
                    "id": label.replace(".", "_"),
                    "from": f"{day.isoformat()}T00:00",
                    "rows": [{"origins": [self._law.home], "rate": str(rate)}],
                }
            ],
        }
        return Change("add", measure=measure, path=f"{NAME}[{market}]", source=NAME)

    def _mean_duties(self, scenario: Scenario, on: str) -> Mapping[str, tuple[float, float | None]]:
        """Compute customs value and mean duty by origin of the embedded imports under a scenario; kept."""
        self._check()
        day = entry_moment(self._law, on or self._law.as_of, IMPORT).text
        key = scenario.digest, day
        if key not in self._means:
            run = self._imports()
            groups = group_rows(run.sums(run.outcomes(scenario, day))).frame
            columns = ("origin", "customs_value", "effective_rate")
            self._means[key] = {
                origin: (value, rate) for origin, value, rate in groups.select(columns).iter_rows()
            }
        return self._means[key]

    def _imports(self) -> TableRun:
        if self._run is None:
            self._run = TableRun(None, self._law, self._options.imports(), self._context)
        return self._run


def _rounded(rate: float) -> Decimal:
    return Decimal(repr(round(rate, _DIGITS))) if round(rate, _DIGITS) else Decimal(0)
