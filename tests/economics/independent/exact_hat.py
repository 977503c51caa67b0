"""Exact hat algebra from its demand system: the price index by bisection of the budget, in plain floats."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Good:
    """Good of a sector: product, origin, value and rates before and after; `after` None if it may not be imported."""

    product: str
    origin: str
    value: float
    before: float
    after: float | None


@dataclass(frozen=True)
class SlowSector:
    """Sector after a change of duty: value after and surplus by good, price index, domestic sales, after / before."""

    values: list[float]
    surplus: list[float]
    price: float
    domestic: float


def slow_sector(goods: Sequence[Good], theta: float, domestic: float) -> SlowSector:
    """Respond to a change of duty; some good may be imported or is made at home."""
    bought = [good.value * (1 + good.before) for good in goods]
    budget = math.fsum([*bought, domestic])
    prices = _prices(goods)
    shares = {origin: _spent(goods, origin) / budget for origin in prices}
    index = _index(
        [*((shares[origin], price) for origin, price in prices.items()), (domestic / budget, 1.0)], theta
    )
    # At the index, a share moves with its price over the index to the power of minus theta.
    moved = {origin: share * (prices[origin] / index) ** -theta for origin, share in shares.items()}
    weights = {origin: _log_mean(shares[origin], moved[origin]) for origin in shares}
    at_home = domestic / budget
    whole = math.fsum([*weights.values(), _log_mean(at_home, at_home * index**theta)])
    values, surplus = [], []
    for good, spent in zip(goods, bought, strict=True):
        if good.after is None:
            values.append(0.0)
            surplus.append(-spent / (theta * whole))
            continue
        if not good.value:
            values.append(0.0)
            surplus.append(0.0)
            continue
        price = prices[good.origin]
        values.append(good.value * moved[good.origin] / shares[good.origin] / price)
        risen = _spent(goods, good.origin) * (price - 1)
        part = good.value * (good.after - good.before) / risen if risen else 0.0
        surplus.append(-budget * weights[good.origin] / whole * math.log(price) * part)
    return SlowSector(values, surplus, index, index**theta)


def _prices(goods: Sequence[Good]) -> Mapping[str, float]:
    """Mean 1 + duty of each origin's goods that may be imported, after / before."""
    found = {}
    for origin in {good.origin for good in goods if good.after is not None and good.value}:
        mine = [(g.value, g.before, g.after) for g in goods if g.origin == origin and g.after is not None]
        after = math.fsum(value * (1 + rate) for value, _, rate in mine)
        found[origin] = after / math.fsum(value * (1 + rate) for value, rate, _ in mine)
    return found


def _spent(goods: Sequence[Good], origin: str) -> float:
    return math.fsum(g.value * (1 + g.before) for g in goods if g.origin == origin and g.after is not None)


def _index(terms: Sequence[tuple[float, float]], theta: float) -> float:
    """Price index at which shares add up to 1, by bisection of its logarithm."""
    low, high = -20.0, 20.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        total = math.fsum(
            share * math.exp(theta * (middle - math.log(price))) for share, price in terms if share
        )
        low, high = (low, middle) if total > 1.0 else (middle, high)
    return math.exp(0.5 * (low + high))


def _log_mean(one: float, other: float) -> float:
    if not one or not other:
        return 0.0
    return one if one == other else (other - one) / math.log(other / one)
