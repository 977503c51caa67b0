"""State of one measure at one instant: the rows that hold after all acts known on a day.

The order: the parent first (invalidation, termination, sunset), then the statutory rate,
then suspensions. The end of a suspension of a void measure has no effect.

For a line, only the acts that reach it exist. So acts are resolved as if they reached everything, once per combination
of the narrower scopes that acts have, and the rows of each combination are narrowed to it, the narrowest first; rows
for other origins are left out. (An exemption only puts a row of its own before the others, so it needs no combination.)
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import reduce
from typing import Any

from tariffs.engine.errors import LawError
from tariffs.engine.law.amendments import LAW, Act
from tariffs.engine.law.conditions import ENTRY_DATE, Condition
from tariffs.engine.law.model import CHARGE, PROHIBITION, Measure, Period, Row, Rule, Scope, published

Rows = tuple[Row, ...]
COMBINATIONS_AT_MOST = 256


@dataclass(frozen=True, slots=True)
class SuspensionWindow:
    """A suspension of a component in [start, until)."""

    start: datetime
    until: datetime | None
    kept: Decimal | None
    heading: str
    on_end: str
    acts: tuple[str, ...]

    def holds(self, instant: datetime) -> bool:
        """Test whether the window is open."""
        return self.start <= instant and (self.until is None or instant < self.until)


@dataclass(frozen=True, slots=True)
class MeasureState:
    """A measure at an instant: the period that holds, its rows after all acts, and whether a suspension is open."""

    measure: Measure
    period: Period
    rows: Rows
    suspended: bool


def known(acts: Iterable[Act], known_on: date) -> list[Act]:
    """Select the acts published by the end of a day; acts without a day of publication are always known."""
    return [act for act in acts if published(act.known_from, known_on)]


def known_periods(measure: Measure, known_on: date) -> list[Period]:
    """Select the periods of a measure published by the end of a day, each with the rows published by then."""
    return [period.known(known_on) for period in measure.periods if published(period.known_from, known_on)]


def measure_state(
    measure: Measure, acts: Sequence[Act], periods: Sequence[Period], instant: datetime
) -> MeasureState | None:
    """State of a measure at an instant; None if it applies to no one.

    Args:
        acts: its known acts, law before scenario, each in order.
        periods: its known periods.
    """
    if measure.announced:
        return None
    whole = [act for act in acts if _is_whole(act)]
    state = _settled(measure, whole, periods, instant)
    blocks: list[Rows] = []
    for scopes, narrow in _differing(measure, acts, periods, instant, state):
        scope = reduce(Scope.narrowed, scopes)
        blocks.append(_narrowed(narrow.rows if narrow else (), scope))
        state = state or (narrow and replace(narrow, rows=()))
    if state is None or not blocks:
        return state
    return replace(state, rows=(*itertools.chain.from_iterable(blocks), *state.rows))


def _differing(
    measure: Measure,
    acts: Sequence[Act],
    periods: Sequence[Period],
    instant: datetime,
    wide: MeasureState | None,
) -> list[tuple[tuple[Scope, ...], MeasureState | None]]:
    """List the combinations of narrower scopes where the state differs from that where no narrower act reaches.

    A combination with the state of the wide one is left out, unless a listed smaller one would match its lines.
    """
    narrower = [act for act in acts if not _is_whole(act)]
    combinations = list(_combinations(measure, {act.scope: act.origins for act in narrower}))
    named = {act.scope: act.origin_names for act in narrower}
    combined: list[tuple[tuple[Scope, ...], MeasureState | None]] = []
    for scopes in reversed(combinations):
        reaching = [act for act in acts if _is_whole(act) or act.scope in scopes]
        origins = [names for names in map(named.get, scopes) if names is not None]
        inside = [replace(period, rows=_of_origins(period.rows, origins)) for period in periods]
        state = _settled(measure, reaching, inside, instant)
        catches = any(set(other) < set(scopes) for other, _ in combined)
        if catches or _charges(state, origins) != _charges(wide, origins):
            combined.append((scopes, state))
    return combined[::-1]


def _of_origins(rows: Rows, origins: Sequence[frozenset[str]]) -> Rows:
    """Leave out rows for other origins; each set of `origins` names codes and groups, and goods are of all sets."""
    return tuple(row for row in rows if all(not a.isdisjoint(b) for a in row.scope.origins for b in origins))


def _charges(state: MeasureState | None, origins: Sequence[frozenset[str]]) -> list[tuple[Any, ...]] | None:
    """Charges of the rows for some origins."""
    return None if state is None else list(map(CHARGE, _of_origins(state.rows, origins)))


def _is_whole(act: Act) -> bool:
    return act.scope.is_any or act.change.op == "exempt"


def _narrowed(rows: Rows, scope: Scope) -> Rows:
    """Narrow rows to a scope; goods there that no row fits have no layer, whatever rows follow."""
    inside = tuple(row._replace(scope=row.scope.narrowed(scope)) for row in rows)
    catches_all = bool(rows) and rows[-1].scope.is_any and not rows[-1].conditions
    return inside if catches_all else (*inside, Row("add", scope, absent=True))


def _combinations(
    measure: Measure, origins: Mapping[Scope, frozenset[str] | None]
) -> list[tuple[Scope, ...]]:
    """List every combination of scopes that may overlap, the larger first; `origins` spells out those of each scope."""
    combinations: list[tuple[Scope, ...]] = []
    growing: list[tuple[tuple[Scope, ...], int]] = [((), 0)]
    distinct = list(origins)
    while growing:
        chosen, start = growing.pop()
        for index in range(start, len(distinct)):
            new = distinct[index]
            if all(may_meet(origins[new], origins[o]) and not apart(new, o) for o in chosen):
                grown = (*chosen, distinct[index])
                combinations.append(grown)
                growing.append((grown, index + 1))
        if len(combinations) > COMBINATIONS_AT_MOST + len(distinct):
            raise LawError(
                "LAW_INVALID",
                f"Acts on {measure.id} are narrowed to {len(distinct)} overlapping scopes, too many to tell apart.",
                fix="Narrow them to fewer scopes, or to origins that do not overlap.",
            )
    return sorted(combinations, key=len, reverse=True)


def may_meet(one: frozenset[str] | None, other: frozenset[str] | None) -> bool:
    """Test whether some origin may be in both; None is any."""
    return one is None or other is None or not one.isdisjoint(other)


def apart(one: Scope, other: Scope) -> bool:
    """Test whether two scopes name codes only, none of which begins with one of the other's."""
    pairs = itertools.product(one.products, other.products)
    return any(
        all(name.isdigit() for name in a | b)
        and not any(x.startswith(y) or y.startswith(x) for x, y in itertools.product(a, b))
        for a, b in pairs
    )


