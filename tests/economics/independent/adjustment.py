"""The adjustment path from its definition, one step after another, by bisection and plain sums: slow and simple.

It knows the published profile as numbers of its own, and shares no code with the engine.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

MONOTONE_STEPS = 200
_RESPONSES = [(1.0, 0.0), (5.0, 0.353), (10.0, 1.0)]


@dataclass(frozen=True)
class Elasticities:
    """Elasticities of one product; supply is the same for all origins."""

    sigma: float
    eta: float
    supply: float
    kappa: float = math.nan
    domestic_ratio: float = 0.0


@dataclass
class Market:
    """One product: per variety value, rate and hats so far; and what buyers gained."""

    value: list[float]
    rate: list[float]
    quantity: list[float]
    price: list[float]
    domestic: float
    surplus: float = 0.0


def between(points: Sequence[tuple[float, float]], at: float) -> float:
    """Value on straight lines through points, constant beyond them."""
    if at <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if at <= x1:
            return y0 + (y1 - y0) * (at - x0) / (x1 - x0)
    return points[-1][1]


def elasticities_at(
    years: float, impact: Elasticities, short: Elasticities, long: Elasticities
) -> Elasticities:
    """Elasticities at an age: from impact to short in a year, then to long at the pace of the trade elasticity."""
    first, later = min(years, 1.0), between(_RESPONSES, years)
    sloped = between([(2.0, 0.0), (10.0, 1.0)], years)

    def blend(a: float, b: float, c: float, later: float) -> float:
        return a + (b - a) * first if years <= 1.0 else b + (c - b) * later

    inverse = blend(1 / impact.supply, 1 / short.supply, 1 / long.supply, sloped)
    return Elasticities(
        blend(impact.sigma, short.sigma, long.sigma, later),
        blend(impact.eta, short.eta, long.eta, later),
        math.inf if inverse == 0.0 else 1 / inverse,
        short.kappa,
        short.domestic_ratio,
    )


def composed(
    v0: Sequence[float],
    t0: Sequence[float],
    steps: Sequence[tuple[Elasticities, Sequence[float]]],
    domestic_ratio: float = 0.0,
) -> Market:
    """Market after steps, each with its elasticities and the rates after it."""
    market = Market(
        list(v0), list(t0), [1.0] * len(v0), [1.0] * len(v0),
        domestic_ratio * sum(v * (1 + t) for v, t in zip(v0, t0, strict=True)),
    )  # fmt: skip
    for elasticities, rates in steps:
        _take(market, list(rates), elasticities)
    return market


def creation(market: Market, v0: Sequence[float]) -> list[float]:
    """Change of quantity of each variety if all of the product had grown alike."""
    growth = sum(v * q for v, q in zip(v0, market.quantity, strict=True)) / sum(v0)
    return [v * (growth - 1) for v in v0]


def _take(market: Market, rates: list[float], e: Elasticities) -> None:
    landed = [v * (1 + t) for v, t in zip(market.value, market.rate, strict=True)]
    power = [(1 + t1) / (1 + t) for t1, t in zip(rates, market.rate, strict=True)]
    w = 0.0 if math.isinf(e.supply) else 1 / e.supply
    kappa = e.eta if math.isnan(e.kappa) else e.kappa
    part = sum(landed) / (sum(landed) + market.domestic)

    def prices(x: float) -> tuple[list[float], float, float]:
        y = _top(x, part, kappa)
        g = (e.sigma - kappa) * x + (kappa - e.eta) * y
        return [(math.log(p) + w * g) / (1 + e.sigma * w) for p in power], y, g

    def gap(x: float) -> float:
        return x - _ces([s / sum(landed) for s in landed], prices(x)[0], 1 - e.sigma)

    low, high = min(0.0, *map(math.log, power)), max(0.0, *map(math.log, power))
    for _ in range(MONOTONE_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if gap(middle) > 0 else (middle, high)
    x = (low + high) / 2
    logs, y, g = prices(x)
    quantities = [math.exp(g - e.sigma * p) for p in logs]
    exporters = [math.exp(w * (g - e.sigma * p)) for p in logs]
    spent = sum(landed) + market.domestic
    market.surplus -= spent * y if e.eta == 1 else spent * (math.exp((1 - e.eta) * y) - 1) / (1 - e.eta)
    market.domestic *= math.exp((kappa - e.eta) * y)
    for i, quantity in enumerate(quantities):
        market.quantity[i] *= quantity
        market.price[i] *= exporters[i]
        market.value[i] *= quantity * exporters[i]
    market.rate = rates


def _top(x: float, part: float, kappa: float) -> float:
    """Log price of imports and domestic goods, whose own price is fixed."""
    return _ces([part, 1 - part], [x, 0.0], 1 - kappa)


def _ces(shares: Sequence[float], logs: Sequence[float], power: float) -> float:
    if abs(power) < 1e-9:
        return sum(s * p for s, p in zip(shares, logs, strict=True))
    return math.log(sum(s * math.exp(power * p) for s, p in zip(shares, logs, strict=True))) / power
