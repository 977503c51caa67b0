"""The duty of one entry line, layer by layer, to the cent. No compiled kernel is needed for it.

Source of the rounding: value to whole dollars, each duty line to cents, half up; totals are sums of
rounded lines (19 CFR 159.3, law.md 4.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from tariffs.engine.errors import InputError
from tariffs.engine.explain import why
from tariffs.engine.facts import ClaimValue, assignments, read_claims, split
from tariffs.engine.landed import LandedCost, landed_cost
from tariffs.engine.law.conditions import Fact
from tariffs.engine.law.law import IMPORT, InForce, Law
from tariffs.engine.law.matching import Candidates, Reach, candidates
from tariffs.engine.law.notes import Note
from tariffs.engine.law.text import digits, read_day, read_instant
from tariffs.engine.provenance import engine_version, touched_switches
from tariffs.engine.rating import Goods, Priced, Rater, claims_read, conditions_read
from tariffs.engine.trade.codes import parse_code
from tariffs.engine.trade.countries import is_country
from tariffs.engine.trade.schedule import Schedule, ScheduleLine, load_schedule
from tariffs.engine.trade.units import convert

CENT, DOLLAR, ZERO = Decimal("0.01"), Decimal(1), Decimal(0)
NANO = Decimal("1e-9")
ENTRY = "entry"
UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One line of an entry as declared.

    `entry` is a day or instant (US Eastern; a day is its noon; None is the law's as-of day); `value`,
    `freight` and `insurance` are US dollars; `quantity` is in `unit`; `mode` is ocean, air or land.
    """

    hts: str
    origin: str
    value: Decimal | str | int | float
    entry: str | date | datetime | None = None
    claims: Mapping[str, ClaimValue] = field(default_factory=dict)
    quantity: Decimal | str | int | float | None = None
    unit: str = ""
    mode: str = ""
    freight: Decimal | str | int | float = ZERO
    insurance: Decimal | str | int | float = ZERO


@dataclass(frozen=True, slots=True)
class QuoteLayer:
    """One layer of the answer; money in dollars and cents, `rate` a fraction or None if not ad valorem."""

    measure: str
    authority: str
    heading: str
    state: str
    rate: Decimal | None
    base: Decimal
    amount: Decimal
    owed: Decimal
    min: Decimal
    max: Decimal
    citations: tuple[str, ...]
    why: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Quote:
    """The answer for one entry line. `assessed` is the sum of the layers' amounts; refundable is assessed - owed."""

    assessed: Decimal
    owed: Decimal
    min: Decimal
    max: Decimal
    missing_claims: tuple[str, ...]
    assumptions: tuple[str, ...]
    landed: LandedCost
    layers: tuple[QuoteLayer, ...]
    notes: tuple[Note, ...]
    provenance: Mapping[str, object]


def assess_line(
    law: Law, line: EntryLine, *, known_on: str | date | None = None, schedule: Schedule | None = None
) -> Quote:
    """The duty of one entry line under a law.

    Args:
        law: the law, after any scenario (`apply_scenario`).
        line: the declared line.
        known_on: the day whose acts count, `"entry"` for the entry's own day, or None for the law's as-of
            day.
        schedule: the tariff schedule; the embedded one if None.

    Raises:
        InputError: HTS_CODE_*, ORIGIN_UNKNOWN, ENTRY_DATE_*, CUSTOMS_VALUE_INVALID, QUANTITY_*, UNIT_UNKNOWN,
            RATE_NOT_COMPUTABLE, CLAIM_*, *_SHARES_EXCEED_ONE or TOO_MANY_ATOMS, with the field at fault.
    """
    schedule = schedule or load_schedule()
    instant = entry_instant(law, line.entry)
    day = instant.astimezone(law.zones[IMPORT]).date()
    known = read_known_on(law, known_on, day)
    notes: list[Note] = []
    goods = _goods(line, day, schedule, notes)
    facts = read_claims(law.claims, line.claims, law.zones[IMPORT])
    in_force = law.in_force(instant, known)
    rows = candidates(in_force, goods.code, goods.origin)
    rater = Rater(law, in_force, goods, rows, schedule, convert)
    read = claims_read(rows, in_force)
    settled = _settle(law, rater, facts, read)
    asked = [name for name in sorted(read - facts.keys()) if _is_asked(law, in_force, name, goods)]
    spread = _spread(law, rater, facts, read, rows, in_force, asked) if asked else [settled]
    layers = _layers(law, settled, spread)
    assessed = sum((layer.amount for layer in layers), ZERO)
    totals = [sum((p.amount for p in priced.values()), ZERO) for priced in spread]
    notes += _not_modelled(in_force, goods)
    return Quote(
        assessed=assessed,
        owed=sum((layer.owed for layer in layers), ZERO),
        min=min((*totals, assessed)),
        max=max((*totals, assessed)),
        missing_claims=tuple(asked),
        assumptions=_assumptions(law, read - _impossible(law, goods.origin), facts, asked),
        landed=landed_cost(
            law, day, goods.value, assessed, line.mode, _charge(line.freight, "freight"),
            _charge(line.insurance, "insurance"), facts,
        ),
        layers=tuple(layers),
        notes=tuple(notes),
        provenance={
            "law_version": law.version,
            "law_digest": law.digest,
            "engine_version": engine_version(),
            "entry": instant.astimezone(law.zones[IMPORT]).isoformat(),
            "known_on": known.isoformat(),
            "schedule": goods.line.vintage,
            "switches": touched_switches(law, [active.measure.id for active, _ in rows]),
        },
    )  # fmt: skip


