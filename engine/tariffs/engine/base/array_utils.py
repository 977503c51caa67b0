"""Array types, and array operations that several rooms share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
I8 = NDArray[np.int8]
Bools = NDArray[np.bool_]

_SORTED_AT_ONCE = 1 << 19
_COUNTED_AT_MOST = 4
"""Largest span of values that are counted, as a multiple of how many there are; each takes 9 bytes."""


def ratio(above: F64, below: F64, undefined: F64 | float = np.nan) -> F64:
    """Divide where the divisor is above 0; elsewhere `undefined`."""
    out: F64 = np.full(np.shape(above), undefined, dtype=np.float64)
    return np.divide(above, below, out=out, where=below > 0)


def sums_of(index: I64, values: F64, count: int) -> F64:
    """Sum values by index, in the order given, into `count` sums."""
    out: F64 = np.zeros(count, dtype=np.float64)
    if len(index):
        out += np.bincount(index, weights=values, minlength=count)
    return out


def sum_of(parts: Sequence[tuple[float, F64]]) -> F64:
    """Sum arrays with weights, in order; an only array of weight 1 is returned unchanged."""
    if len(parts) == 1 and parts[0][0] == 1.0:
        return parts[0][1]
    total = parts[0][0] * parts[0][1]
    for weight, values in parts[1:]:
        total = total + weight * values
    return total


def first_of(number: I64) -> I64:
    """Place of the first row of each number."""
    first = np.zeros(int(number.max(initial=-1)) + 1, dtype=np.int64)
    first[number[::-1]] = np.arange(len(number))[::-1]
    return first


def factorize(values: I64) -> tuple[I64, I64]:
    """Distinct values, sorted, and the index of each value among them."""
    low = int(values.min(initial=0))
    span = int(values.max(initial=0)) - low + 1
    if span <= _COUNTED_AT_MOST * len(values):
        # Counting takes a fraction of the time of sorting.
        is_used = np.zeros(span, dtype=bool)
        is_used[values - low] = True
        return np.flatnonzero(is_used) + low, (np.cumsum(is_used) - 1)[values - low]
    # Parts of some MB are sorted in the cache of the processor, and take no memory besides.
    parts = [
        slice(first, first + _SORTED_AT_ONCE) for first in range(0, max(1, len(values)), _SORTED_AT_ONCE)
    ]
    index = np.empty(len(values), dtype=np.int64)
    found = []
    for part in parts:
        of_part, index[part] = np.unique(values[part], return_inverse=True)
        found.append(of_part)
    if len(parts) == 1:
        return found[0], index
    merged = np.sort(np.concatenate(found))
    distinct = merged[np.concatenate([[True], merged[1:] != merged[:-1]])]
    for part, of_part in zip(parts, found, strict=True):
        index[part] = np.searchsorted(distinct, of_part)[index[part]]
    return distinct, index
