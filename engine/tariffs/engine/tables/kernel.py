"""Split pieces of lines by their shares, serially and without the GIL."""

from __future__ import annotations

from tariffs.engine.base.array_utils import F64, I32, I64
from tariffs.engine.base.compiled_kernels import jit

NOTHING = 1e-12
"""Share below which no part remains."""


@jit
def split_piece(
    shares: F64, line: int, partition_start: I64, weight: float, most: int, weights: F64, claimed: I64
) -> int:
    """Split a piece by the shares of each partition in turn, and return the number of parts, 0 for more than `most`.

    Args:
        shares: share of each claim on each line (claims x lines), claims in the order of their partitions.
        line: line of the piece.
        partition_start: index of the first claim of each partition (one more than partitions).
        weight: part of the line that the piece is.
        most: most parts.
        weights, claimed: output, per part its part of the line, and a bit per claim; the second row is scratch
            (2 x most).
    """
    weights[0, 0] = weight
    claimed[0, 0] = 0
    count = 1
    for partition in range(len(partition_start) - 1):
        first = partition_start[partition]
        last = partition_start[partition + 1]
        rest = 1.0
        parts = 0
        for claim in range(first, last):
            rest -= shares[claim, line]
            parts += shares[claim, line] > 0.0
        if parts == 0:
            continue
        parts += rest > NOTHING
        if count * parts > most:
            return 0
        for part in range(count):
            weights[1, part] = weights[0, part]
            claimed[1, part] = claimed[0, part]
        at = 0
        for claim in range(first, last):
            share = shares[claim, line]
            if share > 0.0:
                for part in range(count):
                    weights[0, at] = weights[1, part] * share
                    claimed[0, at] = claimed[1, part] | (1 << claim)
                    at += 1
        if rest > NOTHING:
            for part in range(count):
                weights[0, at] = weights[1, part] * rest
                claimed[0, at] = claimed[1, part]
                at += 1
        count = at
    return count


@jit
def count_parts(
    lo: int,
    hi: int,
    first_line: int,
    shares: F64,
    partition_start: I64,
    piece_line: I64,
    weights: F64,
    claimed: I64,
    count: I32,
) -> None:
    """Count the parts of pieces[lo:hi], 0 for more than a row of `weights` holds.

    Args:
        lo, hi: range of pieces.
        first_line: line of the first column of `shares`.
        shares, partition_start: as in `split_piece`.
        piece_line: line of each piece.
        weights, claimed: scratch, as in `split_piece`.
        count: output, per piece.
    """
    for piece in range(lo, hi):
        line = piece_line[piece] - first_line
        count[piece] = split_piece(shares, line, partition_start, 1.0, weights.shape[1], weights, claimed)


@jit
def write_parts(
    lo: int,
    hi: int,
    first_line: int,
    shares: F64,
    partition_start: I64,
    piece_line: I64,
    weights: F64,
    claimed: I64,
    piece_weight: F64,
    count: I32,
    out_weight: F64,
    out_claimed: I64,
) -> None:
    """Write the parts of pieces[lo:hi] that have a count, one after the other.

    Args:
        lo, hi, first_line, shares, partition_start, piece_line, weights, claimed: as in `count_parts`.
        piece_weight: part of its line that each piece is.
        count: number of parts of each piece; 0 for those to leave out.
        out_weight, out_claimed: output, per part its part of the line, and a bit per claim.
    """
    at = 0
    for piece in range(lo, hi):
        if count[piece] == 0:
            continue
        line = piece_line[piece] - first_line
        split_piece(shares, line, partition_start, piece_weight[piece], weights.shape[1], weights, claimed)
        for part in range(count[piece]):
            out_weight[at] = weights[0, part]
            out_claimed[at] = claimed[0, part]
            at += 1
