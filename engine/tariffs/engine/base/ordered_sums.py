"""Sum by group in a fixed order, so that the bits do not depend on threads or chunks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.compiled_kernels import jit


@jit
def sum_by_group(group: NDArray[np.int64], columns: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Add every row of `columns` (lines x columns) into its group's row of `out`, in line order.

    Neumaier summation: each sum carries its rounding error, so that groups sum to totals to 1e-12.
    """
    error = np.zeros_like(out)
    for line in range(columns.shape[0]):
        row = group[line]
        for column in range(columns.shape[1]):
            term = columns[line, column]
            total = out[row, column] + term
            if abs(out[row, column]) >= abs(term):
                error[row, column] += (out[row, column] - total) + term
            else:
                error[row, column] += (term - total) + out[row, column]
            out[row, column] = total
    out += error
