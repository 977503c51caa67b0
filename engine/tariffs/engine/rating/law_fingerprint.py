"""Whether two laws are alike for a table on a day: then their duties are the same and need computing once.

Most instants at which something in a law may change, and most edits of a scenario, leave the day in question as it
is. What is compared is what compile reads: rows, rules between measures in force, and the groups and lists they name.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from datetime import date, datetime

from tariffs.engine.law.law import ActiveRule, InForce, Law
from tariffs.engine.law.model import Scope
from tariffs.engine.law.quantity_rules import quantity_rules
from tariffs.engine.tables.claim_shares import settings_at
from tariffs.engine.tables.default_shares import basis_of


def law_fingerprint(law: Law, in_force: InForce, instant: datetime, known_on: date) -> Hashable:
    """A value that is equal for laws and instants under which all lines are charged and respond alike.

    Args:
        law: the law, after any scenario.
        in_force: what it is at the instant.
        instant: the instant.
        known_on: the day whose acts count.
    """
    ids = list(law.measures)
    settings = settings_at(law, instant)
    constraints = tuple(item for item in law.constraints if item.holds(instant))
    measures = tuple(
        (
            active.measure.id,
            active.measure.authority,
            active.measure.displaces_at_zero,
            tuple(replace(row, acts=(), kept=False) for row in active.rows),
        )
        for active in in_force.actives
    )
    present = {active.index for active in in_force.actives}
    rules = tuple(found for rule in in_force.rules if (found := _rule(rule, ids, present)) is not None)
    scopes = [row.scope for active in in_force.actives for row in active.rows]
    scopes += [item.scope for item in settings] + [item.scope for item in constraints]
    beside = settings, constraints, _held(law, instant, known_on), basis_of(law)
    return measures, rules, beside, _names(scopes, in_force)


def _held(law: Law, instant: datetime, known_on: date) -> Hashable:
    """The limits and promises in force that assumptions say something about, and what they say."""
    assumed = law.assumptions.quantities
    names = {name for _, name, _ in assumed}
    rules = quantity_rules(law, instant, known_on) if names else ()
    found = tuple(rule for rule in rules if rule.measure in names)
    return (assumed, found) if found else ()


def _rule(active: ActiveRule, ids: list[str], present: set[int]) -> Hashable:
    """A rule by the measures in force it can touch; None if it can touch none."""
    on = frozenset(ids[index] for index in active.on & present)
    members = tuple(frozenset(ids[index] for index in found & present) for found in active.members)
    if not on and not any(members):
        return None
    rule = active.rule
    when = frozenset(ids[index] for index in active.when & present)
    facts = rule.when_not, rule.conditions, rule.unless, rule.take, rule.base, rule.pick, bool(rule.when)
    return when, on, members, facts


def _names(scopes: list[Scope], in_force: InForce) -> Hashable:
    """The content of every group and list that scopes name; a list's codes are one object while they do not change."""
    names = {
        name
        for scope in scopes
        for found in (*scope.origins, scope.not_origins, *scope.products, scope.not_products)
        for name in found
    }
    groups = tuple((name, in_force.groups[name]) for name in sorted(names & in_force.groups.keys()))
    lists = tuple((name, id(in_force.lists[name])) for name in sorted(names & in_force.lists.keys()))
    return groups, lists
