"""Random goods under limits, for the engine and for the slow solver of the tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tariffs.engine.base.array_utils import F64, I64
from tariffs.engine.response import armington
from tariffs.engine.response.limits.quotas import (
    CEILING,
    FLOOR,
    JointLimit,
    QuotaProblem,
    QuotaSolution,
    solve_quotas,
)
from tests.economics.independent.quotas import Demand, Good, Limit


@dataclass(frozen=True)
class Trade:
    """Varieties sorted by product; every variety is a class of its own."""

    product: I64
    value: F64
    before: F64
    after: F64
    sigma: F64
    eta: F64
    supply: F64

    @property
    def demands(self) -> list[Demand]:
        """Elasticities by product for the slow solver."""
        return [
            Demand(float(s), float(e), 1.0 / float(x))
            for s, e, x in zip(self.sigma, self.eta, self.supply, strict=True)
        ]

    def goods(self, limits: list[tuple[int, ...]]) -> list[Good]:
        """Varieties for the slow solver, each with the limits it is under."""
        return [
            Good(int(k), float(v), float(t0), float(t1), own)
            for k, v, t0, t1, own in zip(
                self.product, self.value, self.before, self.after, limits, strict=True
            )
        ]


@dataclass(frozen=True)
class Solved:
    """Quantity hats from the baseline, the solution, and the problem it is of."""

    quantities: F64
    found: QuotaSolution
    problem: QuotaProblem


def random_trade(seed: int, products: int = 1, origins: int = 4) -> Trade:
    """Draw trade with elasticities on both sides of 1 and of each other."""
    rng = np.random.default_rng(seed)
    size = products * origins
    return Trade(
        np.repeat(np.arange(products), origins),
        np.exp(rng.normal(0.0, 1.0, size)) * 1e6,
        rng.uniform(0.0, 0.2, size),
        rng.uniform(0.0, 0.8, size),
        np.exp(rng.normal(1.0, 0.6, products)),
        np.exp(rng.normal(0.2, 0.6, products)),
        np.where(rng.random(products) < 0.3, np.inf, np.exp(rng.normal(1.5, 1.0, products))),
    )


def solve(trade: Trade, caps: F64, joint: list[tuple[list[int], Limit]]) -> Solved:
    """Solve duties by `armington`, then the limits: `caps` are shares of the baseline, infinite without a limit."""
    free = armington(
        trade.product, trade.value, trade.before, trade.after, trade.sigma, trade.eta,
        supply=trade.supply[trade.product],
    )  # fmt: skip
    amounts = trade.value * free.quantity_hat
    limits = []
    for places, limit in joint:
        own = np.zeros(len(amounts))
        own[places] = amounts[places]
        limits.append(JointLimit(FLOOR if limit.floor else CEILING, own, limit.wanted))
    problem = QuotaProblem(
        offsets=np.searchsorted(trade.product, np.arange(len(trade.sigma) + 1)).astype(np.int64),
        landed=free.value * (1.0 + trade.after),
        caps=np.log(caps) - np.log(free.quantity_hat),
        wedges=np.zeros(len(amounts)),
        joint=limits,
        sigma=trade.sigma,
        eta=trade.eta,
        supply=trade.supply,
    )
    found = solve_quotas(problem)
    return Solved(free.quantity_hat * np.exp(found.quantity), found, problem)
