"""Walk the stacking rules once per pattern: the rows that fit goods, as far as the rules can tell them apart."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.array_utils import F64, I8, I32
from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.base.chunks import checkpoint
from tariffs.engine.law.conditions import Condition
from tariffs.engine.law.law import Active, ActiveRule, InForce
from tariffs.engine.law.model import (
    FULL_BASE,
    METALS,
    NO_WEIGHTS,
    PARTS,
    REST,
    US,
    US_ABOVE,
    Row,
    Weights,
    treats_metal_apart,
)
from tariffs.engine.law.stacking import walk
from tariffs.engine.rating.classes import Combinations

NO_ROW = -1
KIND_CODES = {"ordinary": 0, "add": 1, "total": 1, "topup_to": 2, "specific": 3, "minimum_price": 4}
_AD_VALOREM = 1
HIGHEST = "highest"


class LayerNumbers(Protocol):
    """Numbers that the laws of a family share, and facts of its combinations."""

    walked: BoundedCache[Hashable, tuple[ChargedRow, ...]]

    def number(self, content: Hashable) -> int:
        """Number of a shape or of the text of a rule, from 1."""

    def base(self, weights: Weights) -> int:
        """Number of a base."""

    def content(self, combination: int) -> frozenset[int]:
        """Metals with some value on a combination."""

    def rule_holds(self, condition: Condition, combination: int) -> bool:
        """Test a condition of a rule on a combination."""

    def holding(self, conditions: tuple[Condition, ...], unless: tuple[Condition, ...]) -> Sequence[bool]:
        """Test by facts whether all conditions hold, and none of those of `unless`."""


@dataclass(eq=False)
class MeasureFits:
    """Rows of one measure of a law over the combinations of a table.

    `reach` has the place of each row among the reaches of the family; `fit` the first row that fits each combination,
    else -1, in the smallest integers: a law has hundreds of measures.
    """

    active: Active
    reach: Sequence[int]
    fit: NDArray[np.signedinteger[Any]]
    shapes: dict[int, I32] = field(default_factory=dict)

    @classmethod
    def of(cls, active: Active, reach: Sequence[int], combinations: Combinations) -> MeasureFits:
        """Find the first row that fits each combination; a row marked absent fits and leaves none."""
        smallest = np.min_scalar_type(-1 - len(active.rows))
        fit = np.full(combinations.eligible.shape[1], NO_ROW, dtype=smallest)
        for place in range(len(active.rows) - 1, -1, -1):
            fit[combinations.eligible[reach[place]]] = NO_ROW if active.rows[place].absent else place
        return cls(active, reach, fit)

    @cached_property
    def kinds(self) -> I8:
        """Code of the kind of each row."""
        return np.array([KIND_CODES.get(row.kind, _AD_VALOREM) for row in self.active.rows], dtype=np.int8)

    @cached_property
    def rates(self) -> F64:
        """Rate of each row; 0 for a row without one."""
        return np.array([float(row.rate or 0) for row in self.active.rows], dtype=np.float64)

    @cached_property
    def per_unit(self) -> Sequence[int]:
        """Places of the rows with a rate or minimum price per unit."""
        return [place for place, row in enumerate(self.active.rows) if row.tiers or row.price is not None]

    def per_row(self, values: Sequence[object], nothing: object, dtype: type) -> NDArray[Any]:
        """Array of a value per row, with `nothing` last, where -1 points."""
        return np.array([*values, nothing], dtype=dtype)


class ChargedRow(NamedTuple):
    """Charged row of a pattern: the place of its measure among those of the law, its base, and its part of the duty."""

    column: int
    base: int
    assessed: bool
    owed: bool


class _StackedRule(NamedTuple):
    """Stacking rule with the number of its text, and whether its conditions hold by facts; None without conditions."""

    text: int
    rule: ActiveRule
    holds: Sequence[bool] | None


class Stacking:
    """Stacking under one set of rules over the measures of a law, walked once per pattern.

    Args:
        in_force: a law with these rules and measures.
        family: what laws share; a pattern that another set of rules treats alike is not walked again.
    """

    def __init__(self, in_force: InForce, family: LayerNumbers) -> None:
        self._family, self._walks = family, family.walked
        self._revive = in_force.revive
        self._measures = [active.index for active in in_force.actives]
        rules = [active.rule for active in in_force.rules]
        self._rules = [
            _StackedRule(
                family.number((r.when, r.when_not, r.on, r.take, r.base, r.members, r.pick)),
                active,
                family.holding(r.conditions, r.unless) if r.conditions or r.unless else None,
            )
            for active, r in zip(in_force.rules, rules, strict=True)
        ]
        self._blocking = frozenset[str]().union(*(rule.when_not for rule in rules))
        self._ranked = [m for active in in_force.rules if active.rule.pick == HIGHEST for m in active.members]
        self._charges: dict[bytes, tuple[ChargedRow, ...]] = {}
        self._touching: dict[tuple[int, ...], list[_StackedRule]] = {}

    def shapes(self, fits: MeasureFits, key: int) -> I32:
        """Number of the shape of each row: what stacking can tell rows apart by; 0 for none."""
        if key not in fits.shapes:
            active = fits.active
            ranked = any(active.index in members for members in self._ranked)
            shapes = [self._family.number(self._shape(active, row, ranked)) for row in active.rows]
            fits.shapes[key] = np.array([*shapes, 0], dtype=np.int32)
        return fits.shapes[key]

    def _shape(self, active: Active, row: Row, ranked: bool) -> Hashable:
        kind = row.kind if row.kind in {"ordinary", "total"} else ""
        return (
            active.measure.id,
            active.measure.authority,
            kind,
            row.base,
            row.suspended,
            row.exempt,
            row.void,
            row.heading if row.heading in self._blocking else "",
            row.rate if ranked else None,
        )

    def charges(self, keys: I32, fits: Sequence[MeasureFits], combination: int) -> tuple[ChargedRow, ...]:
        """Charged rows of a pattern.

        Args:
            keys: shapes of the rows that fit, and last the place of the facts that rules read, a bit per metal with
                some value, and 1 + the metal assumed, else 0.
            fits: the measures of the law.
            combination: a combination of the pattern, whose facts hold, with an assumed content where none is declared.
        """
        text = keys.tobytes()
        if text not in self._charges:
            checkpoint()
            self._charges[text] = self._of_pattern(keys, fits, combination)
        return self._charges[text]

    def _of_pattern(self, keys: I32, fits: Sequence[MeasureFits], combination: int) -> tuple[ChargedRow, ...]:
        """Charged rows of a pattern, walked unless the rules that concern its measures have left it so before."""
        numbers = keys.tolist()
        facts, content, metal = numbers[len(fits) :]
        columns = np.flatnonzero(keys[: len(fits)]).tolist()
        shapes = tuple([numbers[column] for column in columns])
        concerning = self._concerning(tuple([self._measures[column] for column in columns]), facts)

        def walked() -> tuple[ChargedRow, ...]:
            rows = [(fits[column].active, int(fits[column].fit[combination])) for column in columns]
            return self._walked([(active, active.rows[row]) for active, row in rows], combination, metal)

        charges = self._walks.get((shapes, content, metal, self._revive, concerning), walked)
        return tuple([ChargedRow(columns[c.column], c.base, c.assessed, c.owed) for c in charges])

    def _concerning(self, measures: tuple[int, ...], facts: int) -> tuple[int, ...]:
        """Texts of the rules that may change something where only these measures are present, given the facts."""
        return tuple([text for text, _, holds in self._touched(measures) if holds is None or holds[facts]])

    def _touched(self, measures: tuple[int, ...]) -> Sequence[_StackedRule]:
        """Rules that could change something where only these measures are present."""
        if measures not in self._touching:
            present = frozenset(measures)
            self._touching[measures] = [each for each in self._rules if each.rule.touches(present)]
        return self._touching[measures]

    def _walked(
        self, fits: Sequence[tuple[Active, Row]], combination: int, metal: int
    ) -> tuple[ChargedRow, ...]:
        """Charged rows after stacking, by their place among the rows that fit; one with two bases is there twice."""
        assessed = self._bases(fits, combination, metal)
        if self._revive and any(row.void for _, row in fits):
            kept = [place for place, (_, row) in enumerate(fits) if not row.void]
            bases = self._bases([fits[place] for place in kept], combination, metal)
            owed = {kept[place]: base for place, base in bases.items()}
        else:
            owed = {place: base for place, base in assessed.items() if not fits[place][1].void}
        charges = []
        for place in sorted(assessed.keys() | owed.keys()):
            base, base_owed = assessed.get(place), owed.get(place)
            if base is not None:
                charges.append(ChargedRow(place, base, True, base == base_owed))
            if base_owed is not None and base != base_owed:
                charges.append(ChargedRow(place, base_owed, False, True))
        return tuple(charges)

    def _bases(self, fits: Sequence[tuple[Active, Row]], combination: int, metal: int) -> dict[int, int]:
        """Base of each charged row, by its place among the rows that fit."""
        family = self._family
        layers = walk(
            fits,
            [each.rule for each in self._touched(tuple([active.index for active, _ in fits]))],
            lambda condition: family.rule_holds(condition, combination),
            family.content(combination),
        )
        return {
            place: family.base(_on_whole(layer.weights, METALS[metal - 1]) if metal else layer.weights)
            for place, layer in enumerate(layers)
            if layer.charged
        }


def stacking_key(in_force: InForce) -> Hashable:
    """Value that is equal for laws with the same stacking rules over the same places of measures."""
    return in_force.revive, tuple(
        (
            active.when, active.on, active.members, active.rule.when_not, active.rule.conditions,
            active.rule.unless, active.rule.take, active.rule.base, active.rule.pick, bool(active.rule.when),
        )
        for active in in_force.rules
    )  # fmt: skip


def _on_whole(weights: Weights, metal: int) -> Weights:
    """Spread the weight of an assumed metal over the whole value, unless the metal decides nothing."""
    if not treats_metal_apart(weights):
        return weights
    whole = list(NO_WEIGHTS)
    for part in (*METALS, US, US_ABOVE, REST):
        whole[part] = weights[metal] * FULL_BASE[part]
    for part in range(REST + 1, len(PARTS)):
        whole[part] = weights[part]
    return tuple(whole)
