"""Measure published figures on trade before and after a response: the measures of `tariffs validate economics`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from tariffs.engine.base.array_utils import F64, I64, Bools, ratio, sums_of

STEEP_RISE = 0.3
"""Rise of the rate, as a fraction, from which a line counts as hit hard."""
LEAST_FALL = 0.001
"""Fall of the rate, as a fraction, from which a line counts as freed of a duty."""
GDP_2024 = 29.185e12
"""Gross domestic product of 2024, USD: Bureau of Economic Analysis."""


@dataclass(frozen=True)
class TradeSample:
    """Trade before and after, per line, under one set of parameters: the input of `MEASURES`.

    `value`, `value_after` and `duty_after` are in USD, `quantity_hat` is after / before, `base` and `rate` duty rates,
    `exporter_price` and `power` log changes of the price and of one plus the rate, times value, summed over goods of
    one rate whose duty rises, `buyer_gain` the gain of buyers in USD, `claimed` the share for which the USMCA is
    claimed. Of a market of sectors there are also `shipments` of domestic goods in USD, their price and output after /
    before. What belongs to a product is divided over its lines by value. `elasticity`, per product, is
    that of the value of one variety to its price with duty; `long_value` and `long_duty` are value and duty after at
    the horizon `long`, NaN but on the path.
    """

    value: F64
    base: F64
    rate: F64
    value_after: F64
    duty_after: F64
    quantity_hat: F64
    exporter_price: F64
    power: F64
    buyer_gain: F64
    claimed: F64
    product: I64
    elasticity: F64
    long_value: F64
    long_duty: F64
    shipments: F64
    domestic_price_hat: F64
    domestic_quantity_hat: F64


def weighted(parts: Iterable[tuple[float, TradeSample]]) -> TradeSample:
    """Sum samples of the same lines with weights, in order, one at a time: each may be large."""
    total: dict[str, Any] = {}
    for weight, sample in parts:
        for field in fields(sample):
            values = getattr(sample, field.name)
            if field.name == "product":
                total[field.name] = values
            else:
                total[field.name] = total.get(field.name, 0.0) + weight * values
    return TradeSample(**total)


def _mean(rate: F64, value: F64, chosen: Bools) -> float:
    return float((rate[chosen] * value[chosen]).sum() / value[chosen].sum())


def _static_rate(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return _mean(trade.rate, trade.value, chosen)


def _static_rise(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return _mean(trade.rate - trade.base, trade.value, chosen)


def _fall_by_response(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return _static_rate(trade, chosen, keep) - _rate_after(trade, chosen, keep)


def _rate_after(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return float(trade.duty_after[chosen].sum() / trade.value_after[chosen].sum())


def _pass_through(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    """Log change of the landed price over that of one plus the rate, of goods of one rate, where the rate rises."""
    return 1.0 + float(trade.exporter_price[chosen].sum() / trade.power[chosen].sum())


def _share_before(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return float(trade.value[chosen].sum() / trade.value[keep].sum())


def _share_after(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return float(trade.value_after[chosen].sum() / trade.value_after[keep].sum())


def _claim_share(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return _mean(trade.claimed, trade.value, chosen)


def _value_change(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return float(trade.value_after[chosen].sum() / trade.value[chosen].sum() - 1.0)


def _quantity_change_where_steep(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    hit = chosen & (trade.rate - trade.base >= STEEP_RISE)
    return _mean(trade.quantity_hat, trade.value, hit) - 1.0


def _value_change_by_duty(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    free = chosen & (trade.base - trade.rate >= LEAST_FALL)
    return float(trade.value[free].sum() / trade.value_after[free].sum() - 1.0)


def _domestic_price_by_duty(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return 1.0 / _mean(trade.domestic_price_hat, trade.shipments, chosen) - 1.0


def _domestic_output_by_duty(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return 1.0 / _mean(trade.domestic_quantity_hat, trade.shipments, chosen) - 1.0


def _buyers_loss_by_duty(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return float(trade.buyer_gain[chosen].sum() / GDP_2024)


def _trade_elasticity(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return _mean(trade.elasticity[trade.product], trade.value, chosen)


def _falls(trade: TradeSample, chosen: Bools, value: F64, duty: F64) -> tuple[float, float]:
    """Fall of the mean rate by substitution within products, and by that between products."""
    product = trade.product[chosen]
    before, after, paid, owed = (
        sums_of(product, each[chosen], int(product.max()) + 1)
        for each in (trade.value, value, duty, trade.rate * trade.value)
    )
    share, rate = before / before.sum(), ratio(owed, before, 0.0)
    rate_after = ratio(paid, after, rate)
    return float((share * (rate - rate_after)).sum()), float(
        ((share - after / after.sum()) * rate_after).sum()
    )


def _adjusted_within(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return _adjusted(trade, chosen)[0]


def _adjusted_between(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return _adjusted(trade, chosen)[1]


def _adjusted(trade: TradeSample, chosen: Bools) -> tuple[float, float]:
    """Falls of the rate on the path over those at the horizon `long`, within and between products."""
    now = _falls(trade, chosen, trade.value_after, trade.duty_after)
    long = _falls(trade, chosen, trade.long_value, trade.long_duty)
    return now[0] / long[0], now[1] / long[1]


MEASURES: Mapping[str, Callable[[TradeSample, Bools, Bools], float]] = {
    "static_rate": _static_rate,
    "static_rise": _static_rise,
    "fall_by_response": _fall_by_response,
    "rate_after": _rate_after,
    "pass_through": _pass_through,
    "share_before": _share_before,
    "share_after": _share_after,
    "claim_share": _claim_share,
    "value_change": _value_change,
    "quantity_change_where_steep": _quantity_change_where_steep,
    "value_change_by_duty": _value_change_by_duty,
    "domestic_price_by_duty": _domestic_price_by_duty,
    "domestic_output_by_duty": _domestic_output_by_duty,
    "buyers_loss_by_duty": _buyers_loss_by_duty,
    "trade_elasticity": _trade_elasticity,
    "adjusted_within": _adjusted_within,
    "adjusted_between": _adjusted_between,
}
"""Measures of a figure: effective rates before the response and their rise over the baseline, their fall by the
response, an origin's share of imports before and after, the share for which the USMCA is claimed, and the change of the
value of imports and of their quantity on lines that were hit hard. Those `by_duty` are what duties do, from a run
without them: the change of imports that bear them, of price and output of domestic goods, and buyers' loss over gross
domestic product. `trade_elasticity` is that of the value of a variety to its price with duty; `adjusted_within` and
`adjusted_between` are the shares of the fall of the rate at the horizon `long`, within and between products."""
