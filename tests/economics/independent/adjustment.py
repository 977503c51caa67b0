"""The adjustment path from its definition, one step after another, by bisection and plain sums: slow and simple.

It knows the published profile as numbers of its own, and shares no code with the engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.economics.independent.plain import log_mean_price, root


@dataclass(frozen=True)
class Elasticities:
    """Elasticities of one product; supply is the same for all origins."""

    sigma: float
    eta: float
    supply: float
    kappa: float = np.nan
    domestic_ratio: float = 0.0


@dataclass
class Market:
    """One product: per variety value, rate and hats so far; sales of domestic goods; and what buyers gained."""

    value: Any
    rate: Any
    quantity: Any
    domestic: float
    surplus: float = 0.0


def elasticities_at(
    years: float, impact: Elasticities, short: Elasticities, long: Elasticities
) -> Elasticities:
    """Elasticities at an age: from impact to short in a year, then to long at the pace of the trade elasticity."""
    later = np.interp(years, [1.0, 5.0, 10.0], [0.0, 0.353, 1.0])
    sloped = np.interp(years, [2.0, 10.0], [0.0, 1.0])

    def blend(a: float, b: float, c: float, later: float) -> float:
        return a + (b - a) * years if years <= 1.0 else b + (c - b) * float(later)

    inverse = blend(1 / impact.supply, 1 / short.supply, 1 / long.supply, sloped)
    return Elasticities(
        blend(impact.sigma, short.sigma, long.sigma, later),
        blend(impact.eta, short.eta, long.eta, later),
        np.inf if inverse == 0.0 else 1 / inverse,
        short.kappa,
        short.domestic_ratio,
    )


def composed(
    v0: Any, t0: Any, steps: Sequence[tuple[Elasticities, Any]], domestic_ratio: float = 0.0
) -> Market:
    """Market after steps, each with its elasticities and the rates after it."""
    v0, t0 = (np.array(each, dtype=float) for each in (v0, t0))
    market = Market(v0, t0, np.ones_like(v0), domestic_ratio * float(v0 @ (1 + t0)))
    for elasticities, rates in steps:
        _take(market, np.asarray(rates), elasticities)
    return market


def creation(market: Market, v0: Any) -> Any:
    """Change of quantity of each variety if all of the product had grown alike."""
    return np.asarray(v0) * (v0 @ market.quantity / np.sum(v0) - 1)


def _take(market: Market, rates: Any, e: Elasticities) -> None:
    landed = market.value * (1 + market.rate)
    power, w = np.log((1 + rates) / (1 + market.rate)), 1 / e.supply
    kappa = e.eta if np.isnan(e.kappa) else e.kappa

    def at(x: float) -> tuple[Any, float, float]:
        """Log prices of varieties, of imports and domestic goods, whose own price is fixed, and the log demand."""
        y = log_mean_price([landed.sum(), market.domestic], [x, 0.0], kappa)
        g = (e.sigma - kappa) * x + (kappa - e.eta) * y
        return (power + w * g) / (1 + e.sigma * w), y, g

    low, high = min(0.0, *power), max(0.0, *power)
    prices, y, g = at(float(root(lambda x: x - log_mean_price(landed, at(x)[0], e.sigma), low, high)))
    hat, spent = np.exp(g - e.sigma * prices), landed.sum() + market.domestic
    market.surplus -= spent * (y if e.eta == 1 else np.expm1((1 - e.eta) * y) / (1 - e.eta))
    market.domestic *= np.exp((kappa - e.eta) * y)
    market.quantity, market.value, market.rate = market.quantity * hat, market.value * hat ** (1 + w), rates
