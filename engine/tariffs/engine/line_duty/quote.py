"""Quote one entry line: the duty layer by layer, to the cent, without compiled kernels.

The value is rounded to whole dollars and each duty line to cents, half up; totals are sums of rounded lines
(19 CFR 159.3). The line is resolved, and the profile of its class is priced for its value.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from tariffs.engine.base.named_tuples import maker
from tariffs.engine.law.law import Law
from tariffs.engine.law.notes import Note
from tariffs.engine.line_duty.cbp_7501 import HeadingLine, headings_claimed
from tariffs.engine.line_duty.class_profile import ClaimedPreference, ClassProfile, profile_of
from tariffs.engine.line_duty.coarse_codes import resolve_coarse_line
from tariffs.engine.line_duty.entry_line import Charge, EntryLine, ResolvedLine, charges_of, read_charge
from tariffs.engine.line_duty.fees import FeeLine, LandedCost, entry_fees, mpf_base
from tariffs.engine.line_duty.pricing import cents, schedule_rates
from tariffs.engine.line_duty.rounding import QuoteLayer, QuoteLayers, layers_for
from tariffs.engine.schedule.lines import Schedule, load_schedule
from tariffs.engine.schedule.rates import FREE

ZERO = Decimal(0)


class Quote(NamedTuple):
    """Answer for one entry line.

    `assessed` is the sum of the amounts of the layers; refundable is assessed - owed. `headings` are those of the entry
    summary, also those at 0. `prohibited` names the measures that prohibit entry of the goods or of a part of them.
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
    provenance: Mapping[str, Any]
    headings: tuple[HeadingLine, ...]
    prohibited: tuple[str, ...] = ()


_quote = maker(Quote)


class RatedLine(NamedTuple):
    """Line with its duty before fees, and the inputs of its fees, which depend on the other lines of its entry.

    `landed` is without these fees.
    """

    line: ResolvedLine
    profile: ClassProfile
    result: QuoteLayers
    charges: tuple[Charge, ...]
    landed: LandedCost
    fee_line: FeeLine

    def quote(self, law: Law, mpf: Decimal, hmf: Decimal, notes: tuple[Note, ...] = ()) -> Quote:
        """Make the answer, with the line's part of the fees of its entry; `notes` are those on the whole request."""
        line, profile, result = self.line, self.profile, self.result
        return _quote(
            (
                result.assessed,
                result.owed,
                result.min,
                result.max,
                profile.missing,
                profile.assumptions,
                self.landed.with_fees(mpf, hmf),
                tuple(result.layers),
                self.charges,
                _notes(law, line, profile) + notes,
                {**line.when.facts, "schedule": line.article.line.vintage, "switches": profile.switches},
                tuple(headings_claimed(law, result.layers, profile)),
                profile.prohibited.measures,
            )
        )


_rated_line = maker(RatedLine)


def quote_line(
    law: Law, line: EntryLine, *, known_on: str | date | None = None, schedule: Schedule | None = None
) -> Quote:
    """Quote one entry line under a law, as a single-line entry.

    Args:
        law: the law, after any scenario (`apply_scenario`).
        known_on: the day whose acts count, `"entry"` for the entry's own day, or None for the law's as-of
            day.
        schedule: the tariff schedule; the embedded one if None.

    Raises:
        InputError: as `rate_line`.
    """
    reading = resolve_coarse_line(law, line, known_on, schedule or load_schedule())
    return price(law, reading, profile_of(law, reading))


def rate_line(
    law: Law, line: EntryLine, *, known_on: str | date | None = None, schedule: Schedule | None = None
) -> RatedLine:
    """Quote one line of an entry; its fees depend on the other lines and are still 0.

    Raises:
        InputError: HTS_CODE_*, CODE_TOO_COARSE, ORIGIN_UNKNOWN, ENTRY_DATE_*, CUSTOMS_VALUE_INVALID, QUANTITY_*,
            UNIT_UNKNOWN, RATE_NOT_COMPUTABLE, CLAIM_*, *_SHARES_EXCEED_ONE, TOO_MANY_ATOMS or CHARGE_INVALID, with the
            field at fault.
    """
    reading = resolve_coarse_line(law, line, known_on, schedule or load_schedule())
    return _rated(law, reading, profile_of(law, reading))