def moments_of(measure: Measure, acts: Iterable[Act]) -> set[datetime | None]:
    """Instants at which the state of a measure under these acts may change; None among them has no meaning."""
    moments: set[datetime | None] = set()
    tests: list[Condition] = []
    for period in measure.periods:
        moments |= {period.start, period.end}
        tests += [condition for row in period.rows for condition in row.conditions]
    for act in acts:
        moments |= {act.start, act.until, act.to, act.collection_stop}
        tests += act.conditions
    dates = (test.operand for test in tests if test.claim == ENTRY_DATE)
    return moments | {date for date in dates if isinstance(date, datetime)}


def _settled(
    measure: Measure, acts: Sequence[Act], periods: Sequence[Period], instant: datetime
) -> MeasureState | None:
    """State of a measure for a line that all these acts reach."""
    period = _holding(redated(periods, acts), instant)
    if period is None:
        return None
    acts = [act for act in acts if act.label in {"", period.id}]
    windows = windows_of(acts)
    if _is_over(acts, windows, instant):
        return None
    rows = _at_entry(_relieved(period.rows, acts, instant), instant)
    rows = _rated(rows, acts, period, instant)
    for window in windows:
        if window.holds(instant):
            rows = tuple(_kept(row, window) for row in rows)
    if _is_void(acts, instant):
        rows = tuple(row._replace(void=row.kind != PROHIBITION) for row in rows)
    return MeasureState(measure, period, rows, any(w.holds(instant) for w in windows))


