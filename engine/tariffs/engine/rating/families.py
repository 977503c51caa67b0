"""Compile families of laws for a table: laws share what depends on which rows they have, not on rates or states.

Classes, facts and fits are worked out once for the union of the rows of all laws of a family; a further law costs what
it changes. The family last used is kept with the lines, so that the second run over a table finds it ready.
"""

from __future__ import annotations

import weakref
from collections.abc import Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tariffs.engine.base.array_utils import Bools
from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.base.numbering import Numbering
from tariffs.engine.errors import LawError
from tariffs.engine.law.conditions import Condition
from tariffs.engine.law.law import Active, ActiveRule, InForce
from tariffs.engine.law.model import METALS, REST, Claim, Row, Weights
from tariffs.engine.rating.classes import Combinations, RowReach, RuleReach, Scopes, classify
from tariffs.engine.rating.fact_tests import ConditionTest
from tariffs.engine.rating.layers import LawLayers, LayerFamily
from tariffs.engine.rating.patterns import MeasureFits, stacking_key
from tariffs.engine.tables.atoms import AtomRates, Atoms, atoms_of, ordinary_rates_of
from tariffs.engine.tables.line_arrays import LineArrays
from tariffs.engine.tables.scope_masks import names_key, origin_mask, product_mask

REACHES_AT_MOST = 3072
"""Most reaches of a family; the rows of all law data from 2025 to 2029 have some 1,500."""
KNOWN_AT_MOST = 2 * REACHES_AT_MOST
"""Most reaches that are kept with the lines, of all families; one takes up to 20 KB."""
_FITS_KEPT = 2048
_LAYERS_KEPT = 64
_SIGNATURES_KEPT = 512


@dataclass(frozen=True)
class LawReaches:
    """Reaches of the rows of one law at an instant, by measure, and of its rules: numbers of a `ReachIndex`."""

    measures: tuple[tuple[int, ...], ...]
    rules: frozenset[int]

    @cached_property
    def rows(self) -> frozenset[int]:
        """Reaches of all rows."""
        return frozenset(reach for reaches in self.measures for reach in reaches)


class Family:
    """Laws with these reaches over the lines of a table.

    Args:
        reaches: numbers of the reaches of the rows.
        rules: numbers of the reaches of the rules.
        index: the reaches with these numbers, and the masks that they name.

    Raises:
        LawError: TOO_MANY_TESTS.
    """

    def __init__(
        self,
        claims: Mapping[str, Claim],
        lines: LineArrays,
        reaches: frozenset[int],
        rules: frozenset[int],
        index: ReachIndex,
    ) -> None:
        self._places = {reach: place for place, reach in enumerate(sorted(reaches))}
        self.reaches, self.rules = reaches, rules
        self._index = index
        self.cache: dict[str, Any] = {}
        self.atoms: Atoms = atoms_of(claims, lines)
        self.rates: AtomRates = ordinary_rates_of(lines, self.atoms)
        rows = [index.rows.values[reach] for reach in self._places]
        of_rules = [index.rules.values[reach] for reach in sorted(rules)]
        self.combinations: Combinations = classify(rows, of_rules, index.scopes(rows), lines, self.atoms)
        self._layers = LayerFamily(self.combinations, index.conditions)
        self._fits: BoundedCache[Hashable, MeasureFits] = BoundedCache(_FITS_KEPT)
        self._of_law: BoundedCache[Hashable, tuple[list[MeasureFits], LawLayers]] = BoundedCache(_LAYERS_KEPT)

    def layers(self, in_force: InForce) -> LawLayers:
        """Compute the layers of every combination under a law of the family."""
        law = self._index.of_law(in_force)
        fits = [
            self._fit(active, reaches) for active, reaches in zip(in_force.actives, law.measures, strict=True)
        ]
        key = (tuple(map(id, fits)), stacking_key(in_force))
        # The value refers to the fits, so that their ids are not reused.
        return self._of_law.get(key, lambda: (fits, self._layers.layers(in_force, fits)))[1]

    def places(self, in_force: InForce) -> list[tuple[int, ...]]:
        """Places among the reaches of the family of the rows of each measure of a law."""
        return [
            tuple(map(self._places.__getitem__, reaches)) for reaches in self._index.of_law(in_force).measures
        ]

    def _fit(self, active: Active, reaches: tuple[int, ...]) -> MeasureFits:
        # The value refers to the rows, so that the id is not reused while it is kept.
        key = (active.index, id(active.rows), reaches)
        places = [self._places[reach] for reach in reaches]
        return self._fits.get(key, lambda: MeasureFits.of(active, places, self.combinations))


