"""Kernel of limits on quantities: premiums that hold classes of goods to their limits, product by product.

All goods of a class have one premium. A product has one unknown, its price index, whatever number of its classes is
limited: given the index, the premium of each class follows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.compiled_kernels import jit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ROUNDS = 200
_LARGEST_LEVEL = 600.0
_LEAST_SIGMA = 1e-7
# Complements in fixed proportions have no premium of their own; the limit is taken at this elasticity.


@jit
def log_mean(first: int, last: int, shares: Floats, logs: Floats, power: float) -> float:
    """Compute the log of the mean of order `power` of classes [first, last) with shares that sum to 1."""
    mean = 0.0
    for c in range(first, last):
        mean += shares[c] * logs[c]
    top, largest = -np.inf, 0.0
    for c in range(first, last):
        if shares[c] > 0.0:
            exponent = power * (logs[c] - mean)
            top, largest = max(top, exponent), max(largest, abs(exponent))
    if largest == 0.0:
        return mean
    total = 0.0
    if largest <= 0.5:
        for c in range(first, last):
            total += shares[c] * np.expm1(power * (logs[c] - mean))
        small: float = mean + np.log1p(total) / power
        return small
    for c in range(first, last):
        if shares[c] > 0.0:
            total += shares[c] * np.exp(power * (logs[c] - mean) - top)
    large: float = mean + (top + np.log(total)) / power
    return large


@jit
def _excess(
    first: int, last: int, shares: Floats, wedges: Floats, caps: Floats, level: float, slope: float, scale: float,
    power: float, premiums: Floats,
) -> tuple[float, float]:  # fmt: skip
    """Compute what a level of prices implies less that level, and the slope of this; fills the premiums.

    `scale` is `(1 + sigma w) / sigma`; a class needs the premium `slope level - scale cap`.
    """
    for c in range(first, last):
        premiums[c] = max(wedges[c], slope * level - scale * caps[c])
    found = log_mean(first, last, shares, premiums, power)
    grown = 0.0
    for c in range(first, last):
        if premiums[c] > wedges[c] and shares[c] > 0.0:
            grown += shares[c] * np.exp(power * (premiums[c] - found)) * slope
    return found - level, grown - 1.0


@jit
def hold_to_limits(
    first_product: int, last_product: int, offsets: Ints, shares: Floats, wedges: Floats, caps: Floats,
    parameters: Floats, premiums: Floats, quantities: Floats, index: Floats,
) -> None:  # fmt: skip
    """Find the premiums of products [first_product, last_product), whose classes are `offsets[k]` to the next.

    Args:
        first_product, last_product: the products.
        offsets: first class of each product.
        shares: share of each class in the landed cost of its product.
        wedges: log of one plus the least premium of each class, which other limits set.
        caps: log of the most quantity of each class, after / before; infinite without a limit.
        parameters: (products, 3) sigma, eta, inverse supply.
        premiums: written: log of one plus the premium of each class.
        quantities: written: log quantity of each class, after / before.
        index: written: log of the price of each product, after / before; NaN where no price holds its limits.
    """
    for k in range(first_product, last_product):
        first, last = offsets[k], offsets[k + 1]
        sigma, eta, w = max(parameters[k, 0], _LEAST_SIGMA), parameters[k, 1], parameters[k, 2]
        slope = (sigma - eta) / (sigma * (1.0 + eta * w))
        scale = (1.0 + sigma * w) / sigma
        power = (1.0 - sigma) / (1.0 + sigma * w)
        low = np.inf
        for c in range(first, last):
            low = min(low, wedges[c])
        width = 1e-3
        high = low + width
        rest, _ = _excess(first, last, shares, wedges, caps, high, slope, scale, power, premiums)
        while rest > 0.0 and high < _LARGEST_LEVEL:
            low, width = high, 2.0 * width
            high += width
            rest, _ = _excess(first, last, shares, wedges, caps, high, slope, scale, power, premiums)
        level = low
        for _ in range(_ROUNDS):
            rest, steep = _excess(first, last, shares, wedges, caps, level, slope, scale, power, premiums)
            if rest > 0.0:
                low = level
            else:
                high = level
            following = level - rest / steep if steep < 0.0 else high
            if not low <= following <= high:
                following = 0.5 * (low + high)
            if abs(following - level) <= 1e-16 * max(1.0, abs(level)):
                break
            level = following
        x = level / (1.0 + eta * w)
        index[k] = x if high < _LARGEST_LEVEL else np.nan
        for c in range(first, last):
            quantities[c] = ((sigma - eta) * x - sigma * premiums[c]) / (1.0 + sigma * w)
            if premiums[c] > wedges[c]:
                quantities[c] = caps[c]
