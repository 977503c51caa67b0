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


def _growth(before: F64, after: F64, chosen: Bools) -> float:
    return float(after[chosen].sum() / before[chosen].sum() - 1.0)


def _share(value: F64, chosen: Bools, keep: Bools) -> float:
    return float(value[chosen].sum() / value[keep].sum())


def _rate_after(trade: TradeSample, chosen: Bools) -> float:
    return float(trade.duty_after[chosen].sum() / trade.value_after[chosen].sum())


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


def _adjusted(trade: TradeSample, chosen: Bools) -> tuple[float, float]:
    """Falls of the rate on the path over those at the horizon `long`, within and between products."""
    now = _falls(trade, chosen, trade.value_after, trade.duty_after)
    long = _falls(trade, chosen, trade.long_value, trade.long_duty)
    return now[0] / long[0], now[1] / long[1]


Measure = Callable[[TradeSample, Bools, Bools], float]
"""Figure of a sample on the lines chosen, given also those kept."""
MEASURES: Mapping[str, Measure] = {
    # Effective rate before the response, its rise over the baseline, and its fall by the response.
    "static_rate": lambda trade, chosen, _: _mean(trade.rate, trade.value, chosen),
    "static_rise": lambda trade, chosen, _: _mean(trade.rate - trade.base, trade.value, chosen),
    "fall_by_response": lambda trade, chosen, _: (
        _mean(trade.rate, trade.value, chosen) - _rate_after(trade, chosen)
    ),
    "rate_after": lambda trade, chosen, _: _rate_after(trade, chosen),
    # Log change of the landed price over that of one plus the rate, of goods of one rate, where the rate rises.
    "pass_through": lambda trade, chosen, _: (
        1.0 + float(trade.exporter_price[chosen].sum() / trade.power[chosen].sum())
    ),
    # Share of imports before and after, and that for which the USMCA is claimed.
    "share_before": lambda trade, chosen, keep: _share(trade.value, chosen, keep),
    "share_after": lambda trade, chosen, keep: _share(trade.value_after, chosen, keep),
    "claim_share": lambda trade, chosen, _: _mean(trade.claimed, trade.value, chosen),
    # Change of the value of imports, and of their quantity on lines that were hit hard.
    "value_change": lambda trade, chosen, _: _growth(trade.value, trade.value_after, chosen),
    "quantity_change_where_steep": lambda trade, chosen, _: (
        _mean(trade.quantity_hat, trade.value, chosen & (trade.rate - trade.base >= STEEP_RISE)) - 1.0
    ),
    # What duties do, from a run without them: the change of imports that bear them, of price and output of domestic
    # goods, and buyers' loss over gross domestic product.
    "value_change_by_duty": lambda trade, chosen, _: _growth(
        trade.value_after, trade.value, chosen & (trade.base - trade.rate >= LEAST_FALL)
    ),
    "domestic_price_by_duty": lambda trade, chosen, _: (
        1.0 / _mean(trade.domestic_price_hat, trade.shipments, chosen) - 1.0
    ),
    "domestic_output_by_duty": lambda trade, chosen, _: (
        1.0 / _mean(trade.domestic_quantity_hat, trade.shipments, chosen) - 1.0
    ),
    "buyers_loss_by_duty": lambda trade, chosen, _: float(trade.buyer_gain[chosen].sum() / GDP_2024),
    # Elasticity of the value of a variety to its price with duty.
    "trade_elasticity": lambda trade, chosen, _: _mean(trade.elasticity[trade.product], trade.value, chosen),
    # Shares of the fall of the rate at the horizon `long`, within and between products.
    "adjusted_within": lambda trade, chosen, _: _adjusted(trade, chosen)[0],
    "adjusted_between": lambda trade, chosen, _: _adjusted(trade, chosen)[1],
}