# -- suspensions -----------------------------------------------------------------------------------------------


def windows_of(acts: Iterable[Act]) -> list[SuspensionWindow]:
    """List the suspensions after every suspend, extend and snap_back, in the order enacted."""
    windows: list[SuspensionWindow] = []
    for act in acts:
        change = act.change
        if change.op == "suspend" and act.start:
            windows.append(
                SuspensionWindow(
                    act.start, act.until, change.kept, change.heading, change.on_end, (act.name,)
                )
            )
        elif change.op == "extend" and windows:
            windows[-1] = replace(windows[-1], until=act.until, acts=(*windows[-1].acts, act.name))
        elif change.op == "snap_back" and act.start:
            windows = [_cut(window, act, act.start) for window in windows if window.start < act.start]
    return windows


def _cut(window: SuspensionWindow, act: Act, at: datetime) -> SuspensionWindow:
    if window.until is None or window.until > at:
        return replace(window, until=at, on_end="snap_back", acts=(*window.acts, act.name))
    return window


def _kept(row: Row, window: SuspensionWindow) -> Row:
    if not row.charging or row.exempt:
        return row
    marked = row._replace(heading=window.heading or row.heading, acts=(*row.acts, *window.acts))
    if not window.kept or row.kind == PROHIBITION:
        return marked._replace(suspended=True)
    kind = "add" if row.rate is None else row.kind
    return marked._replace(kind=kind, rate=window.kept, tiers=(), price=None, suspended=False, kept=True)


# -- periods ---------------------------------------------------------------------------------------------------


def redated(periods: Sequence[Period], acts: Sequence[Act]) -> list[Period]:
    """Apply every act that moves the start or the written end of periods.

    Without suspensions, extend and snap_back move the written end of the last period.
    """
    timed = not any(act.change.op == "suspend" for act in acts)
    last = max(periods, key=lambda p: (p.start is not None, p.start), default=None)
    redated = []
    for period in periods:
        start, end = period.start, period.end
        for act in acts:
            if act.label != period.id and (act.label or period is not last):
                continue
            op = act.change.op
            if op == "delay" and start and act.to and act.to > start:
                start = act.to
            elif op == "extend" and timed and end and act.until:
                end = max(end, act.until)
            elif op == "snap_back" and timed and end and act.start:
                end = min(end, act.start)
        redated.append(replace(period, start=start, end=end))
    return redated


def _holding(periods: Sequence[Period], instant: datetime) -> Period | None:
    begun = [(p.start, index, p) for index, p in enumerate(periods) if p.start and p.start <= instant]
    if not begun:
        return None
    held = max(begun, key=lambda item: item[:2])[2]
    return None if held.end is not None and held.end <= instant else held


# -- rows ------------------------------------------------------------------------------------------------------


def resolve_dates(conditions: Sequence[Condition], instant: datetime) -> tuple[Condition, ...] | None:
    """Remove tests of the entry date from conditions; None if one of them fails at the instant."""
    if not any(c.claim == ENTRY_DATE for c in conditions):
        return tuple(conditions)
    facts = {ENTRY_DATE: instant}
    if not all(c.holds(facts) for c in conditions if c.claim == ENTRY_DATE):
        return None
    return tuple(c for c in conditions if c.claim != ENTRY_DATE)


