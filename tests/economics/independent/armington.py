"""The Armington model once more, from its equations, by nested bisection and plain sums: slow and simple."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One variety: baseline value, rates, supply elasticity, freight."""

    v0: float
    t0: float
    t1: float
    eps: float
    phi: float


@dataclass(frozen=True)
class Demand:
    """Elasticities of one product and its domestic shipments."""

    sigma: float
    eta: float
    kappa: float
    domestic: float = 0.0
    eps_domestic: float = math.inf


@dataclass(frozen=True)
class Solution:
    """Hats per line, and the index of import prices and of all prices."""

    prices: list[float]
    exporters: list[float]
    quantities: list[float]
    imports: float
    all_goods: float


def root(function: Callable[[float], float], low: float, high: float) -> float:
    """Root of an increasing function by bisection."""
    for _ in range(200):
        middle = 0.5 * (low + high)
        if function(middle) > 0.0:
            high = middle
        else:
            low = middle
    return 0.5 * (low + high)


def ces(shares: Sequence[float], prices: Sequence[float], elasticity: float) -> float:
    """CES price index from shares and price hats."""
    if elasticity == 1.0:
        return math.exp(math.fsum(s * math.log(p) for s, p in zip(shares, prices, strict=True)))
    power = 1.0 - elasticity
    leading = min(prices) if power < 0.0 else max(prices)  # the term that never vanishes
    mean = math.fsum(s * (p / leading) ** power for s, p in zip(shares, prices, strict=True))
    return leading * math.pow(mean, 1.0 / power)


def variety(line: Line, shift: float, sigma: float) -> tuple[float, float, float]:
    """Landed price, exporter price and quantity hats where q = P^-sigma e^shift meets q = p^eps."""

    def landed(log_exporter: float) -> float:
        return (math.exp(log_exporter) * (1 + line.t1) + line.phi) / (1 + line.t0 + line.phi)

    def excess(log_exporter: float) -> float:
        return log_exporter - (shift - sigma * math.log(landed(log_exporter))) / line.eps

    log_exporter = 0.0 if math.isinf(line.eps) else root(excess, -60.0, 60.0)
    price = landed(log_exporter)
    return price, math.exp(log_exporter), math.exp(shift) * price**-sigma


def solve(lines: Sequence[Line], demand: Demand) -> Solution:
    """Solve one product with trade."""
    spending = [line.v0 * (1 + line.t0 + line.phi) for line in lines]
    total = math.fsum(spending)
    shares = [each / total for each in spending]
    imported = total / (total + demand.domestic)
    sigma, eta, kappa = demand.sigma, demand.eta, demand.kappa

    def all_goods(x: float) -> float:
        def excess(y: float) -> float:
            domestic = (kappa - eta) * y / (demand.eps_domestic + kappa)
            return y - math.log(ces([imported, 1 - imported], [math.exp(x), math.exp(domestic)], kappa))

        return root(excess, min(0.0, x) - 1e-9, max(0.0, x) + 1e-9)

    def outcome(x: float) -> tuple[list[tuple[float, float, float]], float]:
        y = all_goods(x)
        shift = (sigma - kappa) * x + (kappa - eta) * y
        return [variety(line, shift, sigma) for line in lines], y

    def gap(x: float) -> float:
        return x - math.log(ces(shares, [found[0] for found in outcome(x)[0]], sigma))

    bound = 1e-9 + max(abs(math.log((1 + line.t1) / (1 + line.t0))) for line in lines)
    x = root(gap, -bound, bound)
    found, y = outcome(x)
    prices, exporters, quantities = (list(each) for each in zip(*found, strict=True))
    return Solution(prices, exporters, quantities, math.exp(x), math.exp(y))
