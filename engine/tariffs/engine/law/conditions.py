"""Conditions on facts: `CLAIM`, `not CLAIM`, or `CLAIM OP VALUE` (docs/law-data.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from tariffs.engine.base.spelling import did_you_mean, nearest
from tariffs.engine.law.values import read_instant, read_number, read_rate

ENTRY_DATE = "entry_date"
MODE = "mode"
"""Claim whose fact is the mode of transport of the line."""
_FORM = re.compile(r"^(?:(not) )?([a-z_0-9]+)(?: (<=|>=|==|<|>|in) (.+))?$")

_OPPOSITES = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "other than", "in": "none of"}

Fact = bool | Decimal | str | datetime | None
Facts = Mapping[str, Fact]


@dataclass(frozen=True, slots=True)
class Condition:
    """One test of one claim; `text` is its canonical form and its identity, `value` the text compared with."""

    text: str
    claim: str
    negated: bool
    op: str
    operand: Decimal | datetime | frozenset[str] | None
    value: str = ""

    @property
    def opposite(self) -> str:
        """The opposite comparison, such as `>= 95%` for `claim < 95%`."""
        return f"{_OPPOSITES[self.op]} {self.text.partition(self.op)[2].strip()}"

    @property
    def words(self) -> str:
        """The condition for readers: a negated comparison as its opposite, any other as written."""
        return f"{self.claim} {self.opposite}" if self.op and self.negated else self.text

    def is_assumed(self, facts: Facts) -> bool:
        """True if a negated comparison holds only because the fact is not declared."""
        return bool(self.op) and self.negated and facts.get(self.claim) is None

    def holds(self, facts: Facts, *, undeclared: bool = False) -> bool:
        """Test the condition; for an undeclared fact a bare claim gives `undeclared`, a comparison no."""
        fact = facts.get(self.claim)
        if fact is None:
            return self.negated or (undeclared and not self.op)
        return self._test(fact) != self.negated

    def _test(self, fact: bool | Decimal | str | datetime) -> bool:
        operand = self.operand
        if not self.op:
            return bool(fact)
        if isinstance(operand, frozenset):
            return str(fact) in operand
        if isinstance(operand, datetime):
            return isinstance(fact, datetime) and _compare(fact, self.op, operand)
        return isinstance(fact, Decimal) and operand is not None and _compare(fact, self.op, operand)


def _compare(left: Decimal | datetime, op: str, right: Decimal | datetime) -> bool:
    order = (left > right) - (left < right)  # type: ignore[operator]
    return {"<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0, "==": order == 0}[op]


def parse_condition(text: str, claim_types: Mapping[str, str], zone: ZoneInfo) -> Condition:
    """Read a condition against the claims' types; raises ValueError for unknown claims and ill-typed tests."""
    form = _FORM.match(" ".join(text.split()))
    if not form:
        raise ValueError(f"{text!r} is not a condition such as usmca_share or us_content_share >= 20%")
    negated, claim, op, value = form[1] is not None, form[2], form[3] or "", form[4] or ""
    kind = "date" if claim == ENTRY_DATE else claim_types.get(claim)
    if kind is None:
        hint = did_you_mean(nearest(claim, claim_types))
        raise ValueError(
            f"{text!r} names the claim {claim!r}, which claims.yaml does not have. {hint}".strip()
        )
    return Condition(form[0], claim, negated, op, _operand(kind, op, value, zone, text), value)


def _operand(
    kind: str, op: str, value: str, zone: ZoneInfo, text: str
) -> Decimal | datetime | frozenset[str] | None:
    if not op:
        if kind in {"share", "bool"}:
            return None
        raise ValueError(f"{text!r} needs a comparison: the claim is of type {kind}")
    if kind == "code" and op in {"==", "in"}:
        return frozenset(value.split())
    if kind == "date" and op != "in":
        return read_instant(value, zone)
    if kind in {"content", "number"} and op != "in":
        return read_rate(value) if kind == "content" else read_number(value)
    raise ValueError(f"{text!r} uses a comparison that a claim of type {kind} does not have")
