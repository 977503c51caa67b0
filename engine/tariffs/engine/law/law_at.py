"""The law at an instant: measures with the rows that hold, and the stacking rules over them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any

from tariffs.engine.base.hashed import Hashed
from tariffs.engine.law.measure_state import MeasureState, rule_on
from tariffs.engine.law.model import ASSESSED, CHARGE, Measure, Row, Rule


@dataclass(frozen=True)
class Active:
    """A modelled measure in force at an instant, with the rows that hold.

    `index` is its place in the law; `cites` the citations of each period and act that rows name, `period`
    the label of the period that holds.
    """

    index: int
    measure: Measure
    rows: tuple[Row, ...]
    cites: Mapping[str, tuple[str, ...]]
    period: str

    @cached_property
    def charges(self) -> Hashed:
        """The measure and its rows as far as they make a difference for duty."""
        return self._of_rows(CHARGE)

    @cached_property
    def assessed(self) -> Hashed:
        """The measure and its rows as far as they make a difference for duty assessed."""
        return self._of_rows(ASSESSED)

    def _of_rows(self, of_row: Callable[[Row], Hashable]) -> Hashed:
        measure = self.measure
        return Hashed(
            (measure.id, measure.authority, measure.displaces_at_zero, tuple(map(of_row, self.rows)))
        )

    @cached_property
    def switches(self) -> frozenset[str]:
        """Switches that the measure and its period exist under."""
        held = [period.switch for period in self.measure.periods if period.id == self.period]
        return frozenset(self.measure.switch).union(*held)

    @cached_property
    def names(self) -> frozenset[str]:
        """Every country, group, code and list that the scopes of its rows name."""
        return frozenset[str]().union(*(row.scope.names for row in self.rows))

    def citations(self, row: Row) -> tuple[str, ...]:
        """Citations of a row: of its period, of the acts that changed it, of the measure."""
        cites = [cite for act in row.acts for cite in self.cites.get(act, ())]
        return tuple(dict.fromkeys((*cites, *self.measure.cite)))


@dataclass(frozen=True)
class ActiveRule:
    """A stacking rule in force, its selectors resolved to measure indices (members in order)."""

    rule: Rule
    when: frozenset[int]
    on: frozenset[int]
    members: tuple[frozenset[int], ...]

    def at(self, instant: datetime) -> ActiveRule | None:
        """Resolve tests of the entry date; None if the rule does not apply then."""
        rule = rule_on(self.rule, instant)
        if rule is self.rule:
            return self
        return None if rule is None else replace(self, rule=rule)

    @cached_property
    def effect(self) -> Hashed:
        """The terms of the rule without its selectors."""
        rule = self.rule
        facts = rule.when_not, rule.conditions, rule.unless, rule.take, rule.base, rule.pick
        return Hashed((*facts, bool(rule.when)))

    @cached_property
    def touched(self) -> frozenset[int]:
        """Measures that the rule may displace or choose among."""
        return self.on.union(*self.members)

    def touches(self, present: frozenset[int]) -> bool:
        """Test whether the rule could change anything where only these measures are present."""
        if self.members:
            return not all(present.isdisjoint(wanted) for wanted in self.members)
        return not (present.isdisjoint(self.on) or (self.when and present.isdisjoint(self.when)))


@lru_cache(4096)
def _shared(members: frozenset[str]) -> frozenset[str]:
    """Return the first of equal sets: scopes in force on the days of two years spell 130 of them 94,000 times."""
    return members


@dataclass(frozen=True, eq=False)
class InForce:
    """The law for entries at an instant, as known on a day.

    `revive`: duty owed is stacked without the void measures, so that the duties they displaced are owed after all.
    `cache` holds values derived from scopes and names of the law, which are few.
    """

    actives: tuple[Active, ...]
    rules: tuple[ActiveRule, ...]
    unmodelled: tuple[MeasureState, ...]
    groups: Mapping[str, frozenset[str]]
    lists: Mapping[str, tuple[str, ...]]
    revive: bool = False
    cache: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    def members(self, names: frozenset[str]) -> frozenset[str]:
        """Spell out origins given by code and group; equal ones are one object."""
        spelled: set[str] = set()
        for name in names:
            spelled |= self.groups.get(name, frozenset({name}))
        return _shared(frozenset(spelled))

    def codes(self, names: frozenset[str]) -> tuple[str, ...]:
        """Spell out product codes given by code and list."""
        return tuple(code for name in sorted(names) for code in self.lists.get(name, (name,)))
