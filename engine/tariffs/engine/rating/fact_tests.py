"""Test the facts of lines: each distinct test that rows and rules make of a claim is a column of yes and no."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools, factorize
from tariffs.engine.base.chunks import checkpoint
from tariffs.engine.errors import LawError
from tariffs.engine.law.conditions import Condition
from tariffs.engine.law.model import METALS, Claim
from tariffs.engine.rating.fits import CONTENT_CLAIMS
from tariffs.engine.tables.line_arrays import LineArrays

TESTS_AT_MOST = 2048
"""Most distinct tests of facts that a family of laws may make of a table."""
_WORD = 62
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

    def on(self, lines: LineArrays) -> Bools:
        """Test every line."""
        if self.op == _UNDECLARED:
            return np.isnan(lines.fact(self.claim))
        facts = lines.facts.get(self.claim)
        if facts is None:
            return np.zeros(lines.count, dtype=bool)
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

    Args:
        lines: the lines (n).
        tests: the tests.

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
    first = np.zeros(1, dtype=np.int64)
    columns: list[Bools] = []
    for start in range(0, len(tests), _WORD):
        checkpoint()
        results = [test.on(lines) for test in tests[start : start + _WORD]]
        columns += results
        word = np.zeros(lines.count, dtype=np.int64)
        for place, result in enumerate(results):
            word |= result.astype(np.int64) << place
        words, index = factorize(word)
        _, pattern = factorize(pattern * len(words) + index)
    if lines.count:
        first = np.zeros(int(pattern.max()) + 1, dtype=np.int64)
        first[pattern[::-1]] = np.arange(lines.count)[::-1]
        return pattern, np.array([column[first] for column in columns], dtype=bool).T.reshape(len(first), -1)
    return pattern, np.zeros((1, len(tests)), dtype=bool)
