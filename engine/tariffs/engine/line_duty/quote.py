"""The duty of one entry line, layer by layer, to the cent. No compiled kernel is needed for it.

Value is rounded to whole dollars and each duty line to cents, half up; totals are sums of rounded lines
(19 CFR 159.3). A line is read, its plan found or made, and the plan priced for the line's value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from tariffs.engine.base.provenance import law_facts
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.notes import Note, unread
from tariffs.engine.line_duty.coarse_codes import resolve_coarse_line
from tariffs.engine.line_duty.entry_line import Charge, EntryLine, ResolvedLine, charges_of, read_charge
from tariffs.engine.line_duty.fees import FeeLine, LandedCost, fees_on, mpf_base
from tariffs.engine.line_duty.quote_cache import QuotePlan, layers_for, plan_of
from tariffs.engine.line_duty.rounding import QuoteLayer, cents
from tariffs.engine.schedule.lines import Schedule, load_schedule

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Quote:
    """The answer for one entry line. `assessed` is the sum of the layers' amounts; refundable is assessed - owed.

    `prohibited` names the measures under which the goods, or the part of them that a layer tells, may not be entered.
    """

    assessed: Decimal
    owed: Decimal
    min: Decimal
    max: Decimal
    missing_claims: tuple[str, ...]
    assumptions: tuple[str, ...]
    landed: LandedCost
    layers: tuple[QuoteLayer, ...]
    charges: tuple[Charge, ...]
    notes: tuple[Note, ...]
    provenance: Mapping[str, object]
    prohibited: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RatedLine:
    """A line with its duty, before the fees of its entry: its day, and what the fees need of it."""

    quote: Quote
    day: date
    fee_line: FeeLine

    def with_fees(self, mpf: Decimal, hmf: Decimal) -> Quote:
        """The answer, with the line's part of the fees of its entry."""
        return replace(self.quote, landed=replace(self.quote.landed, mpf=mpf, hmf=hmf))


def quote_line(
    law: Law, line: EntryLine, *, known_on: str | date | None = None, schedule: Schedule | None = None
) -> Quote:
    """The duty of one entry line under a law, as an entry of this line alone.

    Args:
        law: the law, after any scenario (`apply_scenario`).
        line: the declared line.
        known_on: the day whose acts count, `"entry"` for the entry's own day, or None for the law's as-of
            day.
        schedule: the tariff schedule; the embedded one if None.

    Raises:
        InputError: as `rate_line`.
    """
    reading = resolve_coarse_line(law, line, known_on, schedule or load_schedule())
    return price(law, reading, plan_of(law, reading))


def rate_line(
    law: Law, line: EntryLine, *, known_on: str | date | None = None, schedule: Schedule | None = None
) -> RatedLine:
    """The duty of one line of an entry; its fees hang on the other lines and are still 0.

    Raises:
        InputError: HTS_CODE_*, CODE_TOO_COARSE, ORIGIN_UNKNOWN, ENTRY_DATE_*, CUSTOMS_VALUE_INVALID, QUANTITY_*,
            UNIT_UNKNOWN, RATE_NOT_COMPUTABLE, CLAIM_*, *_SHARES_EXCEED_ONE, TOO_MANY_ATOMS or CHARGE_INVALID, with the
            field at fault.
    """
    reading = resolve_coarse_line(law, line, known_on, schedule or load_schedule())
    plan = plan_of(law, reading)
    return RatedLine(_priced(law, reading, plan, ZERO, ZERO), reading.day, _fee_line(law, reading, plan))


def price(law: Law, line: ResolvedLine, plan: QuotePlan) -> Quote:
    """The answer for a line by its plan, as an entry of this line alone.

    Raises:
        InputError: QUANTITY_*, UNIT_UNKNOWN, RATE_NOT_COMPUTABLE, TOO_MANY_ATOMS or CHARGE_INVALID.
    """
    mpf, hmf = fees_on(law, line.day).of_line(_fee_line(law, line, plan))
    quote = _priced(law, line, plan, mpf, hmf)
    return replace(quote, notes=quote.notes + unread(law, line.day, line.known))


def _priced(law: Law, line: ResolvedLine, plan: QuotePlan, mpf: Decimal, hmf: Decimal) -> Quote:
    settled = layers_for(law, line, plan)
    charges = charges_of(line.line, line.goods)
    return Quote(
        assessed=settled.assessed,
        owed=settled.owed,
        min=settled.min,
        max=settled.max,
        missing_claims=plan.missing,
        assumptions=plan.assumptions,
        landed=_landed(line, 1 - plan.prohibited.share, settled.assessed, charges, mpf, hmf),
        layers=tuple(settled.layers),
        charges=charges,
        notes=line.notes + plan.notes,
        provenance={
            **law_facts(law),
            "entry": line.entry.astimezone(law.zones[IMPORT]).isoformat(),
            "known_on": line.known.isoformat(),
            "schedule": line.article.line.vintage,
            "switches": plan.switches,
        },
        prohibited=plan.prohibited.measures,
    )


def _fee_line(law: Law, line: ResolvedLine, plan: QuotePlan) -> FeeLine:
    value = line.goods.value
    scales = plan.linear_quote is not None
    entered = 1 - plan.prohibited.share
    base = (
        value * plan.mpf_share if scales else mpf_base(law, line.article.origin, value, plan.facts) * entered
    )
    return FeeLine(value * entered, line.declared * entered, base, line.line.mode)


def _landed(
    line: ResolvedLine,
    entered: Decimal,
    duty: Decimal,
    charges: tuple[Charge, ...],
    mpf: Decimal,
    hmf: Decimal,
) -> LandedCost:
    """The landed cost of the share of a line that may be `entered`; duty and fees are of that share already."""
    by_kind: dict[str, Decimal] = {}
    for charge in charges:
        by_kind[charge.kind] = by_kind.get(charge.kind, ZERO) + charge.amount
    given = line.line
    freight, insurance = read_charge(given.freight, "freight"), read_charge(given.insurance, "insurance")
    value = line.goods.value
    if entered != 1:
        value, freight, insurance = (cents(amount * entered) for amount in (value, freight, insurance))
        by_kind = {kind: cents(amount * entered) for kind, amount in by_kind.items()}
    return LandedCost(value, freight, insurance, duty, mpf, hmf, **by_kind)


__all__ = ["EntryLine", "Quote", "QuoteLayer", "RatedLine", "price", "quote_line", "rate_line"]
