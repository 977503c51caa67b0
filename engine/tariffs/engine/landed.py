"""Landed cost of one entry of one line: value, freight, insurance, duty, and the entry's fees (law.md
section 4).

The merchandise processing fee is per entry, by fiscal year, between a minimum and a maximum; the harbor
maintenance fee is for cargo unloaded at a port. Neither is part of any duty base, and no duty is charged
on duty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tariffs.engine.law.conditions import Fact
from tariffs.engine.law.law import Law
from tariffs.engine.law.text import read_day, read_rate

CENT, ZERO = Decimal("0.01"), Decimal(0)


@dataclass(frozen=True, slots=True)
class LandedCost:
    """US dollars and cents; `total` is the sum of the others."""

    customs_value: Decimal
    freight: Decimal
    insurance: Decimal
    duty: Decimal
    mpf: Decimal
    hmf: Decimal

    @property
    def total(self) -> Decimal:
        """Landed cost of the line."""
        return self.customs_value + self.freight + self.insurance + self.duty + self.mpf + self.hmf

    def as_dict(self) -> dict[str, Decimal]:
        """By name, in order, with the total."""
        names = ("customs_value", "freight", "insurance", "duty", "mpf", "hmf", "total")
        return {name: getattr(self, name) for name in names}


def landed_cost(
    law: Law,
    day: date,
    value: Decimal,
    duty: Decimal,
    mode: str,
    freight: Decimal,
    insurance: Decimal,
    facts: Mapping[str, Fact],
) -> LandedCost:
    """The landed cost of an entry of one line on a day."""
    fees = law.fees
    mpf = (
        ZERO
        if _exempt(law, facts)
        else _mpf(_on(fees.get("mpf", []), day), fees.get("informal_limit", "0"), value)
    )
    hmf = _hmf(_on(fees.get("hmf", []), day), mode, value)
    return LandedCost(value, freight, insurance, duty, mpf, hmf)


def _on(dated: list[Mapping[str, Any]], day: date) -> Mapping[str, Any] | None:
    for item in dated:
        starts = read_day(item["from"][:10]) <= day
        if starts and (not item.get("to") or day < read_day(item["to"][:10])):
            return item
    return None


def _exempt(law: Law, facts: Mapping[str, Fact]) -> bool:
    """Whether a preference claimed for the whole line frees the entry of the processing fee."""
    exempt = {
        law.programs[name].claim for name in law.fees.get("mpf_exempt_programs", []) if name in law.programs
    }
    return any(facts.get(claim) in {True, Decimal(1)} for claim in exempt)


def _mpf(fee: Mapping[str, Any] | None, informal_limit: str, value: Decimal) -> Decimal:
    if fee is None or not value:
        return ZERO
    if value <= Decimal(informal_limit) and fee.get("informal"):
        return Decimal(fee["informal"])
    found = (value * read_rate(fee["rate"])).quantize(CENT, ROUND_HALF_UP)
    return min(max(found, Decimal(fee["min"])), Decimal(fee["max"]))


def _hmf(fee: Mapping[str, Any] | None, mode: str, value: Decimal) -> Decimal:
    if fee is None or mode not in fee["modes"]:
        return ZERO
    return (value * read_rate(fee["rate"])).quantize(CENT, ROUND_HALF_UP)
