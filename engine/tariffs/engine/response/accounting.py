"""Accounts over any group of lines: revenue, effective rates, price indices, tariff restrictiveness.

All functions take arrays over the lines of the group and sum in the order given. Rates and shares are
fractions, amounts USD. The landed indices measure the cost of imports at the border and are not consumer
price indices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tariffs.engine.response.inputs import Floats, frozen


@dataclass(frozen=True, slots=True)
class RevenueChange:
    """Change of duty revenue, USD; the two parts add up to `total`.

    Attributes:
        mechanical: new rates on the baseline's trade, less the baseline's revenue.
        behavioural: new rates on the change of trade.
        total: their sum.
    """

    mechanical: float
    behavioural: float
    total: float


@dataclass(frozen=True, slots=True)
class EffectiveRates:
    """Duty over customs value; NaN for a group without trade.

    Attributes:
        baseline: baseline rates on baseline trade.
        static: new rates on baseline trade; no elasticity touches it.
        post: new rates on trade after the response.
    """

    baseline: float
    static: float
    post: float


@dataclass(frozen=True, slots=True)
class PriceIndices:
    """Indices of the landed price, after / before; NaN for a group without landed cost.

    `sato_vartia` equals the exact CES index inside one nest.
    """

    laspeyres: float
    paasche: float
    fisher: float
    sato_vartia: float


@dataclass(frozen=True, slots=True)
class LogSplit:
    """Per line, the log of the quantity hat in its part from diversion and its part from creation."""

    diversion: Floats
    creation: Floats


def _array(values: ArrayLike) -> Floats:
    array: Floats = frozen(np.asarray(values, dtype=np.float64))
    return array


def _ratio(top: float, bottom: float) -> float:
    return float(top / bottom) if bottom != 0.0 else float("nan")


def revenue_change(v0: ArrayLike, t0: ArrayLike, t1: ArrayLike, value: ArrayLike) -> RevenueChange:
    """Change of revenue from baseline values `v0` at `t0` to values `value` at `t1`."""
    before, after, rate = _array(v0), _array(value), _array(t1)
    mechanical = float(np.sum((rate - _array(t0)) * before))
    behavioural = float(np.sum(rate * (after - before)))
    return RevenueChange(mechanical, behavioural, mechanical + behavioural)


def effective_rates(v0: ArrayLike, t0: ArrayLike, t1: ArrayLike, value: ArrayLike) -> EffectiveRates:
    """Effective rates of a group: of the baseline, static, and after the response."""
    before, after, rate = _array(v0), _array(value), _array(t1)
    trade = float(np.sum(before))
    return EffectiveRates(
        _ratio(float(np.sum(_array(t0) * before)), trade),
        _ratio(float(np.sum(rate * before)), trade),
        _ratio(float(np.sum(rate * after)), float(np.sum(after))),
    )


def realised_rate(static: float, compliance: float) -> float:
    """Static effective rate times the share of it that is collected, named apart from the statutory one."""
    return static * compliance


def price_indices(landed_base: ArrayLike, landed: ArrayLike, price_hat: ArrayLike) -> PriceIndices:
    """Indices over lines with landed cost before and after, from their landed price hats.

    A line without landed cost after, as under a prohibitive duty, has weight 0 in Paasche and Sato-Vartia.
    """
    before, after, prices = _array(landed_base), _array(landed), _array(price_hat)
    total_before, total_after = float(np.sum(before)), float(np.sum(after))
    if total_before == 0.0 or total_after == 0.0:
        return PriceIndices(*[float("nan")] * 4)
    share_before, share_after = before / total_before, after / total_after
    laspeyres = float(np.sum(share_before * prices))
    traded = share_after > 0.0
    paasche = 1.0 / float(np.sum(share_after[traded] / prices[traded]))
    both = traded & (share_before > 0.0)
    weights = _log_mean(share_before[both], share_after[both])
    mean = float(np.sum(weights * np.log(prices[both])) / np.sum(weights))
    return PriceIndices(laspeyres, paasche, float(np.sqrt(laspeyres * paasche)), float(np.exp(mean)))


def _log_mean(first: Floats, second: Floats) -> Floats:
    """(a - b) / ln(a / b), and a where they are equal."""
    log = np.log(second / first)
    # expm1 keeps the digits of nearly equal shares.
    growth: Floats = np.divide(np.expm1(log), log, out=np.ones_like(log), where=log != 0.0)
    mean: Floats = first * growth
    return mean


def ces_price(landed_base: ArrayLike, price_hat: ArrayLike, sigma: float) -> float:
    """Exact CES index over the lines of one nest, from baseline landed shares; NaN without landed cost."""
    from tariffs.engine.response.kernels.armington import log_ces

    before, prices = _array(landed_base), _array(price_hat)
    total = float(np.sum(before))
    if total == 0.0:
        return float("nan")
    return float(np.exp(log_ces(frozen(before / total), frozen(np.log(prices)), 1.0 - sigma)))


def log_split(
    price_hat: ArrayLike, import_price_hat: ArrayLike, sigma: ArrayLike, eta: ArrayLike
) -> LogSplit:
    """Split ln q of the two-tier Armington model; all arguments per line or scalar."""
    imports = np.log(_array(import_price_hat))
    relative = np.log(_array(price_hat)) - imports
    return LogSplit(-_array(sigma) * relative, -_array(eta) * imports)


def restrictiveness(v0: ArrayLike, rate: ArrayLike, elasticity: ArrayLike) -> float:
    """Uniform rate with the same deadweight loss (the trade restrictiveness index); NaN without trade."""
    weights = _array(v0) * _array(elasticity)
    mean = _ratio(float(np.sum(weights * _array(rate) ** 2)), float(np.sum(weights)))
    return float(np.sqrt(mean))


def retail_price_change(landed_change: float, import_share: float) -> float:
    """Retail price change when the seller keeps its margin in dollars.

    Args:
        landed_change: relative change of the landed cost; with a margin in percent, retail moves as much.
        import_share: landed cost over the retail price.
    """
    return import_share * landed_change
