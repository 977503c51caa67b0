"""The stacking rules of a law with their selectors resolved, and those in force in each segment, worked out once.

A law that a scenario makes has the book in common with the law it was applied to, unless the scenario changes a rule or
adds a measure; so its rules in force are the same objects.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, datetime
from functools import cached_property

from tariffs.engine.law.conditions import ENTRY_DATE
from tariffs.engine.law.law_at import ActiveRule
from tariffs.engine.law.measure_history import Choices, utc_sorted
from tariffs.engine.law.model import Rule, holds, published

# Rules change on some hundred days.
_SEGMENTS_KEPT = 256
_Key = tuple[int, int, tuple[str, ...], str]


class RuleBook:
    """Stacking rules in their order; immutable but for the cache of those in force."""

    def __init__(self, rules: tuple[ActiveRule, ...]) -> None:
        self._rules = rules
        self._in_force: dict[_Key, tuple[ActiveRule, ...]] = {}

    @cached_property
    def moments(self) -> Sequence[datetime]:
        """Instants at which a rule begins, ends or tests the entry date, sorted (UTC)."""
        rules = [one.rule for one in self._rules]
        tests = (test for rule in rules for test in (*rule.conditions, *rule.unless))
        dates = [test.operand for test in tests if test.claim == ENTRY_DATE]
        moments = [moment for rule in rules for moment in rule.moments]
        return utc_sorted([*moments, *(date for date in dates if isinstance(date, datetime))])

    @cached_property
    def publication_days(self) -> Sequence[date]:
        """Days on which rules and their ends were published, sorted."""
        return sorted(frozenset[date]().union(*(one.rule.publication_days for one in self._rules)))

    @cached_property
    def _switches(self) -> tuple[str, ...]:
        wanted = [one.rule.switch for one in self._rules]
        wanted += [end.switch for one in self._rules for end in one.rule.ends]
        return tuple(sorted({name for switches in wanted for name in switches}))

    def in_force(self, instant: datetime, known_on: date, choices: Choices) -> tuple[ActiveRule, ...]:
        """Rules in force at an (aware) instant as known on a day; the same object in the same segment."""
        key = (
            bisect_right(self.moments, instant),
            bisect_right(self.publication_days, known_on),
            tuple(map(choices.setting, self._switches)),
            choices.min_conf,
        )
        found = self._in_force.get(key)
        if found is None:
            held = [one for one in self._rules if _holds(one.rule, instant, known_on, choices)]
            found = tuple(rule for one in held if (rule := one.at(instant)) is not None)
            if len(self._in_force) >= _SEGMENTS_KEPT:
                self._in_force.clear()
            found = self._in_force.setdefault(key, found)
        return found


def _holds(rule: Rule, instant: datetime, known_on: date, choices: Choices) -> bool:
    return choices.count(rule.switch, rule.conf) and is_dated(rule, instant, known_on, choices)


def is_dated(rule: Rule, instant: datetime, known_on: date, choices: Choices) -> bool:
    """Test whether a rule is in the books on a day and holds at an instant, whatever its own switch and confidence."""
    if not published(rule.known_from, known_on) or not holds(rule.start, rule.end, instant):
        return False
    if rule.known_until is not None and rule.known_until <= known_on:
        return False
    ended = (end for end in rule.ends if end.at <= instant and published(end.known_from, known_on))
    return not any(choices.count(end.switch, end.conf) for end in ended)
