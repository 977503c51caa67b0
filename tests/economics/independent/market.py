"""Market above products from its equations alone: damped iteration on prices in plain floats, slow and simple."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Variety:
    """One origin of a product: baseline value, duty rates before and after, inverse supply elasticity."""

    value: float
    before: float
    after: float
    w: float


@dataclass(frozen=True)
class Sector:
    """Elasticities of a sector, its domestic shipments, and the inverse of their supply elasticity."""

    sigma: Sequence[float]
    eta: float
    kappa: float
    top: float
    domestic: float
    w: float


@dataclass(frozen=True)
class Equilibrium:
    """Quantities and exporter prices by product and origin, and price and quantity of domestic goods; hats."""

    quantities: list[list[float]]
    exporters: list[list[float]]
    domestic_price: float
    domestic_quantity: float
    price: float


def mean_price(weights: Sequence[float], prices: Sequence[float], elasticity: float) -> float:
    """Index of constant elasticity of substitution, from spending at the baseline and price hats."""
    whole = math.fsum(weights)
    if abs(elasticity - 1.0) < 1e-12:
        return math.exp(math.fsum(w * math.log(p) for w, p in zip(weights, prices, strict=True)) / whole)
    r = 1.0 - elasticity
    return float((math.fsum(w * p**r for w, p in zip(weights, prices, strict=True)) / whole) ** (1.0 / r))


def root(function: Callable[[float], float], low: float, high: float) -> float:
    """Root of an increasing function by bisection."""
    for _ in range(100):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if function(middle) > 0.0 else (middle, high)
    return 0.5 * (low + high)


def equilibrium(sector: Sector, products: Sequence[Sequence[Variety]], rounds: int = 20_000) -> Equilibrium:
    """Iterate exporters' and domestic prices until supply meets demand."""
    spent = [[v.value * (1.0 + v.before) for v in product] for product in products]
    whole = [math.fsum(row) for row in spent]
    steep = max(
        [s * v.w for s, row in zip(sector.sigma, products, strict=True) for v in row]
        + [max(sector.eta, sector.kappa, sector.top) * v.w for row in products for v in row]
        + [max(sector.kappa, sector.top) * sector.w]
    )
    damping = 1.0 / (1.0 + steep)
    exporters = [[1.0] * len(row) for row in products]
    home = 1.0
    for _ in range(rounds):
        landed = [
            [p * (1.0 + v.after) / (1.0 + v.before) for p, v in zip(prices, row, strict=True)]
            for prices, row in zip(exporters, products, strict=True)
        ]
        indices = [mean_price(s, p, e) for s, p, e in zip(spent, landed, sector.sigma, strict=True)]
        imports = mean_price(whole, indices, sector.eta)
        both = mean_price([math.fsum(whole), sector.domestic], [imports, home], sector.kappa)
        total = both**-sector.top
        all_imports = total * (imports / both) ** -sector.kappa
        home_quantity = total * (home / both) ** -sector.kappa
        quantities = [
            [all_imports * (index / imports) ** -sector.eta * (p / index) ** -sigma for p in prices]
            for prices, index, sigma in zip(landed, indices, sector.sigma, strict=True)
        ]
        moved = 0.0
        for row, products_row, found in zip(exporters, products, quantities, strict=True):
            for i, variety in enumerate(products_row):
                step = damping * (variety.w * math.log(found[i]) - math.log(row[i]))
                row[i] *= math.exp(step)
                moved = max(moved, abs(step))
        step = damping * (sector.w * math.log(home_quantity) - math.log(home))
        home *= math.exp(step)
        if max(moved, abs(step)) < 1e-15:
            break
    return Equilibrium(quantities, exporters, home, home_quantity, both)
