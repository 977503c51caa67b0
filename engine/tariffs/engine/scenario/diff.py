"""Compare the laws of two scenarios: which measures differ, from when to when, for which goods, in words."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from weakref import WeakKeyDictionary

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.law.describe_rows import describe_base, describe_goods, percent
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.law_edits import Constraint
from tariffs.engine.law.measure_state import moments_of
from tariffs.engine.law.model import ANYWHERE, PROHIBITION, Row, Scope
from tariffs.engine.scenario.describe import describe_assumptions
from tariffs.engine.scenario.rule_diff import ABSENT, rule_changes

_RATES_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Difference:
    """Difference between two laws from `start` to `end` on its own clock (None: without an end).

    `kind` is measure, rule, switch, claim, quantity or assumption; `authority` and `direction` are those of a measure,
    `goods` is the part of its goods that differs (empty: not narrowed).
    """

    kind: str
    id: str
    authority: str
    direction: str
    start: datetime | None
    end: datetime | None
    first: str
    second: str
    goods: str = ""

    @property
    def words(self) -> str:
        """The difference in one sentence."""
        start = f" from {self.start:%Y-%m-%d %H:%M %Z}" if self.start else ""
        end = f" until {self.end:%Y-%m-%d %H:%M %Z}" if self.end else ""
        goods = f"for {self.goods} " if self.goods else ""
        return f"{self.id}{start}{end}: {goods}{self.first} in the first, {self.second} in the second."


def difference(first: Law, second: Law) -> list[Difference]:
    """List all differences between two laws, measures first, in the order of the law and of time."""
    names = dict.fromkeys((*first.measures, *second.measures))
    measures = [item for name in names for item in _measure_differences(first, second, name)]
    return [
        *measures,
        *_setting_differences(first, second),
        *_assumption_differences(first, second),
        *_rule_differences(first, second),
    ]


# -- states of measures ----------------------------------------------------------------------------------------

# Rows of a measure without the acts that made them, and whether it is suspended; None if it is not in force.
State = tuple[tuple[Row, ...], bool] | None
_STATES_CACHED = 4096
# Checking a change repeats queries of the change before it. States go with their law; of a law that stays, the least
# recently used ones go, since instants come from scenarios.
_STATES: WeakKeyDictionary[Law, BoundedCache[tuple[str, datetime], tuple[State]]] = WeakKeyDictionary()


def state_of_measure(law: Law, name: str, instant: datetime) -> State:
    """Return the state of a measure at an instant, as known on the law's as-of day."""
    states = _STATES.setdefault(law, BoundedCache(_STATES_CACHED))
    (state,) = states.get((name, instant), lambda: (_compute_state(law, name, instant),))
    return state


def _compute_state(law: Law, name: str, instant: datetime) -> State:
    measure = law.measures.get(name)
    state = law.state_of(measure, instant, law.as_of) if measure else None
    if state is None:
        return None
    return tuple(row._replace(acts=(), kept=False) for row in state.rows), state.suspended


def same_state(before: Law, after: Law, names: Iterable[str]) -> bool:
    """Test whether measures have the same state in two laws at every instant at which either may change."""
    # Changes take effect late in the life of a measure: the last instants tell most laws apart.
    return all(
        state_of_measure(before, name, instant) == state_of_measure(after, name, instant)
        for name in names
        for instant in reversed(instants_of(name, before, after))
    )


def same_beside_measures(one: Law, other: Law) -> bool:
    """Test whether two laws agree in all that scenarios change besides measures."""
    return (
        all(one.setting(name) == other.setting(name) for name in one.switches)
        and one.rules == other.rules
        and one.set_claims == other.set_claims
        and one.constraints == other.constraints
        and one.assumptions == other.assumptions
    )


def instants_of(name: str, *laws: Law) -> list[datetime]:
    """List every instant at which a measure may change in one of the laws, and their beginning, sorted."""
    instants: set[datetime | None] = {law.coverage[0] for law in laws}
    for law in laws:
        if name in law.measures:
            instants |= moments_of(law.measures[name], law.acts[name])
    return sorted(instant for instant in instants if instant is not None)


# -- differences of measures -----------------------------------------------------------------------------------

# Goods that differ (empty: not narrowed), and the state for them under the first law and under the second.
_Words = tuple[str, str, str]


