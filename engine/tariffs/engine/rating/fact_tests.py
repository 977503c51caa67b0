"""Test the facts of lines: each distinct test that rows and rules make of a claim is a column of yes and no."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools, factorize, first_of
from tariffs.engine.base.chunks import checkpoint
from tariffs.engine.base.numbering import Numbering
from tariffs.engine.errors import LawError
from tariffs.engine.law.conditions import Condition
from tariffs.engine.law.model import METALS, Claim
from tariffs.engine.rating.fits import CONTENT_CLAIMS
from tariffs.engine.tables.line_arrays import LineArrays

TESTS_AT_MOST = 2048
"""Most distinct tests of facts that a family of laws may make of a table."""
_WORD = 62
_LINES_AT_ONCE = 1 << 17
"""Lines whose facts are tested together; one takes a byte for each test."""
_UNDECLARED, _ABOVE_ZERO = "undeclared", "above 0"
_OPS: dict[str, Callable[[F64 | float, float], Bools]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
}


@dataclass(frozen=True, slots=True)
class FactTest:
    """Test of the facts of a line."""

    claim: str
    op: str = ""
    operand: object = None

    @classmethod
    def undeclared(cls, claim: str) -> FactTest:
        """Test that a claim is not declared."""
        return cls(claim, _UNDECLARED)

    @property
    def is_content(self) -> bool:
        """True if the test compares the content of a metal, which may be assumed."""
        return self.claim in CONTENT_CLAIMS.values() and isinstance(self.operand, Decimal)

    def holds_for_share(self, share: float) -> bool:
        """Test an assumed content."""
        return bool(_OPS[self.op](share, float(self.operand)))  # type: ignore[arg-type]

    def on(self, lines: LineArrays, chosen: slice | I64) -> Bools:
        """Test a range or a choice of lines."""
        if self.op == _UNDECLARED:
            return np.isnan(lines.fact(self.claim, chosen))
        if self.claim not in lines.facts:
            return np.zeros(len(lines.value[chosen]), dtype=bool)
        facts = lines.facts[self.claim][chosen]
        if isinstance(self.operand, frozenset):
            return np.asarray(np.isin(facts.astype(str), sorted(self.operand)))
        if self.op in {"", _ABOVE_ZERO}:
            return np.asarray(np.nan_to_num(facts) > 0)
        operand = self.operand
        point = operand.timestamp() if isinstance(operand, datetime) else float(Decimal(str(operand)))
        with np.errstate(invalid="ignore"):
            return _OPS[self.op](facts, point)


CONTENT = tuple(FactTest(CONTENT_CLAIMS[metal], _ABOVE_ZERO) for metal in METALS)
"""Tests that some value is in each metal."""
UNDECLARED_CONTENT = tuple(FactTest.undeclared(CONTENT_CLAIMS[metal]) for metal in METALS)
"""Tests that the content of each metal is not declared."""


@dataclass(frozen=True, slots=True)
class ConditionTest:
    """Condition of a row or rule: a bare share, which atoms tell apart, or a `test` of the facts of the line."""

    claim: str
    test: FactTest | None
    bare: bool
    negated: bool

    @classmethod
    def of(cls, condition: Condition, claims: Mapping[str, Claim]) -> ConditionTest:
        """Read a condition."""
        bare = not condition.op
        share = bare and claims[condition.claim].type == "share"
        test = None if share else FactTest(condition.claim, condition.op, condition.operand)
        return cls(condition.claim, test, bare, condition.negated)


def fact_patterns(lines: LineArrays, tests: Sequence[FactTest]) -> tuple[I64, Bools]:
    """Run tests on lines.

    Returns:
        The distinct pattern of each line (n), and the patterns (patterns x tests).

    Raises:
        LawError: TOO_MANY_TESTS.
    """
    if len(tests) > TESTS_AT_MOST:
        raise LawError(
            "TOO_MANY_TESTS",
            f"The rows and rules of these laws make {len(tests):,} different tests of facts; {TESTS_AT_MOST:,} is the "
            "most for a table.",
            fix="Use fewer different conditions in the scenarios, or compute fewer of them together.",
            metadata={"limit": str(TESTS_AT_MOST)},
        )
    pattern = np.zeros(lines.count, dtype=np.int64)
    rows: Numbering[bytes] = Numbering()
    # A fact that no line has gives all lines the same outcome.
    differing = [place for place, test in enumerate(tests) if test.claim in lines.facts]
    for lo in range(0, lines.count, _LINES_AT_ONCE):
        checkpoint()
        chosen = slice(lo, min(lo + _LINES_AT_ONCE, lines.count))
        outcomes = np.array([tests[place].on(lines, chosen) for place in differing], dtype=bool)
        columns = outcomes.reshape(len(differing), chosen.stop - lo)
        number, first = _numbered(columns)
        pattern[chosen] = np.array([rows.of(row.tobytes()) for row in columns[:, first].T])[number]
    # Sorted, so that the order of lines does not matter.
    place = {row: number for number, row in enumerate(sorted(rows.values or [bytes(len(differing))]))}
    patterns = np.tile(np.array([test.op == _UNDECLARED for test in tests], dtype=bool), (len(place), 1))
    patterns[:, differing] = np.frombuffer(b"".join(place), dtype=bool).reshape(len(place), len(differing))
    return np.array([place[row] for row in rows.values], dtype=np.int64)[pattern], patterns


def _numbered(columns: Bools) -> tuple[I64, I64]:
    """Number of each line by its outcomes (tests x lines), and the first line of each number."""
    count = columns.shape[1]
    number = np.zeros(count, dtype=np.int64)
    for start in range(0, len(columns), _WORD):
        word = np.zeros(count, dtype=np.int64)
        for place, outcomes in enumerate(columns[start : start + _WORD]):
            word |= outcomes.astype(np.int64) << place
        words, index = factorize(word)
        _, number = factorize(number * len(words) + index)
    return number, first_of(number)
