"""Where one measure stands at one instant: which rows hold after all acts known on a day.

The order of law.md section 3.1: the parent first (invalidation, termination, sunset), then the statutory
rate, then suspensions. A suspension that ends over a void measure brings nothing back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial

from tariffs.engine.law.conditions import ENTRY_DATE
from tariffs.engine.law.events import LAW, Act
from tariffs.engine.law.model import Measure, Period, Row, Scope

Rows = tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """A suspension of a component in [start, until); `lifted` holds the scopes it was ended for early."""

    scope: Scope
    label: str
    start: datetime
    until: datetime | None
    kept: Decimal | None
    heading: str
    on_end: str
    acts: tuple[str, ...]
    lifted: tuple[tuple[Scope, datetime], ...] = ()

    def holds(self, instant: datetime) -> bool:
        """Whether the window is open."""
        return self.start <= instant and (self.until is None or instant < self.until)


@dataclass(frozen=True, slots=True)
class Standing:
    """A measure at an instant: the period that holds, its rows after all acts, and whether a suspension is open."""

    measure: Measure
    period: Period
    rows: Rows
    suspended: bool


def act_name(act: Act) -> str:
    """How a row names the act that changed it."""
    change = act.change
    return (
        f"{change.source}:{change.path}"
        if change.source != LAW
        else f"{change.op} {change.start or change.until}"
    )


def windows_of(acts: Iterable[Act]) -> list[Window]:
    """The suspensions of a measure after every suspend, extend and snap_back, in the order enacted."""
    windows: list[Window] = []
    for act in acts:
        change = act.change
        if change.op == "suspend" and act.start:
            windows.append(
                Window(
                    act.scope, act.label, act.start, act.until, change.kept, change.heading, change.on_end,
                    (act_name(act),),
                )
            )  # fmt: skip
        elif change.op == "extend" and windows:
            windows[-1] = replace(windows[-1], until=act.until, acts=(*windows[-1].acts, act_name(act)))
        elif change.op == "snap_back" and act.start:
            windows = [cut for window in windows for cut in _cut(window, act, act.start)]
    return windows


def _cut(window: Window, act: Act, at: datetime) -> list[Window]:
    if act.label and act.label != window.label:
        return [window]
    if not act.scope.is_any:
        return [replace(window, lifted=(*window.lifted, (act.scope, at)))]
    if window.start >= at:
        return []
    if window.until is None or window.until > at:
        return [replace(window, until=at, on_end="snap_back", acts=(*window.acts, act_name(act)))]
    return [window]


def standing(
    measure: Measure, acts: Sequence[Act], periods: Sequence[Period], instant: datetime
) -> Standing | None:
    """Where a measure stands, or None if it charges nobody.

    Args:
        measure: the measure.
        acts: its known acts, law before scenario, each in order.
        periods: its known periods.
        instant: the entry instant.
    """
    period = _holding(_redated(periods, acts), instant)
    if measure.announced or period is None:
        return None
    acts = [act for act in acts if act.label in {"", period.id}]
    rows: Rows = _at_entry(period.rows, instant)
    rows = _relieve(rows, acts, instant)
    rows = _set_rates(rows, acts, period, instant)
    windows = [w for w in windows_of(acts) if w.label in {"", period.id}]
    rows = _suspend(rows, windows, instant)
    ended = _ended(rows, [*_terminations(acts, instant), *_terminated_by_window(windows, instant)])
    if ended is None:
        return None
    judged = _judge(ended, acts, instant)
    if judged is None:
        return None
    return Standing(measure, period, judged, any(w.holds(instant) for w in windows))


def _redated(periods: Sequence[Period], acts: Sequence[Act]) -> list[Period]:
    """Periods after every act that moves their start or their written end.

    A measure without suspensions whose last period has a written end is itself for a time: extend moves that end, and
    snap_back brings it forward.
    """
    timed = not any(act.change.op == "suspend" for act in acts)
    found = []
    last = max(periods, key=lambda p: (p.start is not None, p.start), default=None)
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
        found.append(replace(period, start=start, end=end))
    return found


def _holding(periods: Sequence[Period], instant: datetime) -> Period | None:
    begun = [(p.start, index, p) for index, p in enumerate(periods) if p.start and p.start <= instant]
    if not begun:
        return None
    held = max(begun, key=lambda item: item[:2])[2]
    return None if held.end is not None and held.end <= instant else held


def _at_entry(rows: Rows, instant: datetime) -> Rows:
    """Rows whose tests of the entry date hold, without those tests."""
    facts = {ENTRY_DATE: instant}
    kept = []
    for row in rows:
        dated = [c for c in row.conditions if c.claim == ENTRY_DATE]
        if all(c.holds(facts) for c in dated):
            kept.append(
                replace(row, conditions=tuple(c for c in row.conditions if c not in dated)) if dated else row
            )
    return tuple(kept)


def _in_scope(rows: Rows, scope: Scope, change: Callable[[Row], Row | None]) -> Rows:
    """Rows with `change` applied to the part of each that lies in `scope`; None takes the row out there."""
    if scope.is_any:
        return tuple(new for row in rows if (new := change(row)) is not None)
    narrowed = (change(replace(row, scope=row.scope.narrowed(scope))) for row in rows)
    return (*(row for row in narrowed if row is not None), *rows)


def _by_time(acts: Iterable[Act], ops: frozenset[str], instant: datetime) -> list[Act]:
    begun = [a for a in acts if a.change.op in ops and a.start is not None and a.start <= instant]
    return sorted(begun, key=lambda a: (a.start, a.change.source != LAW, a.order))


_RELIEF = frozenset({"exempt", "lapse_exemption"})


def _relieve(rows: Rows, acts: Sequence[Act], instant: datetime) -> Rows:
    for act in _by_time(acts, _RELIEF, instant):
        heading = act.change.heading
        if act.change.op == "exempt":
            if act.until is None or instant < act.until:
                relief = Row(
                    "add",
                    act.scope,
                    rate=Decimal(0),
                    heading=heading,
                    conditions=act.conditions,
                    acts=(act_name(act),),
                )
                rows = (relief, *rows)
        else:
            rows = _in_scope(
                rows,
                act.scope,
                partial(_lapsed, heading=heading),
            )
    return rows


def _lapsed(row: Row, heading: str) -> Row | None:
    return None if row.exempt and heading in {"", row.heading} else row


def _set_rates(rows: Rows, acts: Sequence[Act], period: Period, instant: datetime) -> Rows:
    for act in _by_time(acts, frozenset({"set_rate"}), instant):
        if act.start and period.start and act.start >= period.start:
            rows = _in_scope(rows, act.scope, partial(_with_rate, act=act))
    return rows


def _with_rate(row: Row, act: Act) -> Row:
    if not row.charging or row.rate is None:
        return row
    change = act.change
    rate = change.step.apply(row.rate) if change.step else change.rate
    new = replace(row, rate=rate, heading=change.heading or row.heading, acts=(*row.acts, act_name(act)))
    return replace(new, base=act.base, metals=act.metals) if act.base else new


def _suspend(rows: Rows, windows: Sequence[Window], instant: datetime) -> Rows:
    for window in windows:
        if window.holds(instant):
            statutory = rows
            rows = _in_scope(rows, window.scope, partial(_kept, window=window))
            for scope, at in window.lifted:
                if at <= instant:
                    rows = (*(replace(row, scope=row.scope.narrowed(scope)) for row in statutory), *rows)
    return rows


def _kept(row: Row, window: Window) -> Row:
    if not row.charging:
        return row
    marked = replace(row, heading=window.heading or row.heading, acts=(*row.acts, *window.acts))
    if not window.kept:
        return replace(marked, suspended=True)
    kind = "add" if row.rate is None else row.kind
    return replace(marked, kind=kind, rate=window.kept, tiers=(), price=None, suspended=False)


def _terminations(acts: Sequence[Act], instant: datetime) -> list[Scope]:
    return [act.scope for act in _by_time(acts, frozenset({"terminate", "expire"}), instant)]


def _terminated_by_window(windows: Sequence[Window], instant: datetime) -> list[Scope]:
    """The scopes of suspensions that ended with on_end terminate; windows that touch are one suspension."""
    over = []
    for window in windows:
        end = window.until
        if window.on_end == "terminate" and end is not None and end <= instant:
            goes_on = any(w.start <= end and (w.until is None or w.until > end) for w in windows)
            if not goes_on:
                over.append(window.scope)
    return over


def _ended(rows: Rows, scopes: Sequence[Scope]) -> Rows | None:
    for scope in scopes:
        if scope.is_any:
            return None
        rows = (Row("add", scope, absent=True), *rows)
    return rows


def _judge(rows: Rows, acts: Sequence[Act], instant: datetime) -> Rows | None:
    """Invalidations and injunctions: what is no longer collected goes, what is collected and not owed is void."""
    restored = [a.order for a in acts if a.change.op == "revalidate"]
    for act in acts:
        if act.start is None or (
            act.change.op == "invalidate" and any(order > act.order for order in restored)
        ):
            continue
        if act.change.op == "invalidate":
            if (act.collection_stop or act.start) <= instant:
                ended = _ended(rows, [act.scope])
                if ended is None:
                    return None
                rows = ended
            elif act.change.from_beginning or act.start <= instant:
                rows = _in_scope(rows, act.scope, lambda row: replace(row, void=True))
        elif (
            act.change.op == "enjoin" and act.start <= instant and (act.until is None or instant < act.until)
        ):
            rows = _in_scope(rows, act.scope, lambda row: replace(row, void=True))
    return rows


def known(acts: Iterable[Act], known_on: date) -> list[Act]:
    """The acts published by the end of a day; acts without a day of publication are always known."""
    return [act for act in acts if act.known_from is None or act.known_from <= known_on]