def rule_on(rule: Rule, instant: datetime) -> Rule | None:
    """Resolve tests of the entry date in a rule; None if it does not apply then."""
    conditions = resolve_dates(rule.conditions, instant)
    unless = [(c, resolve_dates((c,), instant)) for c in rule.unless]
    if conditions is None or any(left == () for _, left in unless):
        return None
    left_out = tuple(c for c, left in unless if left)
    if (conditions, left_out) == (rule.conditions, rule.unless):
        return rule
    return replace(rule, conditions=conditions, unless=left_out)


def _at_entry(rows: Rows, instant: datetime) -> Rows:
    if not any(condition.claim == ENTRY_DATE for row in rows for condition in row.conditions):
        return rows
    resolved = ((row, resolve_dates(row.conditions, instant)) for row in rows)
    return tuple(
        row if left == row.conditions else row._replace(conditions=left)
        for row, left in resolved
        if left is not None
    )


def _begun(acts: Iterable[Act], ops: frozenset[str], instant: datetime) -> list[Act]:
    """Select acts of these verbs that have begun: by time, law before scenario, in order."""
    begun = [a for a in acts if a.change.op in ops and a.start is not None and a.start <= instant]
    return sorted(begun, key=lambda a: (a.start, a.change.source != LAW, a.order))


def _relieved(rows: Rows, acts: Sequence[Act], instant: datetime) -> Rows:
    for act in _begun(acts, frozenset({"exempt", "lapse_exemption"}), instant):
        heading = act.change.heading
        if act.change.op == "lapse_exemption":
            rows = tuple(row for row in rows if not (row.exempt and heading in {"", row.heading}))
        elif act.until is None or instant < act.until:
            relief = Row(
                kind="add",
                scope=act.scope,
                rate=Decimal(0),
                heading=heading,
                conditions=act.conditions,
                relief=True,
                acts=(act.name,),
            )
            rows = (relief, *rows)
    return rows


def _rated(rows: Rows, acts: Sequence[Act], period: Period, instant: datetime) -> Rows:
    for act in _begun(acts, frozenset({"set_rate"}), instant):
        if act.start and period.start and act.start >= period.start:
            rows = tuple(_with_rate(row, act) for row in rows)
    return rows


def _with_rate(row: Row, act: Act) -> Row:
    if not row.charging or row.rate is None:
        return row
    change = act.change
    rate = change.step.apply(row.rate) if change.step else change.rate
    new = row._replace(rate=rate, heading=change.heading or row.heading, acts=(*row.acts, act.name))
    return new._replace(base=act.base, metals=act.metals) if act.base else new


# -- ends ------------------------------------------------------------------------------------------------------


def _is_over(acts: Sequence[Act], windows: Sequence[SuspensionWindow], instant: datetime) -> bool:
    """Test whether the measure was terminated, or is no longer collected because it is void."""
    if _begun(acts, frozenset({"terminate", "expire", "replace"}), instant) or _ended_with_window(
        windows, instant
    ):
        return True
    return any((act.collection_stop or act.start) <= instant for act in _invalidations(acts))  # type: ignore[operator]


def _ended_with_window(windows: Sequence[SuspensionWindow], instant: datetime) -> bool:
    """Test whether a suspension that terminates has ended; windows that touch are one suspension."""
    for window in windows:
        end = window.until
        if window.on_end == "terminate" and end is not None and end <= instant:
            goes_on = any(w.start <= end and (w.until is None or w.until > end) for w in windows)
            if not goes_on:
                return True
    return False


def _invalidations(acts: Sequence[Act]) -> list[Act]:
    """Select the invalidations that no later act undoes."""
    restored = max((act.order for act in acts if act.change.op == "revalidate"), default=-1)
    return [a for a in acts if a.change.op == "invalidate" and a.start is not None and a.order > restored]


def _is_void(acts: Sequence[Act], instant: datetime) -> bool:
    """Test whether duty is collected and not owed."""
    for act in _invalidations(acts):
        if act.change.from_beginning or (act.start is not None and act.start <= instant):
            return True
    enjoined = _begun(acts, frozenset({"enjoin"}), instant)
    return any(act.until is None or instant < act.until for act in enjoined)
