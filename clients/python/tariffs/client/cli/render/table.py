"""Build text tables and the console that prints them."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import polars as pl
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

from tariffs.client.results.amounts import NONE

_WIDTH_WITHOUT_TERMINAL = 160
_NARROWEST = 40
_PADDING = 2
_UNBOUNDED = 10_000
Cell = str | Text


class _TerminalOutput(Console):
    def on_broken_pipe(self) -> None:
        # Rich would exit with 1, which here means refused rows.
        raise BrokenPipeError


class _FittedTable(Table):
    """Table that is printed in several blocks where its numbers do not fit into the width; no number is cut."""

    units: Text | None = None
    """Line above the table, which may be wider; a title would be broken at the width of the table."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self.units is not None:
            yield self.units
        is_number = [one.justify == "right" for one in self.columns]
        sizes = [_size(column, console, options) for column in self.columns]
        widths = [size.minimum + _PADDING for size in sizes]
        if not any(is_number) or sum(widths) <= options.max_width:
            yield from super().__rich_console__(console, options)
            return
        # Rows are named by the columns up to the last of words before a number; a row number may come before it.
        first = next((n for n, one in enumerate(is_number) if one and not all(is_number[:n])), 0)
        room, start = options.max_width - sum(widths[:first]), first
        while start < len(widths):
            stop = start + 1
            while stop < len(widths) and sum(widths[start : stop + 1]) <= room:
                stop += 1
            places, start = [*range(first), *range(start, stop)], stop
            spare, given = options.max_width - sum(widths[place] for place in places), {}
            for place in sorted(places, key=is_number.__getitem__):
                more = min(sizes[place].maximum - sizes[place].minimum, max(spare, 0))
                spare, given[place] = spare - more, sizes[place].minimum + more
            yield from self._part(places, given).__rich_console__(console, options)

    def _part(self, places: Sequence[int], widths: Mapping[int, int]) -> Table:
        """Make a table of some columns, each of its own width, and all rows."""
        part = Table(box=None, pad_edge=False)
        part.columns = [
            replace(self.columns[place], _index=index, width=widths[place])
            for index, place in enumerate(places)
        ]
        part.rows = self.rows
        return part


def _size(column: Column, console: Console, options: ConsoleOptions) -> Measurement:
    """Widths of the longest word and of the longest cell of a column."""
    unbounded = options.update(max_width=_UNBOUNDED)
    found = [Measurement.get(console, unbounded, cell) for cell in (column.header, *column.cells)]
    return Measurement(max(one.minimum for one in found), max(one.maximum for one in found))


def console() -> Console:
    """Open standard output, as wide as the terminal."""
    terminal = shutil.get_terminal_size((_WIDTH_WITHOUT_TERMINAL, 0)).columns
    width = max(terminal, _NARROWEST) if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL
    return _TerminalOutput(width=width, highlight=False)


def right(*titles: str) -> list[Column]:
    """Make columns of numbers, aligned to the right."""
    return [Column(title, justify="right") for title in titles]


def text_table(columns: Iterable[str | Column], rows: Iterable[Iterable[Cell]], units: str = "") -> Table:
    """Build a table without borders; a string is printed as it is, a `Text` with its style.

    Args:
        columns: titles, or columns such as those of `right`; one without a value in any row is left out.
        rows: the cells; those that a row lacks at its end are empty.
        units: units of the numbers, written above the table.
    """
    heads, short = list(columns), [list(row) for row in rows]
    cells = [[*row, *[""] * (len(heads) - len(row))] for row in short]
    has_value = [any(str(cell) not in {"", NONE} for cell in column) for column in zip(*cells, strict=True)]
    shown = [place for place in range(len(heads)) if not cells or has_value[place]]
    table = _FittedTable(*(heads[place] for place in shown), box=None, pad_edge=False)
    table.units = Text(units, "dim") if units else None
    for row in cells:
        table.add_row(*(escape(cell) if isinstance(cell, str) else cell for cell in (row[p] for p in shown)))
    return table


def frame_table(frame: pl.DataFrame) -> Table:
    """Build a table of all rows and columns of a frame; a null is a dash."""
    columns = [
        right(name.replace("_", " "))[0] if dtype.is_numeric() else Column(name.replace("_", " "))
        for name, dtype in frame.schema.items()
    ]
    return text_table(columns, ([value_text(value) for value in row] for row in frame.iter_rows()))


def value_text(value: object) -> str:
    """Write a value of a frame, amounts with separators of thousands."""
    if value is None:
        return NONE
    return f"{value:,}" if isinstance(value, Decimal | float) else str(value)
