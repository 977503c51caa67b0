"""Number equal rows of a matrix, and equal cells of atoms, serially and without the GIL."""

from __future__ import annotations

import numpy as np

from tariffs.engine.base.array_utils import I32, I64
from tariffs.engine.base.compiled_kernels import jit


@jit
def number_rows(keys: I32, label: I32, first: I32) -> int:
    """Number the distinct rows of `keys` (rows x columns) in the order in which they come, and return how many.

    Args:
        keys: the matrix.
        label: output, the number of each row.
        first: output, the first row of each number.
    """
    rows, columns = keys.shape
    size = 16
    while size < 2 * rows:
        size *= 2
    table = np.full(size, -1, dtype=np.int32)
    count = 0
    for row in range(rows):
        hashed = np.uint64(1469598103934665603)
        for column in range(columns):
            hashed = (hashed ^ np.uint64(np.uint32(keys[row, column]))) * np.uint64(1099511628211)
        hashed ^= hashed >> np.uint64(29)
        place = np.int64(hashed & np.uint64(size - 1))
        while True:
            known = table[place]
            if known < 0:
                table[place] = count
                first[count] = row
                label[row] = count
                count += 1
                break
            equal = True
            for column in range(columns):
                if keys[row, column] != keys[first[known], column]:
                    equal = False
                    break
            if equal:
                label[row] = known
                break
            place = (place + 1) & (size - 1)
    return count


@jit
def number_cells(
    line_group: I64,
    line: I32,
    chosen: I32,
    atom_rates: I32,
    atom_combination: I32,
    rates: int,
    combinations: int,
    cell: I32,
) -> I64:
    """Number the distinct groups, ordinary rates and combinations of atoms as they come, and return their keys.

    A key is `(group * rates + row of rates) * combinations + combination`.

    Args:
        line_group: group of each line.
        line: line of each chosen atom.
        chosen: atoms.
        atom_rates, atom_combination: per atom.
        rates, combinations: numbers of rows of rates, and of combinations.
        cell: output, number of each chosen atom.
    """
    size = 1 << 10
    table = np.full(size, -1, dtype=np.int32)
    keys = np.empty(size // 2, dtype=np.int64)
    count = 0
    for place in range(len(chosen)):
        atom = chosen[place]
        key = (line_group[line[place]] * rates + atom_rates[atom]) * combinations + atom_combination[atom]
        slot = hash_slot(key, size)
        while table[slot] >= 0 and keys[table[slot]] != key:
            slot = (slot + 1) & (size - 1)
        if table[slot] < 0:
            if count == len(keys):
                size *= 4
                table = np.full(size, -1, dtype=np.int32)
                grown = np.empty(size // 2, dtype=np.int64)
                # By element: numba takes two seconds to compile the check of shapes of a slice.
                for known in range(count):
                    grown[known] = keys[known]
                    slot = hash_slot(keys[known], size)
                    while table[slot] >= 0:
                        slot = (slot + 1) & (size - 1)
                    table[slot] = known
                keys = grown
                slot = hash_slot(key, size)
                while table[slot] >= 0:
                    slot = (slot + 1) & (size - 1)
            table[slot] = count
            keys[count] = key
            count += 1
        cell[place] = table[slot]
    return keys[:count]


@jit
def hash_slot(key: int, size: int) -> int:
    """Slot of a key in a table of `size` slots, a power of 2."""
    hashed = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)
    return int(np.int64((hashed ^ (hashed >> np.uint64(32))) & np.uint64(size - 1)))
