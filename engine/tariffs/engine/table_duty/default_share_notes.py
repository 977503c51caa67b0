"""Report the value of the lines whose duty depends on default shares of undeclared facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tariffs.engine.base.array_utils import F64, I32, I64, Bools, factorize, sums_of
from tariffs.engine.base.kept import kept
from tariffs.engine.law.law import Law
from tariffs.engine.law.notes import Note
from tariffs.engine.rating.claims_read import classes_reading
from tariffs.engine.rating.families import Family
from tariffs.engine.table_duty.rated_lines import RatedLines
from tariffs.engine.tables.default_shares import variant_of
from tariffs.engine.tables.line_arrays import LineArrays
from tariffs.engine.tables.selected_lines import SelectedLines


@dataclass(frozen=True)
class DefaultShares:
    """Customs value in dollars of lines on which a measure or rule reads a default share above 0.

    `by_claim` has the value of each claim with such lines; `total` that of lines with any.
    """

    by_claim: dict[str, float]
    total: float

    @classmethod
    def of(cls, lines: LineArrays, rated: Sequence[RatedLines]) -> DefaultShares:
        """Sum over the instants of a table."""
        claims = list(lines.sourced)
        by_claim, total = np.zeros(len(claims)), 0.0
        for one in rated:
            goods = _goods_of(one.family, one.selected, claims)
            reads = classes_reading(one.family, one.in_force, claims)
            read = reads[goods.klass] & goods.sourced
            by_claim += goods.value @ read
            total += float(goods.value[read.any(axis=1)].sum())
            for line in goods.split:
                read_line = reads[line.classes].any(axis=0) & line.sourced
                by_claim += line.value * read_line
                total += line.value * bool(read_line.any())
        values = {claim: float(value) for claim, value in zip(claims, by_claim, strict=True) if value > 0}
        return cls(values, total)


@dataclass(frozen=True, slots=True)
class _SplitLine:
    """Line of several pieces: the classes of its pieces, the claims with a default share above 0, its value."""

    classes: I32
    sourced: Bools
    value: float


@dataclass(frozen=True)
class _ClassValues:
    """Value of lines with one piece by class and by the claims with a default share above 0; other lines one by one."""

    klass: I64
    sourced: Bools
    value: F64
    split: Sequence[_SplitLine]


def _goods_of(family: Family, selected: SelectedLines, claims: Sequence[str]) -> _ClassValues:
    """Sum the value of selected lines by class and claims; kept with the family for a whole table."""
    if not selected.is_all:
        return _sum_goods(family, selected, claims)
    return kept(family.cache, "default shares", lambda: _sum_goods(family, selected, claims))


def _pattern_of_lines(lines: LineArrays, claims: Sequence[str]) -> I64:
    """Bits of the claims of each line whose default share is above 0; kept with the lines."""
    if "default shares" not in lines.cache:
        pattern = np.zeros(lines.count, dtype=np.min_scalar_type((1 << len(claims)) - 1))
        for place, claim in enumerate(claims):
            undeclared = lines.sourced[claim]
            above = lines.fact(claim) > 0
            pattern[above if undeclared is None else above & undeclared] |= 1 << place
        lines.cache["default shares"] = pattern
    kept: I64 = lines.cache["default shares"]
    return kept


def _sum_goods(family: Family, selected: SelectedLines, claims: Sequence[str]) -> _ClassValues:
    lines = selected.lines
    pattern = _pattern_of_lines(lines, claims)
    starts = lines.piece_starts
    klass = family.combinations.class_of_piece
    pieces = starts[selected.index + 1] - starts[selected.index]
    whole = selected.index[pieces == 1]
    patterns, index = factorize(pattern[whole].astype(np.int64))
    width = max(1, len(patterns))
    keys, of_line = factorize(klass[starts[whole]].astype(np.int64) * width + index)
    bits = np.arange(len(claims))
    split = [
        _SplitLine(
            klass[starts[line] : starts[line + 1]],
            (int(pattern[line]) >> bits & 1).astype(bool),
            float(lines.value[line]),
        )
        for line in selected.index[pieces > 1]
    ]
    sourced = (patterns[keys % width][:, None] >> bits & 1).astype(bool)
    return _ClassValues(keys // width, sourced, sums_of(of_line, lines.value[whole], len(keys)), split)


def default_share_note(law: Law, shares: DefaultShares) -> list[Note]:
    """Report the value of lines with default shares, in total and by claim; nothing if there is none."""
    listed = [
        f"{claim} on {value:,.0f} USD ({_source(law, claim)})" for claim, value in shares.by_claim.items()
    ]
    if not listed:
        return []
    return [
        Note(
            "SHARE_SOURCED",
            f"Lines worth {shares.total:,.0f} USD do not declare facts that decide their duty; default shares were "
            f"used: {'; '.join(listed)}.",
        )
    ]


def _source(law: Law, claim: str) -> str:
    reference = law.references[law.claims[claim].reference]
    basis = f"{reference.name}: {variant_of(law, reference)}"
    return f"{reference.text}; {basis}" if reference.text else basis
