"""Number equal values in the order of their first appearance: much faster than to sort them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tariffs.engine.base.array_utils import F64, I64

if TYPE_CHECKING:
    from tariffs.engine.response.kernels.draws import Words


def numbered(keys: Words) -> tuple[I64, I64]:
    """Number equal keys, whose low bits are well mixed; return the number of each, and the first place of a number."""
    from tariffs.engine.response.kernels.law_lanes import number_rows

    number, first = np.empty(keys.size, dtype=np.int64), np.empty(keys.size, dtype=np.int64)
    return number, first[: number_rows(keys, number, first)]


def numbered_values(values: F64, *others: F64) -> tuple[I64, I64]:
    """Number equal numbers, or equal rows of several columns; return the number of each, and the first place of one."""
    from tariffs.engine.response.kernels.law_lanes import mark_numbers

    marks = np.zeros(values.size, dtype=np.uint64)
    for column in (values, *others):
        mark_numbers(column.view(np.uint64), marks)
    return numbered(marks)