def _measure_differences(first: Law, second: Law, name: str) -> Iterator[Difference]:
    """Yield the periods in which a measure differs, joined while the words are the same."""
    measure = second.measures.get(name) or first.measures[name]
    zone = second.zones.get(measure.market, second.zones[IMPORT])
    instants = instants_of(name, first, second)
    runs: list[tuple[datetime, datetime | None, _Words]] = []
    open_runs: dict[_Words, int] = {}
    for instant, end in itertools.zip_longest(instants, instants[1:]):
        one, other = state_of_measure(first, name, instant), state_of_measure(second, name, instant)
        if one != other:
            groups = second.in_force(instant, second.as_of, measure.market).groups
            for words in _describe_states(one, other, groups):
                if words in open_runs:
                    runs[open_runs[words]] = (runs[open_runs[words]][0], end, words)
                else:
                    runs.append((instant, end, words))
        open_runs = {words: index for index, (_, last, words) in enumerate(runs) if last == end}
    for start, end, (goods, one_words, other_words) in runs:
        last = end.astimezone(zone) if end and end < second.coverage[1] else None
        yield Difference(
            "measure", name, measure.authority, measure.direction, start.astimezone(zone), last, one_words,
            other_words, goods,
        )  # fmt: skip


def _describe_states(one: State, other: State, groups: Groups) -> list[_Words]:
    """Describe the state of a measure in two laws, part by part where one narrows rows of the other."""
    parts = parts_that_differ(one[0], other[0], groups) if one and other else []
    described = [(_describe_part(part), _part_rates(part.first), _part_rates(part.second)) for part in parts]
    return [words for words in described if words[1] != words[2]] or [("", *_describe_pair(one, other))]


def _part_rates(rows: tuple[Row, ...]) -> str:
    return "exempt" if rows and all(row.relief for row in rows) else _rates((rows, False))


def _describe_part(part: GoodsPart) -> str:
    """Describe the goods of a part, with the conditions of reliefs that one law alone has there."""
    reliefs = [row for row in part.second if row.relief and row not in part.first]
    terms = dict.fromkeys(condition.words for row in reliefs for condition in row.conditions)
    words = describe_goods(part.scope)
    return f"{words} where {' and '.join(terms)}" if terms and len(reliefs) == 1 else words


def _describe_pair(one: State, other: State) -> tuple[str, str]:
    """Describe two states in the shortest form in which they differ."""
    words = "", ""
    for describe in (_rates, _rates_and_reliefs, _rates_and_bases, _rates_and_dates):
        words = describe(one), describe(other)
        if words[0] != words[1]:
            return words
    return f"{words[0]} on some goods", f"{words[1]} on other goods"


def _rates(state: State, *, reliefs: bool = False) -> str:
    if state is None:
        return ABSENT
    rows, suspended = state
    charging = [row for row in rows if row.charging]
    if not charging:
        return _without_rates(rows, suspended)
    if all(row.suspended for row in charging):
        return "suspended"
    rates = dict.fromkeys(_rate(row) for row in charging if not row.suspended)
    marks = [
        *(["part of it suspended"] if suspended else []),
        *([f"{sum(row.relief for row in rows)} exemptions"] if reliefs else []),
        *(["assessed and not owed"] if any(row.void for row in charging) else []),
    ]
    return f"{_first_few(list(rates))} ({'; '.join(marks)})" if marks else _first_few(list(rates))


def _rates_and_reliefs(state: State) -> str:
    return _rates(state, reliefs=True)


def _rates_and_bases(state: State) -> str:
    """Rates of a measure, each with its base."""
    rows = [row for row in (state[0] if state else ()) if row.charging and not row.suspended]
    rates = dict.fromkeys(
        _rate(row) if row.kind == PROHIBITION else f"{_rate(row)} on {describe_base(row.base)}"
        for row in rows
    )
    return _first_few(list(rates)) or ABSENT


def _rates_and_dates(state: State) -> str:
    """Rates of a measure, each with the dates of its goods; an earlier row takes precedence over a later one."""
    rows = [row for row in (state[0] if state else ()) if row.charging]
    return " else ".join(dict.fromkeys(map(_rate_and_dates, rows))) or ABSENT


def _rate_and_dates(row: Row) -> str:
    dates = [condition.words for condition in row.conditions if isinstance(condition.operand, datetime)]
    rate = "suspended" if row.suspended else _rate(row)
    return f"{rate} where {' and '.join(dates)}" if dates else rate


def _first_few(rates: list[str]) -> str:
    return ", ".join(rates[:_RATES_SHOWN]) + (" and more" if len(rates) > _RATES_SHOWN else "")


def _without_rates(rows: tuple[Row, ...], suspended: bool) -> str:
    if suspended:
        return "suspended"
    if not rows:
        return "in force"
    return ABSENT if all(row.absent for row in rows) else "relief only"


def _rate(row: Row) -> str:
    if row.kind == PROHIBITION:
        return "prohibited"
    if row.rate is None:
        return "a specific rate"
    prefix = {"topup_to": "up to ", "total": "in all "}.get(row.kind, "") if row.rate else ""
    return prefix + percent(row.rate)


# -- parts of the goods of a measure ---------------------------------------------------------------------------

