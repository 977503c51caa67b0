"""Market above products from its equations alone: damped iteration on prices, slow and simple."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.economics.independent.plain import log_mean_price


@dataclass(frozen=True)
class Sector:
    """Varieties by product with value and rates, elasticities and shipments by product, elasticities of the sector."""

    product: Any
    v0: Any
    t0: Any
    t1: Any
    sigma: Any
    supply: Any
    eta: float
    kappa: float
    top: float
    domestic: Any
    supply_domestic: float


@dataclass(frozen=True)
class Equilibrium:
    """Quantities and exporter prices of varieties, price and quantity of domestic goods, price of all; hats."""

    quantities: Any
    exporters: Any
    domestic_price: float
    domestic_quantity: float
    price: float


def equilibrium(s: Sector, rounds: int = 20_000) -> Equilibrium:
    """Iterate exporters' and domestic prices until supply meets demand; logarithms throughout."""
    spent, rise = s.v0 * (1.0 + s.t0), np.log((1.0 + s.t1) / (1.0 + s.t0))
    of_products = [s.product == place for place in range(len(s.sigma))]
    bought, w, w_home = [spent[own].sum() for own in of_products], 1.0 / s.supply, 1.0 / s.supply_domestic
    steep = max(*s.sigma, s.eta, s.kappa, s.top) * max(*w, w_home)
    exporters, home = np.zeros(s.v0.size), 0.0
    for _ in range(rounds):
        landed = exporters + rise
        indices = np.array(
            [log_mean_price(spent[own], landed[own], e) for own, e in zip(of_products, s.sigma, strict=True)]
        )
        imports = log_mean_price(bought, indices, s.eta)
        price = log_mean_price([sum(bought), s.domestic.sum()], [imports, home], s.kappa)
        both = (s.kappa - s.top) * price
        home_quantity = both - s.kappa * home
        of_product = both - s.kappa * imports - s.eta * (indices - imports)
        quantities = (of_product + s.sigma * indices)[s.product] - s.sigma[s.product] * landed
        steps = w[s.product] * quantities - exporters, w_home * home_quantity - home
        exporters, home = (
            at + step / (1.0 + steep) for at, step in zip((exporters, home), steps, strict=True)
        )
        if max(*np.abs(steps[0]), abs(steps[1])) < 1e-14:
            break
    found: Any = (np.exp(each) for each in (quantities, exporters, home, home_quantity, price))
    return Equilibrium(*found)
