"""Every period and act of the law holds somewhere on the day it was published, by what was known that day."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

import pytest

from tariffs.engine.law import Law, Measure, load_law
from tariffs.engine.law.amendments import Act
from tariffs.engine.law.measure_state import known, measure_state, moments_of
from tariffs.engine.law.model import Rule

LAW = load_law()
ENACTED = [measure for measure in LAW.measures.values() if not measure.announced]
PERIODS = [(m.id, period.id) for m in ENACTED for period in m.periods]
ACTS = [(m.id, act) for m in ENACTED for act in LAW.acts[m.id] if act.known_from]
DAY = timedelta(days=1)
INSTRUMENT = re.compile(r"(?:EO|Proc) \d{5}")


def moments(law: Law, measure: Measure) -> list[datetime]:
    """Every instant at which the measure may come to stand otherwise."""
    return sorted(moment for moment in moments_of(measure, law.acts[measure.id]) if moment is not None)


@pytest.mark.parametrize(("name", "label"), PERIODS, ids=[label for _, label in PERIODS])
def test_a_period_holds_at_some_instant_as_known_on_the_day_it_was_published(name: str, label: str) -> None:
    measure = LAW.measures[name]
    (period,) = (one for one in measure.periods if one.id == label)
    law = LAW.with_switches({**measure.switch, **period.switch})
    assert period.known_from is not None
    found = (law.state_of(measure, moment, period.known_from) for moment in moments(law, measure))
    assert any(one is not None and one.period.id == label for one in found)


@pytest.mark.parametrize(("name", "act"), ACTS, ids=[f"{name}-{act.order}" for name, act in ACTS])
def test_an_act_changes_something_as_known_on_the_day_it_was_published(name: str, act: Act) -> None:
    measure = LAW.measures[name]
    law = LAW.with_switches({**measure.switch, **act.change.switch})
    assert act.known_from is not None
    acts = [one for one in known(law.acts[name], act.known_from) if law.switched(one.change.switch)]
    published = [p for p in measure.periods if p.known_from is not None and p.known_from <= act.known_from]
    periods = [p for p in published if law.switched(p.switch)]
    others = [one for one in acts if one.order != act.order]

    def stands(these: list[Act]) -> Iterator[object]:
        for moment in moments(law, measure):
            found = measure_state(measure, these, periods, moment)
            yield (found.suspended, tuple(row._replace(acts=()) for row in found.rows)) if found else None

    assert any(one != other for one, other in zip(stands(acts), stands(others), strict=True))


def instruments(cites: Sequence[str]) -> set[str]:
    """Executive orders and proclamations named by citations."""
    return {name for cite in cites for name in INSTRUMENT.findall(cite)}


def test_a_rule_is_published_with_an_instrument_that_it_cites() -> None:
    days: dict[str, set[date]] = defaultdict(set)
    for measure in LAW.measures.values():
        dated = [(period.cite, period.known_from) for period in measure.periods]
        for cites, day in [*dated, *((act.change.cite, act.known_from) for act in LAW.acts[measure.id])]:
            for name in instruments(cites):
                days[name] |= {day} if day else set()
    acts = [(rule.id, rule.known_from, rule.cite) for rule in LAW.rules]
    acts += [(rule.id, end.known_from, end.cite) for rule in LAW.rules for end in rule.ends]
    for rule, published, cite in acts:
        found = {day for name in instruments(cite) for day in days[name]}
        assert not found or published in found, rule
    # An end that the rule's own instrument writes would be known with the rule; no instrument wrote one so far.
    assert [one.id for one in LAW.rules if one.end] == []


@pytest.mark.parametrize("rule", LAW.rules, ids=lambda rule: rule.id)
def test_a_rule_and_its_ends_count_from_their_publication(rule: Rule) -> None:
    law = LAW.with_switches(rule.switch)

    def in_force(known_on: date) -> set[datetime]:
        states = {at: law.rule_book.in_force(at, known_on, law.choices) for at in law.rule_book.moments}
        return {at for at, rules in states.items() if any(one.rule.id == rule.id for one in rules)}

    assert rule.known_from is not None
    assert in_force(rule.known_from)
    assert not in_force(rule.known_from - DAY)
    for end in rule.ends:
        assert in_force(end.known_from) < in_force(end.known_from - DAY)
