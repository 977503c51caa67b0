"""Kernels that find the cells of an adjustment path: varieties of a product with the same rates at every step."""

from __future__ import annotations

import numpy as np

from tariffs.engine.base.array_utils import F64, I32, I64
from tariffs.engine.base.compiled_kernels import jit
from tariffs.engine.response.kernels.draws import Words, mixed


@jit
def mark_paths(variety: I32, power: Words, step: int, marks: Words) -> None:
    """Fold the bits of one step into the marks of the varieties that it moves: equal paths have equal marks."""
    for place in range(variety.size):
        mark = np.uint64(mixed(marks[variety[place]], np.uint64(step + 1)))
        marks[variety[place]] = mixed(mark, power[place])


@jit
def number_paths(first: int, last: int, offsets: I64, t0: F64, marks: Words, cell: I64, counts: I64) -> None:
    """Number the distinct paths of duty of the varieties of products [first, last) from 0, by first appearance.

    Writes `cell` per variety and `counts` per product.
    """
    for k in range(first, last):
        begin, end = offsets[k], offsets[k + 1]
        opened = np.empty(end - begin, dtype=np.int64)
        count = 0
        for i in range(begin, end):
            found = -1
            for place in range(count):
                other = opened[place]
                if marks[other] == marks[i] and t0[other] == t0[i]:
                    found = place
                    break
            if found < 0:
                opened[count] = i
                found = count
                count += 1
            cell[i] = found
        counts[k] = count
