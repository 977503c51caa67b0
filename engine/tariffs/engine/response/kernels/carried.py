"""Kernel that carries amounts from the atoms of a line under other shares to the atoms of the table."""

from __future__ import annotations

import numpy as np

from tariffs.engine.base.array_utils import F64, I32, I64
from tariffs.engine.base.compiled_kernels import jit


@jit
def carry_amounts(
    lines: I32,
    start: I64,
    piece: I32,
    claimed: I64,
    weight: F64,
    other_start: I64,
    other_piece: I32,
    other_claimed: I64,
    other_weight: F64,
    of_other: I32,
    amounts: F64,
    found: F64,
) -> None:
    """Write the mean amounts of each atom of some lines, given those of the atoms under other shares.

    Args:
        lines: lines to compute.
        start, piece, claimed, weight: atoms of the table: first of each line, and per atom its piece, pattern of
            claims and part of the value.
        other_start, other_piece, other_claimed, other_weight: atoms under the other shares, likewise.
        of_other: class of each of the other atoms.
        amounts: amounts per dollar of each class (classes x columns).
        found: output, amounts per dollar of each atom (atoms x columns).
    """
    columns = amounts.shape[1]
    spread = np.zeros(columns)
    for line in lines:
        first = other_start[line]
        free = other_weight[first : other_start[line + 1]].copy()
        for atom in range(start[line], start[line + 1]):
            for place in range(free.size):
                other = first + place
                if other_piece[other] == piece[atom] and other_claimed[other] == claimed[atom]:
                    stays = min(weight[atom], other_weight[other])
                    free[place] -= stays
        rest = 0.0
        spread[:] = 0.0
        for place in range(free.size):
            rest += free[place]
            for column in range(columns):
                spread[column] += free[place] * amounts[of_other[first + place], column]
        for atom in range(start[line], start[line + 1]):
            stays = 0.0
            match = -1
            for place in range(free.size):
                other = first + place
                if other_piece[other] == piece[atom] and other_claimed[other] == claimed[atom]:
                    stays = min(weight[atom], other_weight[other])
                    match = other
            moves = 1.0 - stays / weight[atom]
            for column in range(columns):
                mean = spread[column] / rest if rest > 0.0 else 0.0
                if match < 0:
                    found[atom, column] = mean
                elif moves <= 0.0 or rest <= 0.0:
                    found[atom, column] = amounts[of_other[match], column]
                else:
                    found[atom, column] = (1.0 - moves) * amounts[of_other[match], column] + moves * mean