def price(law: Law, line: ResolvedLine, profile: ClassProfile) -> Quote:
    """Price a line by the profile of its class, as a single-line entry.

    Raises:
        InputError: QUANTITY_*, UNIT_UNKNOWN, RATE_NOT_COMPUTABLE or CHARGE_INVALID.
    """
    rated = _rated(law, line, profile)
    fees = entry_fees(line.when.fees, (rated.fee_line,))
    return rated.quote(law, fees.mpf, fees.hmf, line.when.unread)


def _rated(law: Law, line: ResolvedLine, profile: ClassProfile) -> RatedLine:
    result = layers_for(law, line, profile)
    charges = charges_of(line.line, line.goods)
    landed = _landed(line, profile.prohibited.share, result.assessed, charges)
    return _rated_line((line, profile, result, charges, landed, _fee_line(line, profile)))


def _notes(law: Law, line: ResolvedLine, profile: ClassProfile) -> tuple[Note, ...]:
    """Notes on a line: how it was read, prohibitions, preferences not granted, and what the law says of the goods."""
    claims = _not_open(law, line, profile) + _idle(profile)
    notes = line.notes + profile.prohibited.notes + claims + profile.notes
    said = [note for note in profile.line_notes if note.is_of(line.goods.value)]
    return notes + tuple([Note(note.reason, note.message) for note in said]) if said else notes


def _not_open(law: Law, line: ResolvedLine, profile: ClassProfile) -> tuple[Note, ...]:
    """Notes on claimed preferences that no special program grants to the goods."""
    if not profile.preferences:
        return ()
    rate_of = schedule_rates(law, line.goods, line.schedule)
    closed = []
    for claimed in profile.preferences:
        rate, program = rate_of(claimed.column, frozenset({claimed.claim}))
        if not program and rate.kind != FREE:
            closed.append(Note("PREFERENCE_NOT_OPEN", _why_not_open(claimed)))
    return tuple(closed)


def _idle(profile: ClassProfile) -> tuple[Note, ...]:
    """Notes on claims on which no duty of the goods depends."""
    return tuple(
        Note("CLAIM_WITHOUT_EFFECT", f"{name} is claimed, and no duty on these goods depends on it.")
        for name in profile.idle_claims
    )


def _why_not_open(claimed: ClaimedPreference) -> str:
    if claimed.provisions:
        return (
            f"{claimed.claim} is claimed without a provision of chapter 98 that frees the goods: "
            f"{', '.join(claimed.provisions)}; the ordinary rate applies."
        )
    return f"{claimed.claim} is claimed, but no special program covers the goods; the ordinary rate applies."


def _fee_line(line: ResolvedLine, profile: ClassProfile) -> FeeLine:
    value, declared = line.goods.value, line.declared
    base = mpf_base(line.when.fees, line.article.origin, value, profile.facts)
    if profile.prohibited.measures:
        entered = 1 - profile.prohibited.share
        value, declared, base = value * entered, declared * entered, base * entered
    return FeeLine(value, declared, base, line.line.mode)


def _landed(
    line: ResolvedLine, prohibited: Decimal, duty: Decimal, charges: tuple[Charge, ...]
) -> LandedCost:
    """Landed cost without fees of the share of a line that may be entered; `duty` is that of this share."""
    by_kind: dict[str, Decimal] = {}
    for charge in charges:
        by_kind[charge.kind] = by_kind.get(charge.kind, ZERO) + charge.amount
    freight = read_charge(line.line.freight, "freight")
    insurance = read_charge(line.line.insurance, "insurance")
    value = line.goods.value
    if prohibited:
        entered = 1 - prohibited
        value, freight, insurance = (cents(amount * entered) for amount in (value, freight, insurance))
        by_kind = {kind: cents(amount * entered) for kind, amount in by_kind.items()}
    return LandedCost(value, freight, insurance, duty, **by_kind)


__all__ = ["EntryLine", "Quote", "QuoteLayer", "RatedLine", "price", "quote_line", "rate_line"]
