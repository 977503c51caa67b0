"""Limits on quantities from the equations alone: premiums by nested bisection from the baseline, slow and simple."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial


@dataclass(frozen=True)
class Good:
    """A variety: product, value and rate at the baseline, rate after, and the limits it is under (their places)."""

    product: int
    value: float
    before: float
    after: float
    limits: tuple[int, ...] = ()


@dataclass(frozen=True)
class Demand:
    """Elasticities of a product: between varieties, of all, and the inverse of export supply."""

    sigma: float
    eta: float
    w: float


@dataclass(frozen=True)
class Limit:
    """Most (or least) quantity of the goods under it, USD at prices of the baseline."""

    wanted: float
    floor: bool = False


def bisected(function: Callable[[float], float], low: float, high: float, rounds: int = 90) -> float:
    """Root of a decreasing function."""
    for _ in range(rounds):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if function(middle) > 0.0 else (low, middle)
    return 0.5 * (low + high)


def quantities(goods: Sequence[Good], demand: Demand, premiums: Sequence[float]) -> list[float]:
    """Quantity hats of the varieties of one product under premiums of the limits (fractions of the landed price)."""
    sigma, eta, w = demand.sigma, demand.eta, demand.w
    powers = [
        (1.0 + good.after) * math.prod(1.0 + premiums[j] for j in good.limits) / (1.0 + good.before)
        for good in goods
    ]
    weights = [good.value * (1.0 + good.before) for good in goods]

    def hats(price: float) -> list[float]:
        # Demand q = (q^w power)^-sigma price^(sigma - eta), solved for q.
        return [(price ** (sigma - eta) * power**-sigma) ** (1.0 / (1.0 + sigma * w)) for power in powers]

    def index(price: float) -> float:
        found = [quantity**w * power for quantity, power in zip(hats(price), powers, strict=True)]
        whole = math.fsum(weights)
        if abs(sigma - 1.0) < 1e-12:
            return math.exp(math.fsum(a * math.log(p) for a, p in zip(weights, found, strict=True)) / whole)
        r = 1.0 - sigma
        return float((math.fsum(a * p**r for a, p in zip(weights, found, strict=True)) / whole) ** (1.0 / r))

    log = bisected(lambda x: math.log(index(math.exp(x))) - x, -8.0, 8.0)
    return hats(math.exp(log))


@dataclass(frozen=True)
class Held:
    """Quantity hats of all goods, and premiums of the limits, 0 where they do not bind."""

    quantities: list[float]
    premiums: list[float]


def equilibrium(
    goods: Sequence[Good], demands: Sequence[Demand], limits: Sequence[Limit], rounds: int = 40
) -> Held:
    """Premiums that hold all limits: each to its root in turn, until they no longer move."""
    premiums = [0.0] * len(limits)

    def solved() -> list[float]:
        out = [0.0] * len(goods)
        for k, demand in enumerate(demands):
            places = [i for i, good in enumerate(goods) if good.product == k]
            for i, hat in zip(places, quantities([goods[i] for i in places], demand, premiums), strict=True):
                out[i] = hat
        return out

    def amount(j: int, log: float) -> float:
        premiums[j] = math.expm1(log)
        hats = solved()
        return math.fsum(good.value * hat for good, hat in zip(goods, hats, strict=True) if j in good.limits)

    def excess(j: int, log: float) -> float:
        return amount(j, log) - limits[j].wanted

    for _ in range(rounds):
        before = list(premiums)
        for j, limit in enumerate(limits):
            free = amount(j, 0.0)
            if (free >= limit.wanted) if limit.floor else (free <= limit.wanted):
                continue
            low, high = (-6.0, 0.0) if limit.floor else (0.0, 6.0)
            amount(j, bisected(partial(excess, j), low, high, 60))
        if max((abs(a - b) for a, b in zip(before, premiums, strict=True)), default=0.0) < 1e-13:
            break
    return Held(solved(), premiums)
