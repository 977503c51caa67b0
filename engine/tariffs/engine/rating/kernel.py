"""Number equal columns of a matrix, serially and without the GIL."""

from __future__ import annotations

import numpy as np

from tariffs.engine.base.array_utils import I32
from tariffs.engine.base.compiled_kernels import jit


@jit
def number_columns(keys: I32, label: I32, first: I32) -> int:
    """Number the distinct columns of `keys` (rows x columns) in the order in which they come, and return how many.

    Args:
        keys: the matrix.
        label: output, the number of each column.
        first: output, the first column of each number.
    """
    rows, columns = keys.shape
    size = 16
    while size < 2 * columns:
        size *= 2
    table = np.full(size, -1, dtype=np.int32)
    count = 0
    for column in range(columns):
        hashed = np.uint64(1469598103934665603)
        for row in range(rows):
            hashed = (hashed ^ np.uint64(np.uint32(keys[row, column]))) * np.uint64(1099511628211)
        hashed ^= hashed >> np.uint64(29)
        place = np.int64(hashed & np.uint64(size - 1))
        while True:
            known = table[place]
            if known < 0:
                table[place] = count
                first[count] = column
                label[column] = count
                count += 1
                break
            equal = True
            for row in range(rows):
                if keys[row, column] != keys[row, first[known]]:
                    equal = False
                    break
            if equal:
                label[column] = known
                break
            place = (place + 1) & (size - 1)
    return count
