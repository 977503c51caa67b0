"""Rules, their ends, added rows and changes of lists do not exist for the law known before their publication."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tariffs.engine.law import Law, Measure, load_law
from tariffs.engine.law.conditions import ENTRY_DATE
from tariffs.engine.law.measure_history import MeasureHistory
from tariffs.engine.law.model import CHARGE, IMPORT, Period, Row, Rule, RuleEnd
from tariffs.engine.law.product_lists import read_lists
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tests.law.real_law import raw_law

LAW = load_law()
DAY = timedelta(days=1)
_INSTRUMENT = re.compile(r"(?:EO|Proc) \d{5}")

Added = tuple[Measure, Period, int]


def added_rows() -> Iterator[Added]:
    """Rows that begin inside their period, each with its place."""
    for measure in LAW.measures.values():
        for period in measure.periods:
            for place, row in enumerate(period.rows):
                begins = [c.operand for c in row.conditions if c.claim == ENTRY_DATE and c.op in {">", ">="}]
                if any(isinstance(b, datetime) and period.start and b > period.start for b in begins):
                    yield measure, period, place


def used_scopes() -> Iterator[tuple[datetime | None, datetime | None, frozenset[str]]]:
    """The instants between which periods and acts of measures hold, with the names of their scopes."""
    for measure in LAW.measures.values():
        for period in measure.periods:
            names = frozenset[str]().union(*(row.scope.names for row in period.rows))
            yield period.start, period.end, names
        for act in LAW.acts[measure.id]:
            yield act.start, act.until, act.scope.names


def changes_of_lists() -> Iterator[tuple[str, str, datetime]]:
    """Days on which rows of a list begin or end inside something that uses the list, each with its instant."""
    used = list(used_scopes())
    for name, rows in raw_law()["lists"].items():
        for day in sorted({day for _, *days in rows for day in days if day}):
            at = datetime.fromisoformat(f"{day}T00:01").replace(tzinfo=LAW.zones[IMPORT])
            if any(name in names and (not start or start < at) and (not end or at < end)
                   for start, end, names in used):  # fmt: skip
                yield name, day, at


LISTS = [pytest.param(*found, id=f"{found[0]}-{found[1]}") for found in changes_of_lists()]
RULES = [pytest.param(rule, id=rule.id) for rule in LAW.rules]
ENDS = [pytest.param(rule, end, id=rule.id) for rule in LAW.rules for end in rule.ends]
ROWS = [pytest.param(*added, id=f"{added[1].id}-{added[2]}") for added in added_rows()]


def rules_of(law: Law, known_on: date) -> list[list[str]]:
    """The ids of the rules in force in every segment of the embedded law, as known on a day."""
    segments = (law.rule_book.in_force(at, known_on, law.choices) for at in LAW.rule_book.moments)
    return [[active.rule.id for active in rules] for rules in segments]


def chosen(rule: Rule) -> Law:
    """The law under the switches that a rule needs."""
    return LAW.with_switches(rule.switch)


def without(law: Law, rule: Rule, end: RuleEnd | None = None) -> Law:
    """The law without a rule, or without the act that ends it."""
    kept = [replace(rule, ends=tuple(one for one in rule.ends if one is not end))] if end else []
    rules = [one for other in law.rules for one in (kept if other is rule else [other])]
    return replace(law, rules=tuple(rules))


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_unknown_before_its_publication(rule: Rule) -> None:
    assert rule.known_from is not None
    law = chosen(rule)
    assert rules_of(law, rule.known_from - DAY) == rules_of(without(law, rule), rule.known_from - DAY)
    assert rules_of(law, rule.known_from) != rules_of(without(law, rule), rule.known_from)


@pytest.mark.parametrize(("rule", "end"), ENDS)
def test_the_end_of_a_rule_is_unknown_before_its_publication(rule: Rule, end: RuleEnd) -> None:
    law = chosen(rule)
    assert rules_of(law, end.known_from - DAY) == rules_of(without(law, rule, end), end.known_from - DAY)
    assert rules_of(law, end.known_from) != rules_of(without(law, rule, end), end.known_from)


def test_a_rule_ends_by_an_act_alone() -> None:
    # An end that the rule's own instrument writes would be known with the rule; no instrument wrote one so far.
    assert [rule.id for rule in LAW.rules if rule.end] == []


def test_a_rule_is_published_with_an_instrument_that_it_cites() -> None:
    days: dict[str, set[date]] = defaultdict(set)
    for measure in LAW.measures.values():
        for period in measure.periods:
            for name in instruments(period.cite):
                days[name] |= {period.known_from} if period.known_from else set()
        for act in LAW.acts[measure.id]:
            for name in instruments(act.change.cite):
                days[name] |= {act.known_from} if act.known_from else set()
    acts: list[tuple[str, date | None, Sequence[str]]] = []
    for rule in LAW.rules:
        acts += [
            (rule.id, rule.known_from, rule.cite),
            *((rule.id, end.known_from, end.cite) for end in rule.ends),
        ]
    cited = [(rule, day, {d for name in instruments(cite) for d in days[name]}) for rule, day, cite in acts]
    assert [(rule, day, found) for rule, day, found in cited if found and day not in found] == []


def instruments(cites: Sequence[str]) -> set[str]:
    """Executive orders and proclamations named by citations."""
    return {name for cite in cites for name in _INSTRUMENT.findall(cite)}


def charges(measure: Measure, known_on: date) -> list[Any]:
    """What the rows of a measure charge in every segment, as known on a day."""
    history = MeasureHistory(0, measure, LAW.acts[measure.id], LAW.zones[measure.market])
    states = (
        history.settled(moment, known_on, LAW.choices).state
        for moment in LAW.bound.histories[measure.id].moments
    )
    return [state and list(map(CHARGE, state.rows)) for state in states]


@pytest.mark.parametrize(("measure", "period", "place"), ROWS)
def test_a_row_added_to_its_period_is_unknown_before_its_publication(
    measure: Measure, period: Period, place: int
) -> None:
    row: Row = period.rows[place]
    assert row.known_from is not None, (
        "the row begins inside its period and does not say when it was published"
    )
    reduced = replace(period, rows=(*period.rows[:place], *period.rows[place + 1 :]))
    other = replace(measure, periods=tuple(reduced if one is period else one for one in measure.periods))
    assert charges(measure, row.known_from - DAY) == charges(other, row.known_from - DAY)


@pytest.mark.parametrize(("name", "day", "at"), LISTS)
def test_a_change_of_a_list_is_unknown_before_its_publication(name: str, day: str, at: datetime) -> None:
    change = LAW.lists[name].changes.get(at)
    assert change is not None, "list_changes.yaml does not say when the change was published"
    kept = [
        [code, start, "" if end == day else end]
        for code, start, end in raw_law()["lists"][name]
        if start != day
    ]
    others = [
        {**act, "lists": [name]}
        for act in raw_law()["list_changes"]
        if name in act["lists"] and act["day"] != day
    ]
    reduced = read_lists({name: kept}, others, LAW.zones[IMPORT])
    other = replace(LAW, lists={**LAW.lists, **reduced})

    def codes(law: Law, known_on: date) -> list[tuple[str, ...]]:
        return [
            law.in_force(one, known_on).lists[name]
            for one in (*LAW.lists[name].boundaries, LAW.coverage[1] - DAY)
        ]

    assert codes(LAW, change.known_from - DAY) == codes(other, change.known_from - DAY)
    assert codes(LAW, change.known_from) != codes(other, change.known_from)


def test_codes_of_a_list_are_one_object_for_all_days_on_which_they_are_known() -> None:
    name, _, at = next(changes_of_lists())
    days = sorted(LAW.lists[name].publication_days)
    found = [LAW.in_force(at, day).lists[name] for day in (days[0], days[0], LAW.as_of)]
    assert all(one is other for one, other in itertools.combinations(found, 2) if one == other)


@pytest.mark.parametrize(("known_on", "duty"), [("2025-08-18", "1750"), ("2025-08-19", "6750")])
def test_duty_on_goods_of_a_list_is_that_of_the_codes_then_known(known_on: str, duty: str) -> None:
    # Dried milk in cans entered a list on 2025-08-18 by a notice published on 2025-08-19 (90 FR 40326).
    line = EntryLine("0402996800", "DE", "10000", "2025-08-25")
    assert quote_line(LAW, line, known_on=known_on).assessed == Decimal(duty)
