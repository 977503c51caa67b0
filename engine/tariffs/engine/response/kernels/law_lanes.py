"""Kernels that arrange the steps of one law for the lane kernel, whose lanes differ in their elasticities.

Varieties of a product with the same rates at every step share a *part*. Stages are listed by chunk of products and
step.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tariffs.engine.base.array_utils import F64, I32, I64
from tariffs.engine.base.compiled_kernels import jit
from tariffs.engine.response.kernels.draws import Words, mixed

_SEARCHED = 64
# Parts of a product that are searched for the path of a variety; a path found twice costs work and moves last digits.


@jit
def mark_paths(variety: I32, power: Words, step: int, marks: Words) -> None:
    """Fold the bits of one step into the marks of the varieties that it moves: equal paths have equal marks."""
    for place in range(variety.size):
        mark = np.uint64(mixed(marks[variety[place]], np.uint64(step + 1)))
        marks[variety[place]] = mixed(mark, power[place])


@jit
def mark_numbers(bits: Words, marks: Words) -> None:
    """Fold the bits of a column into the marks of its rows: equal rows have equal marks."""
    for place in range(bits.size):
        marks[place] = mixed(marks[place], bits[place])


@jit
def number_parts(
    first: int, last: int, offsets: I64, t0: F64, marks: Words, part: I64, opened: I64, counts: I64
) -> None:  # fmt: skip
    """Number the distinct paths of the varieties of products [first, last) from 0, by first appearance.

    Writes `part` per variety, `counts` per product, and to `opened`, from the first variety of the product on, the
    first variety of each part.
    """
    for k in range(first, last):
        begin, end = offsets[k], offsets[k + 1]
        count = 0
        for i in range(begin, end):
            found = -1
            for place in range(count - 1, max(count - _SEARCHED, 0) - 1, -1):
                other = opened[begin + place]
                if marks[other] == marks[i] and t0[other] == t0[i]:
                    found = place
                    break
            if found < 0:
                found = count
                opened[begin + count] = i
                count += 1
            part[i] = found
        counts[k] = count


class LawParts(NamedTuple):
    """Parts of one law.

    Attributes:
        start: first part of each product (one more than products).
        part: part of each variety.
        first: first variety of each part.
        share, value, dutiable: per part, as in `LanePack`.
        key: per part, equal for equal paths, and 0 for products without trade.
    """

    start: I64
    part: I64
    first: I64
    share: F64
    value: F64
    dutiable: F64
    key: Words


@jit
def sum_parts_of(
    first: int, last: int, offsets: I64, v0: F64, t0: F64, bits: Words, landed: F64, kept: F64, marks: Words,
    opened: I64, parts: LawParts,
) -> None:  # fmt: skip
    """Sum the varieties of products [first, last) by part, whose numbers become those of the table.

    `bits` views the rates `t0`; `kept` is the share of a variety that counts in the sums, or empty.
    """
    for k in range(first, last):
        begin, start, is_traded = offsets[k], parts.start[k], landed[k] > 0.0
        inverse = 1.0 / landed[k] if is_traded else 0.0
        for p in range(start, parts.start[k + 1]):
            own = opened[begin + p - start]
            parts.first[p] = own
            # Products without trade do not respond, whatever their path.
            parts.key[p] = mixed(marks[own], bits[own]) if is_traded else np.uint64(0)
        for i in range(begin, offsets[k + 1]):
            p = parts.part[i] + start
            parts.part[i] = p
            parts.share[p] += v0[i] * (1.0 + t0[i]) * inverse
            parts.value[p] += v0[i]
            parts.dutiable[p] += v0[i] * kept[i] if kept.size else v0[i]


@jit
def number_rows(keys: Words, number: I64, first: I64) -> int:
    """Number equal keys by first appearance; write the number of each, the first place of each number; count them."""
    size, count = 1024, 0
    held = np.full(size, -1, dtype=np.int64)
    for i in range(keys.size):
        if 2 * count >= size:
            # A table that grows with the numbers stays in the nearest caches.
            size *= 4
            held = np.full(size, -1, dtype=np.int64)
            for known in range(count):
                slot = np.int64(keys[first[known]] & np.uint64(size - 1))
                while held[slot] >= 0:
                    slot = (slot + 1) & (size - 1)
                held[slot] = known
        slot = np.int64(keys[i] & np.uint64(size - 1))
        while held[slot] >= 0 and keys[first[held[slot]]] != keys[i]:
            slot = (slot + 1) & (size - 1)
        if held[slot] < 0:
            held[slot] = count
            first[count] = i
            count += 1
        number[i] = held[slot]
    return count


class LawStages(NamedTuple):
    """Stages of one law, as in `LanePack`; the terms of a change are those of its stage."""

    chunk_changes: I64
    chunk_stages: I64
    stage_product: I64
    stage_step: I64
    move_start: I64
    move_part: I64
    move_change: I64
    change_term: I64
    change_row: I64


@jit
def pack_stages(
    chunk_variety: I64, step_start: I64, variety: I32, row_start: I64, row: I32, parts: LawParts, product: I64,
    landed: F64, stages: LawStages,
) -> tuple[int, int, int]:  # fmt: skip
    """List the stages by chunk and step, with room for one of every move; count stages, moves and changes.

    Args:
        chunk_variety: first variety of each chunk (one more than chunks).
        step_start: first move of each step (one more than steps).
        variety: of each move, ascending within a step.
        row_start, row: first row of the changes of ln(1 + t) of each step, and row of each move in its step.
        parts, product, landed: the parts; product of each variety, landed cost of each product.
        stages: output.
    """
    cursor = step_start[:-1].copy()
    count, moves, changes = 0, 0, 0
    for chunk in range(chunk_variety.size - 1):
        stages.chunk_stages[chunk], stages.chunk_changes[chunk] = count, changes
        for j in range(cursor.size):
            here, of_stage, last = cursor[j], changes, -1
            while here < step_start[j + 1] and variety[here] < chunk_variety[chunk + 1]:
                i, own = variety[here], row_start[j] + row[here]
                here += 1
                k, part = product[i], parts.part[i]
                # The first variety of a part moves for all of it.
                if parts.first[part] != i or not landed[k] > 0.0:
                    continue
                if k != last:
                    stages.stage_product[count], stages.stage_step[count] = k, j
                    stages.move_start[count] = moves
                    count += 1
                    last, of_stage = k, changes
                found = of_stage
                while found < changes and stages.change_row[found] != own:
                    found += 1
                if found == changes:
                    stages.change_row[changes], stages.change_term[changes] = own, count - 1
                    changes += 1
                stages.move_part[moves], stages.move_change[moves] = part, found
                moves += 1
            cursor[j] = here
    stages.move_start[count] = moves
    stages.chunk_stages[chunk_variety.size - 1] = count
    stages.chunk_changes[chunk_variety.size - 1] = changes
    return count, moves, changes
