"""Build profiles: the layers after stacking for each class of lines and combination of fact bits, as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from tariffs.engine.base.array_utils import F64, I8, I32
from tariffs.engine.base.chunks import checkpoint
from tariffs.engine.law.model import FULL_BASE, METALS, NO_WEIGHTS, PARTS, REST, US, US_ABOVE, Row, Weights
from tariffs.engine.law.stacking import walk
from tariffs.engine.rating.classes import Classes, FactBits, Fits
from tariffs.engine.rating.fits import stated_rate

NOT_PROHIBITED = -1
KIND_CODES = {"ordinary": 0, "add": 1, "total": 1, "topup_to": 2, "specific": 3, "minimum_price": 4}


@dataclass(frozen=True)
class Profiles:
    """Layers of each profile (P profiles, L layers); see `table_duty.kernel`.

    `column` is the ordinary column of each profile; `prohibited` the measure that prohibits its goods, else -1.
    """

    layer_start: I32
    layer_measure: I32
    layer_kind: I8
    layer_rate: F64
    layer_weights: F64
    layer_assessed: F64
    layer_owed: F64
    layer_unit: I32
    tier_start: I32
    tier_up_to: F64
    tier_usd: F64
    units: tuple[str, ...]
    column: I8
    prohibited: I32

    GENERAL: ClassVar[int] = 0
    SPECIAL: ClassVar[int] = 1
    OTHER: ClassVar[int] = 2
    NONE: ClassVar[int] = 3


_COLUMNS = {"general": Profiles.GENERAL, "special": Profiles.SPECIAL, "other": Profiles.OTHER}


class _ProfileRow(NamedTuple):
    """Charged row of a profile; `assessed` and `owed` tell which of the two duties it belongs to."""

    measure: int
    row: Row
    weights: Weights
    assessed: bool
    owed: bool


def build_profiles(classes: Classes, facts: FactBits, combos: Sequence[tuple[int, int]]) -> Profiles:
    """Build the profile of each (class, bits)."""
    builder = _ProfileBuilder(classes, facts)
    for klass, bits in combos:
        checkpoint()
        builder.add(klass, bits)
    return builder.finish()


def no_profiles() -> Profiles:
    """Profiles of a law without measures in force."""
    return _arrays([], [0], [], [])


class _ProfileBuilder:
    """Builder that applies the stacking rules to each profile; equal stackings are computed once."""

    def __init__(self, classes: Classes, facts: FactBits) -> None:
        self._classes = classes
        self._facts = facts
        self._rules = classes.in_force.rules
        conditions = [c for r in self._rules for c in (*r.rule.conditions, *r.rule.unless)]
        self._rule_bits = 0
        for condition in conditions:
            self._rule_bits |= facts.bit(condition)
        for bit in facts.content_bits.values():
            self._rule_bits |= bit
        # Headings that keep a rule from firing: other headings make no difference to stacking.
        self._blocking = frozenset[str]().union(*(r.rule.when_not for r in self._rules))
        self._walks: dict[object, list[tuple[int, Weights]]] = {}
        self._layers: list[_ProfileRow] = []
        self._starts = [0]
        self._columns: list[int] = []
        self._prohibited: list[int] = []

    def add(self, klass: int, bits: int) -> None:
        """Append the profile of a class under these bits."""
        fits = self._fits(klass, bits)
        metal = self._default_metal(fits, bits)
        if bits & self._facts.content_undeclared:
            bits = self._facts.with_metal(bits, metal)
            fits = self._fits(klass, bits)
        self._prohibited.append(next((active.index for active, row in fits if row.prohibits), NOT_PROHIBITED))
        if self._prohibited[-1] != NOT_PROHIBITED:
            fits = []
        content = frozenset({metal} if metal is not None else self._content(bits))
        revived = self._revived(fits)
        for index, weights in self._walked(fits, bits, content):
            active, row = fits[index]
            owed = not (row.void or revived)
            self._layers.append(_ProfileRow(active.index, row, _on_whole(weights, metal), True, owed))
        for index, weights in self._walked(revived, bits, content):
            active, row = revived[index]
            self._layers.append(_ProfileRow(active.index, row, _on_whole(weights, metal), False, True))
        self._starts.append(len(self._layers))
        ordinary = next((row for _, row in fits if row.kind == "ordinary"), None)
        self._columns.append(_COLUMNS[ordinary.column] if ordinary else Profiles.NONE)

    def _fits(self, klass: int, bits: int) -> Fits:
        fits = []
        for active, rows in self._classes.candidates[klass]:
            for row in rows:
                if all(self._facts.holds(c, bits, undeclared=row.undeclared_applies) for c in row.conditions):
                    if not row.absent:
                        fits.append((active, row))
                    break
        return fits

    def _revived(self, fits: Fits) -> Fits:
        """Rows to stack separately for the owed duty: those not void, where the law revives displaced duties."""
        if not self._classes.in_force.revive or not any(row.void for _, row in fits):
            return []
        return [(active, row) for active, row in fits if not row.void]

    def _content(self, bits: int) -> Iterable[int]:
        return (part for part, bit in self._facts.content_bits.items() if bits & bit)

    def _default_metal(self, fits: Fits, bits: int) -> int | None:
        """Listed metal with the highest rate, which has all the value if no content is declared."""
        if not bits & self._facts.content_undeclared:
            return None
        listed = [(stated_rate(row), -part) for _, row in fits for part in row.metals]
        return -max(listed)[1] if listed else None

    def _walked(self, fits: Fits, bits: int, content: frozenset[int]) -> list[tuple[int, Weights]]:
        key = (
            tuple((a.index, r.base, r.kind, r.suspended, r.exempt, r.rate) for a, r in fits),
            tuple((a.index, r.heading) for a, r in fits if r.heading in self._blocking),
            bits & self._rule_bits,
            content,
        )
        if key not in self._walks:
            layers = walk(fits, self._rules, lambda c: self._facts.holds(c, bits), content)
            self._walks[key] = [(i, layer.weights) for i, layer in enumerate(layers) if layer.charged]
        return self._walks[key]

    def finish(self) -> Profiles:
        """Convert the profiles to arrays."""
        return _arrays(self._layers, self._starts, self._columns, self._prohibited)


def _arrays(
    layers: Sequence[_ProfileRow], starts: Sequence[int], columns: Sequence[int], prohibited: Sequence[int]
) -> Profiles:
    units = sorted({_unit(layer.row) for layer in layers if _unit(layer.row)})
    tiers = [_tiers(layer.row) for layer in layers]
    return Profiles(
        layer_start=np.array(starts, dtype=np.int32),
        layer_measure=np.array([layer.measure for layer in layers], dtype=np.int32),
        layer_kind=np.array([KIND_CODES[layer.row.kind] for layer in layers], dtype=np.int8),
        layer_rate=np.array([float(layer.row.rate or 0) for layer in layers], dtype=np.float64),
        layer_weights=np.array([layer.weights for layer in layers], dtype=np.float64).reshape(-1, len(PARTS)),
        layer_assessed=np.array([layer.assessed for layer in layers], dtype=np.float64),
        layer_owed=np.array([layer.owed for layer in layers], dtype=np.float64),
        layer_unit=np.array(
            [units.index(_unit(layer.row)) if _unit(layer.row) else 0 for layer in layers], dtype=np.int32
        ),
        tier_start=np.cumsum([0, *(len(t) for t in tiers)]).astype(np.int32),
        tier_up_to=np.array([up_to for t in tiers for up_to, _ in t], dtype=np.float64),
        tier_usd=np.array([usd for t in tiers for _, usd in t], dtype=np.float64),
        units=tuple(units),
        column=np.array(columns, dtype=np.int8),
        prohibited=np.array(prohibited, dtype=np.int32),
    )


def _on_whole(weights: Weights, metal: int | None) -> Weights:
    """Spread the weight of an undeclared metal over the whole value."""
    if metal is None:
        return weights
    whole = list(NO_WEIGHTS)
    for part in (*METALS, US, US_ABOVE, REST):
        whole[part] = weights[metal] * FULL_BASE[part]
    for part in range(REST + 1, len(PARTS)):
        whole[part] = weights[part]
    return tuple(whole)


def _unit(row: Row) -> str:
    if row.price is not None:
        return row.price.unit
    return row.tiers[0].rate.unit if row.tiers else ""


def _tiers(row: Row) -> list[tuple[float, float]]:
    if row.price is not None:
        return [(np.inf, float(row.price.usd))]
    return [(np.inf if t.up_to is None else float(t.up_to), float(t.rate.usd)) for t in row.tiers]
