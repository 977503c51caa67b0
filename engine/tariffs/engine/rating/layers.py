"""Layers that stacking leaves on every combination of a table under one law.

Laws of a family share classes, facts and fits of unchanged measures. Stacking is walked once per *pattern*: the rows
that fit, as far as the rules can tell them apart. Rates are numbers beside the patterns.
"""

from __future__ import annotations

import weakref
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tariffs.engine.base.array_utils import F64, I8, I32, I64, Bools
from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.base.numbering import Numbering
from tariffs.engine.law.conditions import Condition
from tariffs.engine.law.law import InForce
from tariffs.engine.law.model import (
    ABOVE_OF_WHOLE,
    METALS,
    NO_WEIGHTS,
    PROCESSING,
    REST,
    REST_OF_WHOLE,
    US,
    US_ABOVE,
    US_OF_WHOLE,
    WHOLE_PARTS,
    Row,
    Weights,
    treats_metal_apart,
)
from tariffs.engine.rating.classes import Combinations
from tariffs.engine.rating.fact_tests import ConditionTest
from tariffs.engine.rating.fits import stated_rate
from tariffs.engine.rating.kernel import number_rows
from tariffs.engine.rating.patterns import ChargedRow, MeasureFits, Stacking, stacking_key

NOT_PROHIBITED = -1
GENERAL, SPECIAL, OTHER, NO_COLUMN = range(4)
_COLUMNS = {"general": GENERAL, "special": SPECIAL, "other": OTHER}
_WALKS_KEPT = 65_536
_STACKINGS_KEPT = 256


@dataclass(frozen=True)
class Slots:
    """Rows of one law in its order: the place of the measure in the law, kind, rate, unit and tiers of a rate per unit.

    `tier_start` has one more entry than rows.
    """

    measure: I32
    kind: I8
    rate: F64
    unit: I32
    tier_start: I32
    tier_up_to: F64
    tier_usd: F64
    units: tuple[str, ...]

    @classmethod
    def of(cls, fits: Sequence[MeasureFits]) -> Slots:
        """List the rows of the measures in force."""
        lengths = np.array([len(fit.active.rows) for fit in fits], dtype=np.int64)
        ends = np.cumsum([0, *lengths])
        per_unit = {
            int(first) + place: fit.active.rows[place]
            for first, fit in zip(ends, fits, strict=False)
            for place in fit.per_unit
        }
        units = sorted({_unit(row) for row in per_unit.values()})
        unit, tiers = np.zeros(ends[-1], dtype=np.int32), np.zeros(ends[-1] + 1, dtype=np.int32)
        for place, row in per_unit.items():
            unit[place], tiers[place + 1] = units.index(_unit(row)), len(_tiers(row))
        tiers_of = [tier for row in per_unit.values() for tier in _tiers(row)]
        return cls(
            np.repeat(np.array([fit.active.index for fit in fits], dtype=np.int32), lengths),
            np.concatenate([np.zeros(0, dtype=np.int8), *(fit.kinds for fit in fits)]),
            np.concatenate([np.zeros(0), *(fit.rates for fit in fits)]),
            unit,
            np.cumsum(tiers).astype(np.int32),
            np.array([up_to for up_to, _ in tiers_of], dtype=np.float64),
            np.array([usd for _, usd in tiers_of], dtype=np.float64),
            tuple(units),
        )


@dataclass(frozen=True)
class LawLayers:
    """Charged layers of each combination under one law.

    Attributes:
        start: index of the first layer of each combination (one more than combinations).
        slot: per layer, its row in `slots`.
        weights: per layer, its row in `bases`.
        assessed, owed: per layer, whether it belongs to the duty assessed and to the duty owed.
        column: per combination, the column of its ordinary rate.
        prohibited: per combination, the place in the law of the measure that prohibits its goods, else -1.
        slots: the rows of the law.
        bases: distinct bases as weights of the parts of the value (bases x parts); see `rated_lines.parts_of`.
    """

    start: I64
    slot: I32
    weights: I32
    assessed: Bools
    owed: Bools
    column: I8
    prohibited: I32
    slots: Slots
    bases: F64

    @property
    def owes_all(self) -> bool:
        """True if all duty that is assessed is owed, and none besides."""
        return bool((self.assessed == self.owed).all())


