"""Exact hat algebra from its demand system: the price index by bisection of the budget, in plain floats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tests.economics.independent.plain import root


@dataclass(frozen=True)
class Good:
    """Good of a sector: origin, value and rates before and after; `after` None if it may not be imported."""

    origin: str
    value: float
    before: float
    after: float | None

    @property
    def bought(self) -> float:
        """Spending at the baseline."""
        return self.value * (1 + self.before)


@dataclass(frozen=True)
class SlowSector:
    """Sector after a change of duty: value after and surplus by good, price index, domestic sales, after / before."""

    values: list[float]
    surplus: list[float]
    price: float
    domestic: float


def slow_sector(goods: Sequence[Good], theta: float, domestic: float) -> SlowSector:
    """Respond to a change of duty; some good may be imported or is made at home."""
    budget = math.fsum([*(good.bought for good in goods), domestic])
    spent: dict[str, float] = {}
    landed: dict[str, float] = {}
    for good in goods:
        if good.after is not None and good.value:
            spent[good.origin] = spent.get(good.origin, 0.0) + good.bought
            landed[good.origin] = landed.get(good.origin, 0.0) + good.value * (1 + good.after)
    # Mean 1 + duty of the goods of an origin, after / before; at home nothing changes.
    prices = {origin: landed[origin] / spent[origin] for origin in spent} | {"home": 1.0}
    shares = {origin: amount / budget for origin, amount in (spent | {"home": domestic}).items()}

    def left_over(log_index: float) -> float:
        return -1.0 + math.fsum(
            share * math.exp(theta * (log_index - math.log(prices[origin])))
            for origin, share in shares.items()
            if share
        )

    index = math.exp(root(left_over, -20.0, 20.0))
    # At the index, a share moves with its price over the index to the power of minus theta.
    moved = {origin: share * (prices[origin] / index) ** -theta for origin, share in shares.items()}
    weights = {origin: _log_mean(shares[origin], moved[origin]) for origin in shares}
    whole = math.fsum(weights.values())
    values, surplus = [], []
    for good in goods:
        price = prices.get(good.origin, 1.0)
        if good.after is None or not good.value:
            values.append(0.0)
            surplus.append(-good.bought / (theta * whole))
            continue
        values.append(good.value * moved[good.origin] / shares[good.origin] / price)
        risen = spent[good.origin] * (price - 1)
        part = good.value * (good.after - good.before) / risen if risen else 0.0
        surplus.append(-budget * weights[good.origin] / whole * math.log(price) * part)
    return SlowSector(values, surplus, index, index**theta)


def _log_mean(one: float, other: float) -> float:
    if not one or not other:
        return 0.0
    return one if one == other else (other - one) / math.log(other / one)
