"""Check that a family of measures is named wherever rules name its siblings, and has a place in reports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.model import Measure, Rule, nodes_above

Names = Iterator[tuple[str, str]]
"""Names at fault, each with its path."""
_Ids = frozenset[str]


def unsettled_families(law: Law) -> Names:
    """Find families that rules naming two or more of their siblings neither name nor leave.

    A family is settled against what a rule is about if any rule names both. Families that are never in force beside it
    need no rule.
    """
    families = _families(law)
    together = _in_force_together(law)
    for rule in law.rules:
        for names, others in ((rule.when, rule.on), (rule.on, rule.when)):
            against = _members(law, others)
            for family in _left_out(families, names, rule):
                meets = any(ids & families[family] and (not others or ids & against) for ids in together)
                if meets and not _is_settled(law, rule, families[family], against):
                    yield f"{family} in {rule.id}", f"rules.{rule.id}"


def _families(law: Law) -> dict[str, _Ids]:
    """List the measures of each node of the second level on imports."""
    found: dict[str, set[str]] = defaultdict(set)
    for measure in law.measures.values():
        nodes = nodes_above(measure.authority)
        if measure.market == IMPORT and measure.modelled and len(nodes) > 1:
            found[nodes[-2]].add(measure.id)
    return {name: frozenset(ids) for name, ids in found.items()}


def _left_out(families: Collection[str], names: Sequence[str], rule: Rule) -> Iterator[str]:
    """Yield the siblings of families that are named at least twice, which the rule does not name itself."""
    tops = [name.partition(".")[0] for name in names if name in families]
    for family in sorted(families):
        top = family.partition(".")[0]
        named = {family, top} & {*rule.when, *rule.on, *rule.leaves}
        if tops.count(top) > 1 and not named:
            yield family


def _is_settled(law: Law, rule: Rule, family: _Ids, against: _Ids) -> bool:
    """Test whether some rule names measures of a family and of what another rule is about, on either side."""
    if not against:
        return bool(family & _members(law, (*rule.when, *rule.on)))
    for one in law.rules:
        sides = _members(law, one.when), _members(law, one.on)
        if any(a & family and b & against for a, b in (sides, sides[::-1])):
            return True
    return False


def _members(law: Law, names: Sequence[str]) -> _Ids:
    wanted = set(names)
    return frozenset(
        m.id for m in law.measures.values() if m.id in wanted or not wanted.isdisjoint(m.parents)
    )


def _in_force_together(law: Law) -> frozenset[_Ids]:
    """List the sets of measures in force at one instant of the law."""
    moments = (moment for moment in law.boundaries if law.coverage[0] <= moment < law.coverage[1])
    return frozenset(
        frozenset(active.measure.id for active in law.in_force(moment).actives) for moment in moments
    )


def unreported(law: Law) -> Names:
    """Find measures on imports that the reporting order has no place for."""
    order = set(law.authorities.get("reporting", {}).get("order", ()))
    for measure in law.measures.values():
        if order and _is_charged(measure) and order.isdisjoint(measure.parents):
            yield measure.id, f"measures.{measure.id}.authority"


def _is_charged(measure: Measure) -> bool:
    return measure.market == IMPORT and measure.modelled and not measure.announced
