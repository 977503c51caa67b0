"""Generate scrambled Sobol' points in up to 32 dimensions.

Direction numbers: Joe and Kuo (2008), "Constructing Sobol sequences with better two-dimensional projections", set
new-joe-kuo-6. Scrambling: Owen's nested one by hash, Burley (2020), "Practical hash-based Owen scrambling".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.response.inputs import Floats

Bits = NDArray[np.uint32]

# Degree, inner coefficients of the primitive polynomial, and first direction numbers, from the second dimension on.
_DIRECTIONS = (
    (1, 0, (1,)),
    (2, 1, (1, 3)),
    (3, 1, (1, 3, 1)),
    (3, 2, (1, 1, 1)),
    (4, 1, (1, 1, 3, 3)),
    (4, 4, (1, 3, 5, 13)),
    (5, 2, (1, 1, 5, 5, 17)),
    (5, 4, (1, 1, 5, 5, 5)),
    (5, 7, (1, 1, 7, 11, 19)),
    (5, 11, (1, 1, 5, 1, 1)),
    (5, 13, (1, 1, 1, 3, 11)),
    (5, 14, (1, 3, 5, 5, 31)),
    (6, 1, (1, 3, 3, 9, 7, 49)),
    (6, 13, (1, 1, 1, 15, 21, 21)),
    (6, 16, (1, 3, 1, 13, 27, 49)),
    (6, 19, (1, 1, 1, 15, 7, 5)),
    (6, 22, (1, 3, 1, 15, 13, 25)),
    (6, 25, (1, 1, 5, 5, 19, 61)),
    (7, 1, (1, 3, 7, 11, 23, 15, 103)),
    (7, 4, (1, 3, 7, 13, 13, 15, 69)),
    (7, 7, (1, 1, 3, 13, 7, 35, 63)),
    (7, 8, (1, 3, 5, 9, 1, 25, 53)),
    (7, 14, (1, 3, 1, 13, 9, 35, 107)),
    (7, 19, (1, 3, 1, 5, 27, 61, 31)),
    (7, 21, (1, 1, 5, 11, 19, 41, 61)),
    (7, 28, (1, 3, 5, 3, 3, 13, 69)),
    (7, 31, (1, 1, 7, 13, 1, 19, 1)),
    (7, 32, (1, 3, 7, 5, 13, 19, 59)),
    (7, 37, (1, 1, 3, 9, 25, 29, 41)),
    (7, 41, (1, 3, 5, 13, 23, 1, 55)),
    (7, 42, (1, 3, 7, 3, 13, 59, 17)),
)
DIMENSIONS = len(_DIRECTIONS) + 1
_BITS = 32
_HASH = (0x6C50B47C, 0xB82F1E52, 0xC7AFE638, 0x8D22F6E6)
_MASKS = ((1, 0x55555555), (2, 0x33333333), (4, 0x0F0F0F0F), (8, 0x00FF00FF), (16, 0x0000FFFF))


def _direction_numbers(dimension: int) -> list[int]:
    if dimension == 0:
        return [1 << (_BITS - 1 - i) for i in range(_BITS)]
    degree, inner, first = _DIRECTIONS[dimension - 1]
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
