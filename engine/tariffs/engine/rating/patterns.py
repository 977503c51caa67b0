"""Walk the stacking rules once per pattern: the rows that fit goods, as far as the rules can tell them apart."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.array_utils import I8, I32, I64
from tariffs.engine.base.chunks import checkpoint
from tariffs.engine.law.conditions import Condition
from tariffs.engine.law.law import Active, InForce
from tariffs.engine.law.model import FULL_BASE, METALS, NO_WEIGHTS, PARTS, REST, US, US_ABOVE, Row, Weights
from tariffs.engine.law.stacking import walk
from tariffs.engine.rating.classes import Combinations

NO_ROW = -1


class LayerNumbers(Protocol):
    """Numbers that the laws of a family share, and facts of its combinations."""

    def shape(self, shape: Hashable) -> int:
        """Number of a shape, from 1."""

    def base(self, weights: Weights) -> int:
        """Number of a base, from 1."""

    def content(self, combination: int) -> frozenset[int]:
        """Metals with some value on a combination."""

    def rule_holds(self, condition: Condition, combination: int) -> bool:
        """Test a condition of a rule on a combination."""


@dataclass(eq=False)
class MeasureFits:
    """Rows of one measure of a law over the combinations of a table.

    `reach` has the place of each row among the reaches of the family; `fit` the first row that fits each combination,
    else -1.
    """

    active: Active
    reach: Sequence[int]
    fit: I32
    shapes: dict[int, I32] = field(default_factory=dict)

    @classmethod
    def of(cls, active: Active, reach: Sequence[int], combinations: Combinations) -> MeasureFits:
        """Find the first row that fits each combination; a row marked absent fits and leaves none."""
        fit = np.full(combinations.eligible.shape[1], NO_ROW, dtype=np.int32)
        for place in range(len(active.rows) - 1, -1, -1):
            fit[combinations.eligible[reach[place]]] = NO_ROW if active.rows[place].absent else place
        return cls(active, reach, fit)

    def per_row(self, values: Sequence[object], nothing: object, dtype: type) -> NDArray[Any]:
        """Array of a value per row, with `nothing` last, where -1 points."""
        return np.array([*values, nothing], dtype=dtype)


class Stacking:
    """Stacking under one set of rules, walked once per pattern and kept for other laws with the same rules."""

    def __init__(self, in_force: InForce, family: LayerNumbers) -> None:
        self._family = family
        self._rules = in_force.rules
        self._revive = in_force.revive
        rules = [active.rule for active in in_force.rules]
        self._blocking = frozenset[str]().union(*(rule.when_not for rule in rules))
        self._ranked = [
            m for active in in_force.rules if active.rule.pick == "highest" for m in active.members
        ]
        self._places: dict[bytes, int] = {}
        self._results: list[tuple[tuple[int, int, int], ...]] = []

    def shapes(self, fits: MeasureFits, key: int) -> I32:
        """Number of the shape of each row: what stacking can tell rows apart by; 0 for none."""
        if key not in fits.shapes:
            active = fits.active
            ranked = any(active.index in members for members in self._ranked)
            shapes = [self._family.shape(self._shape(active, row, ranked)) for row in active.rows]
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

    def patterns(
        self, keys: I32, fits: Sequence[MeasureFits], rows: I32, combinations: I64, metals: I8
    ) -> I64:
        """Pattern of each combination.

        Args:
            keys: shapes of the rows that fit, and the facts that rules read (combinations x columns).
            fits: the measures of the law.
            rows: the row that fits (measures x combinations), -1 for none.
            combinations: the combination whose facts hold, with an assumed content where none is declared.
            metals: 1 + the metal assumed, else 0.
        """
        text, width = keys.tobytes(), keys.shape[1] * keys.itemsize
        places = np.empty(len(keys), dtype=np.int64)
        for index in range(len(keys)):
            key = text[index * width : (index + 1) * width]
            place = self._places.get(key)
            if place is None:
                checkpoint()
                fitting = [
                    (column, fit.active, fit.active.rows[row])
                    for column, (fit, row) in enumerate(zip(fits, rows[:, index].tolist(), strict=True))
                    if row != NO_ROW
                ]
                self._results.append(self._walked(fitting, int(combinations[index]), int(metals[index])))
                place = self._places[key] = len(self._results) - 1
            places[index] = place
        return places

    def charged(self, places: I64, columns: int) -> tuple[I32, I32]:
        """Base of each measure on each pattern that is assessed, and that is owed (patterns x measures); 0 for none."""
        assessed = np.zeros((len(places), columns), dtype=np.int32)
        owed = np.zeros((len(places), columns), dtype=np.int32)
        for index, place in enumerate(places.tolist()):
            for column, base, base_owed in self._results[place]:
                assessed[index, column] = base
                owed[index, column] = base_owed
        return assessed, owed

    def _walked(
        self, fitting: Sequence[tuple[int, Active, Row]], combination: int, metal: int
    ) -> tuple[tuple[int, int, int], ...]:
        """List (measure, base assessed, base owed) after stacking; bases are numbers of the family, 0 for none."""
        assessed = self._bases(fitting, combination, metal)
        if self._revive and any(row.void for _, _, row in fitting):
            owed = self._bases([fit for fit in fitting if not fit[2].void], combination, metal)
        else:
            void = {column for column, _, row in fitting if row.void}
            owed = {column: base for column, base in assessed.items() if column not in void}
        return tuple(
            (column, assessed.get(column, 0), owed.get(column, 0))
            for column in sorted(assessed.keys() | owed.keys())
        )

    def _bases(
        self, fitting: Sequence[tuple[int, Active, Row]], combination: int, metal: int
    ) -> dict[int, int]:
        family = self._family
        layers = walk(
            [(active, row) for _, active, row in fitting],
            self._rules,
            lambda condition: family.rule_holds(condition, combination),
            family.content(combination),
        )
        return {
            column: family.base(_on_whole(layer.weights, METALS[metal - 1]) if metal else layer.weights)
            for (column, _, _), layer in zip(fitting, layers, strict=True)
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
    """Spread the weight of an assumed metal over the whole value."""
    whole = list(NO_WEIGHTS)
    for part in (*METALS, US, US_ABOVE, REST):
        whole[part] = weights[metal] * FULL_BASE[part]
    for part in range(REST + 1, len(PARTS)):
        whole[part] = weights[part]
    return tuple(whole)
