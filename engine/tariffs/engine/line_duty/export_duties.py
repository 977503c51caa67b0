"""Rate one line of exports: split it into atoms, rate each with the rater of imports, and sum.

The rater is that of imports, so that a line pays the same duty as the same row of a table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from tariffs.engine.errors import InputError
from tariffs.engine.law.conditions import Fact
from tariffs.engine.law.describe_rows import percent
from tariffs.engine.law.law import InForce, Law
from tariffs.engine.law.matching import candidates
from tariffs.engine.line_duty.layer_reasons import why
from tariffs.engine.line_duty.rounding import MeasureSum, cents, rule_texts, sum_layers
from tariffs.engine.rating.fits import Goods, RateOf, Rater, claims_read
from tariffs.engine.schedule.lines import ScheduleLine
from tariffs.engine.schedule.rates import AD_VALOREM, Rate
from tariffs.engine.tables.export_rates import ONE, QUOTA_CLAIM, ZERO, OrdinaryRate

_MIXED_RATE = Decimal("1e-6")


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


def export_duties(law: Law, in_force: InForce, goods: ExportGoods) -> tuple[ExportDuty, ...]:
    """Compute the duties of a line in the order of the law.

    Raises:
        InputError: RATE_NOT_COMPUTABLE for a duty that is not ad valorem; TOO_MANY_ATOMS.
    """
    rows = candidates(in_force, goods.code, goods.origin)
    # Goods without value are rated as goods of one dollar, so that their rates are known, and scaled to 0.
    value = goods.cif or ONE
    rated = Goods(goods.code, _line(goods.ordinary), goods.origin, value, None, "", goods.instant.date())
    rater = Rater(law, in_force, rated, rows, _rates(goods.ordinary))
    try:
        sums = sum_layers(law, rater, goods.facts, claims_read(rows, in_force))
    except InputError as error:
        raise (_by_quantity() if error.reason == "QUANTITY_REQUIRED" else error) from None
    texts = rule_texts(law)
    return tuple(_layer(total, goods, value, texts) for total in sums.values())


def _by_quantity() -> InputError:
    return InputError(
        "RATE_NOT_COMPUTABLE",
        "A duty on these goods is charged by quantity, and a single line of exports is rated by value only.",
        field="hts",
        fix="Put the line in a table with its quantity.",
    )


def _rates(ordinary: OrdinaryRate) -> RateOf:
    def rate_of(column: str, facts: Mapping[str, Fact]) -> tuple[Rate, str]:
        if ordinary.in_quota is not None and facts.get(QUOTA_CLAIM) is True:
            return _stated(ordinary.in_quota), ""
        return _stated(ordinary.rate), ""

    return rate_of


def _stated(rate: Decimal) -> Rate:
    return Rate(AD_VALOREM, rate, text=percent(rate))


def _line(ordinary: OrdinaryRate) -> ScheduleLine:
    """Stand-in for the schedule line of the importing country: the law data has its ordinary rate only."""
    rate = _stated(ordinary.rate)
    return ScheduleLine("", rate, rate, "", suffix_note=False)


def _layer(total: MeasureSum, goods: ExportGoods, value: Decimal, texts: dict[str, str]) -> ExportDuty:
    layer = total.priced.layer
    measure, ordinary = layer.active.measure, layer.row.kind == "ordinary"
    scale = goods.cif / value
    own = goods.ordinary.citations if ordinary else ()
    return ExportDuty(
        measure=measure.id,
        authority=measure.authority,
        state=layer.state,
        rate=_mean_rate(total),
        base=cents(total.base * scale),
        part=total.base / value,
        amount=cents(total.raw * scale),
        owed=cents(total.raw_owed * scale),
        citations=(*own, *layer.active.citations(layer.row)),
        conf=(goods.ordinary.conf if ordinary else "") or measure.conf,
        why=_reason(total, texts),
    )


def _mean_rate(total: MeasureSum) -> Decimal:
    """Rate of the only row, or the mean of several weighted by base; 0 where nothing is charged."""
    rates = {priced.rate or ZERO for _, priced in total.parts if priced.layer.charged}
    if len(rates) > 1 and total.base:
        return (total.raw / total.base).quantize(_MIXED_RATE)
    return next(iter(rates), ZERO)


def _reason(total: MeasureSum, texts: dict[str, str]) -> dict[str, str]:
    """Reason of the first row; the sentence covers all rows, each with its share of the goods."""
    reason = why(total.priced, texts)
    shares: dict[str, Decimal] = {}
    for weight, priced in total.parts:
        text = why(priced, texts)["text"]
        shares[text] = shares.get(text, ZERO) + weight
    if len(shares) > 1:
        reason["text"] = " ".join(f"{percent(share)} of the goods: {text}" for text, share in shares.items())
    return reason
