"""Compile the law in force for the lines of a table into atoms and profiles, once per profile.

A *profile* is the result of stacking for one combination of rows and facts: layers with a rate and a weight per part
of the value. An *atom* is a part of a line with yes-or-no facts and a weight, and has one profile. Products and origins
are grouped into classes by the rows that reach them, facts are bits, and a profile is a class and bits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tariffs.engine.base.array_utils import F64, I32, I64, Bools, factorize
from tariffs.engine.base.chunks import checkpoint
from tariffs.engine.law.law import InForce, Law
from tariffs.engine.law.model import Scope
from tariffs.engine.rating.classes import Classes, FactBits, row_list
from tariffs.engine.rating.facts import ATOMS_AT_MOST
from tariffs.engine.rating.profiles import Profiles, build_profiles, no_profiles
from tariffs.engine.tables.line_arrays import LineArrays
from tariffs.engine.tables.scope_masks import origin_mask, product_mask


@dataclass(frozen=True)
class Compiled:
    """Atoms of the selected lines and their profiles.

    `atom_start` counts over all lines (lines not selected, or refused, have no atoms); `refused` are lines that would
    split into more than 32 atoms. `read` has, by claim with a default share, the lines on which a row or rule reads it.
    """

    atom_start: I64
    atom_profile: I32
    atom_weight: F64
    atom_ordinary: F64
    profiles: Profiles
    refused: I64
    read: Mapping[str, Bools] = field(default_factory=dict)

    def prohibited(self) -> tuple[I64, I32, F64]:
        """Line, prohibiting measure and weight of each atom that may not be imported."""
        measure = self.profiles.prohibited[self.atom_profile]
        atoms = np.flatnonzero(measure >= 0)
        line = np.searchsorted(self.atom_start, atoms, side="right") - 1
        return line, measure[atoms], self.atom_weight[atoms]


def compile_lines(law: Law, in_force: InForce, lines: LineArrays, select: Bools | None = None) -> Compiled:
    """Compile lines for one instant.

    Args:
        law: the law `in_force` came from.
        in_force: the law in force at the instant of the lines.
        lines: the lines.
        select: the lines to compile; all if None.
    """
    rows = row_list(in_force)
    if not rows:
        return _nothing(lines)
    scopes = [row.scope for _, row in rows]
    product_class, product_fits = _product_classes(scopes, lines, in_force)
    origin_class, origin_fits = _origin_classes(scopes, lines, in_force)
    pieces = np.arange(len(lines.piece_code)) if select is None else np.flatnonzero(select[lines.piece_line])
    width = len(origin_fits)
    pair = (
        product_class[lines.piece_code[pieces]] * width + origin_class[lines.origin[lines.piece_line[pieces]]]
    )
    pairs, pair_of = factorize(pair)
    checkpoint()
    fits = product_fits[pairs // width] & origin_fits[pairs % width]
    packed = np.packbits(fits, axis=1)
    distinct, class_of_pair = np.unique(packed, axis=0, return_inverse=True)
    first = np.zeros(len(distinct), dtype=np.int64)
    first[class_of_pair[::-1]] = np.arange(len(pairs))[::-1]
    checkpoint()
    classes = Classes(in_force, rows, fits[first])
    facts = FactBits(law, classes, lines)
    piece_class = class_of_pair[pair_of]
    atoms = _split(lines, facts, pieces, piece_class)
    compiled = _assemble(lines, facts, classes, atoms)
    return replace(compiled, read=_reading(lines, facts, pieces, piece_class))


def _reading(lines: LineArrays, facts: FactBits, pieces: I64, piece_class: I64) -> dict[str, Bools]:
    masks = {}
    for claim in lines.sourced:
        classes = facts.reads & facts.reading(claim) != 0
        read = np.zeros(lines.count, dtype=bool)
        read[lines.piece_line[pieces[classes[piece_class]]]] = True
        masks[claim] = read
    return masks


def _nothing(lines: LineArrays) -> Compiled:
    none = np.zeros(0)
    profiles = no_profiles()
    return Compiled(
        np.zeros(lines.count + 1, dtype=np.int64),
        none.astype(np.int32),
        none,
        none,
        profiles,
        none.astype(np.int64),
    )


# -- classes of products and origins ---------------------------------------------------------------------------


def _classes(masks: Sequence[Bools], column_of: I64) -> tuple[I64, Bools]:
    """Classify products (or origins) by the rows that reach them: the class of each, and per class its rows.

    Args:
        masks: distinct masks over products.
        column_of: index of the mask of each row.
    """
    bits = np.column_stack(masks)
    distinct, inverse = np.unique(np.packbits(bits, axis=1), axis=0, return_inverse=True)
    first = np.zeros(len(distinct), dtype=np.int64)
    first[inverse[::-1]] = np.arange(len(bits))[::-1]
    return inverse.astype(np.int64), bits[first][:, column_of]


def _distinct(keys: Sequence[object]) -> tuple[list[int], I64]:
    """Index of the first use of each distinct key, and for each key its index among the distinct ones."""
    place: dict[object, int] = {}
    first: list[int] = []
    for index, key in enumerate(keys):
        if key not in place:
            place[key] = len(first)
            first.append(index)
    return first, np.array([place[key] for key in keys], dtype=np.int64)


def _product_classes(scopes: Sequence[Scope], lines: LineArrays, in_force: InForce) -> tuple[I64, Bools]:
    first, column_of = _distinct([(scope.products, scope.not_products) for scope in scopes])
    return _classes([product_mask(scopes[i], lines, in_force) for i in first], column_of)


def _origin_classes(scopes: Sequence[Scope], lines: LineArrays, in_force: InForce) -> tuple[I64, Bools]:
    first, column_of = _distinct([(scope.origins, scope.not_origins) for scope in scopes])
    return _classes([origin_mask(scopes[i], lines, in_force) for i in first], column_of)


# -- atoms -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Atoms:
    piece: I64
    klass: I64
    weight: F64
    bits: I64


def _split(lines: LineArrays, facts: FactBits, pieces: I64, piece_class: I64) -> _Atoms:
    """Split pieces by every share claim that their class reads, one partition at a time, each combination weighted."""
    line = lines.piece_line[pieces]
    bits = facts.bits_of(line, piece_class)
    atoms = _Atoms(pieces, piece_class, lines.piece_weight[pieces], bits)
    for claims in facts.partitions:
        checkpoint()
        atoms = _split_by(lines, facts, atoms, claims)
    return atoms


def _split_by(lines: LineArrays, facts: FactBits, atoms: _Atoms, claims: Sequence[str]) -> _Atoms:
    line = lines.piece_line[atoms.piece]
    rest = np.ones(len(line))
    parts: list[tuple[Bools, F64, int]] = []
    for claim in claims:
        bit = facts.share_bits[claim]
        share = np.where(facts.reads[atoms.klass] & bit != 0, np.nan_to_num(facts.shares[claim][line]), 0.0)
        parts.append((share > 0.0, share, bit))
        rest -= share
    parts.append((rest > 1e-12, rest, 0))
    return _Atoms(
        np.concatenate([atoms.piece[yes] for yes, _, _ in parts]),
        np.concatenate([atoms.klass[yes] for yes, _, _ in parts]),
        np.concatenate([atoms.weight[yes] * share[yes] for yes, share, _ in parts]),
        np.concatenate([atoms.bits[yes] | bit for yes, _, bit in parts]),
    )


def _assemble(lines: LineArrays, facts: FactBits, classes: Classes, atoms: _Atoms) -> Compiled:
    refused = _too_many(lines, atoms)
    if len(refused):
        keep = ~np.isin(lines.piece_line[atoms.piece], refused)
        atoms = _Atoms(atoms.piece[keep], atoms.klass[keep], atoms.weight[keep], atoms.bits[keep])
    order = np.argsort(atoms.piece, kind="stable")
    piece, klass, weight, bits = (
        atoms.piece[order],
        atoms.klass[order],
        atoms.weight[order],
        atoms.bits[order],
    )
    bit_values, bit_of = factorize(bits)
    keys, profile_of = factorize(klass * len(bit_values) + bit_of)
    combos = [(int(key // len(bit_values)), int(bit_values[key % len(bit_values)])) for key in keys]
    profiles = build_profiles(classes, facts, combos)
    start = np.zeros(lines.count + 1, dtype=np.int64)
    np.cumsum(np.bincount(lines.piece_line[piece], minlength=lines.count), out=start[1:])
    return Compiled(
        start,
        profile_of.astype(np.int32),
        weight,
        _ordinary(lines, facts, profiles, piece, profile_of, bits),
        profiles,
        refused,
    )


def _too_many(lines: LineArrays, atoms: _Atoms) -> I64:
    per_piece = np.bincount(atoms.piece, minlength=len(lines.piece_line))
    return np.unique(lines.piece_line[np.flatnonzero(per_piece > ATOMS_AT_MOST)])


def _ordinary(
    lines: LineArrays, facts: FactBits, profiles: Profiles, piece: I64, profile: I64, bits: I64
) -> F64:
    """Ordinary rate of each atom: of the column of its profile, or of the preference it claims."""
    column = profiles.column[profile]
    rate = np.where(column == profiles.OTHER, lines.other[piece], lines.general[piece])
    rate = np.where(column == profiles.NONE, 0.0, rate)
    for claim, special in lines.special.items():
        if claim in facts.share_bits:
            claimed = (column == profiles.SPECIAL) & (bits & facts.share_bits[claim] != 0)
            rate = np.where(claimed, special[piece], rate)
    return rate
