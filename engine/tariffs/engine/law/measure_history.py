"""A measure with the acts on it, and its states, each settled once for all laws that have this measure and these acts.

A scenario touches few measures. The law that it makes has the histories of all others in common with the law it was
applied to, and so their rows: the same objects wherever switches and confidence choose the same.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from tariffs.engine.law.amendments import Act
from tariffs.engine.law.conditions import Condition
from tariffs.engine.law.law_at import Active
from tariffs.engine.law.measure_state import (
    MeasureState,
    Rows,
    known,
    known_periods,
    measure_state,
    moments_of,
)
from tariffs.engine.law.model import BUT_ACTS, CONFIDENCE, Measure, Period, Row, Switch


def state_as_tested(
    measure: Measure, acts: Sequence[Act], periods: Sequence[Period], instant: datetime, zone: ZoneInfo
) -> MeasureState | None:
    """State of a measure for goods entered at an instant; None if it applies to no one.

    With `tested_on`, goods declared with an earlier date meet the measure as it was on that date; undeclared is the
    entry instant. A measure that is over or suspended at entry applies to no goods, whatever their date.

    Args:
        acts: its known acts, law before scenario, each in order.
        periods: its known periods.
        zone: the zone in which conditions state their instants, that of the measure's direction.
    """
    state = measure_state(measure, acts, periods, instant)
    if state is None or state.suspended or not measure.tested_on:
        return state
    spans: list[tuple[datetime, Rows]] = []
    for moment in _begun(measure, acts, instant):
        then = measure_state(measure, acts, periods, moment)
        rows = then.rows if then else ()
        if spans and list(map(BUT_ACTS, spans[-1][1])) == list(map(BUT_ACTS, rows)):
            rows = spans.pop()[1]
        spans.append((moment.astimezone(zone), rows))
    return replace(state, rows=_as_conditions(spans, measure.tested_on))


def _begun(measure: Measure, acts: Sequence[Act], instant: datetime) -> list[datetime]:
    """List the moments of a measure up to an instant, the latest first."""
    begun = [moment for moment in moments_of(measure, acts) if moment is not None and moment <= instant]
    return sorted(begun, reverse=True)


def _as_conditions(spans: Sequence[tuple[datetime, Rows]], claim: str) -> Rows:
    """Turn the rows of spans of time, the latest first, into rows with conditions on a date.

    A span begins at its moment. Goods of its time that none of its rows fits must not meet those of an earlier span.
    """
    dated_rows: list[Row] = []
    for place, (moment, rows) in enumerate(spans):
        text = moment.isoformat()
        since = (Condition(f"not {claim} < {text}", claim, True, "<", moment, text),)
        dated_rows += [row._replace(conditions=(*row.conditions, *since)) for row in rows]
        scopes = {row.scope: None for _, earlier in spans[place + 1 :] for row in earlier}
        dated_rows += [Row("add", scope, since, absent=True) for scope in scopes]
    return tuple(dated_rows)


# A measure has some ten segments of time, and few of publication, switches and confidence in use.
STATES_KEPT = 64
_Key = tuple[int, int, tuple[str, ...], str]


@dataclass(frozen=True)
class Choices:
    """Choices under which a law is read: the switches as set, and the least confidence that counts."""

    switches: Mapping[str, Switch]
    settings: Mapping[str, str]
    min_conf: str

    def setting(self, name: str) -> str:
        """Value of a switch: as set, else its default."""
        return self.settings.get(name, self.switches[name].default)

    def switched(self, wanted: Mapping[str, str]) -> bool:
        """Test whether all switches have the wanted values."""
        return all(self.setting(name) == value for name, value in wanted.items())

    def sure(self, conf: str) -> bool:
        """Test whether a confidence is good enough."""
        return not conf or CONFIDENCE.index(conf) <= CONFIDENCE.index(self.min_conf)

    def count(self, switch: Mapping[str, str], conf: str) -> bool:
        """Test whether something with these switches and this confidence is part of the law."""
        return self.switched(switch) and self.sure(conf)


@dataclass(frozen=True, slots=True)
class Settled:
    """State of a measure in a segment, or None; `active` if it is modelled and has rows."""

    state: MeasureState | None
    active: Active | None


class MeasureHistory:
    """A measure with the acts on it, law before scenario, in order; immutable but for its cache of states.

    Attributes:
        place: the place of the measure in the law.
        measure: the measure.
        acts: the acts.
        zone: the zone in which conditions state their instants, that of the measure's direction.
    """

    def __init__(self, place: int, measure: Measure, acts: tuple[Act, ...], zone: ZoneInfo) -> None:
        self.place = place
        self.measure = measure
        self.acts = acts
        self.zone = zone
        self._states: dict[_Key, Settled] = {}

    def with_acts(self, acts: Iterable[Act]) -> MeasureHistory:
        """History after more acts."""
        return MeasureHistory(self.place, self.measure, (*self.acts, *acts), self.zone)

    @cached_property
    def moments(self) -> Sequence[datetime]:
        """Instants at which the state may change, sorted (UTC)."""
        return utc_sorted(moments_of(self.measure, self.acts))

    @cached_property
    def publication_days(self) -> Sequence[date]:
        """Days on which periods and acts were published, sorted."""
        days = frozenset[date]().union(*(period.publication_days for period in self.measure.periods))
        return sorted(days | {act.known_from for act in self.acts if act.known_from})

    @cached_property
    def switches(self) -> tuple[str, ...]:
        """Switches that the state depends on."""
        wanted = [self.measure.switch, *(period.switch for period in self.measure.periods)]
        wanted += [act.change.switch for act in self.acts]
        return tuple(sorted({name for switches in wanted for name in switches}))

    def settled(self, instant: datetime, known_on: date, choices: Choices) -> Settled:
        """State at an (aware) instant by the acts published until a day; the same object in the same segment."""
        key = (
            bisect_right(self.moments, instant),
            bisect_right(self.publication_days, known_on),
            tuple(map(choices.setting, self.switches)),
            choices.min_conf,
        )
        settled = self._states.get(key)
        if settled is None:
            settled = self._settle(instant, known_on, choices)
            if len(self._states) >= STATES_KEPT:
                self._states.clear()
            settled = self._states.setdefault(key, settled)
        return settled

    def _settle(self, instant: datetime, known_on: date, choices: Choices) -> Settled:
        measure = self.measure
        if not choices.count(measure.switch, measure.conf):
            return Settled(None, None)
        acts = [a for a in known(self.acts, known_on) if choices.count(a.change.switch, a.change.conf)]
        periods = [p for p in known_periods(measure, known_on) if choices.count(p.switch, p.conf)]
        state = state_as_tested(measure, acts, periods, instant, self.zone)
        if state is None or not state.rows or not measure.modelled:
            return Settled(state, None)
        cites = {state.period.id: state.period.cite, **{act.name: act.change.cite for act in self.acts}}
        return Settled(state, Active(self.place, measure, state.rows, cites, state.period.id))


def utc_sorted(moments: Iterable[datetime | None]) -> list[datetime]:
    """Sort the instants among some values, in UTC: those of several zones are slow to compare."""
    return sorted({moment.astimezone(UTC) for moment in moments if moment is not None})
