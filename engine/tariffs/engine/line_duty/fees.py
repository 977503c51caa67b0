"""Landed cost: value, freight, insurance, duty, entry fees, and charges the caller adds.

The merchandise processing fee (MPF) is due per entry, by fiscal year, between a minimum and a maximum, on the value of
the lines that are not exempt; the harbor maintenance fee (HMF) on goods imported by sea. Each is computed and rounded
once per entry and prorated over its lines by value, to the cent, so that the lines sum to the entry. Neither is part of
any duty base, no duty is charged on duty, and totals are sums of rounded lines (19 CFR 24.23, 24.24).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from tariffs.engine.base.named_tuples import maker
from tariffs.engine.law.conditions import Fact
from tariffs.engine.law.fee_tables import Chapter98Fee, HarborFee, ProcessingFee, fee_on
from tariffs.engine.law.law import Law
from tariffs.engine.law.values import digits
from tariffs.engine.rating.fits import PROCESSING_CLAIM

CENT, NOTHING, ZERO = Decimal("0.01"), Decimal("0.00"), Decimal(0)
CHAPTER_98_CLAIM = "chapter98"
WHOLE = (True, Decimal(1))


class LandedCost(NamedTuple):
    """Landed cost by part, in US dollars and cents; `adcvd`, `excise` and `other` are charges the caller gives."""

    customs_value: Decimal = ZERO
    freight: Decimal = ZERO
    insurance: Decimal = ZERO
    duty: Decimal = ZERO
    mpf: Decimal = ZERO
    hmf: Decimal = ZERO
    adcvd: Decimal = ZERO
    excise: Decimal = ZERO
    other: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """Sum of the parts."""
        return sum(self, ZERO)

    def as_dict(self) -> dict[str, Decimal]:
        """Parts by name, in order, with the total."""
        return {**self._asdict(), "total": self.total}

    def with_fees(self, mpf: Decimal, hmf: Decimal) -> LandedCost:
        """Put the fees in place of those it has."""
        value, freight, insurance, duty, _, _, *charges = self
        return _landed_cost((value, freight, insurance, duty, mpf, hmf, *charges))

    @classmethod
    def sum_of(cls, costs: Sequence[LandedCost]) -> LandedCost:
        """Sum each part over lines."""
        return costs[0] if len(costs) == 1 else cls(*(sum(parts, ZERO) for parts in zip(*costs, strict=True)))


_landed_cost = maker(LandedCost)


class FeeLine(NamedTuple):
    """Inputs of a line to the fees of its entry, in US dollars.

    `declared` is the value before rounding to whole dollars, which decides whether an entry is informal; `mpf_base` the
    part of the value on which the processing fee is due.
    """

    value: Decimal
    declared: Decimal
    mpf_base: Decimal
    mode: str


class EntryFees(NamedTuple):
    """Fees of an entry in dollars and cents, and by line; lines sum to the entry."""

    informal: bool
    mpf: Decimal
    hmf: Decimal
    mpf_by_line: tuple[Decimal, ...]
    hmf_by_line: tuple[Decimal, ...]


class DayFees(NamedTuple):
    """Fees of entries on a day under a law.

    Goods of `free_origins` are free of the processing fee; those that claim a preference of `free_claims` for the whole
    line are, if it is open to their origin.
    """

    informal_limit: Decimal
    mpf: ProcessingFee | None
    hmf: HarborFee | None
    free_origins: frozenset[str]
    free_claims: tuple[tuple[str, frozenset[str]], ...]
    chapter98: tuple[Chapter98Fee, ...]


def fees_on(law: Law, day: date) -> DayFees:
    """Fees of entries on a day."""
    fees = law.fees
    exempt = [one for one in fees.mpf_exempt if one.span.holds(day)]
    named = {name for one in exempt for name in one.origins}
    programs = [law.programs[name] for one in exempt for name in one.programs]
    return DayFees(
        fees.informal_limit,
        fee_on(fees.mpf, day),
        fee_on(fees.hmf, day),
        frozenset(named.union(*[_members(law, name, day) for name in named])),
        tuple([(program.claim, program.members) for program in programs]),
        fees.mpf_chapter98,
    )


def _members(law: Law, group: str, day: date) -> frozenset[str]:
    """Countries of a group on a day; none for the code of a country."""
    parts = [
        part.members
        for part in law.groups.get(group, ())
        if (part.start is None or part.start.date() <= day) and (part.end is None or day < part.end.date())
    ]
    return frozenset().union(*parts)


def mpf_base(fees: DayFees, origin: str, value: Decimal, facts: Mapping[str, Fact]) -> Decimal:
    """Part of the value of a line on which the processing fee is due: 0 for goods that are free of it.

    Under chapter 98 it is as the law data states for the provision claimed.
    """
    if origin in fees.free_origins:
        return ZERO
    if facts and any(facts.get(claim) in WHOLE and origin in members for claim, members in fees.free_claims):
        return ZERO
    provision = digits(str(facts.get(CHAPTER_98_CLAIM) or ""))
    for rule in fees.chapter98:
        if provision and provision.startswith(rule.provisions):
            return _processing(facts, value) if rule.on_processing else ZERO
    return value


def _processing(facts: Mapping[str, Fact], value: Decimal) -> Decimal:
    declared = facts.get(PROCESSING_CLAIM)
    return min(declared, value) if isinstance(declared, Decimal) else value


def entry_fees(fees: DayFees, lines: Sequence[FeeLine]) -> EntryFees:
    """Compute the fees of one entry on its day."""
    informal = sum([line.declared for line in lines], ZERO) <= fees.informal_limit
    bases = [line.mpf_base for line in lines]
    mpf = _mpf(fees.mpf, informal, sum(bases, ZERO))
    harbor = fees.hmf
    modes, rate = (harbor.modes, harbor.rate) if harbor else (frozenset[str](), ZERO)
    by_sea = [line.value if line.mode in modes else ZERO for line in lines]
    shipped = sum(by_sea, ZERO)
    hmf = _cents(shipped * rate) if shipped else NOTHING
    return EntryFees(informal, mpf, hmf, prorate(mpf, bases), prorate(hmf, by_sea))


def _mpf(fee: ProcessingFee | None, informal: bool, base: Decimal) -> Decimal:
    """Processing fee of an entry on the sum of the bases of its lines."""
    if fee is None or not base:
        return ZERO
    if informal and fee.informal:
        return fee.informal
    return min(max(_cents(base * fee.rate), fee.least), fee.most)


def prorate(total: Decimal, weights: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """Prorate a total by weight into shares in whole cents that sum to the total.

    Every share is rounded down; the remaining cents go to the largest remainders, the earlier line first among equals.
    """
    whole = sum(weights, ZERO)
    if not whole:
        return (ZERO,) * len(weights)
    if len(weights) == 1:
        return (total,)
    exact = [total * weight / whole for weight in weights]
    shares = [one // CENT * CENT for one in exact]
    left = int((total - sum(shares, ZERO)) / CENT)
    order = sorted(range(len(exact)), key=lambda line: shares[line] - exact[line])
    for line in order[:left]:
        shares[line] += CENT
    return tuple(shares)


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)
