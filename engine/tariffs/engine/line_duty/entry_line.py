"""Read an entry line as declared: entry instant, code, origin, value, quantity, charges of the caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from tariffs.engine.base.amounts import LARGEST, comma_note, parse_number
from tariffs.engine.errors import InputError
from tariffs.engine.law.conditions import ENTRY_DATE, Fact
from tariffs.engine.law.describe_rows import percent
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.notes import Note
from tariffs.engine.law.values import UnitRate
from tariffs.engine.line_duty.entry_dates import LawDay, law_day
from tariffs.engine.line_duty.pricing import NOTHING, Goods
from tariffs.engine.rating.facts import ClaimValue, claim_notes, read_claims
from tariffs.engine.schedule.codes import parse_code, unknown_code
from tariffs.engine.schedule.country_names import read_country
from tariffs.engine.schedule.lines import Schedule, ScheduleLine
from tariffs.engine.schedule.rates import AD_VALOREM, Rate
from tariffs.engine.schedule.seasons import season_of
from tariffs.engine.schedule.units import convert, known_unit
from tariffs.engine.tables.export_rates import given_rate

CENT, DOLLAR, ZERO = Decimal("0.01"), Decimal(1), Decimal(0)
ARTICLES_AT_MOST = 16_384
"""Number of codes with origins by edition of the schedule that are cached; some 0.5 KB each."""
_AMOUNTS = ("customs_value", "freight", "insurance", "quantity")
CHARGE_KINDS = ("adcvd", "excise", "other")
Number = Decimal | str | int | float
_NO_FACTS: Mapping[str, Fact] = {}
_NOTHING_GIVEN: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class OtherCharge:
    """Charge that the caller gives and the law data does not contain; it is no duty and part of no base.

    `kind` is adcvd (cash deposits of antidumping or countervailing duty), excise (federal excise tax) or other
    (brokerage, inland freight). Exactly one of the three is given: `amount` in US dollars, `rate` as a fraction of
    the entered value, or `per_unit` on the line's quantity.
    """

    kind: str
    amount: Number | None = None
    rate: Number | None = None
    per_unit: UnitRate | None = None
    label: str = ""


class EntryLine(NamedTuple):
    """Line of an entry as declared.

    `entry` is a day or instant (US Eastern; a day means its noon; None is the as-of day of the law); `value`,
    `freight` and `insurance` are US dollars; `quantity` is in `unit`; `mode` is ocean, air or land. Lines of one
    `entry_id` pay the fees of one entry; a line without one is treated as a single-line entry. `ordinary_rate` is the
    ordinary rate as a fraction below 1, for goods whose rate the schedule states by formula; it replaces the rate of
    the schedule, but not that of a claimed program. `date_formats` are the date formats by column (`entry_date` or a
    claim), where the table of the line has them; see `base.dates.FORMATS`.
    """

    hts: str
    origin: str
    value: Number
    entry: str | date | datetime | None = None
    claims: Mapping[str, ClaimValue] = _NOTHING_GIVEN
    quantity: Number | None = None
    unit: str = ""
    mode: str = ""
    freight: Number = ZERO
    insurance: Number = ZERO
    other_charges: Sequence[OtherCharge] = ()
    entry_id: str = ""
    ordinary_rate: Number | None = None
    date_formats: Mapping[str, str] = _NOTHING_GIVEN


@dataclass(frozen=True, slots=True)
class Charge:
    """Charge of the caller with its base (None for a plain amount) and its amount in US dollars."""

    kind: str
    label: str
    base: Decimal | None
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Article:
    """Schedule line of a code on a day, and the origin of the goods; `notes` report repairs."""

    code: str
    line: ScheduleLine
    origin: str
    notes: tuple[Note, ...]


class ResolvedLine(NamedTuple):
    """Entry line as read: `when` is what it shares with other lines of its dates, `facts` are as declared.

    `notes` report repairs.
    """

    line: EntryLine
    schedule: Schedule
    when: LawDay
    article: Article
    goods: Goods
    declared: Decimal
    facts: Mapping[str, Fact]
    notes: tuple[Note, ...]

    @property
    def entry(self) -> datetime:
        """Instant of entry."""
        return self.when.instant

    @property
    def day(self) -> date:
        """Day of entry, in US Eastern time."""
        return self.when.day

    @property
    def known(self) -> date:
        """Day whose acts count."""
        return self.when.known


def resolve_line(law: Law, line: EntryLine, known_on: str | date | None, schedule: Schedule) -> ResolvedLine:
    """Read an entry line.

    Raises:
        InputError: HTS_CODE_*, ORIGIN_*, ENTRY_DATE_*, CUSTOMS_VALUE_INVALID, QUANTITY_INVALID, UNIT_UNKNOWN,
            CLAIM_*, *_SHARES_EXCEED_ONE or PARAMETER_INVALID.
    """
    when = law_day(law, line.entry, known_on, line.date_formats.get(ENTRY_DATE, ""))
    article = read_article(schedule, line.hts, line.origin, schedule.edition_day(when.day))
    if (refused := law.refused_origins.get(article.origin)) is not None:
        raise InputError("ORIGIN_NOT_FOREIGN", refused.message, field="origin", fix="Leave the line out.")
    if line.ordinary_rate is not None:
        article = _at_stated_rate(article, given_rate(line.ordinary_rate))
    out_of_season = _season_notes(article, when.day)
    declared = _number(line.value, "customs_value", "CUSTOMS_VALUE_INVALID")
    value = declared.quantize(DOLLAR, ROUND_HALF_UP)
    quantity = None if line.quantity is None else _number(line.quantity, "quantity", "QUANTITY_INVALID")
    if line.unit:
        known_unit(line.unit)
    is_stated = line.ordinary_rate is not None
    goods = Goods(article.code, article.line, article.origin, value, quantity, line.unit, when.day, is_stated)
    facts, notes = _NO_FACTS, article.notes + out_of_season + when.notes
    notes += amount_notes(line.value, line.freight, line.insurance, line.quantity)
    if line.claims:
        zone = law.zones[IMPORT]
        facts = read_claims(law.claims, line.claims, zone, line.date_formats)
        notes += tuple(claim_notes(law.claims, line.claims, zone, line.date_formats))
    return ResolvedLine(line, schedule, when, article, goods, declared, facts, notes)


def day_of_entry(law: Law, line: EntryLine) -> date:
    """Day of entry of a line, in US Eastern time; raises as `entry_moment`."""
    return law_day(law, line.entry, None, line.date_formats.get(ENTRY_DATE, "")).day


def _at_stated_rate(article: Article, rate: Decimal) -> Article:
    """Replace both columns of the schedule line by the rate that the caller states."""
    stated = Rate(AD_VALOREM, rate, text=f"{percent(rate)} as stated")
    note = Note(
        "ORDINARY_RATE_STATED",
        f"The ordinary rate of {percent(rate)} was given with the line; column 1 of the schedule states "
        f"{article.line.general.text!r}.",
    )
    line = replace(article.line, general=stated, other=stated)
    return replace(article, line=line, notes=(*article.notes, note))


@lru_cache(maxsize=ARTICLES_AT_MOST)
def read_article(schedule: Schedule, hts: str, origin: str, day: date) -> Article:
    """Look up the schedule line of a code, and check the origin.

    Raises:
        InputError: HTS_CODE_* or ORIGIN_UNKNOWN.
    """
    notes: list[Note] = []
    code, repaired = parse_code(hts, schedule.accepts)
    if repaired:
        notes.append(Note("HTS_CODE_REPAIRED", repaired))
    schedule_line = schedule.find(code, day)
    if schedule_line is None:
        raise unknown_code(f"The schedule has no code {hts}.", schedule.nearest(code))
    notes += _schedule_notes(schedule_line, code)
    country, named = read_country(origin)
    if named:
        notes.append(Note("ORIGIN_NAMED", named))
    return Article(code, schedule_line, country, tuple(notes))


def read_charge(given: Number, name: str) -> Decimal:
    """Parse an amount of the caller in dollars and cents."""
    return NOTHING if given is ZERO else _number(given, name, "CHARGE_INVALID").quantize(CENT, ROUND_HALF_UP)


def amount_notes(*given: object) -> tuple[Note, ...]:
    """Notes on the customs value, freight, insurance and quantity whose comma could be meant as a decimal one."""
    if str not in map(type, given):
        return ()
    return tuple([Note("COMMA_READ", text) for text in map(comma_note, _AMOUNTS, given) if text])


def charges_of(line: EntryLine, goods: Goods) -> tuple[Charge, ...]:
    """Compute the other charges of a line in dollars and cents, each rounded separately.

    Raises:
        InputError: CHARGE_INVALID, or QUANTITY_REQUIRED for a charge per unit without a quantity that converts.
    """
    return tuple([_charge_of(charge, goods) for charge in line.other_charges])


def _charge_of(charge: OtherCharge, goods: Goods) -> Charge:
    given = [one for one in (charge.amount, charge.rate, charge.per_unit) if one is not None]
    if charge.kind not in CHARGE_KINDS or len(given) != 1:
        raise InputError(
            "CHARGE_INVALID",
            f"The charge {charge.kind!r} has {len(given)} of amount, rate and amount per unit.",
            field="other_charges",
            fix=f"Name a kind ({', '.join(CHARGE_KINDS)}) and give one of the three.",
        )
    if charge.amount is not None:
        return Charge(charge.kind, charge.label, None, read_charge(charge.amount, charge.kind))
    if charge.per_unit is not None:
        base, rate = _quantity_for(charge.kind, charge.per_unit, goods), charge.per_unit.usd
    else:
        base, rate = goods.value, _number(given[0], charge.kind, "CHARGE_INVALID")
    return Charge(charge.kind, charge.label, base, (base * rate).quantize(CENT, ROUND_HALF_UP))


def _quantity_for(kind: str, per_unit: UnitRate, goods: Goods) -> Decimal:
    unit = per_unit.unit
    quantity = None if goods.quantity is None else convert(goods.quantity, goods.unit or unit, unit)
    if quantity is None:
        raise InputError(
            "QUANTITY_REQUIRED",
            f"The charge {kind} needs the quantity in {unit}.",
            field="quantity",
            fix=f"Give the quantity and a unit that converts to {unit}.",
            metadata={"unit": unit},
        )
    return quantity


def _schedule_notes(line: ScheduleLine, code: str) -> list[Note]:
    if line.suffix_note:
        return [
            Note(
                "SUFFIX_NOT_IN_VINTAGE",
                f"{code} is not in the schedule of that day; its 8-digit line gave the rate.",
            )
        ]
    return []


def _season_notes(article: Article, day: date) -> tuple[Note, ...]:
    season = season_of(article.line.hts8)
    if season is None or season.has(day):
        return ()
    text = f"{article.code} is for goods entered {season.words}; the entry of {day.isoformat()} needs another code."
    return (Note("OUT_OF_SEASON", text),)


def _number(given: object, name: str, reason: str) -> Decimal:
    try:
        number = given if isinstance(given, Decimal) else parse_number(str(given))
    except ValueError:
        number = Decimal("NaN")
    # NaN does not compare.
    if not number.is_finite() or not 0 <= number < LARGEST:
        raise InputError(
            reason,
            f"{name} is {str(given)[:40]}.",
            field=name,
            fix="Give a number of at least 0 and below 10^15.",
        )
    return number
