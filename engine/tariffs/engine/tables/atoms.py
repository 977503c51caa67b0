"""Split the lines of a table into atoms: parts of a piece on which every share claim is either claimed or not.

Atoms depend on the lines and their shares alone, never on a law, so that every law rates the same atoms and sums have
the same bits whatever laws are computed together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tariffs.engine.base.array_utils import F64, I32, I64, Bools, factorize
from tariffs.engine.base.chunks import CHUNK_LINES, checkpoint
from tariffs.engine.base.kept import kept
from tariffs.engine.base.numbering import Numbering
from tariffs.engine.errors import LawError
from tariffs.engine.law.model import Claim
from tariffs.engine.tables.kernel import count_parts, write_parts
from tariffs.engine.tables.line_arrays import LineArrays

ATOMS, ATOM_RATES = "atoms", "atom rates"
"""Keys in the cache of lines."""
ATOMS_AT_MOST = 32
"""Most atoms of a piece; a line with more is refused."""
CLAIMS_AT_MOST = 62
"""Most claims with a share on some line of a table."""
GENERAL = -1
"""Stands for a special rate that is the general one; no rate has these bits."""
SPECIAL = 1
"""Column of `AtomRates.distinct` with the rate under the preferences claimed."""


@dataclass(frozen=True)
class Atoms:
    """Atoms of the lines of a table, ordered by line and piece.

    Attributes:
        start: index of the first atom of each line (one more than lines); refused lines have none.
        line, piece: per atom its line and piece.
        weight: per atom its part of the value of the line; the weights of a line sum to 1.
        claimed: per atom the row of `patterns`.
        patterns: distinct sets of share claims (sets x claims).
        claims: share claims, the columns of `patterns`.
        refused: lines that would split into more than 32 atoms.
    """

    start: I64
    line: I32
    piece: I32
    weight: F64
    claimed: I32
    patterns: Bools
    claims: tuple[str, ...]
    refused: I64

    def of_lines(self, lines: I32) -> I32:
        """Atoms of lines, in their order."""
        first = self.start[lines]
        counts = self.start[lines + 1] - first
        before = np.cumsum(counts) - counts
        atoms: I32 = np.repeat((first - before).astype(np.int32), counts)
        atoms += np.arange(len(atoms), dtype=np.int32)
        return atoms

    def is_claimed(self, claim: str) -> Bools:
        """Mark the atoms on which a share claim is claimed."""
        if claim not in self.claims:
            return np.zeros(len(self.line), dtype=bool)
        marked: Bools = self.patterns[:, self.claims.index(claim)][self.claimed]
        return marked


def atoms_of(claims: Mapping[str, Claim], lines: LineArrays) -> Atoms:
    """Split lines by every share that they declare or take by default; cached with the lines.

    Args:
        claims: the claims of the law, for their types and partitions.
    """
    return kept(lines.cache, ATOMS, lambda: _split(claims, lines))


def _split(claims: Mapping[str, Claim], lines: LineArrays) -> Atoms:
    partitions = _partitions(claims, lines)
    names = tuple(name for partition in partitions for name in partition)
    if len(names) > CLAIMS_AT_MOST:
        text = f"The table has shares of {len(names)} claims; {CLAIMS_AT_MOST} are supported."
        raise LawError("TOO_MANY_TESTS", text, fix="Declare fewer shares in one table.")
    ends = np.cumsum([0, *map(len, partitions)])
    scratch = np.zeros((2, ATOMS_AT_MOST)), np.zeros((2, ATOMS_AT_MOST), dtype=np.int64)
    counts = np.zeros(len(lines.piece_line), dtype=np.int32)
    for lo, hi, first_line, shares in _chunks(lines, names):
        count_parts(lo, hi, first_line, shares, ends, lines.piece_line, *scratch, counts)
    refused = np.unique(lines.piece_line[counts == 0])
    if len(refused):
        counts[np.isin(lines.piece_line, refused)] = 0
    start = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    weight, claimed = np.empty(start[-1]), np.empty(start[-1], dtype=np.int32)
    numbers: Numbering[int] = Numbering(0)
    for lo, hi, first_line, shares in _chunks(lines, names):
        bits = np.empty(start[hi] - start[lo], dtype=np.int64)
        write_parts(
            lo, hi, first_line, shares, ends, lines.piece_line, *scratch, lines.piece_weight, counts,
            weight[start[lo] : start[hi]], bits,
        )  # fmt: skip
        distinct, of_part = factorize(bits)
        of_bits = np.array([numbers.of(one) for one in distinct.tolist()], dtype=np.int32)
        claimed[start[lo] : start[hi]] = of_bits[of_part]
    sets, of_number = factorize(np.array(numbers.values, dtype=np.int64))
    patterns = sets[:, None] >> np.arange(len(names)) & 1
    return Atoms(
        start[lines.piece_starts],
        np.repeat(lines.piece_line.astype(np.int32), counts),
        np.repeat(np.arange(len(counts), dtype=np.int32), counts),
        weight,
        of_number.astype(np.int32)[claimed],
        patterns.astype(bool),
        names,
        refused,
    )


def _chunks(lines: LineArrays, names: Sequence[str]) -> Iterator[tuple[int, int, int, F64]]:
    """Yield ranges of pieces, each with its first line and the shares of its lines (claims x lines)."""
    starts = lines.piece_starts
    for first in range(0, lines.count, CHUNK_LINES):
        checkpoint()
        last = min(first + CHUNK_LINES, lines.count)
        shares = np.zeros((len(names), last - first))
        for row, name in enumerate(names):
            shares[row] = np.nan_to_num(lines.facts[name][first:last])
        yield int(starts[first]), int(starts[last]), first, shares


def _partitions(claims: Mapping[str, Claim], lines: LineArrays) -> list[list[str]]:
    """Group the share claims that some line has by partition; shares of a partition sum to at most 1."""
    partitions: dict[str, list[str]] = {}
    for claim in claims.values():
        if claim.type == "share" and claim.id in lines.facts and (lines.facts[claim.id] > 0).any():
            partitions.setdefault(claim.partition or claim.id, []).append(claim.id)
    return list(partitions.values())


@dataclass(frozen=True)
class AtomRates:
    """Ordinary rates of atoms: `of_atom` is a row of `distinct`, which has general, special, other and 0 (rows x 4)."""

    of_atom: I32
    distinct: F64


def ordinary_rates_of(lines: LineArrays, atoms: Atoms) -> AtomRates:
    """Find the ordinary rates of atoms; the special one is that of the preference claimed. Cached with the lines."""
    return kept(lines.cache, ATOM_RATES, lambda: _atom_rates(lines, atoms))


def _atom_rates(lines: LineArrays, atoms: Atoms) -> AtomRates:
    # Equal numbers have equal bits here: rates are not negative. Pieces are fewer than atoms.
    (general, of_general), (other, of_other) = (
        factorize(_bits(rates)) for rates in (lines.general, lines.other)
    )
    pairs, pair = factorize(of_general * len(other) + of_other)
    special = np.full(len(atoms.piece), GENERAL, dtype=np.int64)
    for claim, rates in lines.special.items():
        at = np.flatnonzero(atoms.is_claimed(claim))
        piece = atoms.piece[at]
        # A table of several destinations has rates under claims that are no preference of some of them.
        is_general = _bits(rates[piece]) == _bits(lines.general[piece])
        special[at] = np.where(is_general, special[at], _bits(rates[piece]))
    values, of_special = factorize(special)
    rows, row = factorize(pair[atoms.piece] * len(values) + of_special)
    distinct = np.zeros((len(rows), 4))
    of_row = pairs[rows // len(values)]
    distinct[:, 0] = general[of_row // len(other)].view(np.float64)
    distinct[:, 2] = other[of_row % len(other)].view(np.float64)
    bits = values[rows % len(values)]
    distinct[:, 1] = np.where(bits == GENERAL, distinct[:, 0], bits.view(np.float64))
    order = np.lexsort(distinct.T[::-1])
    number = np.zeros(len(rows), dtype=np.int32)
    number[order] = np.arange(len(rows))
    return AtomRates(number[row], distinct[order])


def _bits(rates: F64) -> I64:
    return np.ascontiguousarray(rates).view(np.int64)
