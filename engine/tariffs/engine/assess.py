"""The duty of one entry line, layer by layer, to the cent. No compiled kernel is needed for it.

Value is rounded to whole dollars and each duty line to cents, half up; totals are sums of rounded lines
(19 CFR 159.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from tariffs.engine.claim_shares import facts_under
from tariffs.engine.entry_summary import in_reporting_order
from tariffs.engine.entryline import (
    Charge,
    EntryLine,
    charges_of,
    declared_value,
    entry_instant,
    read_charge,
    read_goods,
    read_known_on,
)
from tariffs.engine.errors import InputError
from tariffs.engine.explain import why
from tariffs.engine.facts import assignments, read_claims, split
from tariffs.engine.landed import FeeLine, LandedCost, entry_fees, mpf_base
from tariffs.engine.law.conditions import Fact
from tariffs.engine.law.law import IMPORT, InForce, Law
from tariffs.engine.law.matching import Candidates, Reach, candidates
from tariffs.engine.law.notes import Note
from tariffs.engine.provenance import engine_version
from tariffs.engine.rating import Goods, Priced, Rater, claims_read, conditions_read
from tariffs.engine.switching import switches_behind
from tariffs.engine.trade.schedule import Schedule, load_schedule
from tariffs.engine.trade.units import convert

CENT, ZERO = Decimal("0.01"), Decimal(0)
NANO = Decimal("1e-9")
UNDETERMINED = "undetermined"


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
    charges: tuple[Charge, ...]
    notes: tuple[Note, ...]
    provenance: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class RatedLine:
    """A line with its duty, before the fees of its entry: its day, and what the fees need of it."""

    quote: Quote
    day: date
    fee_line: FeeLine

    def with_fees(self, mpf: Decimal, hmf: Decimal) -> Quote:
        """The answer, with the line's part of the fees of its entry."""
        return replace(self.quote, landed=replace(self.quote.landed, mpf=mpf, hmf=hmf))


