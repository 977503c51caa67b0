"""Kernel that sums duty after the response by group and column, such as authorities."""

from __future__ import annotations

from tariffs.engine.base.array_utils import F64, I64
from tariffs.engine.base.compiled_kernels import jit


@jit
def sum_duties(
    group: I64, class_of: I64, start: I64, column: I64, rate: F64, columns: int, after: F64, out: F64
) -> None:  # fmt: skip
    """Sum the duty on amounts of goods by group and column.

    Args:
        group, class_of: per amount; those whose group is negative are left out.
        start: index of the first rate of each class (one more than classes).
        column, rate: columns in which a class is charged, and duty over value in each.
        columns: number of columns.
        after: customs value after the response (amounts, lanes), USD.
        out: (groups x columns, lanes), the columns of a group adjacent.
    """
    for i in range(group.size):
        if group[i] < 0:
            continue
        for place in range(start[class_of[i]], start[class_of[i] + 1]):
            row, own = group[i] * columns + column[place], rate[place]
            for b in range(after.shape[1]):
                out[row, b] += own * after[i, b]
