"""Kernel of the price index of imports beside domestic goods, for one step of the adjustment path."""

from __future__ import annotations

from tariffs.engine.base.compiled_kernels import jit
from tariffs.engine.response.kernels.armington import top_logs

_NEWTON_CAP = 60
_BISECTION_CAP = 200
_TOLERANCE = 1e-14


@jit
def index_under_supply(
    level: float, w: float, sigma: float, eta: float, kappa: float, share: float
) -> tuple[float, float]:
    """Solve x = ln P_M of one step with domestic goods; returns x and the log price of imports and domestic goods.

    `level` is the log CES mean of the powers of duty with the damped exponent, `w` the inverse supply of all origins,
    `share` that of imports in spending. The root is the one of an increasing function.
    """
    if w == 0.0:
        y, _ = top_logs(level, share, kappa, eta, 0.0)
        return level, y
    pull = w / (1.0 + sigma * w)
    fixed = level / (1.0 + sigma * w)
    low = min(0.0, level)
    high = max(0.0, level)
    x = fixed
    for turn in range(_NEWTON_CAP + _BISECTION_CAP):
        y, dy = top_logs(x, share, kappa, eta, 0.0)
        gap = x - fixed - pull * ((sigma - kappa) * x + (kappa - eta) * y)
        slope = 1.0 - pull * ((sigma - kappa) + (kappa - eta) * dy)
        if gap > 0.0:
            high = x
        else:
            low = x
        following = 0.5 * (low + high)
        if slope > 0.0 and turn < _NEWTON_CAP:
            following = min(max(x - gap / slope, low), high)
        moved = abs(following - x)
        x = following
        if moved <= _TOLERANCE * (1.0 + abs(x)):
            break
    y, _ = top_logs(x, share, kappa, eta, 0.0)
    return x, y
