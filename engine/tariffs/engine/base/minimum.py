"""Find the least value of a function of one number by golden sections."""

from __future__ import annotations

from collections.abc import Callable

_GOLDEN = (5.0**0.5 - 1.0) / 2.0


def least_between(
    value: Callable[[float], float], low: float, high: float, width: float
) -> tuple[float, float]:
    """Find the least value of a function that falls and then rises between two numbers.

    Args:
        low, high: ends of the range, which are not computed.
        width: width of the range at which the search ends.

    Returns:
        The least value found, and where it is.
    """
    inner = [high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)]
    found = [value(place) for place in inner]
    while high - low > width:
        if found[0] <= found[1]:
            high, inner, found = inner[1], [0.0, inner[0]], [0.0, found[0]]
            inner[0] = high - _GOLDEN * (high - low)
            found[0] = value(inner[0])
        else:
            low, inner, found = inner[0], [inner[1], 0.0], [found[1], 0.0]
            inner[1] = low + _GOLDEN * (high - low)
            found[1] = value(inner[1])
    return min(zip(found, inner, strict=True))
