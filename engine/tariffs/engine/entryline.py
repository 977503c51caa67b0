"""One entry line as declared, and its reading: instant, code, origin, value, quantity, charges of the caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from zoneinfo import ZoneInfo

from tariffs.engine.errors import InputError
from tariffs.engine.facts import ClaimValue, read_claims
from tariffs.engine.law.conditions import Fact
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.notes import Note
from tariffs.engine.law.text import UnitRate, digits, read_day, read_instant
from tariffs.engine.rating import Goods
from tariffs.engine.trade.codes import parse_code
from tariffs.engine.trade.countries import is_country
from tariffs.engine.trade.schedule import Schedule, ScheduleLine
from tariffs.engine.trade.units import convert

CENT, DOLLAR, ZERO = Decimal("0.01"), Decimal(1), Decimal(0)
ENTRY = "entry"
READ_AT_MOST = 4096
"""Instants, and codes with origins, that stay read; some 1 KB each."""
CHARGE_KINDS = ("adcvd", "excise", "other")
Number = Decimal | str | int | float


@dataclass(frozen=True, slots=True)
class OtherCharge:
    """A charge the caller knows of and the law data does not; it is no duty and in no base.

    `kind` is adcvd (cash deposits of antidumping or countervailing duty), excise (federal excise tax) or other
    (brokerage, inland freight). Exactly one of the three is given: `amount` in US dollars, `rate` as a fraction of
    the entered value, or `per_unit` on the line's quantity.
    """

    kind: str
    amount: Number | None = None
    rate: Number | None = None
    per_unit: UnitRate | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One line of an entry as declared.

    `entry` is a day or instant (US Eastern; a day is its noon; None is the law's as-of day); `value`,
    `freight` and `insurance` are US dollars; `quantity` is in `unit`; `mode` is ocean, air or land. Lines of one
    `entry_id` pay the fees of one entry; a line without one is an entry of its own.
    """

    hts: str
    origin: str
    value: Number
    entry: str | date | datetime | None = None
    claims: Mapping[str, ClaimValue] = field(default_factory=dict)
    quantity: Number | None = None
    unit: str = ""
    mode: str = ""
    freight: Number = ZERO
    insurance: Number = ZERO
    other_charges: Sequence[OtherCharge] = ()
    entry_id: str = ""


@dataclass(frozen=True, slots=True)
class Charge:
    """A charge of the caller as it comes out: what it was taken on (None for a plain amount), and US dollars."""

    kind: str
    label: str
    base: Decimal | None
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Article:
    """What the schedule says of a code on a day, and where the goods come from; `notes` tell of repairs."""

    code: str
    line: ScheduleLine
    origin: str
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """An entry line as read: `entry` is its instant, `known` the day whose acts count, `facts` are as declared."""

    line: EntryLine
    schedule: Schedule
    entry: datetime
    day: date
    known: date
    article: Article
    goods: Goods
    declared: Decimal
    facts: Mapping[str, Fact]


def read_line(law: Law, line: EntryLine, known_on: str | date | None, schedule: Schedule) -> Reading:
    """An entry line as read.

    Raises:
        InputError: HTS_CODE_*, ORIGIN_UNKNOWN, ENTRY_DATE_*, CUSTOMS_VALUE_INVALID, QUANTITY_INVALID, CLAIM_* or
            *_SHARES_EXCEED_ONE.
    """
    zone = law.zones[IMPORT]
    instant = entry_instant(law, line.entry)
    day = instant.astimezone(zone).date()
    known = read_known_on(law, known_on, day)
    article = read_article(schedule, line.hts, line.origin, day)
    declared = _number(line.value, "customs_value", "CUSTOMS_VALUE_INVALID")
    value = declared.quantize(DOLLAR, ROUND_HALF_UP)
    quantity = None if line.quantity is None else _number(line.quantity, "quantity", "QUANTITY_INVALID")
    goods = Goods(article.code, article.line, article.origin, value, quantity, line.unit, day)
    facts = read_claims(law.claims, line.claims, zone)
    return Reading(line, schedule, instant, day, known, article, goods, declared, facts)


def entry_instant(law: Law, entry: str | date | datetime | None, direction: str = IMPORT) -> datetime:
    """The entry instant in UTC: a day is its noon, None the law's as-of day; refused outside the law's coverage.

    Days and instants without an offset are on the clock of the direction.
    """
    given = entry or law.as_of
    text = given if isinstance(given, str) else given.isoformat()
    return _instant(text, law.zones[direction], law.covered(direction))


