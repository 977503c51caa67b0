"""Roots by bisection and price indices of constant elasticity, for the slow solvers: slow and simple."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def root(function: Callable[[Any], Any], low: Any, high: Any, rounds: int = 60) -> Any:
    """Root of an increasing function; of many at once between arrays of bounds."""
    for _ in range(rounds):
        middle = 0.5 * (low + high)
        above = function(middle) > 0.0
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return 0.5 * (low + high)


def log_mean_price(weights: Any, logs: Any, elasticity: float) -> float:
    """Logarithm of the price index, from spending at the baseline and logarithms of price hats."""
    weights = np.asarray(weights, dtype=float)
    bought, power = weights > 0.0, 1.0 - elasticity
    shares, logs = weights[bought] / weights.sum(), np.asarray(logs)[bought]
    if abs(power) < 1e-12:
        return float(shares @ logs)
    most = (power * logs).max()
    return float((most + np.log(shares @ np.exp(power * logs - most))) / power)
