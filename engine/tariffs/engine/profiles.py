"""Classes, fact bits and profiles: the discrete side of compile, where the stacking walk runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.law.conditions import Condition
from tariffs.engine.law.law import Active, InForce, Law
from tariffs.engine.law.model import FULL_BASE, METALS, NO_WEIGHTS, PARTS, REST, US, US_ABOVE, Row, Weights
from tariffs.engine.law.stacking import walk
from tariffs.engine.lineset import F64, I8, I32, Bools, LineSet
from tariffs.engine.rating import CONTENT_CLAIMS, stated_rate

Fits = list[tuple[Active, Row]]
KIND_CODES = {"ordinary": 0, "add": 1, "total": 1, "topup_to": 2, "specific": 3, "minimum_price": 4}
_OPS: dict[str, Callable[[F64 | float, float], Bools]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
}


def row_list(in_force: InForce) -> Fits:
    """Every row in force with its measure, in the order of the law."""
    return [(active, row) for active in in_force.actives for row in active.rows]


@dataclass
class Classes:
    """Classes of (product, origin): per class, by measure, the rows that reach it (conditions not yet tested)."""

    in_force: InForce
    rows: Fits
    fits: Bools
    candidates: list[list[tuple[Active, list[Row]]]] = field(init=False)

    def __post_init__(self) -> None:
        self.candidates = [self._of(np.flatnonzero(fit)) for fit in self.fits]

    def _of(self, indices: NDArray[np.intp]) -> list[tuple[Active, list[Row]]]:
        found: list[tuple[Active, list[Row]]] = []
        closed = False
        for index in indices:
            active, row = self.rows[index]
            if not found or found[-1][0] is not active:
                found.append((active, []))
                closed = False
            if not closed:
                found[-1][1].append(row)
                closed = not row.conditions
        return found


class FactBits:
    """Which facts matter, as bits.

    Every distinct test of a claim has a bit. `fixed` holds per line the bits of tests that need no split;
    `share_bits` the bit of each share claim, `undeclared_bits` a bit for a share claim left undeclared
    where a row asks for that; `content_bits` a bit per metal above 0 and one for content left undeclared.
    `reads` says per class which bits matter.
    """

    def __init__(self, law: Law, classes: Classes, lines: LineSet) -> None:
        self._law = law
        self._next = 0
        self._tests: dict[tuple[str, str, object], int] = {}
        self.share_bits: dict[str, int] = {}
        self.undeclared_bits: dict[str, int] = {}
        self.shares: dict[str, F64] = {}
        self.content_bits = {part: self._new() for part in METALS}
        self.content_undeclared = self._new()
        self.fixed = np.zeros(lines.count, dtype=np.int64)
        self._register(classes)
        self._fill(lines)
        self.reads = np.array([self._reads(c, classes.in_force) for c in classes.candidates], dtype=np.int64)
        read_by_any = int(np.bitwise_or.reduce(self.reads)) if len(self.reads) else 0
        self.partitions = self._partitions(read_by_any)

    def _new(self) -> int:
        self._next += 1
        if self._next > 62:
            raise OverflowError("more than 62 tests of facts at one instant")
        return 1 << (self._next - 1)

    def _register(self, classes: Classes) -> None:
        rules = [c for r in classes.in_force.rules for c in (*r.rule.conditions, *r.rule.unless)]
        for condition in [c for _, row in classes.rows for c in row.conditions] + rules:
            claim = self._law.claims[condition.claim]
            if claim.type == "share" and not condition.op:
                if claim.id not in self.share_bits:
                    self.share_bits[claim.id] = self._new()
            else:
                key = (condition.claim, condition.op, condition.operand)
                if key not in self._tests:
                    self._tests[key] = self._new()
        bare = (
            c.claim for _, row in classes.rows if row.undeclared_applies for c in row.conditions if not c.op
        )
        for name in dict.fromkeys(bare):
            self.undeclared_bits[name] = self._new()

    def _fill(self, lines: LineSet) -> None:
        for (claim, op, operand), bit in self._tests.items():
            self.fixed[_test(lines, claim, op, operand)] |= bit
        for claim in self.share_bits:
            self.shares[claim] = lines.fact(claim)
        for claim, bit in self.undeclared_bits.items():
            self.fixed[np.isnan(lines.fact(claim))] |= bit
        silent = np.ones(lines.count, dtype=bool)
        for part, claim in CONTENT_CLAIMS.items():
            content = lines.fact(claim)
            self.fixed[content > 0] |= self.content_bits[part]
            silent &= np.isnan(content)
        self.fixed[silent] |= self.content_undeclared

    def _reads(self, candidates: list[tuple[Active, list[Row]]], in_force: InForce) -> int:
        present = {active.index for active, _ in candidates}
        bits = 0
        for _, rows in candidates:
            for row in rows:
                for condition in row.conditions:
                    bits |= self._read_by(condition)
                    if row.undeclared_applies:
                        bits |= self.undeclared_bits.get(condition.claim, 0)
                if _tells_metal_apart(row.base):
                    bits |= self._content
        for rule in in_force.rules:
            if not present.isdisjoint(rule.on.union(*rule.members)):
                if rule.rule.take == "base" and _tells_metal_apart(rule.rule.base):
                    bits |= self._content
                for condition in (*rule.rule.conditions, *rule.rule.unless):
                    bits |= self._read_by(condition)
        return bits

    def _read_by(self, condition: Condition) -> int:
        return self.bit(condition) | (self._content if condition.claim in CONTENT_CLAIMS.values() else 0)

    @property
    def _content(self) -> int:
        bits = self.content_undeclared
        for bit in self.content_bits.values():
            bits |= bit
        return bits

    def with_metal(self, bits: int, metal: int | None) -> int:
        """The bits once content left undeclared is settled: all value in `metal`, or no content at all."""
        for (claim, op, operand), bit in self._tests.items():
            if claim in CONTENT_CLAIMS.values() and isinstance(operand, Decimal):
                share = 1.0 if metal is not None and claim == CONTENT_CLAIMS[metal] else 0.0
                bits = bits | bit if _OPS[op](share, float(operand)) else bits & ~bit
        return bits

    def bit(self, condition: Condition) -> int:
        """The bit that answers a condition (before `not`)."""
        found = self.share_bits.get(condition.claim) if not condition.op else None
        return found or self._tests[(condition.claim, condition.op, condition.operand)]

    def holds(self, condition: Condition, bits: int, *, undeclared: bool = False) -> bool:
        """Whether a condition holds on an atom with these bits."""
        if undeclared and not condition.op and bits & self.undeclared_bits.get(condition.claim, 0):
            return True
        return bool(bits & self.bit(condition)) != condition.negated

    def _partitions(self, read: int) -> list[list[str]]:
        found: dict[str, list[str]] = {}
        for claim, bit in self.share_bits.items():
            if bit & read:
                found.setdefault(self._law.claims[claim].partition or claim, []).append(claim)
        return list(found.values())


def _tells_metal_apart(base: Weights) -> bool:
    """Whether a base treats some metal otherwise than the rest, so that it matters whether the metal is there."""
    return any(base[part] != base[REST] for part in METALS)


def _test(lines: LineSet, claim: str, op: str, operand: object) -> Bools:
    facts = lines.facts.get(claim)
    if facts is None:
        return np.zeros(lines.count, dtype=bool)
    if isinstance(operand, frozenset):
        return np.asarray(np.isin(facts.astype(str), sorted(operand)))
    if operand is None:
        return np.asarray(np.nan_to_num(facts) > 0)
    point = operand.timestamp() if isinstance(operand, datetime) else float(Decimal(str(operand)))
    with np.errstate(invalid="ignore"):
        return _OPS[op](facts, point)


@dataclass(frozen=True)
class Profiles:
    """Layers of each profile (P profiles, L layers); see `kernels.assess`.

    `column` is the ordinary column of each profile.
    """

    layer_start: I32
    layer_measure: I32
    layer_kind: I8
    layer_rate: F64
    layer_weights: F64
    layer_owed: F64
    layer_unit: I32
    tier_start: I32
    tier_up_to: F64
    tier_usd: F64
    units: tuple[str, ...]
    column: I8

    GENERAL: ClassVar[int] = 0
    SPECIAL: ClassVar[int] = 1
    OTHER: ClassVar[int] = 2
    NONE: ClassVar[int] = 3


_COLUMNS = {"general": Profiles.GENERAL, "special": Profiles.SPECIAL, "other": Profiles.OTHER}


def build_profiles(classes: Classes, facts: FactBits, combos: Sequence[tuple[int, int]]) -> Profiles:
    """The profile of each (class, bits)."""
    builder = _Builder(classes, facts)
    for klass, bits in combos:
        builder.add(klass, bits)
    return builder.finish()


def no_profiles() -> Profiles:
    """The profiles of a law in which nothing is in force."""
    return _arrays([], [0], [])


class _Builder:
    """Walks the stacking rules for each profile; walks that cannot differ are made once."""

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
        self._walks: dict[object, list[tuple[int, Weights]]] = {}
        self._layers: list[tuple[int, Row, Weights]] = []
        self._starts = [0]
        self._columns: list[int] = []

    def add(self, klass: int, bits: int) -> None:
        """Append the profile of a class under these bits."""
        fits = self._fits(klass, bits)
        metal = self._default_metal(fits, bits)
        if bits & self._facts.content_undeclared:
            bits = self._facts.with_metal(bits, metal)
            fits = self._fits(klass, bits)
        content = frozenset({metal} if metal is not None else self._content(bits))
        for index, weights in self._walked(fits, bits, content):
            self._layers.append((fits[index][0].index, fits[index][1], _on_whole(weights, metal)))
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

    def _content(self, bits: int) -> Iterable[int]:
        return (part for part, bit in self._facts.content_bits.items() if bits & bit)

    def _default_metal(self, fits: Fits, bits: int) -> int | None:
        """With content undeclared, the listed metal with the highest rate has all the value."""
        if not bits & self._facts.content_undeclared:
            return None
        listed = [(stated_rate(row), -part) for _, row in fits for part in row.metals]
        return -max(listed)[1] if listed else None

    def _walked(self, fits: Fits, bits: int, content: frozenset[int]) -> list[tuple[int, Weights]]:
        key = (
            tuple((a.index, r.base, r.kind, r.suspended, r.exempt, r.rate) for a, r in fits),
            bits & self._rule_bits,
            content,
        )
        if key not in self._walks:
            layers = walk(fits, self._rules, lambda c: self._facts.holds(c, bits), content)
            self._walks[key] = [(i, layer.weights) for i, layer in enumerate(layers) if layer.charged]
        return self._walks[key]

    def finish(self) -> Profiles:
        """The profiles as arrays."""
        return _arrays(self._layers, self._starts, self._columns)


def _arrays(
    layers: Sequence[tuple[int, Row, Weights]], starts: Sequence[int], columns: Sequence[int]
) -> Profiles:
    units = sorted({_unit(row) for _, row, _ in layers if _unit(row)})
    tiers = [_tiers(row) for _, row, _ in layers]
    return Profiles(
        layer_start=np.array(starts, dtype=np.int32),
        layer_measure=np.array([measure for measure, _, _ in layers], dtype=np.int32),
        layer_kind=np.array([KIND_CODES[row.kind] for _, row, _ in layers], dtype=np.int8),
        layer_rate=np.array([float(row.rate or 0) for _, row, _ in layers], dtype=np.float64),
        layer_weights=np.array([w for _, _, w in layers], dtype=np.float64).reshape(-1, len(PARTS)),
        layer_owed=np.array([0.0 if row.void else 1.0 for _, row, _ in layers], dtype=np.float64),
        layer_unit=np.array(
            [units.index(_unit(row)) if _unit(row) else 0 for _, row, _ in layers], dtype=np.int32
        ),
        tier_start=np.cumsum([0, *(len(t) for t in tiers)]).astype(np.int32),
        tier_up_to=np.array([up_to for t in tiers for up_to, _ in t], dtype=np.float64),
        tier_usd=np.array([usd for t in tiers for _, usd in t], dtype=np.float64),
        units=tuple(units),
        column=np.array(columns, dtype=np.int8),
    )


def _on_whole(weights: Weights, metal: int | None) -> Weights:
    """With all value in one undeclared metal, that metal's weight is the weight of the whole value."""
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
