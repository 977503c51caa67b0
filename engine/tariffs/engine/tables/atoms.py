"""Split the lines of a table into atoms: parts of a piece on which every share claim is either claimed or not.

Atoms depend on the lines and their shares alone, never on a law, so that every law rates the same atoms and sums have
the same bits whatever laws are computed together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tariffs.engine.base.array_utils import F64, I32, I64, Bools, factorize
from tariffs.engine.base.chunks import checkpoint
from tariffs.engine.law.model import Claim
from tariffs.engine.tables.line_arrays import LineArrays

ATOMS_AT_MOST = 32
"""Most atoms of a piece; a line with more is refused."""
_NOTHING = 1e-12
GENERAL = -1
"""Stands for a special rate that is the general one; no rate has these bits."""


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

    def of_lines(self, lines: I32 | I64) -> I64:
        """Atoms of lines, in their order."""
        first = self.start[lines]
        counts = self.start[lines + 1] - first
        before = np.cumsum(counts) - counts
        atoms: I64 = np.repeat(first - before, counts)
        atoms += np.arange(len(atoms))
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
        lines: the lines.
    """
    if "atoms" not in lines.cache:
        lines.cache["atoms"] = _split(claims, lines)
    atoms: Atoms = lines.cache["atoms"]
    return atoms


@dataclass(slots=True)
class _Parts:
    """Parts of pieces: per part its piece, its part of the line and its pattern, one of `patterns`.

    A pattern is a set of share claims, with the place among the parts of a piece of the part that claims them.
    """

    piece: I64
    weight: F64
    pattern: I64
    patterns: list[tuple[frozenset[str], tuple[int, ...]]]

    def where(self, keep: Bools) -> _Parts:
        return _Parts(self.piece[keep], self.weight[keep], self.pattern[keep], self.patterns)


def _split(claims: Mapping[str, Claim], lines: LineArrays) -> Atoms:
    partitions = _partitions(claims, lines)
    names = tuple(name for partition in partitions for name in partition)
    count = len(lines.piece_line)
    whole: list[tuple[frozenset[str], tuple[int, ...]]] = [(frozenset(), ())]
    parts = _Parts(np.arange(count), lines.piece_weight, np.zeros(count, dtype=np.int64), whole)
    refused = np.zeros(0, dtype=np.int64)
    for partition in partitions:
        checkpoint()
        parts = _split_by(lines, parts, partition)
        too_many = np.bincount(parts.piece, minlength=count) > ATOMS_AT_MOST
        if too_many.any():
            refused = np.union1d(refused, lines.piece_line[too_many])
            parts = parts.where(~np.isin(lines.piece_line[parts.piece], refused))
    order = _by_piece(parts)
    line = lines.piece_line[parts.piece[order]]
    start = np.zeros(lines.count + 1, dtype=np.int64)
    np.cumsum(np.bincount(line, minlength=lines.count), out=start[1:])
    patterns = np.array([[name in claimed for name in names] for claimed, _ in parts.patterns], dtype=bool)
    return Atoms(
        start,
        line.astype(np.int32),
        parts.piece[order].astype(np.int32),
        parts.weight[order],
        parts.pattern[order].astype(np.int32),
        patterns.reshape(len(parts.patterns), len(names)),
        names,
        refused,
    )


def _partitions(claims: Mapping[str, Claim], lines: LineArrays) -> list[list[str]]:
    """Group the share claims that some line has by partition; shares of a partition sum to at most 1."""
    partitions: dict[str, list[str]] = {}
    for claim in claims.values():
        if claim.type == "share" and claim.id in lines.facts and (lines.facts[claim.id] > 0).any():
            partitions.setdefault(claim.partition or claim.id, []).append(claim.id)
    return list(partitions.values())


def _split_by(lines: LineArrays, parts: _Parts, names: Sequence[str]) -> _Parts:
    """Split parts by the shares of one partition; a part without any of them stays whole."""
    shares = [np.nan_to_num(lines.facts[name]) for name in names]
    line = lines.piece_line[parts.piece]
    at = np.flatnonzero(np.logical_or.reduce([share > 0.0 for share in shares])[line])
    line, piece, weight, pattern = line[at], parts.piece[at], parts.weight[at], parts.pattern[at]
    rest = np.ones(len(at))
    split: list[tuple[I64, F64, I64]] = []
    patterns = [(claimed, (len(names), *place)) for claimed, place in parts.patterns]
    for number, (name, of_line) in enumerate(zip(names, shares, strict=True)):
        share = of_line[line]
        yes = share > 0.0
        split.append((piece[yes], weight[yes] * share[yes], pattern[yes] + len(patterns)))
        patterns += [(claimed | {name}, (number, *place)) for claimed, place in parts.patterns]
        rest -= share
    remaining = parts.weight.copy()
    remaining[at] = weight * rest
    stays = np.ones(len(remaining), dtype=bool)
    stays[at] = rest > _NOTHING
    split.append((parts.piece[stays], remaining[stays], parts.pattern[stays]))
    pieces, weights, numbers = zip(*split, strict=True)
    used, of_part = factorize(np.concatenate(numbers))
    return _Parts(
        np.concatenate(pieces), np.concatenate(weights), of_part, [patterns[index] for index in used]
    )


def _by_piece(parts: _Parts) -> I64:
    """Order of the parts by piece, and within a piece by the place of their patterns."""
    places = [place for _, place in parts.patterns]
    rank = np.zeros(len(places), dtype=np.int64)
    rank[sorted(range(len(places)), key=places.__getitem__)] = np.arange(len(places))
    order: I64 = np.argsort(parts.piece * len(places) + rank[parts.pattern])
    return order


@dataclass(frozen=True)
class AtomRates:
    """Ordinary rates of atoms: `of_atom` is a row of `distinct`, which has general, special, other and 0 (rows x 4)."""

    of_atom: I32
    distinct: F64


def ordinary_rates_of(lines: LineArrays, atoms: Atoms) -> AtomRates:
    """Find the ordinary rates of atoms; the special one is that of the preference claimed. Cached with the lines."""
    if "atom rates" not in lines.cache:
        lines.cache["atom rates"] = _atom_rates(lines, atoms)
    found: AtomRates = lines.cache["atom rates"]
    return found


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
        special[at] = np.where(rates[piece] == lines.general[piece], GENERAL, _bits(rates[piece]))
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
