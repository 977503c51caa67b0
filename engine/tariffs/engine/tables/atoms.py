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
    piece: I64
    weight: F64
    pattern: I64
    patterns: list[frozenset[str]]

    def where(self, keep: Bools) -> _Parts:
        return _Parts(self.piece[keep], self.weight[keep], self.pattern[keep], self.patterns)


def _split(claims: Mapping[str, Claim], lines: LineArrays) -> Atoms:
    partitions = _partitions(claims, lines)
    names = tuple(name for partition in partitions for name in partition)
    count = len(lines.piece_line)
    parts = _Parts(np.arange(count), lines.piece_weight, np.zeros(count, dtype=np.int64), [frozenset()])
    refused = np.zeros(0, dtype=np.int64)
    for partition in partitions:
        checkpoint()
        parts = _split_by(lines, parts, partition)
        too_many = np.bincount(parts.piece, minlength=count) > ATOMS_AT_MOST
        if too_many.any():
            refused = np.union1d(refused, lines.piece_line[too_many])
            parts = parts.where(~np.isin(lines.piece_line[parts.piece], refused))
    order = np.argsort(parts.piece, kind="stable")
    line = lines.piece_line[parts.piece[order]]
    start = np.zeros(lines.count + 1, dtype=np.int64)
    np.cumsum(np.bincount(line, minlength=lines.count), out=start[1:])
    patterns = np.array([[name in pattern for name in names] for pattern in parts.patterns], dtype=bool)
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
    line = lines.piece_line[parts.piece]
    rest = np.ones(len(line))
    split: list[tuple[Bools, F64, I64]] = []
    grown = list(parts.patterns)
    for name in names:
        share = np.nan_to_num(lines.facts[name][line])
        split.append((share > 0.0, share, parts.pattern + len(grown)))
        grown += [pattern | {name} for pattern in parts.patterns]
        rest -= share
    split.append((rest > _NOTHING, rest, parts.pattern))
    used, pattern = factorize(np.concatenate([pattern[yes] for yes, _, pattern in split]))
    return _Parts(
        np.concatenate([parts.piece[yes] for yes, _, _ in split]),
        np.concatenate([parts.weight[yes] * share[yes] for yes, share, _ in split]),
        pattern,
        [grown[index] for index in used],
    )


@dataclass(frozen=True)
class AtomRates:
    """Ordinary rates of atoms: `of_atom` is a row of `distinct`, which has general, special, other and 0 (rows x 4)."""

    of_atom: I32
    distinct: F64


def ordinary_rates_of(lines: LineArrays, atoms: Atoms) -> AtomRates:
    """Find the ordinary rates of atoms; the special one is that of the preference claimed. Cached with the lines."""
    if "atom rates" not in lines.cache:
        general, other = lines.general[atoms.piece], lines.other[atoms.piece]
        special = general.copy()
        for claim, rates in lines.special.items():
            special = np.where(atoms.is_claimed(claim), rates[atoms.piece], special)
        lines.cache["atom rates"] = _distinct_rates((general, special, other))
    found: AtomRates = lines.cache["atom rates"]
    return found


def _distinct_rates(columns: Sequence[F64]) -> AtomRates:
    row = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        # Equal numbers have equal bits here: rates are not negative.
        values, index = factorize(np.ascontiguousarray(column).view(np.int64))
        _, row = factorize(row * len(values) + index)
    count = int(row.max()) + 1 if len(row) else 0
    distinct = np.zeros((count, len(columns) + 1))
    for place, column in enumerate(columns):
        distinct[row, place] = column
    return AtomRates(row.astype(np.int32), distinct)