@lru_cache(maxsize=READ_AT_MOST)
def _instant(text: str, zone: ZoneInfo, coverage: tuple[datetime, datetime]) -> datetime:
    try:
        instant = read_instant(text, zone)
    except ValueError as error:
        raise InputError(
            "ENTRY_DATE_INVALID", f"{error}.", field="entry_date", fix="Write YYYY-MM-DD or an ISO instant."
        ) from None
    first, last = (moment.astimezone(zone) for moment in coverage)
    if not first <= instant < last:
        raise InputError(
            "ENTRY_DATE_OUT_OF_COVERAGE",
            f"The law data covers {first:%Y-%m-%d} up to {last:%Y-%m-%d}; the entry is {text}.",
            field="entry_date",
            fix="Choose a day in that range.",
            metadata={"first": f"{first:%Y-%m-%d}", "last": f"{last:%Y-%m-%d}"},
        )
    return instant.astimezone(UTC)


def read_known_on(law: Law, known_on: str | date | None, entry_day: date) -> date:
    """The day whose acts count."""
    if known_on is None or known_on == "":
        return law.as_of
    if known_on == ENTRY:
        return entry_day
    try:
        return known_on if isinstance(known_on, date) else read_day(known_on)
    except ValueError as error:
        raise InputError(
            "ENTRY_DATE_INVALID", f"{error}.", field="known_on", fix="Write YYYY-MM-DD or entry."
        ) from None


@lru_cache(maxsize=READ_AT_MOST)
def read_article(schedule: Schedule, hts: str, origin: str, day: date) -> Article:
    """The line of the schedule, and the origin.

    Raises:
        InputError: HTS_CODE_* or ORIGIN_UNKNOWN.
    """
    notes: list[Note] = []
    code, repaired = parse_code(hts, schedule.knows)
    if code != digits(hts.strip()):
        notes.append(Note("HTS_CODE_REPAIRED", repaired))
    found = schedule.find(code, day)
    if found is None:
        near = ", ".join(schedule.nearest(code))
        raise InputError(
            "HTS_CODE_UNKNOWN",
            f"The schedule has no code {hts}.",
            field="hts",
            fix=f"Nearest codes: {near}.",
            metadata={"nearest": near},
        )
    notes += _schedule_notes(found, code)
    country = origin.strip().upper()
    if not is_country(country):
        raise InputError(
            "ORIGIN_UNKNOWN",
            f"{origin!r} is not a country of the law.",
            field="origin",
            fix="Give the ISO 3166-1 alpha-2 code of the country of origin.",
        )
    return Article(code, found, country, tuple(notes))


def read_charge(given: Number, name: str) -> Decimal:
    """An amount of the caller's in dollars and cents."""
    return _number(given, name, "CHARGE_INVALID").quantize(CENT, ROUND_HALF_UP)


def charges_of(line: EntryLine, goods: Goods) -> tuple[Charge, ...]:
    """The caller's other charges in dollars and cents, each rounded by itself.

    Raises:
        InputError: CHARGE_INVALID, or QUANTITY_REQUIRED for a charge per unit without a quantity that converts.
    """
    return tuple(_charge_of(charge, goods) for charge in line.other_charges)


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
    found = None if goods.quantity is None else convert(goods.quantity, goods.unit or unit, unit)
    if found is None:
        raise InputError(
            "QUANTITY_REQUIRED",
            f"The charge {kind} needs the quantity in {unit}.",
            field="quantity",
            fix=f"Give the quantity and a unit that converts to {unit}.",
            metadata={"unit": unit},
        )
    return found


def _schedule_notes(found: ScheduleLine, code: str) -> list[Note]:
    if found.suffix_note:
        return [
            Note(
                "SUFFIX_NOT_IN_VINTAGE",
                f"{code} is not in the schedule of that day; rated by its 8-digit line.",
            )
        ]
    return []


def _number(given: object, name: str, reason: str) -> Decimal:
    try:
        number = given if isinstance(given, Decimal) else Decimal(str(given).strip().replace(",", ""))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number < 0:
        raise InputError(reason, f"{name} is {given}.", field=name, fix="Give a number of at least 0.")
    return number
