"""Equilibrium of trade under limits on quantities, with their premiums. See docs/models/quotas.md.

It starts from trade in which duties have had their effect, so a class of goods is all that is limited alike, whatever
its duty: goods of a product under the same limits have one premium and one quantity hat.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, sums_of
from tariffs.engine.response.inputs import frozen

CEILING, FLOOR = "ceiling", "floor"
_LARGEST_PREMIUM = 60.0
_ROUNDS = 400
_SAME = 1e-14


@dataclass(frozen=True)
class JointLimit:
    """Limit on the quantity of several classes together.

    Attributes:
        kind: ceiling or floor.
        amounts: quantity of each class without the limit, in its unit; 0 for classes that it does not cover.
        wanted: the quantity it allows or asks for, in the same unit, > 0.
    """

    kind: str
    amounts: F64
    wanted: float


@dataclass(frozen=True)
class QuotaProblem:
    """Classes of goods sorted by product, before their limits.

    Attributes:
        offsets: first class of each product, one more than products.
        landed: landed cost of each class, USD.
        caps: log of the most quantity of each class, after / before; infinite without a limit of its own.
        wedges: log of one plus a given premium of each class, 0 but for goods that are prohibited.
        joint: limits on several classes.
        sigma, eta, supply: elasticities of each product.
    """

    offsets: I64
    landed: F64
    caps: F64
    wedges: F64
    joint: Sequence[JointLimit]
    sigma: F64
    eta: F64
    supply: F64

    @property
    def products(self) -> int:
        """Number of products."""
        return len(self.offsets) - 1

    @property
    def product(self) -> I64:
        """Product of each class."""
        return np.repeat(np.arange(self.products), np.diff(self.offsets))


@dataclass(frozen=True)
class QuotaSolution:
    """Trade that keeps its limits; all are logs of after / before.

    Attributes:
        premium: of one plus the premium over the landed price, per class.
        quantity: quantity of each class.
        index: landed price with premium of each product by itself; NaN where no price holds its limits.
        shift: demand for each product that the market above it adds.
        joint: of one plus the premium of each joint limit; NaN where it cannot be kept.
    """

    premium: F64
    quantity: F64
    index: F64
    shift: F64
    joint: F64


MarketShift = Callable[[F64], F64]
"""Log shift of the demand for each product by the market above, given the log price of each by itself."""


def solve_quotas(problem: QuotaProblem, above: MarketShift | None = None) -> QuotaSolution:
    """Find the premiums that hold all limits.

    A limit that does not bind has no premium. The classes of a product are solved exactly (one unknown per product),
    joint limits one after the other, each to its root, and the market above after them, until nothing moves.
    """
    solver = _QuotaSolver(problem)
    joint, shift = np.zeros(len(problem.joint)), np.zeros(problem.products)
    found = solver(joint, shift)
    for _ in range(_ROUNDS):
        before = joint.copy(), shift
        for place in range(len(joint)):
            joint[place] = solver.root(place, joint, shift)
        found = solver(joint, shift)
        if above is not None:
            shift = np.where(np.isnan(found.index), 0.0, above(np.nan_to_num(found.index)))
        if _same(before[0], joint) and _same(before[1], shift):
            break
        if above is None and len(joint) <= 1:
            break
    return found


def _same(before: F64, after: F64) -> bool:
    return bool(np.array_equal(np.isnan(before), np.isnan(after))) and not bool(
        (np.abs(after - before) > _SAME * np.maximum(1.0, np.abs(after))).any()
    )


class _QuotaSolver:
    """Solution of the products given the premiums of joint limits."""

    def __init__(self, problem: QuotaProblem) -> None:
        self._problem = problem
        self._product = problem.product
        whole = sums_of(self._product, problem.landed, problem.products)[self._product]
        self._shares = frozen(np.divide(problem.landed, whole, out=np.zeros_like(whole), where=whole > 0.0))
        self._w = 1.0 / problem.supply
        self._parameters = frozen(np.column_stack([problem.sigma, problem.eta, self._w]))

    def __call__(self, joint: F64, shift: F64) -> QuotaSolution:
        from tariffs.engine.response.kernels.quota_premiums import hold_to_limits

        p = self._problem
        wedges = p.wedges.copy()
        for limit, log in zip(p.joint, np.nan_to_num(joint), strict=True):
            wedges[limit.amounts > 0.0] += log
        premium, quantity = np.empty_like(wedges), np.empty_like(wedges)
        index = np.empty(p.products)
        hold_to_limits(
            0, p.products, p.offsets, self._shares, wedges, p.caps - shift[self._product], self._parameters, premium,
            quantity, index,
        )  # fmt: skip
        return QuotaSolution(premium, quantity + shift[self._product], index, shift, joint.copy())

    def root(self, place: int, joint: F64, shift: F64) -> float:
        """Find the log premium of one joint limit given the others; 0 if it does not bind, NaN if it cannot be kept."""
        limit, sign = self._problem.joint[place], 1.0 if self._problem.joint[place].kind == CEILING else -1.0
        trial = joint.copy()

        def excess(log: float) -> float:
            """Log of the quantity over the wanted one at a premium, positive while the premium is too small."""
            trial[place] = sign * log
            amount = float((limit.amounts * np.exp(self(trial, shift).quantity)).sum())
            return sign * (np.log(amount) - np.log(limit.wanted)) if amount > 0.0 else -sign * np.inf

        return sign * _root_from_zero(excess)


def _root_from_zero(excess: Callable[[float], float]) -> float:
    """Root >= 0 of a decreasing function: 0 if it is not positive there, NaN if it stays positive."""
    low, at_low = 0.0, excess(0.0)
    if not at_low > 0.0:
        return 0.0
    high = 0.125
    while (at_high := excess(high)) > 0.0:
        if high >= _LARGEST_PREMIUM:
            return np.nan
        low, at_low, high = high, at_high, 2.0 * high
    side = 0
    for _ in range(_ROUNDS):
        middle = (low * at_high - high * at_low) / (at_high - at_low)
        if not low < middle < high:
            middle = 0.5 * (low + high)
        value = excess(middle)
        if value == 0.0 or high - low <= _SAME * max(1.0, high) * 0.1:
            return middle
        # The end that stays is weighed down, so that both ends approach the root (Illinois).
        if value > 0.0:
            low, at_low, at_high = middle, value, at_high * (0.5 if side > 0 else 1.0)
            side = 1
        else:
            high, at_high, at_low = middle, value, at_low * (0.5 if side < 0 else 1.0)
            side = -1
        if abs(value) <= 1e-14:
            return middle
    return 0.5 * (low + high)
