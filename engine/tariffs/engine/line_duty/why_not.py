"""List measures that matched the line but did not apply, with reasons.

A measure is considered if it matches the origin and instant of the line and its product list contains the code or a
sibling of it (a code with the same parent). Measures that charge, exempt or are displaced are layers of the answer.
What all lines of a class share is worked out once in a segment of the law; a line adds the names of its own code.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.law.amendments import Act
from tariffs.engine.law.conditions import Condition, Fact
from tariffs.engine.law.law import IMPORT, Active, Law
from tariffs.engine.law.matching import Reach
from tariffs.engine.law.measure_history import state_as_tested
from tariffs.engine.law.measure_state import known, known_periods
from tariffs.engine.law.model import PROHIBITION, Measure, Row
from tariffs.engine.line_duty.class_profile import ClassProfile, SegmentKey, compiles_soon, kept_by_segment
from tariffs.engine.line_duty.entry_line import ResolvedLine
from tariffs.engine.line_duty.scope_index import ScopeIndex
from tariffs.engine.line_duty.segment import LawSegment
from tariffs.engine.line_duty.unapplied import (
    ENDED,
    NOT_CLAIMED,
    SWITCHED_OFF,
    NearRow,
    UnappliedMeasure,
    UnmodelledMeasure,
)
from tariffs.engine.rating.fits import first_fit

_ENDING = frozenset({"invalidate", "terminate", "expire"})
_CACHED = "unapplied"
_CLASSES_KEPT = 4096
"""Classes whose unapplied measures are cached; those of one class take some 1 KB besides the sentences."""
_SENTENCES_KEPT = 8192
"""Sentences that classes share; one takes some 2 KB."""

Item = UnappliedMeasure | NearRow | UnmodelledMeasure
Group = tuple[Item, ...]
"""Reasons of one measure; a row or measure is described for the code of each line."""

_CLASSES: BoundedCache[SegmentKey, tuple[Group, ...]] = kept_by_segment(
    BoundedCache(_CLASSES_KEPT, "reasons")
)
_SENTENCES: BoundedCache[SegmentKey, UnappliedMeasure]
_SENTENCES = kept_by_segment(BoundedCache(_SENTENCES_KEPT, "sentences"))


def why_not(law: Law, line: ResolvedLine, profile: ClassProfile) -> tuple[UnappliedMeasure, ...]:
    """List the measures that matched a line but did not apply, in the order of the law."""
    segment = line.when.segment(law)
    index = segment.in_force.cache.get(_CACHED)
    if index is None:
        index = segment.in_force.cache[_CACHED] = _Unapplied(segment)
    goods = _goods(index, line, profile)
    return _of_line(segment, line, _CLASSES.get(goods.key, lambda: tuple(index.groups(goods))))


def soon_why_not(law: Law, line: ResolvedLine, profile: ClassProfile) -> tuple[UnappliedMeasure, ...] | None:
    """List the measures of `why_not` if those of the class are cached, or are found in a millisecond."""
    segment = line.when.segment(law)
    index = segment.in_force.cache.get(_CACHED)
    if index is None:
        return None
    goods = _goods(index, line, profile)
    groups = _CLASSES.find(goods.key)
    if groups is None and compiles_soon(law, line):
        groups = _CLASSES.keep(goods.key, tuple(index.groups(goods)))
    return None if groups is None else _of_line(segment, line, groups)


def _of_line(
    segment: LawSegment, line: ResolvedLine, groups: Iterable[Group]
) -> tuple[UnappliedMeasure, ...]:
    unapplied: list[UnappliedMeasure] = []
    code, in_force = line.article.code, segment.in_force
    for group in groups:
        described = [
            item if isinstance(item, UnappliedMeasure) else item.of_code(code, in_force) for item in group
        ]
        unapplied += _distinct(described) if len(described) > 1 else described
    return tuple(unapplied)


def _distinct(unapplied: Iterable[UnappliedMeasure]) -> list[UnappliedMeasure]:
    return list({(one.heading, one.text): one for one in unapplied}.values())


@dataclass(frozen=True, slots=True)
class _GoodsClass:
    """Class of a line, with a code and origin of the class.

    `reach` are the scopes that it is in, `near` the scopes of rows that exclude it or list a sibling, both as bits;
    `open_claims` are the claims of the special programs open to the origin.
    """

    number: int
    code: str
    origin: str
    reach: int
    near: int
    open_claims: frozenset[str]
    facts: Mapping[str, Fact]

    @property
    def key(self) -> SegmentKey:
        return self.number, self.reach, self.near, self.open_claims, frozenset(self.facts.items())


def _goods(index: _Unapplied, line: ResolvedLine, profile: ClassProfile) -> _GoodsClass:
    segment, code, origin = index.segment, line.article.code, line.article.origin
    near = segment.index.near_code(code) & segment.index.of_origin(origin) & segment.row_bits
    open_claims, reach = segment.open_claims(origin), index.scopes.reach(code, origin)
    return _GoodsClass(segment.number, code, origin, reach, near, open_claims, profile.facts)


class _Unapplied:
    """Measures of a segment that may be considered, with the scopes that decide which are.

    `scopes` has those of all rows and acts, so that goods of one class meet the same rows also where a measure is taken
    as if it had not ended: such rows are those of its periods and acts, narrowed to scopes of acts.
    """

    def __init__(self, segment: LawSegment) -> None:
        self.segment, law, in_force = segment, segment.law, segment.in_force
        unmodelled = {state.measure.id for state in in_force.unmodelled}
        actives = {active.measure.id: active for active in in_force.actives}
        measures = [m for m in law.measures.values() if m.direction == IMPORT and not m.announced]
        scopes = [row.scope for active in in_force.actives for row in active.rows]
        for measure in measures:
            scopes += [row.scope for period in measure.periods for row in period.rows]
            scopes += [act.scope for act in law.acts[measure.id]]
            scopes.append(measure.touches)
        self.scopes = ScopeIndex(in_force, scopes)
        bits, near = self.scopes.bits, segment.index.bits
        self._measures: list[tuple[Measure, Active | None, int]] = []
        self._rows: dict[int, list[tuple[Row, int, int]]] = {}
        self._acts: dict[str, tuple[list[Act], list[tuple[Act, int]]]] = {}
        for measure in measures:
            active = actives.get(measure.id)
            touched = measure.id in unmodelled and not measure.touches.is_any
            if measure.id not in unmodelled or touched:
                self._measures.append((measure, active, bits[measure.touches] if touched else 0))
            acts, ending = self._acts_of(measure)
            self._acts[measure.id] = acts, [(act, bits[act.scope]) for act in ending]
            if active is not None:
                self._rows[active.index] = [(row, bits[row.scope], near[row.scope]) for row in active.rows]
        self._without: dict[tuple[str, tuple[str, ...]], list[tuple[Row, Reach]]] = {}

    def groups(self, goods: _GoodsClass) -> Iterator[Group]:
        """Say why measures do not apply to a class, measure by measure."""
        for measure, active, touched in self._measures:
            if active is not None:
                group = self._of_active(goods, active)
            elif not touched:
                group = tuple(self._absent(goods, measure))
            else:
                group = (UnmodelledMeasure(measure),) if touched & goods.reach else ()
            if group:
                yield group

    def _cached(self, key: Hashable, make: Callable[[], UnappliedMeasure]) -> UnappliedMeasure:
        return _SENTENCES.get((self.segment.number, key), make)

    # -- measures in force -------------------------------------------------------------------------------------

    def _of_active(self, goods: _GoodsClass, active: Active) -> Group:
        near: list[Item] = []
        passed: list[tuple[Row, tuple[Condition, ...]]] = []
        fits = absent = False
        for row, bit, near_bit in self._rows[active.index]:
            if not goods.reach & bit:
                if goods.near & near_bit and not row.absent:
                    near.append(NearRow(active, row))
                continue
            missing = tuple(
                c for c in row.conditions if not c.holds(goods.facts, undeclared=row.undeclared_applies)
            )
            if not missing:
                fits, absent = not row.absent, row.absent
                break
            if self._may_declare(goods, missing):
                passed.append((row, missing))
        unclaimed = [self._not_claimed(goods, active, row, missing, fits) for row, missing in passed]
        ended = [] if fits or (passed and not absent) else [*self._absent(goods, active.measure)]
        return (*near, *unclaimed, *ended)

    def _not_claimed(
        self, goods: _GoodsClass, active: Active, row: Row, missing: tuple[Condition, ...], charged: bool
    ) -> UnappliedMeasure:
        words, values = _fact_words(missing, goods.facts), _values(missing, goods.facts)
        key = active.index, id(row), charged, words, tuple(values.items())
        return self._cached(key, lambda: _not_claimed(active, row, words, values, charged=charged))

    def _may_declare(self, goods: _GoodsClass, conditions: Iterable[Condition]) -> bool:
        """Test whether goods of the origin could meet conditions: a preference needs a program open to the origin."""
        closed = self.segment.program_claims - goods.open_claims
        return all(condition.negated or condition.claim not in closed for condition in conditions)

    # -- measures not in force ---------------------------------------------------------------------------------

    def _acts_of(self, measure: Measure) -> tuple[list[Act], list[Act]]:
        """Acts on a measure known on the day, and those of them that have ended it."""
        law, segment = self.segment.law, self.segment
        acts = [a for a in known(law.acts[measure.id], segment.known_on) if law.switched(a.change.switch)]
        ending = [a for a in acts if a.change.op in _ENDING and a.start and a.start <= segment.instant]
        return acts, ending

    def _absent(self, goods: _GoodsClass, measure: Measure) -> Iterator[UnappliedMeasure]:
        """Report a measure that would apply if it had not ended, or under another value of a switch."""
        law = self.segment.law
        ending = [act for act, bit in self._acts[measure.id][1] if goods.reach & bit]
        is_switched = law.switched(measure.switch)
        if not ending and is_switched:
            return
        row = self._row_without(goods, measure, ending if is_switched else [])
        if row is None:
            return
        if is_switched:
            act = ending[-1]
            yield self._cached((measure.id, row.heading, act.name), lambda: _ended(measure, row, act))
        else:
            yield self._cached((measure.id, row.heading), lambda: _switched_off(law, measure, row))

    def _row_without(self, goods: _GoodsClass, measure: Measure, ending: list[Act]) -> Row | None:
        """Row that would charge the goods without these acts."""
        key = measure.id, tuple(act.name for act in ending)
        rows = self._without.get(key)
        if rows is None:
            rows = self._without[key] = self._rows_without(measure, ending)
        reaching = (row for row, reach in rows if reach.fits(goods.code, goods.origin))
        row = first_fit(reaching, goods.facts)
        return row if row is not None and row.charging and not row.exempt else None

    def _rows_without(self, measure: Measure, ending: list[Act]) -> list[tuple[Row, Reach]]:
        law, segment = self.segment.law, self.segment
        acts = [act for act in self._acts[measure.id][0] if act not in ending]
        periods = [p for p in known_periods(measure, segment.known_on) if law.switched(p.switch)]
        state = state_as_tested(measure, acts, periods, segment.instant, law.zones[measure.market])
        return [(row, Reach.of(row.scope, segment.in_force)) for row in (state.rows if state else ())]


def _not_claimed(
    active: Active, row: Row, fact_words: str, values: Mapping[str, str], *, charged: bool
) -> UnappliedMeasure:
    terms = " and ".join(condition.words for condition in row.conditions)
    if row.kind == "ordinary":
        verdict = f"The {row.column} column does not apply"
    elif row.exempt:
        verdict = f"Not exempt under {row.heading or row.acts[0]}"
    elif row.kind == PROHIBITION:
        verdict = f"Not prohibited by {row.acts[0]}"
    elif charged:
        verdict = f"The terms of {row.heading or row.acts[0]} for {terms} do not apply"
    else:
        verdict = f"Not charged under {row.heading or row.acts[0]}"
    measure, acts, text = active.measure, ", ".join(row.acts), f"{verdict}: {fact_words}."
    cites, operands = active.citations(row), {"if": terms, **values}
    return UnappliedMeasure(
        measure.id, measure.authority, row.heading, NOT_CLAIMED, acts, text, cites, operands
    )


def _fact_words(missing: Iterable[Condition], facts: Mapping[str, Fact]) -> str:
    return " and ".join(_missing_words(condition, facts) for condition in missing)


def _missing_words(condition: Condition, facts: Mapping[str, Fact]) -> str:
    fact = facts.get(condition.claim)
    if fact is None:
        return f"{condition.claim} is not declared"
    if not condition.op:
        return f"{condition.claim} is {'claimed' if condition.negated else _plain(fact)}"
    link = "which is" if condition.negated else "not"
    return f"{condition.claim} is {_plain(fact)}, {link} {condition.op} {condition.value}"


def _values(conditions: Iterable[Condition], facts: Mapping[str, Fact]) -> dict[str, str]:
    return {c.claim: _plain(facts[c.claim]) for c in conditions if facts.get(c.claim) is not None}


def _plain(fact: Fact) -> str:
    if isinstance(fact, bool):
        return "yes" if fact else "no"
    return f"{fact.normalize():f}" if isinstance(fact, Decimal) else str(fact)


def _ended(measure: Measure, row: Row, act: Act) -> UnappliedMeasure:
    change = act.change
    by = change.selector.authority or measure.id
    day = change.start[:10]
    if change.op == "invalidate":
        stop = f", not collected from {change.collection_stop[:10]}" if change.collection_stop else ""
        text = f"Not charged: {by} was invalidated on {day}{stop}."
    else:
        text = f"Not charged: {measure.id} was {'terminated' if change.op == 'terminate' else 'expired'} on {day}."
    operands = {"act": act.name, "by": by, "from": day}
    cites = tuple(dict.fromkeys((*change.cite, *measure.cite)))
    return UnappliedMeasure(
        measure.id, measure.authority, row.heading, ENDED, act.name, text, cites, operands
    )


def _switched_off(law: Law, measure: Measure, row: Row) -> UnappliedMeasure:
    wanted = ", ".join(f"{name}={value}" for name, value in sorted(measure.switch.items()))
    settings = ", ".join(f"{name}={law.setting(name)}" for name in sorted(measure.switch))
    text = f"Not charged: the measure applies only with {wanted}; this answer uses {settings}."
    operands = {"switch": wanted, "set": settings}
    return UnappliedMeasure(
        measure.id, measure.authority, row.heading, SWITCHED_OFF, wanted, text, measure.cite, operands
    )
