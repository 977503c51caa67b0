"""Build text tables and the console that prints them."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from decimal import Decimal

import polars as pl
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table
from rich.text import Text

_WIDTH_WITHOUT_TERMINAL = 160
_NARROWEST = 110
Cell = str | Text


class _TerminalOutput(Console):
    def on_broken_pipe(self) -> None:
        # Rich would exit with 1, which here means refused rows.
        raise BrokenPipeError


def console() -> Console:
    """Open standard output, wide enough that no number of a table is cut."""
    terminal = shutil.get_terminal_size((_WIDTH_WITHOUT_TERMINAL, 0)).columns
    return _TerminalOutput(
        width=max(terminal, _NARROWEST) if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL, highlight=False
    )


def right(*titles: str) -> list[Column]:
    """Make columns of numbers, aligned to the right."""
    return [Column(title, justify="right") for title in titles]


def text_table(columns: Iterable[str | Column], rows: Iterable[Iterable[Cell]], caption: str = "") -> Table:
    """Build a table without borders; a string is printed as it is, a `Text` with its style."""
    table = Table(*columns, box=None, pad_edge=False)
    table.caption, table.caption_justify = escape(caption) or None, "left"
    for row in rows:
        table.add_row(*(escape(cell) if isinstance(cell, str) else cell for cell in row))
    return table


def frame_table(frame: pl.DataFrame) -> Table:
    """Build a table of all rows and columns of a frame; a null is a dash."""
    columns = [
        Column(name.replace("_", " "), justify="right" if dtype.is_numeric() else "left")
        for name, dtype in frame.schema.items()
    ]
    return text_table(columns, ([value_text(value) for value in row] for row in frame.iter_rows()))


def value_text(value: object) -> str:
    """Write a value of a frame, amounts with separators of thousands."""
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, Decimal | float) else str(value)


def more_row(left_out: int) -> list[list[Cell]]:
    """Make the row that counts rows left out of a table; none if it shows all."""
    return [[Text(f"and {left_out:,} more", "dim")]] if left_out > 0 else []
