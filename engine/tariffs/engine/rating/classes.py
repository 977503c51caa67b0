"""Classify lines by the rows that reach them, and encode their facts as bits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.array_utils import F64, I64, Bools
from tariffs.engine.errors import LawError
from tariffs.engine.law.conditions import Condition
from tariffs.engine.law.law import Active, InForce, Law
from tariffs.engine.law.model import METALS, REST, Row, Weights
from tariffs.engine.rating.fits import CONTENT_CLAIMS
from tariffs.engine.tables.line_arrays import LineArrays

# One bit each in a signed number of 64 bits.
TESTS_AT_MOST = 62
Fits = list[tuple[Active, Row]]
_OPS: dict[str, Callable[[F64 | float, float], Bools]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
}


def row_list(in_force: InForce) -> Fits:
    """List the rows in force with their measures, in the order of the law."""
    return [(active, row) for active in in_force.actives for row in active.rows]


@dataclass
class Classes:
    """Classes of (product, origin): per class, by measure, the rows that reach it, with conditions not tested."""

    in_force: InForce
    rows: Fits
    fits: Bools
    candidates: list[list[tuple[Active, list[Row]]]] = field(init=False)

    def __post_init__(self) -> None:
        self.candidates = [self._of(np.flatnonzero(fit)) for fit in self.fits]

    def _of(self, indices: NDArray[np.intp]) -> list[tuple[Active, list[Row]]]:
        candidates: list[tuple[Active, list[Row]]] = []
        closed = False
        for index in indices:
            active, row = self.rows[index]
            if not candidates or candidates[-1][0] is not active:
                candidates.append((active, []))
                closed = False
            if not closed:
                candidates[-1][1].append(row)
                closed = not row.conditions
        return candidates


class FactBits:
    """Bits of the facts that rows and rules test.

    Every distinct test of a claim has a bit. `fixed` holds per line the bits of tests that need no split;
    `share_bits` the bit of each share claim, `undeclared_bits` a bit for a share claim left undeclared
    where a row asks for that; `content_bits` a bit per metal above 0 and one for content left undeclared.
    `reads` says per class which bits matter. Where there are more tests than bits, tests that no class reads together
    have one bit; those are not in `fixed` but in `bits_of`.
    """

    def __init__(self, law: Law, classes: Classes, lines: LineArrays) -> None:
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
        reads = [self._reads(c, classes.in_force) for c in classes.candidates]
        self._readers: dict[object, Bools] = {}
        self._shared: list[tuple[int, Bools, Bools]] = []
        if self._next > TESTS_AT_MOST:
            reads = self._share(reads)
        self._fill(lines)
        self.reads = np.array(reads, dtype=np.int64)
        read_by_any = int(np.bitwise_or.reduce(self.reads)) if len(self.reads) else 0
        self.partitions = self._partitions(read_by_any)

    def _new(self) -> int:
        self._next += 1
        return 1 << (self._next - 1)

    def bits_of(self, line: I64, klass: I64) -> I64:
        """Bits of pieces by their line and class, without the bits of share claims."""
        bits: I64 = self.fixed[line] & self.reads[klass]
        for bit, holds, readers in self._shared:
            bits |= np.where(readers[klass] & holds[line], bit, 0)
        return bits

    def _share(self, reads: list[int]) -> list[int]:
        """Let tests that no class reads together share a bit, and return the reads of the classes in the new bits.

        Share claims and tests of content keep separate bits: the former split atoms, the latter are set by the metal
        assumed for undeclared content.
        """
        content = CONTENT_CLAIMS.values()
        sharing: dict[object, int] = {key: bit for key, bit in self._tests.items() if key[0] not in content}
        sharing.update(self.undeclared_bits)
        places = shared_bits(reads, tuple(sharing.values()), self._next)
        self._readers = {key: np.array([bool(mask & bit) for mask in reads]) for key, bit in sharing.items()}
        self._tests = {key: places[bit] for key, bit in self._tests.items()}
        self.share_bits = {claim: places[bit] for claim, bit in self.share_bits.items()}
        self.undeclared_bits = {claim: places[bit] for claim, bit in self.undeclared_bits.items()}
        self.content_bits = {part: places[bit] for part, bit in self.content_bits.items()}
        self.content_undeclared = places[self.content_undeclared]
        return [sum({place for bit, place in places.items() if mask & bit}) for mask in reads]

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

    def _fill(self, lines: LineArrays) -> None:
        for key, bit in self._tests.items():
            self._set(key, bit, _test(lines, *key))
        for claim in self.share_bits:
            self.shares[claim] = lines.fact(claim)
        for claim, bit in self.undeclared_bits.items():
            self._set(claim, bit, np.isnan(lines.fact(claim)))
        silent = np.ones(lines.count, dtype=bool)
        for part, claim in CONTENT_CLAIMS.items():
            content = lines.fact(claim)
            self.fixed[content > 0] |= self.content_bits[part]
            silent &= np.isnan(content)
        self.fixed[silent] |= self.content_undeclared

    def _set(self, key: object, bit: int, holds: Bools) -> None:
        """Set a bit on the lines where its test holds; a shared bit only for the classes that read the test."""
        readers = self._readers.get(key)
        if readers is None:
            self.fixed[holds] |= bit
        elif holds.any():
            self._shared.append((bit, holds, readers))

    def _reads(self, candidates: list[tuple[Active, list[Row]]], in_force: InForce) -> int:
        present = {active.index for active, _ in candidates}
        bits = 0
        for _, rows in candidates:
            for row in rows:
                for condition in row.conditions:
                    bits |= self._read_by(condition)
                    if row.undeclared_applies:
                        bits |= self.undeclared_bits.get(condition.claim, 0)
                if _depends_on_metal(row.base):
                    bits |= self._content
        for rule in in_force.rules:
            if not present.isdisjoint(rule.on.union(*rule.members)):
                if rule.rule.take == "base" and _depends_on_metal(rule.rule.base):
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

    def reading(self, claim: str) -> int:
        """Bits of a claim; 0 if no row and no rule reads it."""
        tests = [bit for (name, _, _), bit in self._tests.items() if name == claim]
        content = self._content if claim in CONTENT_CLAIMS.values() else 0
        return sum(tests) | self.share_bits.get(claim, 0) | self.undeclared_bits.get(claim, 0) | content

    def with_metal(self, bits: int, metal: int | None) -> int:
        """Bits with undeclared content set: all value in `metal`, or no content."""
        for (claim, op, operand), bit in self._tests.items():
            if claim in CONTENT_CLAIMS.values() and isinstance(operand, Decimal):
                share = 1.0 if metal is not None and claim == CONTENT_CLAIMS[metal] else 0.0
                bits = bits | bit if _OPS[op](share, float(operand)) else bits & ~bit
        return bits

    def bit(self, condition: Condition) -> int:
        """Bit of a condition (before `not`)."""
        share_bit = self.share_bits.get(condition.claim) if not condition.op else None
        return share_bit or self._tests[(condition.claim, condition.op, condition.operand)]

    def holds(self, condition: Condition, bits: int, *, undeclared: bool = False) -> bool:
        """Test whether a condition holds on an atom with these bits."""
        if undeclared and not condition.op and bits & self.undeclared_bits.get(condition.claim, 0):
            return True
        return bool(bits & self.bit(condition)) != condition.negated

    def _partitions(self, read: int) -> list[list[str]]:
        partitions: dict[str, list[str]] = {}
        for claim, bit in self.share_bits.items():
            if bit & read:
                partitions.setdefault(self._law.claims[claim].partition or claim, []).append(claim)
        return list(partitions.values())


def shared_bits(reads: Sequence[int], sharing: Sequence[int], count: int) -> dict[int, int]:
    """Assign a place to each of `count` bits, so that no two read together share a place.

    Args:
        reads: the sets of bits read together.
        sharing: the bits that may share a place; the others keep separate places.
        count: the number of bits.

    Raises:
        LawError: TOO_MANY_TESTS if more places are needed than a signed number of 64 bits has.
    """
    apart = frozenset(sharing)
    separate = [1 << n for n in range(count) if 1 << n not in apart]
    places = {bit: 1 << n for n, bit in enumerate(separate)}
    together = dict.fromkeys(sharing, 0)
    for mask in set(reads):
        for bit in sharing:
            if mask & bit:
                together[bit] |= mask
    for bit in sharing:
        taken = {places[other] for other in sharing if other in places and together[bit] & other}
        place = 1 << len(separate)
        while place in taken:
            place <<= 1
        places[bit] = place
    if max(places.values()) >= 1 << TESTS_AT_MOST:
        raise LawError(
            "TOO_MANY_TESTS",
            f"Rows and rules in force test more than {TESTS_AT_MOST} facts of the same goods, the limit for tables.",
            fix="Use fewer different conditions in the rows and rules of the scenario.",
            metadata={"limit": str(TESTS_AT_MOST)},
        )
    return places


def _depends_on_metal(base: Weights) -> bool:
    """Test whether a base weights a metal differently from the rest of the value."""
    return any(base[part] != base[REST] for part in METALS)


def _test(lines: LineArrays, claim: str, op: str, operand: object) -> Bools:
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