def assess_line(
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
    rated = rate_line(law, line, known_on=known_on, schedule=schedule)
    fees = entry_fees(law, rated.day, [rated.fee_line])
    return rated.with_fees(fees.mpf, fees.hmf)


def rate_line(
    law: Law, line: EntryLine, *, known_on: str | date | None = None, schedule: Schedule | None = None
) -> RatedLine:
    """The duty of one line of an entry; its fees hang on the other lines and are still 0.

    Raises:
        InputError: HTS_CODE_*, ORIGIN_UNKNOWN, ENTRY_DATE_*, CUSTOMS_VALUE_INVALID, QUANTITY_*, UNIT_UNKNOWN,
            RATE_NOT_COMPUTABLE, CLAIM_*, *_SHARES_EXCEED_ONE, TOO_MANY_ATOMS or CHARGE_INVALID, with the field at
            fault.
    """
    schedule = schedule or load_schedule()
    instant = entry_instant(law, line.entry)
    day = instant.astimezone(law.zones[IMPORT]).date()
    known = read_known_on(law, known_on, day)
    notes: list[Note] = []
    goods = read_goods(line, day, schedule, notes)
    in_force = law.in_force(instant, known)
    facts = facts_under(
        law,
        in_force,
        instant,
        (goods.code, goods.origin),
        read_claims(law.claims, line.claims, law.zones[IMPORT]),
    )
    rows = candidates(in_force, goods.code, goods.origin)
    rater = Rater(law, in_force, goods, rows, schedule, convert)
    read = claims_read(rows, in_force)
    settled = _settle(law, rater, facts, read)
    asked = [name for name in sorted(read - facts.keys()) if _is_asked(law, in_force, name, goods)]
    spread = _spread(law, rater, facts, read, rows, in_force, asked) or [settled]
    layers = _layers(law, settled, spread)
    charges = charges_of(line, goods)
    notes += _not_modelled(in_force, goods)
    assessed = sum((layer.amount for layer in layers), ZERO)
    totals = [sum((p.amount for p in priced.values()), ZERO) for priced in spread]
    quote = Quote(
        assessed=assessed,
        owed=sum((layer.owed for layer in layers), ZERO),
        min=min((*totals, assessed)),
        max=max((*totals, assessed)),
        missing_claims=tuple(asked),
        assumptions=_assumptions(
            law, rows, read - _impossible(law, goods.origin) - facts.keys() - set(asked)
        ),
        landed=_landed(line, goods.value, assessed, charges),
        layers=tuple(in_reporting_order(law, layers)),
        charges=charges,
        notes=tuple(notes),
        provenance={
            "law_version": law.version,
            "law_digest": law.digest,
            "engine_version": engine_version(),
            "entry": instant.astimezone(law.zones[IMPORT]).isoformat(),
            "known_on": known.isoformat(),
            "schedule": goods.line.vintage,
            "switches": switches_behind(
                law, instant, known, lambda scope: Reach.of(scope, in_force).fits(goods.code, goods.origin)
            ),
        },
    )
    base = mpf_base(law, goods.origin, goods.value, facts)
    return RatedLine(quote, day, FeeLine(goods.value, declared_value(line), base, line.mode))


def _landed(line: EntryLine, value: Decimal, duty: Decimal, charges: tuple[Charge, ...]) -> LandedCost:
    """What the line costs landed, the fees of its entry left out."""
    by_kind: dict[str, Decimal] = {}
    for charge in charges:
        by_kind[charge.kind] = by_kind.get(charge.kind, ZERO) + charge.amount
    freight, insurance = read_charge(line.freight, "freight"), read_charge(line.insurance, "insurance")
    return LandedCost(value, freight, insurance, duty, **by_kind)


# -- the answer ------------------------------------------------------------------------------------------------

Key = tuple[str, str, str]


@dataclass(slots=True)
class _Sum:
    """A layer summed over the atoms of a line."""

    priced: Priced
    base: Decimal = ZERO
    raw: Decimal = ZERO
    raw_owed: Decimal = ZERO

    @property
    def amount(self) -> Decimal:
        return _cents(self.raw)

    @property
    def owed(self) -> Decimal:
        return _cents(self.raw_owed)


def _cents(amount: Decimal) -> Decimal:
    # A quotient of decimals ends in its last digit a little off; an exact half cent must still round up.
    return amount.quantize(NANO).quantize(CENT, ROUND_HALF_UP)


def _settle(law: Law, rater: Rater, facts: Mapping[str, Fact], read: frozenset[str]) -> dict[Key, _Sum]:
    """The line's layers by measure, heading and state, summed over its atoms."""
    sums: dict[Key, _Sum] = {}
    for atom in split(law.claims, facts, read):
        assessed = rater.rate(atom.facts)
        for priced in assessed:
            found = sums.setdefault(_key(priced), _Sum(priced))
            found.base += atom.weight * priced.base
            found.raw += atom.weight * priced.amount
        for priced in rater.owed(assessed, atom.facts):
            _place(sums, priced).raw_owed += atom.weight * priced.amount
    return sums


def _key(priced: Priced) -> Key:
    return priced.layer.active.measure.id, priced.heading, priced.layer.state


def _place(sums: dict[Key, _Sum], priced: Priced) -> _Sum:
    """Where an owed amount is shown: on the same layer, else on the measure's first, which was displaced."""
    key = _key(priced)
    return sums[key] if key in sums else next(total for other, total in sums.items() if other[0] == key[0])


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
        # An assignment under which the line cannot be priced, for want of a quantity, bounds nothing.
        with suppress(InputError):
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
        owed=total.owed,
        min=low,
        max=high,
        citations=layer.active.citations(layer.row),
        why=why(total.priced, texts),
    )


def _assumptions(law: Law, rows: Candidates, silent: frozenset[str]) -> tuple[str, ...]:
    """What is taken for granted of claims that are neither declared nor asked for."""
    presumed = {
        condition.claim
        for _, reaching in rows
        for row in reaching
        if row.undeclared_applies
        for condition in row.conditions
        if not condition.op and not condition.negated
    }
    return tuple(
        f"{name}: not declared, so {'taken as claimed' if name in presumed else 'not granted or charged'}"
        for name in sorted(silent & law.claims.keys())
    )


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


__all__ = ["EntryLine", "Quote", "QuoteLayer", "RatedLine", "assess_line", "rate_line"]
