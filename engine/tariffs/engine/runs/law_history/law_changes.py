"""Find changes of the law in a window of days: acts that take effect, end or are published.

A notice has one *step*: the instant and `known_on` day just before it and just after. A retroactive act is a step in
`known_on` at the instant from which it applies; any other is a step in time. Acts of one step are computed together,
since they displace each other.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tariffs.engine.errors import InputError
from tariffs.engine.law.amendments import Act
from tariffs.engine.law.conditions import ENTRY_DATE
from tariffs.engine.law.describe_rows import (
    describe_act,
    describe_charge,
    describe_goods,
    describe_row_list,
    scope_words,
)
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.matching import Reach
from tariffs.engine.law.measure_state import known, redated
from tariffs.engine.law.model import Measure, Rule, RuleEnd, Scope, published
from tariffs.engine.law.suspensions import Reached, suspended_scopes, suspensions_of
from tariffs.engine.schedule.country_names import read_country
from tariffs.engine.tables.dates import DateError, read_day

TAKES_EFFECT, ENDS, PUBLISHED = "takes_effect", "ends", "published"
ENACT, END, STACKING, LIST = "enact", "end", "stacking", "list"
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class ChangeStep:
    """Instant (UTC) and `known_on` day just before a notice, and just after."""

    before: tuple[datetime, date]
    after: tuple[datetime, date]


@dataclass(frozen=True, slots=True)
class Notice:
    """Change of the law.

    Attributes:
        id: label of a period, path of an act, id of a stacking rule, or name of a list.
        kind: enact, end, stacking, list, or the verb of an act.
        when: its events in the window: takes_effect, ends, published.
        measures: ids of the measures it changes.
        at: its instant (UTC), or None.
        known_from: day of publication, None if always known.
        text: one sentence.
        citations: legal sources.
        conf: confidence A, B, C or U; empty where the data gives none.
        step: before and after, None if it cannot be computed.
    """

    id: str
    kind: str
    when: tuple[str, ...]
    measures: tuple[str, ...]
    at: datetime | None
    known_from: date | None
    text: str
    citations: tuple[str, ...]
    conf: str
    step: ChangeStep | None


@dataclass(frozen=True, slots=True)
class TableGoods:
    """Codes of the lines of a table by origin, to test which scopes of the law reach one of them."""

    codes: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, goods: Iterable[tuple[str, str]]) -> TableGoods:
        """Group pairs of code and origin."""
        codes: dict[str, set[str]] = {}
        for code, origin in goods:
            codes.setdefault(origin, set()).add(code)
        return cls({origin: frozenset(found) for origin, found in codes.items()})

    def meets(self, reach: Reach) -> bool:
        """Test whether a scope reaches a line."""
        goods = self.codes.items()
        return any(reach.fits_origin(origin) and any(map(reach.fits_code, codes)) for origin, codes in goods)


@dataclass(frozen=True, slots=True)
class ChangeWindow:
    """Days from `start` to `end` inclusive, and the code and origin of goods (empty is any)."""

    start: date
    end: date
    hts: str = ""
    origin: str = ""

    def holds_day(self, day: date | None) -> bool:
        """Check that a day is in the window."""
        return day is not None and self.start <= day <= self.end


def changes(
    law: Law,
    window: ChangeWindow,
    *,
    known_on: date | None = None,
    market: str = IMPORT,
    goods: TableGoods | None = None,
) -> tuple[Notice, ...]:
    """List the notices of a window, by instant.

    Args:
        law, window: the law, after any scenario, and the days and the goods.
        known_on: the day whose acts count, the law's as-of day if None.
        market: that of the goods; days are those of its clock.
        goods: those of a table, to leave out what reaches none of its lines; None for all goods.

    Raises:
        InputError: REQUEST_INVALID if the window ends before it begins.
    """
    if window.end < window.start:
        why = f"The window ends on {window.end}, before {window.start}."
        raise InputError("REQUEST_INVALID", why, field="end", fix="Give a later end.")
    finder = _NoticeFinder(law, window, known_on or law.as_of, market, goods)
    kinds = finder.periods, finder.added_rows, finder.acts, finder.suspensions, finder.rules, finder.lists
    notices = itertools.chain.from_iterable(kind() for kind in kinds)
    late = datetime.max.replace(tzinfo=UTC)
    return tuple(sorted(notices, key=lambda notice: (notice.at or late, notice.measures, notice.id)))


def read_window(start: str, end: str, hts: str = "", origin: str = "") -> ChangeWindow:
    """Read a window from text; raises InputError ENTRY_DATE_INVALID or ORIGIN_*."""
    days = []
    for name, text in (("start", start), ("end", end)):
        try:
            # A day is the same on every clock.
            days.append(read_day(text, ZoneInfo("UTC")))
        except DateError as error:
            raise InputError("ENTRY_DATE_INVALID", f"{name}: {error}.", field=name, fix=error.fix) from None
    return ChangeWindow(
        days[0], days[1], hts.replace(".", ""), read_country(origin)[0] if origin.strip() else ""
    )


class _NoticeFinder:
    """Search for the notices of one law in one window."""

    def __init__(
        self, law: Law, window: ChangeWindow, known_on: date, market: str, goods: TableGoods | None
    ) -> None:
        self._law = law
        self._goods = goods
        self._met: dict[Reach, bool] = {}
        self._window = window
        self._known_on = known_on
        self._market = market
        self._zone = law.zones[market]
        abroad = law.markets.get(market)
        self._codes = [code for code, _ in abroad.parts_of(window.hts)] if abroad else [window.hts]
        self._measures = [m for m in law.measures.values() if m.market == market and not m.announced]

    def periods(self) -> Iterator[Notice]:
        """Yield periods that begin, end as enacted, or are published, at the instants to which acts have moved them."""
        for measure in self._measures:
            counted = [p for p in measure.periods if self._counts(p.known_from, p.switch, p.conf)]
            for period in redated(counted, self._acts_on(measure)):
                begins = self._when(period.start, period.known_from)
                ends = (ENDS,) if self._in(period.end) else ()
                rates = describe_row_list(period.rows)
                for kind, when, at, known_from, text in (
                    (ENACT, begins, period.start, period.known_from, rates),
                    (END, ends, period.end, None, "the period ends as enacted"),
                ):
                    if when and self._reached(at, (row.scope for row in period.rows)):
                        yield Notice(
                            period.id, kind, when, (measure.id,), at, period.known_from, f"{measure.title}: {text}.",
                            period.cite, period.conf, self._step(at, known_from),
                        )  # fmt: skip

    def added_rows(self) -> Iterator[Notice]:
        """Yield rows that were added to their period later: they begin or are published in the window."""
        rows = ((m, period, row) for m in self._measures for period in m.periods for row in period.rows)
        for measure, period, row in rows:
            if row.known_from is None or not self._counts(row.known_from, period.switch, period.conf):
                continue
            begins = [c.operand for c in row.conditions if c.claim == ENTRY_DATE and c.op in {">", ">="}]
            at = max([one for one in begins if isinstance(one, datetime)], default=period.start)
            when = self._when(at, row.known_from)
            if at is None or not when or not self._reached(at, [row.scope]):
                continue
            state = self._law.state_of(measure, at, self._known_on)
            # Periods share rows; the notice is of the period that holds when the row begins.
            if state is not None and state.period.id == period.id:
                text = f"{measure.title}: {describe_charge(row)} for {describe_goods(row.scope)}"
                yield Notice(
                    f"{period.id}.{row.heading}", ENACT, when, (measure.id,), at, row.known_from, f"{text}.",
                    period.cite, period.conf, self._step(at, row.known_from),
                )  # fmt: skip

    def acts(self) -> Iterator[Notice]:
        """Yield acts that take effect or are published; one notice per act, with all measures it changes."""
        bound: dict[int, list[tuple[Measure, Act]]] = {}
        for measure in self._measures:
            for act in self._acts_on(measure):
                bound.setdefault(act.order, []).append((measure, act))
        for pairs in bound.values():
            act = pairs[0][1]
            at = act.collection_stop or act.start or act.to or self._moved_end(pairs[0][0], act)
            when = self._when(act.start, act.known_from)
            if self._in(at) and TAKES_EFFECT not in when:
                when = (TAKES_EFFECT, *when)
            reached = [m for m, bound_act in pairs if self._reached(at, self._scopes(m, bound_act))]
            if when and reached:
                names = tuple(measure.id for measure in reached)
                yield Notice(
                    f"{act.change.source}:{act.change.path}", act.change.op, when, names, at, act.known_from,
                    f"{describe_act(act.change)}.", act.change.cite, act.change.conf, self._step(at, act.known_from),
                )  # fmt: skip

    def _moved_end(self, measure: Measure, act: Act) -> datetime | None:
        """Find the end that an extension moved: of the last suspension before it, else of the last period."""
        earlier = [one for one in self._law.acts[measure.id] if one.order < act.order]
        windows = [one.window for one in suspensions_of(earlier) if one.goods.meets(Reached.of(act))]
        if windows:
            return windows[-1].until
        ends = [period.end for period in measure.periods if period.end]
        moved = [one.until for one in earlier if one.change.op == "extend" and one.until]
        return max([*ends, *moved], default=None)

    def suspensions(self) -> Iterator[Notice]:
        """Yield suspensions that end in the window, after all extensions known."""
        for measure in self._measures:
            acts = self._acts_on(measure)
            for suspension in suspensions_of(acts):
                window, scopes = suspension.window, suspended_scopes(measure, suspension)
                if self._in(window.until) and self._reached(window.until, scopes):
                    part = ", ".join(scope_words(suspension.goods.scope))
                    which = f"the suspension for {part}" if part else "the suspension"
                    text = f"{measure.title}: {which} ends ({window.on_end.replace('_', ' ')})"
                    cites = next(act.change.cite for act in acts if act.name == window.acts[-1])
                    yield Notice(
                        f"{measure.id}.suspension", END, (ENDS,), (measure.id,), window.until, None, f"{text}.", cites,
                        "", self._step(window.until, None),
                    )  # fmt: skip

    def rules(self) -> Iterator[Notice]:
        """Yield stacking rules that begin, end or are published."""
        for rule in self._law.rules:
            if not self._counts(rule.known_from, rule.switch, rule.conf):
                continue
            # The act that makes the rule begin or end: its own, or one that ends it.
            acts: list[tuple[tuple[str, ...], datetime | None, date | None, Rule | RuleEnd]] = [
                (self._when(rule.start, rule.known_from), rule.start, rule.known_from, rule),
                ((ENDS,) if self._in(rule.end) else (), rule.end, None, rule),
            ]
            for end in rule.ends:
                if self._counts(end.known_from, end.switch, end.conf):
                    events = [ENDS] * self._in(end.at) + [PUBLISHED] * self._window.holds_day(end.known_from)
                    acts.append((tuple(events), end.at, end.known_from, end))
            names = {*rule.on, *rule.members}
            touched = [m for m in self._measures if m.id in names or not names.isdisjoint(m.parents)]
            for when, at, known_from, act in acts:
                if when and any(self._reached(at, self._scopes(measure, None)) for measure in touched):
                    ends = at != rule.start
                    yield Notice(
                        f"{rule.id}.end" if ends else rule.id, STACKING, when, tuple(m.id for m in touched), at,
                        known_from, f"{'Stacking ends' if ends else 'Stacking'}: {rule.text}.", act.cite, act.conf,
                        self._step(at, known_from),
                    )  # fmt: skip

    def lists(self) -> Iterator[Notice]:
        """Yield product lists whose codes change."""
        known_on = self._known_on
        for name, product_list in self._law.lists.items():
            listing = [m for m in self._measures if name in _lists_of(m)]
            for at in product_list.boundaries:
                change = product_list.changes.get(at)
                known_from, cite = (change.known_from, change.cite) if change else (None, ())
                when = self._when(at, known_from)
                if not (when and published(known_from, known_on)):
                    continue
                before, after = (set(product_list.on(one, known_on)) for one in (at - _MOMENT, at))
                moved = before ^ after
                users = [m for m in listing if self._reached(at, _scopes_of_moved(m, name, moved))]
                if users:
                    text = f"List {name}: {len(after - before)} codes enter and {len(before - after)} leave"
                    yield Notice(
                        name, LIST, when, tuple(m.id for m in users), at, known_from, f"{text}.", cite, "",
                        self._step(at, known_from),
                    )  # fmt: skip

    def _acts_on(self, measure: Measure) -> list[Act]:
        acts = known(self._law.acts[measure.id], self._known_on)
        return [act for act in acts if self._counts(None, act.change.switch, act.change.conf)]

    # -- conditions of the window ------------------------------------------------------------------------------

    def _in(self, moment: datetime | None) -> bool:
        return moment is not None and self._window.holds_day(moment.astimezone(self._zone).date())

    def _when(self, start: datetime | None, known_from: date | None) -> tuple[str, ...]:
        events = (TAKES_EFFECT,) if self._in(start) else ()
        return (*events, PUBLISHED) if self._window.holds_day(known_from) else events

    def _counts(self, known_from: date | None, switch: object, conf: str) -> bool:
        law = self._law
        known_then = published(known_from, self._known_on)
        return known_then and law.switched(switch) and law.sure(conf)  # type: ignore[arg-type]

    def _step(self, at: datetime | None, known_from: date | None) -> ChangeStep | None:
        first, last = self._law.coverage
        if at is None or not first < at < last:
            return None
        if known_from is not None and at.astimezone(self._zone).date() < known_from:
            return ChangeStep((at, known_from - timedelta(days=1)), (at, known_from))
        return ChangeStep((at - _MOMENT, self._known_on), (at, self._known_on))

    def _scopes(self, measure: Measure, act: Act | None) -> Iterator[Scope]:
        for period in measure.periods:
            if act is None or act.label in {"", period.id}:
                for row in period.rows:
                    yield row.scope.narrowed(act.scope) if act else row.scope

    def _reached(self, at: datetime | None, scopes: Iterable[Scope]) -> bool:
        window = self._window
        if not window.hts and not window.origin and self._goods is None:
            return True
        moment = at or datetime.combine(self._law.as_of, time(12), self._zone)
        in_force = self._law.in_force(moment, self._known_on, self._market)
        for scope in scopes:
            reach = Reach.of(scope, in_force)
            if self._goods is not None and reach not in self._met:
                self._met[reach] = self._goods.meets(reach)
            if not self._met.get(reach, True):
                continue
            wanted = Scope(
                products=scope.products if window.hts else (),
                not_products=scope.not_products if window.hts else frozenset(),
                origins=scope.origins if window.origin else (),
                not_origins=scope.not_origins if window.origin else frozenset(),
            )
            reach = Reach.of(wanted, in_force)
            if any(reach.fits(code, window.origin) for code in self._codes):
                return True
        return False


def _scopes_of_moved(measure: Measure, name: str, moved: Iterable[str]) -> Iterator[Scope]:
    """Goods of codes that enter or leave a list, from the origins of the rows that name it."""
    codes = (frozenset(moved),)
    for row in itertools.chain.from_iterable(period.rows for period in measure.periods):
        if name in row.scope.names:
            yield Scope(row.scope.origins, row.scope.not_origins, codes)


def _lists_of(measure: Measure) -> frozenset[str]:
    scopes = [row.scope for period in measure.periods for row in period.rows]
    names = [name for scope in scopes for names in (*scope.products, scope.not_products) for name in names]
    return frozenset(name for name in names if not name.isdigit())