class LayerFamily:
    """Numbers, bases and stackings that the laws of a family share over the combinations of a table."""

    def __init__(self, combinations: Combinations, tests: Mapping[Condition, ConditionTest]) -> None:
        self.combinations = combinations
        self.walked: BoundedCache[Hashable, tuple[ChargedRow, ...]] = BoundedCache(_WALKS_KEPT)
        self._tests = tests
        # Number 0 is that of no row.
        self._numbers: Numbering[Hashable] = Numbering(None)
        self._base_places: Numbering[Weights] = Numbering(NO_WEIGHTS)
        self._keys: Numbering[Hashable] = Numbering()
        self._stackings: BoundedCache[int, Stacking] = BoundedCache(_STACKINGS_KEPT)
        self._holding: BoundedCache[Hashable, list[bool]] = BoundedCache(_STACKINGS_KEPT)

    def number(self, content: Hashable) -> int:
        """Number of a shape or of the text of a rule, from 1."""
        return self._numbers.of(content)

    def base(self, weights: Weights) -> int:
        """Number of a base."""
        return self._base_places.of(weights)

    def content(self, combination: int) -> frozenset[int]:
        """Metals with some value on a combination."""
        bits = int(self.combinations.content[combination])
        return frozenset(metal for place, metal in enumerate(METALS) if bits >> place & 1)

    def rule_holds(self, condition: Condition, combination: int) -> bool:
        """Test a condition of a rule on a combination."""
        return bool(self._outcomes(condition)[self.combinations.rule_facts[combination]])

    def holding(self, conditions: tuple[Condition, ...], unless: tuple[Condition, ...]) -> Sequence[bool]:
        """Test by facts whether all conditions hold, and none of those of `unless`."""

        def tested() -> list[bool]:
            tests = [self._outcomes(each) for each in conditions]
            tests += [~self._outcomes(each) for each in unless]
            found: list[bool] = np.logical_and.reduce(tests).tolist()
            return found

        return self._holding.get((conditions, unless), tested)

    def _outcomes(self, condition: Condition) -> Bools:
        """Test by facts whether a condition holds."""
        c = self.combinations
        outcomes: Bools = c.rule_outcomes[:, c.rule_conditions[self._tests[condition]]]
        return outcomes

    def layers(self, in_force: InForce, fits: Sequence[MeasureFits]) -> LawLayers:
        """Stack the measures of a law on every combination.

        Args:
            in_force: the law at an instant.
            fits: its measures, in order.
        """
        c, count = self.combinations, self.combinations.count
        key, stacking = self._stacking(in_force)
        metal = _assumed_metal(fits, c)
        facts = c.assumed[np.arange(count), metal].astype(np.int64)
        prohibited = _prohibiting(fits, facts)
        keys = np.empty((count, len(fits) + 3), dtype=np.int32)
        for column, fit in enumerate(fits):
            keys[:, column] = stacking.shapes(fit, key)[fit.fit[facts]]
        keys[prohibited != NOT_PROHIBITED, : len(fits)] = 0
        keys[:, -3:] = np.stack([c.rule_facts[facts], c.content[facts], metal], axis=1)
        label, firsts = np.empty(count, dtype=np.int32), np.empty(count, dtype=np.int32)
        first = firsts[: number_rows(keys, label, firsts)]
        patterns = zip(keys[first], facts[first].tolist(), strict=True)
        charges = [stacking.charges(pattern, fits, at) for pattern, at in patterns]
        ordinary = _ordinary_column(fits, facts)
        ordinary[prohibited != NOT_PROHIBITED] = NO_COLUMN
        return _arranged(fits, facts, label, charges, ordinary, prohibited, self._bases())

    def _stacking(self, in_force: InForce) -> tuple[int, Stacking]:
        measures = tuple((a.index, a.measure.id, a.measure.authority) for a in in_force.actives)
        key = self._keys.of((stacking_key(in_force), measures))
        # What is kept here refers weakly to this, or it would stay in memory until the collector ran.
        return key, self._stackings.get(key, lambda: Stacking(in_force, weakref.proxy(self)))

    def _bases(self) -> F64:
        return np.array(
            [_on_parts(weights) for weights in list(self._base_places.values)],
            dtype=np.float64,
        )


def _on_parts(weights: Weights) -> list[float]:
    """List weights of the parts of a value: first by metal, then for goods without metal content."""
    found = [*map(float, weights), *[0.0] * len(WHOLE_PARTS)]
    if treats_metal_apart(weights) or weights[US] == weights[US_ABOVE] == weights[REST]:
        return found
    for part, of_whole in ((US, US_OF_WHOLE), (US_ABOVE, ABOVE_OF_WHOLE), (REST, REST_OF_WHOLE)):
        found[of_whole] = found[part]
    found[:PROCESSING] = [0.0] * PROCESSING
    return found


