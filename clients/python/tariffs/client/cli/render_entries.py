"""Entry files for people to read."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import polars as pl
from rich.markup import escape
from rich.table import Column, Table

from tariffs.client.cli import render
from tariffs.client.results.entries import EntriesResult
from tariffs.client.results.refused import refused_words

_SHOWN = 40
_COLUMNS = {
    "line": ("row", "line_id", "entry_id", "hts", "origin", "entered_value", "assessed", "owed", "mpf", "hmf",
             "landed", "reason"),
    "entry": ("entry_id", "day", "lines", "refused", "entered_value", "assessed", "owed", "mpf", "hmf", "landed"),
    "layer": ("row", "line_id", "state", "measure", "heading", "rate", "base", "amount"),
}  # fmt: skip
_SUMMED = ("entered_value", "assessed", "owed", "mpf", "hmf", "landed")


def entries(result: EntriesResult, view: str, shown: int = _SHOWN) -> None:
    """The first rows of a view, the totals of all entries, and what was refused."""
    out = render.console()
    frame = result.view(view)
    out.print(_table(frame.select(name for name in _COLUMNS[view] if name in frame.columns).head(shown)))
    if frame.height > shown:
        out.print(f"[dim]and {frame.height - shown:,} more[/dim]")
    out.print()
    sums = {name: result.entries[name].sum() for name in _SUMMED}
    words = "   ".join(f"{name.replace('_', ' ')} {_cell(amount)}" for name, amount in sums.items())
    entry_word = "entry" if result.entries.height == 1 else "entries"
    line_word = "line" if result.lines.height == 1 else "lines"
    out.print(f"{result.entries.height:,} {entry_word}, {result.lines.height:,} {line_word}: {words}")
    render.print_notes(out, result.notes)
    render.print_row_notes(out, _own_notes(result))
    render.print_row_notes(out, result.entries["notes"])
    if result.refused.height:
        out.print(f"\n{refused_words(result.refused)}:")
        out.print(_table(result.refused.head(shown)))
    render.footer(out, result.provenance)


def _own_notes(result: EntriesResult) -> Iterator[list[str]]:
    """The notes of each rated line, less those that the whole table has."""
    whole = {note.reason for note in result.notes}
    for notes in result.lines["notes"].drop_nulls():
        yield [note for note in notes if note.partition(": ")[0] not in whole]


def _table(frame: pl.DataFrame) -> Table:
    columns = [
        Column(name.replace("_", " "), justify="right" if dtype.is_numeric() else "left")
        for name, dtype in frame.schema.items()
    ]
    table = Table(*columns, box=None, pad_edge=False)
    for row in frame.iter_rows():
        table.add_row(*(escape(_cell(value)) for value in row))
    return table


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, Decimal) else str(value)
