"""Generate scrambled Sobol' points in up to 32 dimensions.

Direction numbers: Joe and Kuo (2008), "Constructing Sobol sequences with better two-dimensional projections", set
new-joe-kuo-6 (`data/sobol_directions.csv`). Scrambling: Owen's nested one by hash, Burley (2020), "Practical
hash-based Owen scrambling".
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.response.constants import table
from tariffs.engine.response.inputs import Floats

Bits = NDArray[np.uint32]

_BITS = 32
_HASH = (0x6C50B47C, 0xB82F1E52, 0xC7AFE638, 0x8D22F6E6)
_MASKS = ((1, 0x55555555), (2, 0x33333333), (4, 0x0F0F0F0F), (8, 0x00FF00FF), (16, 0x0000FFFF))


@cache
def _directions() -> list[tuple[int, int, list[int]]]:
    """Degree, inner coefficients of the primitive polynomial, first direction numbers, from the second dimension on."""
    rows = table("sobol_directions.csv")
    return [
        (int(row["degree"]), int(row["inner"]), [int(word) for word in row["first"].split()]) for row in rows
    ]


def _direction_numbers(dimension: int) -> list[int]:
    if dimension == 0:
        return [1 << (_BITS - 1 - i) for i in range(_BITS)]
    degree, inner, first = _directions()[dimension - 1]
    numbers = [m << (_BITS - 1 - i) for i, m in enumerate(first)]
    for i in range(degree, _BITS):
        value = numbers[i - degree] ^ (numbers[i - degree] >> degree)
        for k in range(1, degree):
            if inner >> (degree - 1 - k) & 1:
                value ^= numbers[i - k]
        numbers.append(value)
    return numbers


def sobol_bits(count: int, dimension: int) -> Bits:
    """Compute the first `count` points of one dimension, from 0, as 32-bit integers over 2^32, unscrambled."""
    numbers = np.array(_direction_numbers(dimension), dtype=np.uint32)
    index = np.arange(count, dtype=np.uint32)
    bits = np.zeros(count, dtype=np.uint32)
    for bit in range(max(1, count - 1).bit_length()):
        bits ^= np.where(index >> np.uint32(bit) & np.uint32(1), numbers[bit], np.uint32(0))
    return bits


def _reversed(bits: Bits) -> Bits:
    for width, mask in _MASKS:
        shift, kept = np.uint32(width), np.uint32(mask)
        bits = ((bits >> shift) & kept) | ((bits & kept) << shift)
    return bits


def _scrambled(bits: Bits, key: int) -> Bits:
    """Scramble by Owen's method: flip each bit depending on the bits above it and the key."""
    scrambled = _reversed(bits) + np.uint32(key & 0xFFFFFFFF)
    for factor in _HASH:
        scrambled ^= scrambled * np.uint32(factor)
    return _reversed(scrambled)


def sobol_points(count: int, keys: list[int]) -> Floats:
    """Generate `count` scrambled points of the open unit cube, (count, dimensions); one key per dimension."""
    columns = [_scrambled(sobol_bits(count, dimension), key) for dimension, key in enumerate(keys)]
    return (np.column_stack(columns).astype(np.float64) + 0.5) / 2.0**_BITS
