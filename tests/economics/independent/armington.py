"""The Armington model once more, from its equations, by nested bisection and plain sums: slow and simple."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.economics.independent.plain import log_mean_price, root


@dataclass(frozen=True)
class Demand:
    """Elasticities of one product and its domestic shipments."""

    sigma: float
    eta: float
    kappa: float
    domestic: float = 0.0
    eps_domestic: float = np.inf


@dataclass(frozen=True)
class Solution:
    """Hats per variety, and the index of import prices."""

    prices: Any
    exporters: Any
    quantities: Any
    imports: float


def solve(v0: Any, t0: Any, t1: Any, eps: Any, phi: Any, demand: Demand) -> Solution:
    """Solve one product with trade: baseline value, rates, supply elasticity and freight by variety."""
    v0, t0, t1, eps, phi = np.broadcast_arrays(
        *(np.asarray(each, dtype=float) for each in (v0, t0, t1, eps, phi))
    )
    spending = v0 * (1 + t0 + phi)
    sigma, eta, kappa, total = demand.sigma, demand.eta, demand.kappa, spending.sum()

    def all_goods(x: float) -> float:
        """Log price of imports at log price `x` and domestic goods, which meet their own supply."""
        if kappa == eta:
            return 0.0  # nothing depends on it

        def excess(y: float) -> float:
            domestic = (kappa - eta) * y / (demand.eps_domestic + kappa)
            return y - log_mean_price([total, demand.domestic], [x, domestic], kappa)

        return float(root(excess, min(0.0, x) - 1e-9, max(0.0, x) + 1e-9))

    def varieties(x: float) -> tuple[Any, Any, Any]:
        """Landed price, exporter price and quantity where q = P^-sigma e^shift meets q = p^eps."""
        shift = (sigma - kappa) * x + (kappa - eta) * all_goods(x)

        def landed(log: Any) -> Any:
            return (np.exp(log) * (1 + t1) + phi) / (1 + t0 + phi)

        wide = np.full(v0.size, 60.0)
        sloped = root(lambda log: log - (shift - sigma * np.log(landed(log))) / eps, -wide, wide)
        log = np.where(np.isinf(eps), 0.0, sloped)
        return landed(log), np.exp(log), np.exp(shift) * landed(log) ** -sigma

    bound = 1e-9 + np.abs(np.log((1 + t1) / (1 + t0))).max()
    x = float(root(lambda x: x - log_mean_price(spending, np.log(varieties(x)[0]), sigma), -bound, bound))
    return Solution(*varieties(x), float(np.exp(x)))
