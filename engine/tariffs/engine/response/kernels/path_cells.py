"""Kernels that find the cells of an adjustment path, and group their moves by product.

A cell is varieties of a product with the same rates at every step.
"""

from __future__ import annotations

from typing import NamedTuple

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


class MoveGroups(NamedTuple):
    """Moves of the cells at all steps. A group is those of one product at one step, by step and product.

    Attributes:
        start: first group of each step, one more than steps.
        product: product of each group.
        first_move, first_change: first move and first distinct change of duty of each group, one more than groups.
        cell, change: per move its cell, and its change among the distinct ones.
        power: change of ln(1 + t) by distinct change.
    """

    start: I64
    product: I64
    first_move: I64
    first_change: I64
    cell: I32
    change: I64
    power: F64


@jit
def group_moves(start: I64, power: F64, product_of_cell: I64, groups: MoveGroups) -> tuple[int, int]:
    """Group moves, given the first of each step, and their changes of ln(1 + t).

    Reads `groups.cell`, ascending within a step, and writes the others, which have room for a group and a change of
    every move. Returns the number of groups and of distinct changes.
    """
    count, changes = 0, 0
    for step in range(start.size - 1):
        groups.start[step] = count
        for move in range(start[step], start[step + 1]):
            product = product_of_cell[groups.cell[move]]
            if move == start[step] or groups.product[count - 1] != product:
                groups.product[count] = product
                groups.first_move[count] = move
                groups.first_change[count] = changes
                count += 1
            found = groups.first_change[count - 1]
            while found < changes and groups.power[found] != power[move]:
                found += 1
            if found == changes:
                groups.power[changes] = power[move]
                changes += 1
            groups.change[move] = found
    groups.start[start.size - 1] = count
    groups.first_move[count] = power.size
    groups.first_change[count] = changes
    return count, changes