def _assumed_metal(fits: Sequence[MeasureFits], c: Combinations) -> I8:
    """Listed metal with the highest stated rate on each combination without declared content, plus 1; 0 for none.

    All value of such goods counts as in that metal; of equal rates the first metal holds.
    """
    best = np.full(c.count, -np.inf)
    metal = np.zeros(c.count, dtype=np.int8)
    for fit in fits if c.is_silent.any() else ():
        if any(row.metals for row in fit.active.rows):
            rates = fit.per_row(
                [float(stated_rate(row)) if row.metals else -np.inf for row in fit.active.rows],
                -np.inf,
                np.float64,
            )
            parts = fit.per_row(
                [METALS.index(min(row.metals)) + 1 if row.metals else 0 for row in fit.active.rows],
                0,
                np.int8,
            )
            rate, part = rates[fit.fit[: c.count]], parts[fit.fit[: c.count]]
            better = (part > 0) & ((rate > best) | ((rate == best) & (part < metal)))
            best, metal = np.where(better, rate, best), np.where(better, part, metal)
    return np.where(c.is_silent, metal, 0).astype(np.int8)


def _prohibiting(fits: Sequence[MeasureFits], facts: I64) -> I32:
    """Place in the law of the first measure that prohibits each combination, else -1."""
    prohibited = np.full(len(facts), NOT_PROHIBITED, dtype=np.int32)
    for fit in reversed(fits):
        if any(row.prohibits for row in fit.active.rows):
            prohibits = fit.per_row([row.prohibits for row in fit.active.rows], False, np.bool_)
            prohibited[prohibits[fit.fit[facts]]] = fit.active.index
    return prohibited


def _arranged(
    fits: Sequence[MeasureFits], facts: I64, label: I32, patterns: Sequence[Sequence[ChargedRow]], column: I8,
    prohibited: I32, bases: F64,
) -> LawLayers:  # fmt: skip
    """Arrange the charged rows of each pattern as layers by combination."""
    charges = [charge for pattern in patterns for charge in pattern]
    lengths = np.array([len(pattern) for pattern in patterns], dtype=np.int64)
    counts = lengths[label]
    start = np.zeros(len(label) + 1, dtype=np.int64)
    np.cumsum(counts, out=start[1:])
    pattern_start = np.cumsum(lengths) - lengths
    of_layer = np.repeat(pattern_start[label] - start[:-1], counts) + np.arange(start[-1])
    measure = np.array([charge.column for charge in charges], dtype=np.int64)[of_layer]
    first = np.cumsum([0, *(len(fit.active.rows) for fit in fits)])[:-1]
    rows = np.array([fit.fit for fit in fits] or np.zeros((0, 1)), dtype=np.int32)
    slot = (first[measure] + rows[measure, np.repeat(facts, counts)]).astype(np.int32)
    return LawLayers(
        start,
        slot,
        np.array([charge.base for charge in charges], dtype=np.int32)[of_layer],
        np.array([charge.assessed for charge in charges], dtype=bool)[of_layer],
        np.array([charge.owed for charge in charges], dtype=bool)[of_layer],
        column,
        prohibited,
        Slots.of(fits),
        bases,
    )


def _ordinary_column(fits: Sequence[MeasureFits], facts: I64) -> I8:
    """Column of the ordinary rate of each combination, by the first ordinary row that fits."""
    column = np.full(len(facts), NO_COLUMN, dtype=np.int8)
    for fit in reversed(fits):
        rows = fit.active.rows
        if any(row.kind == "ordinary" for row in rows):
            columns = [
                _COLUMNS.get(row.column, NO_COLUMN) if row.kind == "ordinary" else NO_COLUMN for row in rows
            ]
            values = fit.per_row(columns, NO_COLUMN, np.int8)[fit.fit[facts]]
            column = np.where(values != NO_COLUMN, values, column).astype(np.int8)
    return column


def _unit(row: Row) -> str:
    if row.price is not None:
        return row.price.unit
    return row.tiers[0].rate.unit if row.tiers else ""


def _tiers(row: Row) -> list[tuple[float, float]]:
    if row.price is not None:
        return [(np.inf, float(row.price.usd))]
    return [(np.inf if t.up_to is None else float(t.up_to), float(t.rate.usd)) for t in row.tiers]
