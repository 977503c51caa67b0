"""Find the switches an answer depends on: those that, set otherwise, change the law for its goods.

A switch may remove a measure, a period, an act or a stacking rule, so that an answer may depend on rows that are not
in force. So the law is compared under each value of the switch at the instant.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.base.chunks import checkpoint
from tariffs.engine.base.kept import kept
from tariffs.engine.law.law import IMPORT, REVIVE, InForce, Law
from tariffs.engine.law.model import BUT_ACTS, Measure, Rule, Scope
from tariffs.engine.law.rule_book import is_dated

Group = tuple[Scope, ...]
Effect = tuple[Group, ...]
"""Goods that a switch changes: those that some scope of each group reaches."""

_LAWS_KEPT = 8
_ALTERNATIVES: BoundedCache[weakref.ref[Law], dict[str, list[Law]]] = BoundedCache(_LAWS_KEPT)


def switches_behind(
    law: Law, instant: datetime, known_on: date, reaches: Callable[[Scope], bool], market: str = IMPORT
) -> dict[str, str]:
    """Find the switches an answer depends on, with their values.

    Args:
        reaches: tests whether the goods of the answer, or some of them, are in a scope.
    """
    behind = switch_effects(law, instant, known_on, market)
    seen: dict[int, bool] = {}

    def reached(place: int) -> bool:
        if place not in seen:
            seen[place] = reaches(behind.scopes[place])
        return seen[place]

    return {
        name: law.setting(name)
        for name, found in behind.effects.items()
        if any(all(any(map(reached, group)) for group in effect) for effect in found)
    }


def switch_effects(law: Law, instant: datetime, known_on: date, market: str = IMPORT) -> SwitchEffects:
    """Find what each switch would change, set otherwise; arguments as of `switches_behind`."""
    in_force = law.in_force(instant, known_on, market)
    return kept(
        in_force.cache,
        ("switches", "effects"),
        lambda: SwitchEffects.of(_effects(law, instant, known_on, market)),
    )


@dataclass(frozen=True, slots=True)
class SwitchEffects:
    """Effects of the switches by name; their groups give scopes by place.

    A line asks for the same few scopes hundreds of times, and a scope takes longer to look up than to reach.
    """

    scopes: tuple[Scope, ...]
    effects: Mapping[str, tuple[tuple[tuple[int, ...], ...], ...]]

    @classmethod
    def of(cls, effects: Mapping[str, tuple[Effect, ...]]) -> SwitchEffects:
        """Number the scopes."""
        places: dict[Scope, int] = {}
        numbered = {
            name: tuple(
                tuple(tuple(places.setdefault(scope, len(places)) for scope in group) for group in effect)
                for effect in found
            )
            for name, found in effects.items()
        }
        return cls(tuple(places), numbered)


def _effects(law: Law, instant: datetime, known_on: date, market: str) -> dict[str, tuple[Effect, ...]]:
    found: dict[str, list[Effect]] = {name: [] for name in sorted(law.switches)}
    histories = [one for one in law.bound.histories.values() if one.measure.market == market]
    for name, others in _alternatives(law).items():
        checkpoint()
        for history in histories:
            if name in history.switches and (
                moved := _moved(history.measure, [law, *others], instant, known_on)
            ):
                found[name].append((moved,))
    in_force = law.in_force(instant, known_on, market)
    for rule in law.rules:
        if rule.switch and is_dated(rule, instant, known_on, law.choices):
            for name in rule.switch:
                found[name].append(_of_rule(law, in_force, rule))
    if REVIVE in found:
        found[REVIVE] += _of_void(in_force)
    return {name: tuple(effects) for name, effects in found.items() if effects}


def _alternatives(law: Law) -> dict[str, list[Law]]:
    """List by switch the law under each of its other values."""
    return _ALTERNATIVES.get(_ALTERNATIVES.weak_key(law), lambda: _other_laws(law))


def _other_laws(law: Law) -> dict[str, list[Law]]:
    used = {name for history in law.bound.histories.values() for name in history.switches}
    return {
        name: [law.with_switches({name: value}) for value in switch.values if value != law.setting(name)]
        for name, switch in law.switches.items()
        if name in used
    }


def _moved(measure: Measure, laws: list[Law], instant: datetime, known_on: date) -> Group:
    """Scopes of the rows of a measure that not all the laws have."""
    states = [law.state_of(measure, instant, known_on) for law in laws]
    # Laws share the states that a switch leaves as they are.
    if all(state is states[0] for state in states):
        return ()
    kinds = [{BUT_ACTS(row): row.scope for row in state.rows} if state else {} for state in states]
    common = set(kinds[0]).intersection(*kinds[1:])
    return tuple(dict.fromkeys(scope for kind in kinds for row, scope in kind.items() if row not in common))


def _of_rule(law: Law, in_force: InForce, rule: Rule) -> Effect:
    touched = _scopes(in_force, lambda measure: _is_named(measure, (*rule.on, *rule.members)))
    if not rule.when:
        return (touched,)
    return (touched, _scopes(in_force, lambda measure: _is_named(measure, rule.when)))


def _of_void(in_force: InForce) -> list[Effect]:
    """Void measures that displace others."""
    void = {active.index for active in in_force.actives if any(row.void for row in active.rows)}
    measures = {active.index: active.measure.id for active in in_force.actives}
    effects: list[Effect] = []
    for rule in in_force.rules:
        members = frozenset[int]().union(*rule.members)
        for index in (rule.when | members) & void:
            others = {measures[i] for i in (rule.on | members) - {index} if i in measures}
            effects.append((_named(in_force, others), _named(in_force, {measures[index]})))
    return effects


def _named(in_force: InForce, ids: set[str]) -> Group:
    return _scopes(in_force, lambda measure: measure.id in ids)


def _scopes(in_force: InForce, wanted: Callable[[Measure], bool]) -> Group:
    rows = (row for active in in_force.actives if wanted(active.measure) for row in active.rows)
    return tuple(dict.fromkeys(row.scope for row in rows))


def _is_named(measure: Measure, names: tuple[str, ...]) -> bool:
    return measure.id in names or any(parent in names for parent in measure.parents)
