"""Check rows, product codes and families of law data: rows never reached, headings of others, dearer partner rows,
codes that the schedule lacks, families that rules or reports leave out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.measure_state import moments_of
from tariffs.engine.law.model import Measure, Row, Rule, Scope, nodes_above
from tariffs.engine.schedule.lines import load_schedule

Names = Iterator[tuple[str, str]]
"""Names at fault, each with its path."""
_AD_VALOREM = ("add", "topup_to", "total")


@dataclass(frozen=True)
class Reaches:
    """Compare the goods of rows, with the countries and codes of groups and lists at all times."""

    law: Law

    def covers(self, earlier: Row, later: Row) -> bool:
        """Test whether every line that a later row fits is fitted by an earlier one, at all times."""
        if earlier.known_from and (later.known_from is None or earlier.known_from > later.known_from):
            return False
        if later.undeclared_applies and earlier.conditions and not earlier.undeclared_applies:
            return False
        asked = {condition.text for condition in later.conditions}
        if not all(condition.text in asked for condition in earlier.conditions):
            return False
        return self._origins_covered(earlier, later) and self._products_covered(earlier, later)

    def _origins_covered(self, earlier: Row, later: Row) -> bool:
        ours, theirs = earlier.scope, later.scope
        if not (ours.origins or ours.not_origins):
            return True
        reached = self._all(theirs.origins)
        spared = self._always(theirs.not_origins)
        left_out = self._ever(ours.not_origins) - spared
        if reached is None:
            return not ours.origins and not left_out
        within = [self._always(names) for names in ours.origins]
        return all(reached - spared <= members for members in within) and not left_out & reached

    def _all(self, origins: Sequence[frozenset[str]]) -> frozenset[str] | None:
        """Intersect sets of origins, spelled out at any time; None is any."""
        return frozenset.intersection(*map(self._ever, origins)) if origins else None

    def _ever(self, names: frozenset[str]) -> frozenset[str]:
        groups = self.law.groups
        found = (
            frozenset[str]().union(*(m.members for m in groups[n])) if n in groups else {n} for n in names
        )
        return frozenset[str]().union(*found)

    def _always(self, names: frozenset[str]) -> frozenset[str]:
        """Spell out countries and the groups that never change."""
        return frozenset[str]().union(*(self._members(name) for name in names))

    def _members(self, name: str) -> frozenset[str]:
        dated = self.law.groups.get(name, ())
        if not dated:
            return frozenset({name})
        return frozenset.intersection(*(one.members for one in dated)) if len(dated) == 1 else frozenset()

    def _products_covered(self, earlier: Row, later: Row) -> bool:
        ours, theirs = earlier.scope, later.scope
        if not (ours.products or ours.not_products):
            return True
        if not theirs.products:
            return not ours.products and ours.not_products <= theirs.not_products
        if ours.not_products - theirs.not_products:
            left_out = self._codes(ours.not_products - theirs.not_products)
            if any(
                a.startswith(b) or b.startswith(a) for a in self._codes(theirs.products[0]) for b in left_out
            ):
                return False
        return all(
            any(names == wanted or self._codes_within(wanted, names) for wanted in theirs.products)
            for names in ours.products
        )

    def _codes_within(self, names: frozenset[str], wide: frozenset[str]) -> bool:
        named = names - wide
        whole = {code for name in wide for code in self._steady(name)}
        lengths = sorted({len(code) for code in whole})
        return all(any(code[:length] in whole for length in lengths) for code in self._codes(named))

    def _codes(self, names: frozenset[str]) -> frozenset[str]:
        """List the codes of product names at any time."""
        lists = self.law.lists
        return frozenset(code for name in names for code in (lists[name].codes if name in lists else (name,)))

    def _steady(self, name: str) -> Sequence[str]:
        """List the codes of a product name that never change."""
        found = self.law.lists.get(name)
        if found is None:
            return (name,)
        return found.codes if not found.boundaries else ()


def never_reached(law: Law) -> Names:
    """Find rows that an earlier row of their period takes all goods of."""
    reaches = Reaches(law)
    for measure in law.measures.values():
        for period in measure.periods:
            for place, row in enumerate(period.rows):
                if any(reaches.covers(one, row) for one in period.rows[:place]):
                    name = f"row {place + 1} ({row.heading or row.kind}) of {period.id}"
                    yield name, f"measures.{measure.id}.{period.id}.rows"


def headings_of_others(law: Law) -> Names:
    """Find headings under which a measure charges or relieves although one of another family charges under them."""
    charging: dict[str, set[str]] = defaultdict(set)
    for measure in law.measures.values():
        for row in _rows(measure):
            if row.heading and not row.relief:
                charging[row.heading].add(_family(measure))
    for measure in law.measures.values():
        headings = dict.fromkeys(row.heading for row in _rows(measure) if row.heading)
        for heading in headings:
            others = charging[heading] - {_family(measure)}
            if others:
                yield f"{heading} of {measure.id}", f"measures.{measure.id}.{heading}"


def _rows(measure: Measure) -> Iterator[Row]:
    return (row for period in measure.periods for row in period.rows)


def _family(measure: Measure) -> str:
    """Find the node of the second level above a measure, or its only one."""
    nodes = nodes_above(measure.authority)
    return nodes[-2] if len(nodes) > 1 else nodes[0]


def dearer_partners(law: Law) -> Names:
    """Find rows of some origins that charge more than the row of all others in one phase, and less in another."""
    for measure in law.measures.values():
        compared: dict[tuple[str, ...], set[bool]] = defaultdict(set)
        for moment in moments_of(measure, law.acts[measure.id]):
            state = moment and law.state_of(measure, moment, law.as_of)
            for row, is_dearer in _against_general(state.rows if state else ()):
                origins = (name for names in row.scope.origins for name in sorted(names))
                compared[row.heading, *origins].add(is_dearer)
        for (heading, *named), found in compared.items():
            if len(found) > 1:
                yield f"{heading} ({', '.join(named)}) of {measure.id}", f"measures.{measure.id}.{heading}"


def _against_general(rows: Sequence[Row]) -> Iterator[tuple[Row, bool]]:
    """Compare each row of some origins with the first later row that its goods would have without it."""
    charging = [
        row for row in rows if row.kind in _AD_VALOREM and not (row.suspended or row.absent or row.exempt)
    ]
    for place, row in enumerate(charging):
        if row.scope.origins:
            general = next((one for one in charging[place + 1 :] if _is_general(one, row)), None)
            if general is not None and general.rate is not None and row.rate is not None:
                yield row, row.rate > general.rate


def _is_general(general: Row, row: Row) -> bool:
    asked = {condition.text for condition in row.conditions}
    goods = general.scope.products, row.scope.products
    alike = not all(goods) or any(not one.isdisjoint(other) for one in goods[0] for other in goods[1])
    return not general.scope.origins and alike and {c.text for c in general.conditions} <= asked


# Provisions of chapter 98 are no lines of the schedule's other chapters; lists of civil aircraft name some.
_PROVISIONS = "98"
_HEADINGS = "99"


def headings_as_products(law: Law) -> Names:
    """Find headings of chapter 99 where products belong."""
    return ((name, path) for name, path, code in _codes(law) if code.startswith(_HEADINGS))


def unknown_codes(law: Law) -> Names:
    """Find codes that no vintage of the schedule has, and that are not among the retired ones."""
    schedule = load_schedule()
    for name, path, code in _codes(law):
        known = schedule.accepts(code) or code.startswith((_PROVISIONS, _HEADINGS))
        if not known and code not in law.retired_codes:
            yield name, path


def idle_retired_codes(law: Law) -> Names:
    """Find retired codes that the schedule has, or that nothing names."""
    schedule = load_schedule()
    named = {code for _, _, code in _codes(law)}
    for code in sorted(law.retired_codes):
        if schedule.accepts(code) or code not in named:
            yield code, f"retired.codes.{code}"


def _codes(law: Law) -> Iterator[tuple[str, str, str]]:
    """Yield the codes that measures on imports name, directly or by a list, with a name and the path of each."""
    for name, path in _names(law).items():
        if name in law.lists:
            yield from ((f"{code} of {name}", f"lists.{name}", code) for code in law.lists[name].codes)
        else:
            yield name, path, name


def _names(law: Law) -> Mapping[str, str]:
    """List codes and lists that measures on imports name, with the path of the first."""
    found: dict[str, str] = {}
    for measure in law.measures.values():
        if measure.market != IMPORT:
            continue
        scopes: list[Scope] = [row.scope for period in measure.periods for row in period.rows]
        scopes += [measure.touches, *(act.scope for act in law.acts[measure.id])]
        for scope in scopes:
            for name in frozenset().union(*scope.products, scope.not_products):
                found.setdefault(name, f"measures.{measure.id}")
    return found


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