# -- reading the line ------------------------------------------------------------------------------------------


def entry_instant(law: Law, entry: str | date | datetime | None) -> datetime:
    """The entry instant in UTC: a day is its noon, None the law's as-of day; refused outside the law's coverage."""
    text = (
        law.as_of.isoformat()
        if entry is None or entry == ""
        else entry
        if isinstance(entry, str)
        else entry.isoformat()
    )
    try:
        instant = read_instant(text, law.zones[IMPORT])
    except ValueError as error:
        raise InputError(
            "ENTRY_DATE_INVALID", f"{error}.", field="entry_date", fix="Write YYYY-MM-DD or an ISO instant."
        ) from None
    first, last = (moment.astimezone(law.zones[IMPORT]) for moment in law.coverage)
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


def _goods(line: EntryLine, day: date, schedule: Schedule, notes: list[Note]) -> Goods:
    code, repaired = parse_code(line.hts, schedule.knows)
    if code != digits(line.hts.strip()):
        notes.append(Note("HTS_CODE_REPAIRED", repaired))
    found = schedule.find(code, day)
    if found is None:
        near = ", ".join(schedule.nearest(code))
        raise InputError(
            "HTS_CODE_UNKNOWN",
            f"The schedule has no code {line.hts}.",
            field="hts",
            fix=f"Nearest codes: {near}.",
            metadata={"nearest": near},
        )
    notes += _schedule_notes(found, code)
    origin = line.origin.strip().upper()
    if not is_country(origin):
        raise InputError(
            "ORIGIN_UNKNOWN",
            f"{line.origin!r} is not a country of the law.",
            field="origin",
            fix="Give the ISO 3166-1 alpha-2 code of the country of origin.",
        )
    value = _number(line.value, "customs_value", "CUSTOMS_VALUE_INVALID").quantize(DOLLAR, ROUND_HALF_UP)
    quantity = None if line.quantity is None else _number(line.quantity, "quantity", "QUANTITY_INVALID")
    return Goods(code, found, origin, value, quantity, line.unit, day)


def _schedule_notes(found: ScheduleLine, code: str) -> list[Note]:
    if found.suffix_note:
        return [
            Note(
                "SUFFIX_NOT_IN_VINTAGE",
                f"{code} is not in the schedule of that day; rated by its 8-digit line.",
            )
        ]
    return []


def _number(given: Decimal | str | int | float, name: str, reason: str) -> Decimal:
    try:
        number = Decimal(str(given).strip().replace(",", ""))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number < 0:
        raise InputError(reason, f"{name} is {given}.", field=name, fix="Give a number of at least 0.")
    return number


def _charge(given: Decimal | str | int | float, name: str) -> Decimal:
    return _number(given, name, "CHARGE_INVALID").quantize(CENT, ROUND_HALF_UP)


# -- the answer ------------------------------------------------------------------------------------------------

Key = tuple[str, str, str]