Groups = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class GoodsPart:
    """Part of a measure's goods, and its rows under the first law and under the second."""

    scope: Scope
    first: tuple[Row, ...]
    second: tuple[Row, ...]


def parts_that_differ(first: Sequence[Row], second: Sequence[Row], groups: Groups) -> list[GoodsPart]:
    """List the parts of the goods to which one law narrows rows of the other.

    Args:
        first: the rows of a measure under the first law, without the acts that made them.
        second: those under the second law.
        groups: members of each group of countries.

    Returns:
        One part per scope, in order; empty if each law has rows that the other lacks, so that all goods may differ.
    """
    only_first = [row for row in first if row not in second]
    only_second = [row for row in second if row not in first]
    if only_first and only_second:
        return []
    if only_second:
        return [GoodsPart(scope, old, new) for scope, old, new in _parts(first, only_second, groups)]
    return [GoodsPart(scope, new, old) for scope, old, new in _parts(second, only_first, groups)]


def _parts(
    wide: Sequence[Row], narrow: Sequence[Row], groups: Groups
) -> list[tuple[Scope, tuple[Row, ...], tuple[Row, ...]]]:
    """List each scope of the narrow rows with the wide rows that apply in it and the narrow rows that apply at all."""
    by_scope: dict[Scope, list[Row]] = {}
    for row in narrow:
        by_scope.setdefault(_narrowing(row, wide), []).append(row)
    return [
        (
            scope,
            tuple(row for row in wide if _applies(row.scope.narrowed(scope), groups)),
            tuple(row for row in rows if _applies(row.scope, groups)),
        )
        for scope, rows in by_scope.items()
    ]


def _narrowing(row: Row, wide: Iterable[Row]) -> Scope:
    """Subtract from a row's scope that of the row it narrows; return all of it if it narrows none."""
    form = row.conditions, row.relief, row.absent
    same = [one.scope for one in wide if (one.conditions, one.relief, one.absent) == form]
    narrowed = [scope for scope in same if _is_part(row.scope, scope)]
    whole = max(narrowed, key=lambda scope: len(scope.origins) + len(scope.products), default=ANYWHERE)
    return Scope(
        row.scope.origins[len(whole.origins) :],
        row.scope.not_origins - whole.not_origins,
        row.scope.products[len(whole.products) :],
        row.scope.not_products - whole.not_products,
    )


def _is_part(scope: Scope, whole: Scope) -> bool:
    """Test whether a scope is another one narrowed further."""
    return (
        scope.origins[: len(whole.origins)] == whole.origins
        and scope.products[: len(whole.products)] == whole.products
        and scope.not_origins >= whole.not_origins
        and scope.not_products >= whole.not_products
    )


def _applies(scope: Scope, groups: Groups) -> bool:
    """Test whether any country is in all origins of a scope."""
    if not scope.origins:
        return True
    members = [_members(names, groups) for names in scope.origins]
    return bool(frozenset.intersection(*members) - _members(scope.not_origins, groups))


def _members(names: Iterable[str], groups: Groups) -> frozenset[str]:
    return frozenset[str]().union(*(groups.get(name, frozenset({name})) for name in names))


# -- differences beside measures -------------------------------------------------------------------------------


def _setting_differences(first: Law, second: Law) -> list[Difference]:
    differences = [
        Difference("switch", name, "", "", None, None, first.setting(name), second.setting(name))
        for name in second.switches
        if first.setting(name) != second.setting(name)
    ]
    for kind, ours, theirs in (
        ("claim", first.set_claims, second.set_claims),
        ("quantity", first.constraints, second.constraints),
    ):
        for item in (*ours, *theirs):
            if (item in ours) == (item in theirs):
                continue
            text = item.text if isinstance(item, Constraint) else percent(item.share)
            name = getattr(item, "claim", "") or "quantity"
            pair = (text, "not set") if item in ours else ("not set", text)
            differences.append(Difference(kind, name, "", "", item.start, item.end, *pair))
    return differences


def _assumption_differences(first: Law, second: Law) -> list[Difference]:
    ours, theirs = describe_assumptions(first.assumptions), describe_assumptions(second.assumptions)
    pairs = {name: (ours.get(name, "not set"), theirs.get(name, "not set")) for name in (*ours, *theirs)}
    return [
        Difference("assumption", name, "", "", None, None, one, other)
        for name, (one, other) in pairs.items()
        if one != other
    ]


def _rule_differences(first: Law, second: Law) -> list[Difference]:
    zone = second.zones[IMPORT]
    return [
        Difference(
            "rule", one.id, "", "", one.start and one.start.astimezone(zone), one.end and one.end.astimezone(zone),
            one.first, one.second,
        )
        for one in rule_changes(first, second)
    ]  # fmt: skip