@dataclass
class ReachIndex:
    """Numbered reaches of the rows and rules of laws over one table, and the masks of their scopes.

    It is kept with the lines, and so refers to them weakly: they would stay in memory until the collector ran.
    """

    claims: Mapping[str, Claim]
    lines: LineArrays
    rows: Numbering[RowReach] = field(default_factory=Numbering)
    rules: Numbering[RuleReach] = field(default_factory=Numbering)
    conditions: dict[Condition, ConditionTest] = field(default_factory=dict)
    _products: dict[bytes, Bools] = field(default_factory=dict)
    _origins: dict[bytes, Bools] = field(default_factory=dict)
    _names: Numbering[Hashable] = field(default_factory=Numbering)
    _lists: dict[Hashable, Any] = field(default_factory=dict)
    _measures: BoundedCache[Hashable, tuple[Any, tuple[int, ...]]] = field(
        default_factory=lambda: BoundedCache(_FITS_KEPT)
    )
    _numbers: BoundedCache[Hashable, int] = field(default_factory=lambda: BoundedCache(KNOWN_AT_MOST))
    _laws: BoundedCache[int, tuple[InForce, LawReaches]] = field(
        default_factory=lambda: BoundedCache(_SIGNATURES_KEPT)
    )

    def of_law(self, in_force: InForce) -> LawReaches:
        """List the reaches of a law; kept with the law."""
        # The value refers to the law, so that its id is not reused.
        return self._laws.get(id(in_force), lambda: (in_force, self._of_law(in_force)))[1]

    def _of_law(self, in_force: InForce) -> LawReaches:
        names = self._names_of(in_force)
        return LawReaches(
            tuple(self._of_measure(active, in_force, names) for active in in_force.actives),
            frozenset(self.rules.of(self._of_rule(rule)) for rule in in_force.rules),
        )

    def scopes(self, reaches: Sequence[RowReach]) -> Scopes:
        """Masks that these reaches name."""
        return Scopes(
            {reach.products: self._products[reach.products] for reach in reaches},
            {reach.origins: self._origins[reach.origins] for reach in reaches},
        )

    def _names_of(self, in_force: InForce) -> int:
        """Number of the lists and groups of an instant; scopes name them."""
        key = names_key(in_force)
        # The lists are kept, so that their ids are not reused; law data has some hundred states of its lists.
        self._lists.setdefault(key, in_force.lists)
        return self._names.of(key)

    def _of_measure(self, active: Active, in_force: InForce, names: int) -> tuple[int, ...]:
        key = (active.measure.id, id(active.rows), names)
        found = self._measures.find(key)
        if found is None:
            names_of = (active.measure.id, *active.measure.parents)
            reaches = tuple(self._number(names_of, row, names, in_force) for row in active.rows)
            found = self._measures.keep(key, (active.rows, reaches))
        return found[1]

    def _number(self, measure: tuple[str, ...], row: Row, names: int, in_force: InForce) -> int:
        """Number of the reach of a row; a row that differs from an earlier one in its rate or state has the same."""
        key = (measure, names, row.scope, row.conditions, row.undeclared_applies, row.base)
        return self._numbers.get(key, lambda: self.rows.of(self._of_row(measure, row, in_force)))

    def _of_row(self, measure: tuple[str, ...], row: Row, in_force: InForce) -> RowReach:
        products = product_mask(row.scope, self.lines, in_force)
        origins = origin_mask(row.scope, self.lines, in_force)
        product_key, origin_key = products.tobytes(), origins.tobytes()
        self._products.setdefault(product_key, products)
        self._origins.setdefault(origin_key, origins)
        conditions = tuple(ConditionTest.of(condition, self.claims) for condition in row.conditions)
        return RowReach(
            measure, product_key, origin_key, conditions, row.undeclared_applies, _weighs_metal(row.base)
        )

    def _of_rule(self, active: ActiveRule) -> RuleReach:
        rule = active.rule
        tests = []
        for condition in (*rule.conditions, *rule.unless):
            tests.append(self.conditions.setdefault(condition, ConditionTest.of(condition, self.claims)))
        return RuleReach(
            frozenset((*rule.on, *rule.members)),
            tuple(tests),
            rule.replaces_base and _weighs_metal(rule.base),
        )


def family_of(claims: Mapping[str, Claim], lines: LineArrays, laws: Sequence[InForce]) -> Family:
    """Find or make the family of laws over the lines of a table.

    Args:
        laws: laws at the instants that are going to be computed.

    Raises:
        LawError: TOO_MANY_TESTS.
    """
    index: ReachIndex = lines.cache.setdefault("reaches", ReachIndex(claims, weakref.proxy(lines)))
    if len(index.rows.values) > KNOWN_AT_MOST:
        index = lines.cache["reaches"] = ReachIndex(claims, weakref.proxy(lines))
        lines.cache.pop("family", None)
    reached = [index.of_law(in_force) for in_force in laws]
    kept: Family | None = lines.cache.get("family")
    rows = frozenset[int]().union(*(law.rows for law in reached))
    rules = frozenset[int]().union(*(law.rules for law in reached))
    if kept is not None and rows <= kept.reaches and rules <= kept.rules:
        return kept
    family = None
    if kept is not None and len(rows | kept.reaches) <= REACHES_AT_MOST:
        with suppress(LawError):  # more tests together than a family may have
            family = Family(claims, lines, rows | kept.reaches, rules | kept.rules, index)
    family = family or Family(claims, lines, rows, rules, index)
    lines.cache["family"] = family
    return family


def _weighs_metal(base: Weights) -> bool:
    """Test whether a base weighs a metal differently from the rest of the value."""
    return any(base[part] != base[REST] for part in METALS)
