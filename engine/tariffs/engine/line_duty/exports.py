"""Quote one line of exports: retaliatory duties, ordinary duty and value added tax of the importing country.

The base is the value with freight and insurance (CIF), value added tax is charged on base and duty, and days are those
of the time zone of the importing country. Ordinary rates and tax are law data; duties are measures of the direction
`export`. Product lists have 6 digits, because the two schedules agree only that far.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from tariffs.engine.base.provenance import law_facts
from tariffs.engine.errors import InputError
from tariffs.engine.law.conditions import ENTRY_DATE
from tariffs.engine.law.fee_tables import SHARED_DIGITS
from tariffs.engine.law.law import EXPORT, InForce, Law
from tariffs.engine.law.matching import Reach
from tariffs.engine.law.model import Scope
from tariffs.engine.law.notes import Note, unread, void_suspensions
from tariffs.engine.law.set_shares import facts_with_claim_shares
from tariffs.engine.line_duty.entry_line import (
    Number,
    entry_moment,
    known_on_notes,
    moment_notes,
    read_charge,
    read_known_on,
)
from tariffs.engine.line_duty.export_duties import ExportDuty, ExportGoods, export_duties
from tariffs.engine.line_duty.pricing import cents
from tariffs.engine.line_duty.segment import segment_of
from tariffs.engine.rating.facts import ClaimValue, claim_notes, read_claims
from tariffs.engine.schedule.codes import parse_code
from tariffs.engine.schedule.countries import is_country, unknown_origin
from tariffs.engine.schedule.lines import load_schedule
from tariffs.engine.tables.export_rates import (
    ONE,
    QUOTA_CLAIM,
    TOO_COARSE,
    WITHIN_QUOTA,
    ZERO,
    given_rate,
    is_shared_code,
    no_rate,
    ordinary_rate,
    vat_rate,
)

CENT = Decimal("0.01")
_SHARED = "The goods are matched by 6 digits, the part of the code that both schedules share."


@dataclass(frozen=True, slots=True)
class ExportLine:
    """Line of goods as they arrive in the importing country.

    `value` (at the port of export), `freight` and `insurance` are US dollars; `entry` is a day or instant in the
    time zone of that country (a day means its noon; None is the as-of day of the law); `ordinary_rate` is the ordinary
    rate as a fraction, for goods whose rate the law data lacks.
    """

    hts: str
    origin: str
    value: Number
    entry: str | date | datetime | None = None
    claims: Mapping[str, ClaimValue] = field(default_factory=dict)
    freight: Number = ZERO
    insurance: Number = ZERO
    ordinary_rate: Number | None = None


@dataclass(frozen=True, slots=True)
class ExportQuote:
    """Answer for a line of exports; `rate` is the sum of the layers on `cif`, `landed` the sum of cif, duty and tax."""

    cif: Decimal
    assessed: Decimal
    owed: Decimal
    rate: Decimal
    vat_rate: Decimal
    vat: Decimal
    landed: Decimal
    layers: tuple[ExportDuty, ...]
    assumptions: tuple[str, ...]
    notes: tuple[Note, ...]
    provenance: Mapping[str, object]


def quote_export(law: Law, line: ExportLine, *, known_on: str | date | None = None) -> ExportQuote:
    """Compute the duty and landed cost of one line of exports under a law.

    Args:
        law: the law, after any scenario.
        line: the goods.
        known_on: as for imports; None is the as-of day of the law.

    Raises:
        InputError: HTS_CODE_*, ORIGIN_UNKNOWN, ENTRY_DATE_*, CUSTOMS_VALUE_INVALID, CHARGE_INVALID, CLAIM_*,
            PARAMETER_INVALID, or RATE_NOT_COMPUTABLE if neither the law data nor the line gives an ordinary rate, or
            if a duty is not ad valorem.
    """
    assumptions, notes = [_SHARED], list[Note]()
    goods = _read(law, line, known_on, assumptions, notes)
    segment = segment_of(law, goods.instant, goods.known_on, EXPORT)
    in_force, layers = segment.in_force, export_duties(segment, goods)
    assessed = sum((layer.amount for layer in layers), ZERO)
    vat = vat_rate(law, goods.code)
    tax = cents((goods.cif + assessed) * vat)

    def reaches(scope: Scope) -> bool:
        return Reach.of(scope, in_force).fits(goods.code, goods.origin)

    notes += void_suspensions(law, goods.instant, goods.known_on, reaches, EXPORT)
    return ExportQuote(
        cif=goods.cif,
        assessed=assessed,
        owed=sum((layer.owed for layer in layers), ZERO),
        rate=sum((layer.rate * layer.part for layer in layers), ZERO),
        vat_rate=vat,
        vat=tax,
        landed=goods.cif + assessed + tax,
        layers=layers,
        assumptions=tuple(assumptions),
        notes=(*notes, *_unmodelled(in_force, goods), *_unread(law, goods)),
        provenance={
            **law_facts(law),
            "direction": EXPORT,
            "entry": goods.instant.astimezone(law.zones[EXPORT]).isoformat(),
            "known_on": goods.known_on.isoformat(),
            "switches": segment.switches(segment.index.reach(goods.code, goods.origin)),
        },
    )


# -- reading ---------------------------------------------------------------------------------------------------


def _read(
    law: Law, line: ExportLine, known_on: str | date | None, assumptions: list[str], notes: list[Note]
) -> ExportGoods:
    """Read the goods; appends to `assumptions` and to `notes` on repairs."""
    code = _read_code(line.hts, notes)
    origin = line.origin.strip().upper()
    if not is_country(origin):
        raise unknown_origin(line.origin)
    zone = law.zones[EXPORT]
    moment = entry_moment(law, line.entry, EXPORT)
    instant = moment.instant
    known = read_known_on(law, known_on, instant.astimezone(zone).date())
    declared = read_claims(law.claims, line.claims, zone)
    notes += [*moment_notes(ENTRY_DATE, moment), *known_on_notes(law, known_on)]
    notes += claim_notes(law.claims, line.claims, zone)
    ordinary = ordinary_rate(law, code) if line.ordinary_rate is None else given_rate(line.ordinary_rate)
    if ordinary is None:
        raise no_rate(line.hts)
    if ordinary.in_quota is not None and declared.get(QUOTA_CLAIM) is None:
        declared = {**declared, QUOTA_CLAIM: ONE}
        assumptions.append(WITHIN_QUOTA)
    in_force = law.in_force(instant, known, EXPORT)
    facts = facts_with_claim_shares(
        law, instant, lambda scope: Reach.of(scope, in_force).fits(code, origin), declared
    )
    charges = read_charge(line.freight, "freight") + read_charge(line.insurance, "insurance")
    return ExportGoods(code, origin, _value(line) + charges, instant, known, ordinary, facts)


def _read_code(hts: str, notes: list[Note]) -> str:
    code, repaired = parse_code(hts.strip(), is_shared_code)
    if len(code) < SHARED_DIGITS:
        raise InputError(
            "HTS_CODE_MALFORMED", f"{hts!r} is not a code of at least 6 digits.", field="hts", fix=TOO_COARSE
        )
    if not is_shared_code(code):
        near = ", ".join(dict.fromkeys(one[:SHARED_DIGITS] for one in load_schedule().nearest(code)))
        raise InputError(
            "HTS_CODE_UNKNOWN",
            f"The Harmonized System has no subheading {code[:SHARED_DIGITS]}.",
            field="hts",
            fix=f"Nearest codes: {near}.",
            metadata={"nearest": near},
        )
    if repaired:
        notes.append(Note("HTS_CODE_REPAIRED", repaired))
    return code


def _value(line: ExportLine) -> Decimal:
    try:
        return read_charge(line.value, "customs_value")
    except InputError as error:
        raise InputError(
            "CUSTOMS_VALUE_INVALID", error.message, field="customs_value", fix=error.fix
        ) from None


def _unread(law: Law, goods: ExportGoods) -> tuple[Note, ...]:
    return unread(law, goods.instant.astimezone(law.zones[EXPORT]).date(), goods.known_on)


def _unmodelled(in_force: InForce, goods: ExportGoods) -> list[Note]:
    return [
        Note(
            "NOT_MODELLED",
            f"{state.measure.id} may apply to this line: {state.measure.note}; it charges nothing.",
        )
        for state in in_force.unmodelled
        if Reach.of(state.measure.touches, in_force).fits(goods.code, goods.origin)
    ]