@dataclass(slots=True)
class _Sum:
    """A layer summed over the atoms of a line."""

    priced: Priced
    base: Decimal = ZERO
    raw: Decimal = ZERO

    @property
    def amount(self) -> Decimal:
        # A quotient of decimals ends in its last digit a little off; an exact half cent must still round up.
        return self.raw.quantize(NANO).quantize(CENT, ROUND_HALF_UP)


def _settle(law: Law, rater: Rater, facts: Mapping[str, Fact], read: frozenset[str]) -> dict[Key, _Sum]:
    """The line's layers by measure, heading and state, summed over its atoms."""
    sums: dict[Key, _Sum] = {}
    for atom in split(law.claims, facts, read):
        for priced in rater.rate(atom.facts):
            key = (priced.layer.active.measure.id, priced.heading, priced.layer.state)
            found = sums.setdefault(key, _Sum(priced))
            found.base += atom.weight * priced.base
            found.raw += atom.weight * priced.amount
    return sums


def _is_asked(law: Law, in_force: InForce, name: str, goods: Goods) -> bool:
    claim = law.claims.get(name)
    return claim is not None and claim.asked and Reach.of(claim.ask, in_force).fits(goods.code, goods.origin)


def _spread(
    law: Law,
    rater: Rater,
    facts: Mapping[str, Fact],
    read: frozenset[str],
    rows: Candidates,
    in_force: InForce,
    asked: list[str],
) -> list[dict[Key, _Sum]]:
    """The line's layers under every joint assignment of the asked facts."""
    found = []
    for assigned in assignments(law.claims, asked, conditions_read(rows, in_force)):
        joint = {**facts, **{name: fact for name, fact in assigned.items() if fact is not None}}
        found.append(_settle(law, rater, joint, read))
    return found


def _layers(law: Law, settled: dict[Key, _Sum], spread: list[dict[Key, _Sum]]) -> list[QuoteLayer]:
    texts = {rule.id: rule.text for rule in law.rules}
    possible = [_by_measure(sums) for sums in spread]
    now = _by_measure(settled)
    layers = []
    for (measure, heading, state), total in settled.items():
        amounts = [amounts.get(measure, ZERO) for amounts in possible]
        sole = sum(key[0] == measure for key in settled) == 1
        low, high = (min(amounts), max(amounts)) if sole else (total.amount, total.amount)
        layers.append(_layer(total, heading, UNDETERMINED if low != high else state, low, high, texts))
    for sums in spread:
        for (measure, heading, _), total in sums.items():
            if measure not in now and total.amount:
                now[measure] = ZERO
                high = max(amounts.get(measure, ZERO) for amounts in possible)
                layers.append(_layer(_Sum(total.priced), heading, UNDETERMINED, ZERO, high, texts))
    return layers


def _by_measure(sums: dict[Key, _Sum]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for (measure, _, _), total in sums.items():
        found[measure] = found.get(measure, ZERO) + total.amount
    return found


def _layer(
    total: _Sum, heading: str, state: str, low: Decimal, high: Decimal, texts: dict[str, str]
) -> QuoteLayer:
    layer = total.priced.layer
    return QuoteLayer(
        measure=layer.active.measure.id,
        authority=layer.active.measure.authority,
        heading=heading,
        state=state,
        rate=total.priced.rate,
        base=total.base.quantize(CENT, ROUND_HALF_UP),
        amount=total.amount,
        owed=ZERO if layer.row.void else total.amount,
        min=low,
        max=high,
        citations=layer.active.citations(layer.row),
        why=why(total.priced, texts),
    )


def _assumptions(
    law: Law, read: frozenset[str], facts: Mapping[str, Fact], asked: list[str]
) -> tuple[str, ...]:
    silent = sorted(read - facts.keys() - set(asked))
    return tuple(f"{name}: not declared, so not granted or charged" for name in silent if name in law.claims)


def _impossible(law: Law, origin: str) -> frozenset[str]:
    """Claims of special programs none of which is open to the origin."""
    claims = {program.claim for program in law.programs.values()}
    return frozenset(claims - {p.claim for p in law.programs.values() if origin in p.members})


def _not_modelled(in_force: InForce, goods: Goods) -> list[Note]:
    return [
        Note(
            "NOT_MODELLED",
            f"{standing.measure.id} may touch this line and is not modelled yet; it charges nothing here.",
        )
        for standing in in_force.unmodelled
        if not standing.measure.touches.is_any
        and Reach.of(standing.measure.touches, in_force).fits(goods.code, goods.origin)
    ]
