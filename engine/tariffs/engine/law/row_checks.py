"""Check the rows of measures: rows never reached, headings of others, partner rows that come out dearer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tariffs.engine.law.law import Law
from tariffs.engine.law.measure_state import moments_of
from tariffs.engine.law.model import Measure, Row, nodes_above

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
