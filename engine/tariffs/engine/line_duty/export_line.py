"""Read a line of exports: market, code, lines of the schedule that it covers, ordinary rates, facts, values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from tariffs.engine.errors import InputError
from tariffs.engine.law.conditions import ENTRY_DATE, Fact
from tariffs.engine.law.law import EXPORT, Law
from tariffs.engine.law.markets import SHARED_DIGITS, Market, OrdinaryRate, Preference
from tariffs.engine.law.notes import Note
from tariffs.engine.line_duty.entry_dates import entry_moment, known_on_notes, moment_notes, read_known_on
from tariffs.engine.line_duty.entry_line import Number, amount_notes, read_charge
from tariffs.engine.line_duty.segment import LawSegment, segment_of
from tariffs.engine.rating.facts import ClaimValue, claim_notes, read_claims
from tariffs.engine.schedule.codes import parse_code, unknown_code
from tariffs.engine.schedule.country_names import read_country
from tariffs.engine.tables.export_rates import TOO_COARSE, given_rate, is_shared_code, nearest_shared, no_rate

ZERO, ONE = Decimal(0), Decimal(1)
_SHARED = "The goods are matched by 6 digits, the part of the code that both schedules share."
RatedCode = tuple[str, Decimal, OrdinaryRate]
"""Line of a schedule with its weight and ordinary rate."""


@dataclass(frozen=True, slots=True)
class ExportLine:
    """Line of goods as they arrive in the importing country.

    `value` (at the port of export), `freight` and `insurance` are US dollars; `entry` is a day or instant in the
    time zone of that country (a day means its noon; None is the as-of day of the law); `ordinary_rate` is the ordinary
    rate as a fraction, for goods whose rate the law data lacks; `to` is the ISO code of the country, empty the first of
    the law.
    """

    hts: str
    origin: str
    value: Number
    entry: str | date | datetime | None = None
    claims: Mapping[str, ClaimValue] = field(default_factory=dict)
    freight: Number = ZERO
    insurance: Number = ZERO
    ordinary_rate: Number | None = None
    to: str = ""


class ReadExport(NamedTuple):
    """Line as read: `lines` are those of the importing country's schedule, with weights and ordinary rates."""

    market: Market
    segment: LawSegment
    instant: datetime
    known_on: date
    code: str
    origin: str
    base: Decimal
    cif: Decimal
    facts: Mapping[str, Fact]
    lines: Sequence[RatedCode]
    assumptions: tuple[str, ...]
    notes: tuple[Note, ...]


def read_export(law: Law, line: ExportLine, known_on: str | date | None) -> ReadExport:
    """Read a line of exports, and look up its lines of the schedule and their ordinary rates.

    Raises:
        InputError: as `quote_export`, but for duties.
    """
    market = law.destination_of(law.market_of(EXPORT, line.to))
    notes: list[Note] = []
    code = _read_code(line.hts, market, notes)
    origin, named = read_country(line.origin)
    if named:
        notes.append(Note("ORIGIN_NAMED", named))
    moment = entry_moment(law, line.entry, market.code)
    known = read_known_on(law, known_on, moment.instant.astimezone(market.zone).date())
    facts = read_claims(law.claims, line.claims, market.zone)
    notes += [*moment_notes(ENTRY_DATE, moment), *known_on_notes(law, known_on)]
    notes += claim_notes(law.claims, line.claims, market.zone)
    lines = _ordinary_rates(market, code, line, notes)
    assumptions = [_SHARED] if lines[0][0] != code else []
    preference = market.preference
    if preference and facts.get(preference.claim) is None and _is_open(preference, origin, lines):
        facts = {**facts, preference.claim: ONE}
        assumptions.append(preference.assumption)
    charges = read_charge(line.freight, "freight") + read_charge(line.insurance, "insurance")
    value = _value(line)
    notes += amount_notes(line.value, line.freight, line.insurance)
    return ReadExport(
        market=market,
        segment=segment_of(law, moment.instant, known, market.code),
        instant=moment.instant,
        known_on=known,
        code=code,
        origin=origin,
        base=value + charges if market.with_freight else value,
        cif=value + charges,
        facts=facts,
        lines=lines,
        assumptions=tuple(assumptions),
        notes=tuple(notes),
    )


def _is_open(preference: Preference, origin: str, lines: Sequence[RatedCode]) -> bool:
    """Test whether the reduced rate of a market is open to goods of an origin in some of these lines."""
    return preference.is_open_to(origin) and any(rate.is_reduced for _, _, rate in lines)


def _read_code(hts: str, market: Market, notes: list[Note]) -> str:
    code, repaired = parse_code(hts.strip(), is_shared_code, market.odd_lines)
    if len(code) < SHARED_DIGITS:
        raise InputError(
            "HTS_CODE_MALFORMED", f"{hts!r} is not a code of at least 6 digits.", field="hts", fix=TOO_COARSE
        )
    if not is_shared_code(code):
        text = f"The Harmonized System has no subheading {code[:SHARED_DIGITS]}."
        raise unknown_code(text, nearest_shared(code))
    if repaired:
        notes.append(Note("HTS_CODE_REPAIRED", repaired))
    return code


def _ordinary_rates(market: Market, code: str, line: ExportLine, notes: list[Note]) -> tuple[RatedCode, ...]:
    """Lines that a code covers, with their weights and ordinary rates; the rate of the caller takes precedence."""
    parts = market.parts_of(code)
    if line.ordinary_rate is not None:
        stated = OrdinaryRate(given_rate(line.ordinary_rate), None, (), "")
        return tuple((part, weight, stated) for part, weight in parts)
    if any(market.is_estimated(part) for part, _ in parts):
        notes.append(
            Note("RATE_ESTIMATED", "The ordinary rate is derived from other data, not read in a schedule.")
        )
    lines = []
    for part, weight in parts:
        rate = market.ordinary_rate(part)
        if rate is None:
            raise no_rate(line.hts)
        lines.append((part, weight, rate))
    return tuple(lines)


def _value(line: ExportLine) -> Decimal:
    try:
        return read_charge(line.value, "customs_value")
    except InputError as error:
        raise InputError(
            "CUSTOMS_VALUE_INVALID", error.message, field="customs_value", fix=error.fix
        ) from None
