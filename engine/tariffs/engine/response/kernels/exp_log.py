"""Compute exponentials and logarithms of arrays, so that they vectorise.

`bits` is the memory of the numbers as int64. Each result is that of its number alone: within 1 unit in the last place,
the same bits in any place; beyond the range of normal numbers it is that of numpy. No fast-math: it would remove the
rounding that finds whole powers of two.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.compiled_kernels import jit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LANES = 40
"""Lanes side by side, the distance of rows. Shorter rows are unrolled to scalar code; longer outgrow fast caches."""

_ROUNDING = 1.5 * 2.0**52
_ROUNDING_BITS = (1023 + 52) << 52 | 1 << 51
_ONE_BITS = 1023 << 52
_SQRT_HALF_BITS = 0x3FE6A09E667F3BCD
_LARGEST_EXPONENT = 700.0
_LEAST_NORMAL = 2.0**-1022
_LARGEST = np.finfo(np.float64).max
_LOG2_E = 1.0 / math.log(2.0)
# Of log 2 the high part has 21 zero bits at its end, so that its product with a power of two is exact.
_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
_T2, _T3, _T4, _T5, _T6, _T7, _T8, _T9, _T10, _T11, _T12, _T13 = (
    1.0 / math.factorial(i) for i in range(2, 14)
)
# Minimax coefficients of log((1 + s) / (1 - s)) / s - 2 in s^2, from fdlibm's e_log.c (Sun Microsystems, 1993).
_G1, _G2, _G3 = 6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01
_G4, _G5, _G6 = 2.222219843214978396e-01, 1.818357216161805012e-01, 1.531383769920937332e-01
_G7 = 1.479819860511658591e-01


@jit
def exp_array(numbers: Floats, less_one: Floats, bits: Ints, count: int) -> None:
    """Replace the first `count` numbers by their exponentials, and write those less one; `bits` views `numbers`."""
    beyond = 0
    for i in range(count):
        beyond += 0 if abs(numbers[i]) <= _LARGEST_EXPONENT else 1
    given = numbers[:count].copy() if beyond else numbers[:0]
    for i in range(count):
        x = numbers[i]
        shifted = x * _LOG2_E + _ROUNDING
        power = shifted - _ROUNDING
        r = (x - power * _LN2_HIGH) - power * _LN2_LOW
        p = _T10 + r * (_T11 + r * (_T12 + r * _T13))
        p = _T6 + r * (_T7 + r * (_T8 + r * (_T9 + r * p)))
        p = _T2 + r * (_T3 + r * (_T4 + r * (_T5 + r * p)))
        numbers[i] = shifted
        less_one[i] = r + r * r * p
    for i in range(count):
        bits[i] = (bits[i] << 52) + _ONE_BITS
    for i in range(count):
        scale = numbers[i]
        part = scale * less_one[i]
        numbers[i] = scale + part
        less_one[i] = part + (scale - 1.0)
    for i in range(given.size):
        if not abs(given[i]) <= _LARGEST_EXPONENT:
            numbers[i] = np.exp(given[i])
            less_one[i] = np.expm1(given[i])


@jit
def log_array(numbers: Floats, lost: Floats, bits: Ints, count: int) -> None:
    """Replace the first `count` numbers by the log of each times one plus `lost`, at most 1e-15.

    `bits` views `numbers`, which has room for as many again; the second half is used beside the first.
    """
    beyond = 0
    for i in range(count):
        beyond += 0 if _LEAST_NORMAL <= numbers[i] <= _LARGEST else 1
    given = numbers[:count].copy() if beyond else numbers[:0]
    for i in range(count):
        number = bits[i]
        power = (number - _SQRT_HALF_BITS) >> 52
        bits[i] = number - (power << 52)
        bits[count + i] = power + _ROUNDING_BITS
    for i in range(count):
        f = numbers[i] - 1.0
        power_of_2 = numbers[count + i] - _ROUNDING
        s = np.true_divide(f, 2.0 + f)
        z = s * s
        w = z * z
        rest = w * (_G2 + w * (_G4 + w * _G6)) + z * (_G1 + w * (_G3 + w * (_G5 + w * _G7)))
        half = 0.5 * f * f
        low = s * (half + rest) + (power_of_2 * _LN2_LOW + lost[i])
        numbers[i] = power_of_2 * _LN2_HIGH - ((half - low) - f)
    for i in range(given.size):
        if not _LEAST_NORMAL <= given[i] <= _LARGEST:
            numbers[i] = np.log(given[i])
