"""Fingerprint the law of a day: laws with equal fingerprints give a table the same duties, computed only once.

Most instants at which a law may change, and most edits of a scenario, do not change the law of a given day. The
fingerprint covers what compile reads: rows, rules between measures in force, and the groups and lists they name.
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
    """Compute a value that is equal for laws and instants with the same duties and responses of all lines.

    Args:
        law: the law, after any scenario.
        in_force: the law in force at the instant.
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
    inputs = settings, constraints, _assumed_limits(law, instant, known_on), basis_of(law)
    return measures, rules, inputs, _names(scopes, in_force)


def _assumed_limits(law: Law, instant: datetime, known_on: date) -> Hashable:
    """Quantity limits and commitments in force that assumptions refer to, and these assumptions."""
    assumed = law.assumptions.quantities
    names = {name for _, name, _ in assumed}
    rules = quantity_rules(law, instant, known_on) if names else ()
    limits = tuple(rule for rule in rules if rule.measure in names)
    return (assumed, limits) if limits else ()


def _rule(active: ActiveRule, ids: list[str], present: set[int]) -> Hashable:
    """Identify a rule by the measures in force it can affect; None if it affects none."""
    on = frozenset(ids[index] for index in active.on & present)
    members = tuple(frozenset(ids[index] for index in found & present) for found in active.members)
    if not on and not any(members):
        return None
    rule = active.rule
    when = frozenset(ids[index] for index in active.when & present)
    facts = rule.when_not, rule.conditions, rule.unless, rule.take, rule.base, rule.pick, bool(rule.when)
    return when, on, members, facts


def _names(scopes: list[Scope], in_force: InForce) -> Hashable:
    """Contents of the groups and lists that scopes name; equal codes of a list are the same object."""
    names = {
        name
        for scope in scopes
        for found in (*scope.origins, scope.not_origins, *scope.products, scope.not_products)
        for name in found
    }
    groups = tuple((name, in_force.groups[name]) for name in sorted(names & in_force.groups.keys()))
    lists = tuple((name, id(in_force.lists[name])) for name in sorted(names & in_force.lists.keys()))
    return groups, lists
