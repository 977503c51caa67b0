"""Find the ordinary rates of the pieces of a table of exports: parts of lines by the schedule of their destination."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariffs.engine.base.array_utils import F64, I32, I64, Bools
from tariffs.engine.law.markets import Market, OrdinaryRate
from tariffs.engine.tables.prepare import index_of

Part = tuple[Market, str]
"""Line of the schedule of a market."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """Parts of lines: place of each in the parts of all goods, its line, code and weight."""

    source: I64
    line: I64
    code: I32
    weight: F64
    codes: list[str]

    @classmethod
    def of(cls, parts: Sequence[Sequence[tuple[str, Decimal]]], goods_of_line: I64) -> Pieces:
        """Make the pieces of lines from the parts of their goods, each a code with its weight."""
        count = np.array([len(one) for one in parts], dtype=np.int64)
        start = np.concatenate([[0], np.cumsum(count)])[:-1]
        per_line = count[goods_of_line]
        line = np.repeat(np.arange(len(goods_of_line)), per_line)
        within = np.arange(len(line)) - np.repeat(np.cumsum(per_line) - per_line, per_line)
        source = start[goods_of_line[line]] + within
        codes, place = index_of(pl.Series([code for one in parts for code, _ in one], dtype=pl.String))
        weight = np.array([float(weight) for one in parts for _, weight in one])
        return cls(source, line, place[source].astype(np.int32), weight[source], codes)


@dataclass(frozen=True, slots=True)
class PieceRates:
    """Ordinary rates of pieces: `general`, and `preferred` by claim; NaN where the law data has no number.

    `is_preferred` marks the pieces that have a rate of their own under a claim; `preferred` of others is general.
    """

    known: Sequence[OrdinaryRate | None]
    pieces: Pieces
    general: F64
    preferred: dict[str, F64]
    is_preferred: dict[str, Bools]

    @classmethod
    def of(cls, parts: Sequence[Part], pieces: Pieces, stated: F64, origins: pl.Series) -> PieceRates:
        """Look up the rates of parts; one that a line states takes the place of all.

        Args:
            parts: line of the schedule of each part.
            stated: rate that each line states; NaN where it states none.
            origins: origin of each line.
        """
        known = [market.ordinary_rate(code) for market, code in parts]
        own = stated[pieces.line]
        general = _numbers([rate and rate.rate for rate in known])[pieces.source]
        general = np.where(np.isnan(own), general, own)
        preferred, marks = {}, {}
        preferences = [market.preference for market, _ in parts]
        for claim in sorted({one.claim for one in preferences if one}):
            low = _numbers([rate and rate.preferred[0] for rate in known])[pieces.source]
            mark = np.isnan(own)
            mark &= np.array(
                [
                    bool(one and one.claim == claim and rate and rate.is_reduced)
                    for one, rate in zip(preferences, known, strict=True)
                ],
                dtype=bool,
            )[pieces.source]
            for preference in {one for one in preferences if one and one.claim == claim}:
                of_preference = np.array([one == preference for one in preferences], dtype=bool)[
                    pieces.source
                ]
                members = [origin for origin in origins.unique() if preference.is_open_to(origin)]
                mark &= ~of_preference | origins.is_in(members).to_numpy()[pieces.line]
            marks[claim] = mark
            preferred[claim] = np.where(mark, low, general)
        return cls(known, pieces, general, preferred, marks)

    def lines_preferred(self, claim: str, count: int) -> Bools:
        """Mark the lines, of which there are `count`, with a piece that has a rate of its own under a claim."""
        return np.bincount(self.pieces.line, self.is_preferred[claim], count) > 0

    def unknown(self, facts: Mapping[str, NDArray[Any]]) -> list[tuple[int, str]]:
        """Lines that pay a rate without a number, in order, each with the text of the rate; empty without a text."""
        if not np.isnan(self.general).any() and not any(
            np.isnan(low).any() for low in self.preferred.values()
        ):
            return []
        left = np.ones(len(self.general))
        low = np.zeros(len(self.general), dtype=bool)
        for claim, mark in self.is_preferred.items():
            if claim in facts:
                share = np.where(mark, np.nan_to_num(facts[claim][self.pieces.line]), 0.0)
                low |= (share > 0) & np.isnan(self.preferred[claim])
                left -= share
        general = (left > 0) & np.isnan(self.general)
        first = {int(self.pieces.line[piece]): int(piece) for piece in np.flatnonzero(low | general)[::-1]}
        return [(line, self._text(first[line], general[first[line]])) for line in sorted(first)]

    def _text(self, piece: int, is_general: bool) -> str:
        rate = self.known[int(self.pieces.source[piece])]
        if rate is None:
            return ""
        return rate.text if is_general else rate.reduced_text


def _numbers(values: Sequence[Decimal | None]) -> F64:
    return np.array([np.nan if value is None else float(value) for value in values])
