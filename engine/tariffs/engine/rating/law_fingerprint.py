"""Fingerprint the law of a day: laws with equal fingerprints give a table the same duties, computed only once.

Most instants at which a law may change, and most edits of a scenario, do not change the law of a given day. The
fingerprint covers what compile reads: rows, rules between measures in force, and the groups and lists they name.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import date, datetime
from operator import attrgetter

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.base.hashed import Hashed
from tariffs.engine.base.kept import kept
from tariffs.engine.law.law import ActiveRule, InForce, Law
from tariffs.engine.law.quantity_rules import quantity_rules
from tariffs.engine.law.set_shares import settings_at
from tariffs.engine.tables.default_shares import basis_of

# Laws of one family share their rules and names in force; two years have some hundred segments.
_KEPT = 128
_RULES: BoundedCache[Hashable, tuple[object, Hashed]] = BoundedCache(_KEPT)
_CONTENTS: BoundedCache[Hashable, tuple[object, Hashed]] = BoundedCache(_KEPT)
_CHARGES, _ASSESSED = attrgetter("charges"), attrgetter("assessed")


def law_fingerprint(law: Law, in_force: InForce, instant: datetime, known_on: date) -> Hashable:
    """Compute a value that is equal for laws and instants with the same duties and responses of all lines.

    Args:
        law: the law, after any scenario.
        known_on: the day whose acts count.
    """
    # What is owed depends on it where a void measure displaces another.
    return in_force.revive, _fingerprint(law, in_force, instant, known_on, _CHARGES)


def assessed_fingerprint(law: Law, in_force: InForce, instant: datetime, known_on: date) -> Hashable:
    """Compute a value as `law_fingerprint` that is equal too where laws differ in what is owed of their duty alone."""
    return _fingerprint(law, in_force, instant, known_on, _ASSESSED)


def _fingerprint(
    law: Law, in_force: InForce, instant: datetime, known_on: date, charges: attrgetter[Hashed]
) -> Hashable:
    settings = settings_at(law, instant)
    constraints = tuple(item for item in law.constraints if item.holds(instant))
    inputs = settings, constraints, _assumed_limits(law, instant, known_on), basis_of(law)
    scopes = [item.scope for item in settings] + [item.scope for item in constraints]
    names = frozenset[str]().union(*(scope.names for scope in scopes))
    measures = kept(in_force.cache, ("fingerprint", charges), lambda: _measures(in_force, charges))
    return measures, inputs, _contents(names, in_force)


def _measures(in_force: InForce, charges: attrgetter[Hashed]) -> Hashed:
    """Measures and rules in force, and the contents of the groups and lists that the measures name."""
    names = frozenset[str]().union(*(active.names for active in in_force.actives))
    return Hashed((tuple(map(charges, in_force.actives)), _rules(in_force), _contents(names, in_force)))


def _rules(in_force: InForce) -> Hashed:
    """Rules in force by the measures in force that they can affect."""
    present = tuple((active.index, active.measure.id) for active in in_force.actives)

    def make() -> tuple[object, Hashed]:
        ids = dict(present)
        rules = tuple(found for rule in in_force.rules if (found := _rule(rule, ids)) is not None)
        return in_force.rules, Hashed(rules)

    # The value keeps the object whose identity the key holds.
    return _RULES.get((id(in_force.rules), present), make)[1]


def _assumed_limits(law: Law, instant: datetime, known_on: date) -> Hashable:
    """Quantity limits and commitments in force that assumptions refer to, and these assumptions."""
    assumed = law.assumptions.quantities
    names = {name for _, name, _ in assumed}
    rules = quantity_rules(law, instant, known_on) if names else ()
    limits = tuple(rule for rule in rules if rule.measure in names)
    return (assumed, limits) if limits else ()


def _rule(active: ActiveRule, ids: Mapping[int, str]) -> Hashable:
    """Identify a rule by the measures in force it can affect; None if it affects none."""
    on = _present(active.on, ids)
    members = tuple(_present(wanted, ids) for wanted in active.members)
    if not on and not any(members):
        return None
    return _present(active.when, ids), on, members, active.effect


def _present(wanted: frozenset[int], ids: Mapping[int, str]) -> frozenset[str]:
    return frozenset([ids[index] for index in wanted if index in ids])


def _contents(names: frozenset[str], in_force: InForce) -> Hashed:
    """Contents of groups and lists by name; equal codes of a list are the same object."""
    known = in_force.groups, in_force.lists

    def make() -> tuple[object, Hashed]:
        groups = tuple((name, in_force.groups[name]) for name in sorted(names & in_force.groups.keys()))
        lists = tuple((name, id(in_force.lists[name])) for name in sorted(names & in_force.lists.keys()))
        return known, Hashed((groups, lists))

    return _CONTENTS.get((id(known[0]), id(known[1]), names), make)[1]
