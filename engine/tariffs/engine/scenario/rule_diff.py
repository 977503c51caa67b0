"""Compare the stacking rules of two laws: each that differs, from when to when, and what of it has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import zip_longest
from operator import attrgetter
from typing import Any, NamedTuple

from tariffs.engine.law.conditions import Condition
from tariffs.engine.law.describe_rows import describe_base
from tariffs.engine.law.law import Law
from tariffs.engine.law.measure_history import utc_sorted
from tariffs.engine.law.model import Rule
from tariffs.engine.law.rule_book import is_dated

IN_FORCE, ABSENT = "in force", "not in force"


class RuleChange(NamedTuple):
    """Rule that differs in [start, end) (UTC; None is open), with words for it under the first and the second law."""

    id: str
    start: datetime | None
    end: datetime | None
    first: str
    second: str


def rule_changes(first: Law, second: Law) -> Iterator[RuleChange]:
    """Yield the rules that differ, one change for each run of time; those that differ without effect once, undated."""
    for name in dict.fromkeys(rule.id for law in (first, second) for rule in law.rules):
        ours, theirs = ([rule for rule in law.rules if rule.id == name] for law in (first, second))
        if ours == theirs:
            continue
        runs = _runs(first, second, ours, theirs)
        yield from (RuleChange(name, *run) for run in runs or [(None, None, *_stated(ours, theirs))])


def _runs(
    first: Law, second: Law, ours: Sequence[Rule], theirs: Sequence[Rule]
) -> list[tuple[datetime | None, datetime | None, str, str]]:
    """List the times in which the rule in force differs, joined while the words are the same."""
    dated = utc_sorted(moment for rule in (*ours, *theirs) for moment in rule.moments)
    starts = [None, *(moment for moment in dated if moment > first.coverage[0])]
    runs: list[tuple[datetime | None, datetime | None, str, str]] = []
    for start, end in zip_longest(starts, starts[1:]):
        instant = start or first.coverage[0]
        words = _effect_words(_holding(first, ours, instant), _holding(second, theirs, instant))
        if words is None:
            continue
        if runs and runs[-1][1:] == (start, *words):
            start = runs.pop()[0]
        runs.append((start, end, *words))
    return runs


def _holding(law: Law, versions: Sequence[Rule], instant: datetime) -> Rule | None:
    """Find the version of a rule in force at an instant as known on the law's as-of day."""
    counted = (rule for rule in versions if law.choices.count(rule.switch, rule.conf))
    return next((rule for rule in counted if is_dated(rule, instant, law.as_of, law.choices)), None)


def _effect_words(one: Rule | None, other: Rule | None) -> tuple[str, str] | None:
    if one is None or other is None:
        return None if one is other else (IN_FORCE if one else ABSENT, IN_FORCE if other else ABSENT)
    return _pair(one, other, _EFFECTS)


def _stated(ours: Sequence[Rule], theirs: Sequence[Rule]) -> tuple[str, str]:
    """Describe rules that have the same effect in both laws."""
    if not (ours and theirs):
        return ("stated", "not stated") if ours else ("not stated", "stated")
    pairs = [(one, other) for one, other in zip_longest(ours, theirs) if one != other]
    one, other = pairs[0]
    if one is None or other is None:
        return f"{len(ours)} versions", f"{len(theirs)} versions"
    return _pair(one, other, {**_EFFECTS, **_STATEMENTS}) or ("stated", "stated otherwise")


def _pair(one: Rule, other: Rule, terms: Mapping[str, _Words]) -> tuple[str, str] | None:
    """Name the terms in which two rules differ, with the words of each; None if they agree."""
    differing = {name: words for name, words in terms.items() if words(one) != words(other)}
    if not differing:
        return None
    told = (
        "; ".join(f"{name} {words(rule) or 'none'}" for name, words in differing.items())
        for rule in (one, other)
    )
    return next(told), next(told)


_Words = Callable[[Rule], str]


def _listed(name: str) -> _Words:
    return lambda rule: ", ".join(getattr(rule, name))


def _conditions(name: str) -> _Words:
    def words(rule: Rule) -> str:
        conditions: Sequence[Condition] = getattr(rule, name)
        return " and ".join(condition.words for condition in conditions)

    return words


def _moment(value: Any) -> str:
    return value.isoformat(timespec="minutes") if isinstance(value, datetime) else str(value or "")


_EFFECTS: Mapping[str, _Words] = {
    "when": _listed("when"),
    "when_not": lambda rule: ", ".join(sorted(rule.when_not)),
    "if": _conditions("conditions"),
    "unless": _conditions("unless"),
    "on": _listed("on"),
    "take": attrgetter("take"),
    "base": lambda rule: describe_base(rule.base),
    "one_of": _listed("members"),
    "pick": attrgetter("pick"),
    "heading": attrgetter("heading"),
}
_STATEMENTS: Mapping[str, _Words] = {
    "from": lambda rule: _moment(rule.start),
    "to": lambda rule: _moment(rule.end),
    "ends": lambda rule: ", ".join(f"{_moment(end.at)} known from {end.known_from}" for end in rule.ends),
    "known_from": lambda rule: str(rule.known_from or ""),
    "switch": lambda rule: ", ".join(f"{name} {value}" for name, value in sorted(rule.switch.items())),
    "conf": attrgetter("conf"),
    "cite": _listed("cite"),
    "text": attrgetter("text"),
}


__all__ = ["ABSENT", "IN_FORCE", "RuleChange", "rule_changes"]
