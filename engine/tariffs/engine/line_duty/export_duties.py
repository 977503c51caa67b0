"""Rate one line of exports: stack its atoms as for imports, price them by value, and sum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from tariffs.engine.errors import InputError
from tariffs.engine.law.conditions import Fact
from tariffs.engine.law.describe_rows import percent
from tariffs.engine.line_duty.class_profile import stack_atoms
from tariffs.engine.line_duty.layer_reasons import why
from tariffs.engine.line_duty.pricing import Goods, PricedRow, Pricer, RateOf, RowKey, cents
from tariffs.engine.line_duty.rounding import merged_rows, owed_amounts
from tariffs.engine.line_duty.segment import LawSegment
from tariffs.engine.rating.fits import Stacker, claims_read
from tariffs.engine.schedule.lines import ScheduleLine
from tariffs.engine.schedule.rates import AD_VALOREM, Rate
from tariffs.engine.tables.export_rates import ONE, QUOTA_CLAIM, ZERO, OrdinaryRate

_MIXED_RATE = Decimal("1e-6")
Parts = list[tuple[Decimal, PricedRow]]


@dataclass(frozen=True, slots=True)
class ExportGoods:
    """Line of exports as read: code, origin, base, instant of entry, day whose acts count, ordinary rate, facts."""

    code: str
    origin: str
    cif: Decimal
    instant: datetime
    known_on: date
    ordinary: OrdinaryRate
    facts: Mapping[str, Fact]


@dataclass(frozen=True, slots=True)
class ExportDuty:
    """Duty of one measure on a line of exports; `conf` is the confidence of the law data.

    `rate` is a fraction of `base`: the mean where several rows charge parts of the goods. `base`, `amount` and `owed`
    are in dollars and cents, `part` is the base as a fraction of the value with freight and insurance.
    """

    measure: str
    authority: str
    state: str
    rate: Decimal
    base: Decimal
    part: Decimal
    amount: Decimal
    owed: Decimal
    citations: tuple[str, ...]
    conf: str
    why: Mapping[str, str]


def export_duties(segment: LawSegment, goods: ExportGoods) -> tuple[ExportDuty, ...]:
    """Compute the duties of a line in the order of the law.

    Raises:
        InputError: RATE_NOT_COMPUTABLE for a duty that is not ad valorem; TOO_MANY_ATOMS.
    """
    rows = segment.candidates(segment.index.reach(goods.code, goods.origin))
    # Goods without value are rated as goods of one dollar, so that their rates are known, and scaled to 0.
    value = goods.cif or ONE
    rated = Goods(goods.code, _line(goods.ordinary), goods.origin, value, None, "", goods.instant.date())
    stacker = Stacker(segment.law, segment.in_force, rows, frozenset({QUOTA_CLAIM}))
    try:
        atoms = stack_atoms(segment, stacker, goods.facts, claims_read(rows, segment.in_force))
        pricer = Pricer(rated, _rates(goods.ordinary))
        merged = merged_rows(pricer, atoms)
    except InputError as error:
        raise (_by_quantity() if error.reason == "QUANTITY_REQUIRED" else error) from None
    owed = owed_amounts(pricer, atoms, merged) or {row.key: row.rounded for row in merged}
    parts: dict[RowKey, Parts] = {row.key: [] for row in merged}
    for atom in atoms:
        for priced in pricer.price_all(atom.assessed):
            parts[priced.key].append((atom.weight, priced))
    return tuple(_layer(row, parts[row.key], owed[row.key], goods, segment.rule_texts) for row in merged)


def _by_quantity() -> InputError:
    return InputError(
        "RATE_NOT_COMPUTABLE",
        "A duty on these goods is charged by quantity, and a single line of exports is rated by value only.",
        field="hts",
        fix="Put the line in a table with its quantity.",
    )


def _rates(ordinary: OrdinaryRate) -> RateOf:
    def rate_of(column: str, claimed: frozenset[str]) -> tuple[Rate, str]:
        if ordinary.in_quota is not None and QUOTA_CLAIM in claimed:
            return _stated(ordinary.in_quota), ""
        return _stated(ordinary.rate), ""

    return rate_of


def _stated(rate: Decimal) -> Rate:
    return Rate(AD_VALOREM, rate, text=percent(rate))


def _line(ordinary: OrdinaryRate) -> ScheduleLine:
    """Stand-in for the schedule line of the importing country: the law data has its ordinary rate only."""
    rate = _stated(ordinary.rate)
    return ScheduleLine("", rate, rate, "", suffix_note=False)


def _layer(
    row: PricedRow, parts: Parts, owed: Decimal, goods: ExportGoods, texts: Mapping[str, str]
) -> ExportDuty:
    """Layer of merged rows; `parts` are the rows with the weights of their atoms."""
    value = goods.cif or ONE
    scale = goods.cif / value
    measure, ordinary = row.layer.active.measure, row.layer.row.kind == "ordinary"
    own = goods.ordinary.citations if ordinary else ()
    return ExportDuty(
        measure=measure.id,
        authority=measure.authority,
        state=row.layer.state,
        rate=_mean_rate(row, parts),
        base=cents(row.base * scale),
        part=row.base / value,
        amount=cents(row.rounded * scale),
        owed=cents(owed * scale),
        citations=(*own, *row.row.citations),
        conf=(goods.ordinary.conf if ordinary else "") or measure.conf,
        why=_reason(row, parts, texts),
    )


def _mean_rate(row: PricedRow, parts: Parts) -> Decimal:
    """Rate of the only row, or the mean of several weighted by base; 0 where nothing is charged."""
    rates = {priced.rate or ZERO for _, priced in parts if priced.layer.charged}
    if len(rates) > 1 and row.base:
        return (row.amount / row.base).quantize(_MIXED_RATE)
    return next(iter(rates), ZERO)


def _reason(row: PricedRow, parts: Parts, texts: Mapping[str, str]) -> dict[str, str]:
    """Reason of the first row; the sentence covers all rows, each with its share of the goods."""
    reason = why(row, texts)
    shares: dict[str, Decimal] = {}
    for weight, priced in parts:
        text = why(priced, texts)["text"]
        shares[text] = shares.get(text, ZERO) + weight
    if len(shares) > 1:
        reason["text"] = " ".join(f"{percent(share)} of the goods: {text}" for text, share in shares.items())
    return reason
