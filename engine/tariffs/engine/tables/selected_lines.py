"""Lines of one entry instant: which of them a scope reaches, and their value."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np

from tariffs.engine.base.array_utils import I32, I64, Bools
from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.law.law import InForce
from tariffs.engine.law.model import Scope
from tariffs.engine.tables.line_arrays import LineArrays
from tariffs.engine.tables.scope_masks import origin_mask, product_mask

_SCOPES_KEPT = 4096


@dataclass(frozen=True)
class SelectedLines:
    """Lines of a table that enter at one instant (k of n).

    `index` has their places in the table, ascending. Values of scopes are kept with the selection.
    """

    lines: LineArrays
    index: I32
    _piece: I32 | slice
    _values: BoundedCache[Hashable, float | None] = field(default_factory=lambda: BoundedCache(_SCOPES_KEPT))

    @classmethod
    def all(cls, lines: LineArrays) -> SelectedLines:
        """Select every line; its places and values are kept with the lines."""
        # Not the selection itself: it refers to the lines, which would stay in memory until the collector ran.
        if "all lines" not in lines.cache:
            index = np.arange(lines.count, dtype=np.int32)
            lines.cache["all lines"] = (index, slice(None), BoundedCache(_SCOPES_KEPT))
        return cls(lines, *lines.cache["all lines"])

    @classmethod
    def split(cls, lines: LineArrays, of_line: I32, count: int) -> list[SelectedLines]:
        """Split lines by instant: `of_line` is the instant of each line, one of `count`."""
        by_instant, starts = _sorted(of_line, count)
        pieces, piece_starts = _sorted(of_line[lines.piece_line], count)
        return [
            cls(
                lines,
                by_instant[starts[place] : starts[place + 1]],
                pieces[piece_starts[place] : piece_starts[place + 1]],
            )
            for place in range(count)
        ]

    @property
    def is_all(self) -> bool:
        """True if every line of the table is selected."""
        return len(self.index) == self.lines.count

    @property
    def marks(self) -> Bools:
        """Mark the selected lines of the table (n)."""
        marks = np.zeros(self.lines.count, dtype=bool)
        marks[self.index] = True
        return marks

    def within(self, scope: Scope, in_force: InForce) -> I64:
        """Lines within a scope, ascending."""
        line = self._lines_of_pieces(scope, in_force)
        is_first: Bools = np.diff(line, prepend=-1) != 0
        return line[is_first]

    def _lines_of_pieces(self, scope: Scope, in_force: InForce) -> I64:
        """Lines of the selected pieces within a scope, ascending; a line is there once for each piece."""
        lines, piece = self.lines, self._piece
        within = product_mask(scope, lines, in_force)[lines.piece_code[piece]]
        within &= origin_mask(scope, lines, in_force)[lines.piece_origin[piece]]
        return lines.piece_line[piece][within]

    def value(self, scope: Scope, in_force: InForce) -> float | None:
        """Customs value in dollars of the lines within a scope; None if there is no such line."""
        products = product_mask(scope, self.lines, in_force)
        key = (products.tobytes(), origin_mask(scope, self.lines, in_force).tobytes())
        if key not in self._values:
            line = self._lines_of_pieces(scope, in_force)
            first = np.ones(len(line), dtype=bool)
            first[1:] = line[1:] != line[:-1]
            self._values.keep(key, float(self.lines.value[line[first]].sum()) if len(line) else None)
        return self._values.find(key)

    def silent_value(self, scopes: Sequence[tuple[Scope, frozenset[str]]], in_force: InForce) -> float:
        """Customs value in dollars of the lines within a scope that do not declare all its claims above 0."""
        masks = [
            (product_mask(scope, self.lines, in_force), origin_mask(scope, self.lines, in_force), claims)
            for scope, claims in scopes
        ]
        key = frozenset(
            (products.tobytes(), origins.tobytes(), claims) for products, origins, claims in masks
        )
        if key not in self._values:
            reached = []
            for scope, claims in scopes:
                line = self._lines_of_pieces(scope, in_force)
                silent = np.logical_or.reduce([~(self.lines.fact(claim, line) > 0) for claim in claims])
                reached.append(line[silent])
            self._values.keep(key, float(self.lines.value[np.unique(np.concatenate(reached))].sum()))
        return self._values.find(key) or 0.0


def _sorted(of_row: I32, count: int) -> tuple[I32, I64]:
    """Rows in the order of their instant, and where the rows of each instant begin."""
    # Numpy sorts numbers of 16 bits by counting.
    short = of_row.astype(np.int16) if count <= np.iinfo(np.int16).max else of_row
    order = np.argsort(short, kind="stable").astype(np.int32)
    return order, np.concatenate([[0], np.cumsum(np.bincount(of_row, minlength=count))])
