"""What two scenarios make different in the law: which measures stand otherwise, from when to when, in words."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from tariffs.engine.law.describe_rows import describe_base, describe_goods, percent
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.model import PROHIBITION, Row, Rule
from tariffs.engine.scenario.describe import assumed
from tariffs.engine.scenario.effect import Stand, instants_of, state_of_measure
from tariffs.engine.scenario.narrowed import GoodsPart, Groups, parts_that_differ

ABSENT = "not in force"
_RATES_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that two laws have otherwise, from `start` to `end` on its own clock (None: without an end).

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
    """All that two laws have otherwise, measures first, in the order of the law and of time."""
    names = dict.fromkeys((*first.measures, *second.measures))
    found = [item for name in names for item in _measure(first, second, name)]
    found += _settings(first, second)
    return [*found, *_assumptions(first, second), *_rules(first, second)]


def _measure(first: Law, second: Law, name: str) -> Iterator[Difference]:
    """The runs of time in which a measure stands otherwise."""
    known = second.measures.get(name) or first.measures[name]
    zone = second.zones.get(known.direction, second.zones[IMPORT])
    instants = instants_of(name, first, second)
    runs: list[tuple[datetime, datetime | None, _Said]] = []
    open_runs: dict[_Said, int] = {}
    for instant, end in itertools.zip_longest(instants, instants[1:]):
        pair = state_of_measure(first, name, instant), state_of_measure(second, name, instant)
        groups = second.in_force(instant, second.as_of, known.direction).groups if pair[0] != pair[1] else {}
        said = _said(*pair, groups) if pair[0] != pair[1] else []
        for words in said:
            if words in open_runs:
                runs[open_runs[words]] = (runs[open_runs[words]][0], end, words)
            else:
                runs.append((instant, end, words))
        open_runs = {words: index for index, (_, last, words) in enumerate(runs) if last == end}
    for start, end, (goods, one, other) in runs:
        last = end.astimezone(zone) if end and end < second.coverage[1] else None
        begun = start.astimezone(zone)
        yield Difference("measure", name, known.authority, known.direction, begun, last, one, other, goods)


# The goods that differ (empty: not narrowed), and how the measure stands for them in the first law and in the second.
_Said = tuple[str, str, str]


def _said(one: Stand, other: Stand, groups: Groups) -> list[_Said]:
    """Describe the state of a measure in two laws, part by part where one narrows rows of the other."""
    parts = parts_that_differ(one[0], other[0], groups) if one and other else []
    found = [(_goods(part), _part_words(part.first), _part_words(part.second)) for part in parts]
    told = [said for said in found if said[1] != said[2]]
    return told or [("", *_words_of(one, other))]


def _part_words(rows: tuple[Row, ...]) -> str:
    return "exempt" if rows and all(row.relief for row in rows) else _words((rows, False), False)


def _goods(part: GoodsPart) -> str:
    """The goods of a part, with the conditions of reliefs that one law alone has there."""
    reliefs = [row for row in part.second if row.relief and row not in part.first]
    terms = dict.fromkeys(condition.words for row in reliefs for condition in row.conditions)
    words = describe_goods(part.scope)
    return f"{words} where {' and '.join(terms)}" if terms and len(reliefs) == 1 else words


def _words_of(one: Stand, other: Stand) -> tuple[str, str]:
    """Describe the state of a measure in two laws in short; name exemptions where nothing else differs."""
    found = _words(one, False), _words(other, False)
    if found[0] == found[1]:
        found = _words(one, True), _words(other, True)
    if found[0] == found[1]:
        found = _with_bases(one), _with_bases(other)
    if found[0] == found[1]:
        found = _with_dates(one), _with_dates(other)
    return found if found[0] != found[1] else (f"{found[0]} on some goods", f"{found[1]} on other goods")


def _with_bases(state_of_measure: Stand) -> str:
    """The rates of a measure, each with the part of the value it falls on."""
    rows = [
        row for row in (state_of_measure[0] if state_of_measure else ()) if row.charging and not row.suspended
    ]
    rates = dict.fromkeys(
        _rate(row) if row.kind == PROHIBITION else f"{_rate(row)} on {describe_base(row.base)}"
        for row in rows
    )
    return _listed(list(rates)) or ABSENT


def _with_dates(state_of_measure: Stand) -> str:
    """The rates of a measure, each with the dates of the goods it falls on; a row yields to those before it."""
    rows = [row for row in (state_of_measure[0] if state_of_measure else ()) if row.charging]
    return " else ".join(dict.fromkeys(map(_dated, rows))) or ABSENT


def _dated(row: Row) -> str:
    dates = [condition.words for condition in row.conditions if isinstance(condition.operand, datetime)]
    said = "suspended" if row.suspended else _rate(row)
    return f"{said} where {' and '.join(dates)}" if dates else said


def _listed(rates: list[str]) -> str:
    return ", ".join(rates[:_RATES_SHOWN]) + (" and more" if len(rates) > _RATES_SHOWN else "")


def _words(state_of_measure: Stand, reliefs: bool) -> str:
    if state_of_measure is None:
        return ABSENT
    rows, suspended = state_of_measure
    charging = [row for row in rows if row.charging]
    if not charging:
        return _without_rates(rows, suspended)
    if all(row.suspended for row in charging):
        return "suspended"
    rates = list(dict.fromkeys(_rate(row) for row in charging if not row.suspended))
    shown = _listed(rates)
    marks = [
        *(["part of it suspended"] if suspended else []),
        *([f"{sum(row.relief for row in rows)} exemptions"] if reliefs else []),
        *(["assessed and not owed"] if any(row.void for row in charging) else []),
    ]
    return f"{shown} ({'; '.join(marks)})" if marks else shown


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


# -- what is beside measures -----------------------------------------------------------------------------------


def _settings(first: Law, second: Law) -> list[Difference]:
    found = [
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
            text = percent(item.share) if item.share is not None else f"at least {item.floor:,f} USD"
            name = getattr(item, "claim", "") or "quantity"
            pair = (text, "not set") if item in ours else ("not set", text)
            found.append(Difference(kind, name, "", "", item.start, item.end, *pair))
    return found


def _assumptions(first: Law, second: Law) -> list[Difference]:
    ours, theirs = assumed(first.assumptions), assumed(second.assumptions)
    return [
        Difference(
            "assumption", name, "", "", None, None, ours.get(name, "not set"), theirs.get(name, "not set")
        )
        for name in dict.fromkeys((*ours, *theirs))
        if ours.get(name) != theirs.get(name)
    ]


def _rules(first: Law, second: Law) -> list[Difference]:
    """Stacking rules that only one of the laws has, or has at other times."""
    ours, theirs = list(first.rules), list(second.rules)
    only_first = [rule for rule in ours if rule not in theirs]
    only_second = [rule for rule in theirs if rule not in ours]
    return [_rule(rule, "in force", ABSENT, first) for rule in only_first] + [
        _rule(rule, ABSENT, "in force", second) for rule in only_second
    ]


def _rule(rule: Rule, one: str, other: str, law: Law) -> Difference:
    zone = law.zones[IMPORT]
    start = rule.start.astimezone(zone) if rule.start else None
    end = rule.end.astimezone(zone) if rule.end else None
    return Difference("rule", rule.id, "", "", start, end, one, other)
