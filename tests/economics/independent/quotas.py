"""Limits on quantities from the equations alone: premiums by bisection from the baseline, slow and simple."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tests.economics.independent.plain import log_mean_price, root


@dataclass(frozen=True)
class Goods:
    """Varieties: product, value and rates at the baseline and after; elasticities by product."""

    product: Any
    value: Any
    before: Any
    after: Any
    sigma: Any
    eta: Any
    supply: Any


@dataclass(frozen=True)
class Limit:
    """Most (or least) quantity of the varieties at some places, USD at prices of the baseline."""

    places: Sequence[int]
    wanted: float
    floor: bool = False


def quantities(goods: Goods, premiums: Any) -> Any:
    """Quantity hats under premiums, logarithms of the landed price that each variety bears besides."""
    found = np.empty(len(premiums))
    for k, (sigma, eta, supply) in enumerate(zip(goods.sigma, goods.eta, goods.supply, strict=True)):
        own, w = np.asarray(goods.product) == k, 1.0 / supply
        value, before, after = (np.asarray(each)[own] for each in (goods.value, goods.before, goods.after))
        power, slope = np.log((1.0 + after) / (1.0 + before)) + premiums[own], 1.0 + sigma * w
        # Demand q = (q^w power)^-sigma price^(sigma - eta), solved for q; so is the price for its own logarithm.
        price = log_mean_price(value * (1.0 + before), power / slope, sigma) * slope / (1.0 + eta * w)
        found[own] = np.exp(((sigma - eta) * price - sigma * power) / slope)
    return found


def equilibrium(goods: Goods, limits: Sequence[Limit], rounds: int = 40) -> tuple[Any, list[float]]:
    """Quantity hats, and the premium that holds each limit, 0 where it does not bind: to its root in turn."""
    logs = [0.0] * len(limits)

    def held() -> Any:
        of_goods = np.zeros(len(goods.value))
        for log, limit in zip(logs, limits, strict=True):
            of_goods[list(limit.places)] += log
        return quantities(goods, of_goods)

    def missing(j: int, log: float) -> float:
        """Subtract what comes in at a premium from what a limit lets in; the dearer goods are, the more is left."""
        logs[j] = float(log)
        places = list(limits[j].places)
        return limits[j].wanted - float(np.asarray(goods.value)[places] @ held()[places])

    for _ in range(rounds):
        before = list(logs)
        for j, limit in enumerate(limits):
            free = missing(j, 0.0)
            if (free <= 0.0) if limit.floor else (free >= 0.0):
                continue
            ends = (-6.0, 0.0) if limit.floor else (0.0, 6.0)
            missing(j, root(partial(missing, j), *ends))
        if np.allclose(before, logs, rtol=0.0, atol=1e-13):
            break
    return held(), [math.expm1(log) for log in logs]
