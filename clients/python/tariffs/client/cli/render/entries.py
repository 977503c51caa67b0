"""Print the duties and the refunds of entry files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from tariffs.client.cli.render.notes import print_ending, print_row_notes
from tariffs.client.cli.render.table import console, frame_table, value_text
from tariffs.client.results.entries import EntriesResult
from tariffs.client.results.refund import RefundsResult
from tariffs.client.results.short_names import label_of

_SHOWN_ROWS = 40
SHOWN_REFUNDS = 20
_COLUMNS = {
    "line": ("row", "line_id", "entry_id", "hts", "origin", "entered_value", "assessed", "owed", "mpf", "hmf",
             "landed", "reason"),
    "entry": ("entry_id", "day", "lines", "refused", "entered_value", "assessed", "owed", "mpf", "hmf", "landed"),
    "layer": ("row", "line_id", "state", "measure", "heading", "rate", "base", "amount"),
    "refund": ("entry_id", "day", "liquidation", "route", "protest_by", "suit_by", "deposited", "assessed", "owed",
               "by_act", "drawback", "refund", "interest", "interest_by_act"),
}  # fmt: skip
_LEFT_OUT_IF_EMPTY = frozenset({"protest_by", "suit_by", "by_act", "interest_by_act"})
_SUMMED = ("entered_value", "assessed", "owed", "mpf", "hmf", "landed")


def print_entries(result: EntriesResult, view: str, *, brief: bool = False) -> None:
    """Print the first rows of a view, the totals of all entries, and the refused rows."""
    out = console()
    frame = result.view(view)
    columns = [name for name in _COLUMNS[view] if name in frame.columns]
    out.print(frame_table(frame.select(columns).head(_SHOWN_ROWS)))
    if frame.height > _SHOWN_ROWS:
        out.print(f"[dim]and {frame.height - _SHOWN_ROWS:,} more[/dim]")
    out.print()
    entries, lines = result.entries.height, result.lines.height
    sums = {name: result.entries[name].sum() for name in _SUMMED}
    out.print(
        f"{entries:,} {'entry' if entries == 1 else 'entries'}, {lines:,} {'line' if lines == 1 else 'lines'}: "
        + _sums(sums)
    )
    if not brief:
        print_row_notes(out, _line_notes(result))
        print_row_notes(out, result.entries["notes"])
    print_ending(out, result, brief=brief, shown=_SHOWN_ROWS)


def print_refunds(result: RefundsResult, *, top: int = SHOWN_REFUNDS, brief: bool = False) -> None:
    """Print the largest refunds, the sums by heading and collection window, and the total.

    Args:
        result: what to print.
        top: number of entries.
        brief: leave out notes.
    """
    out = console()
    largest = result.entries.sort("refund", descending=True, maintain_order=True).head(top)
    empty = {name for name in _LEFT_OUT_IF_EMPTY if not any(largest[name].to_list())}
    out.print(frame_table(largest.select(name for name in _COLUMNS["refund"] if name not in empty)))
    if result.entries.height > top:
        out.print(f"[dim]and {result.entries.height - top:,} more entries[/dim]")
    out.print()
    names = pl.col("measure").map_elements(lambda code: label_of("measure", code), pl.String)
    out.print(frame_table(result.by_heading().with_columns(names)))
    out.print()
    out.print(_sums(result.total))
    out.print(f"[dim]authorities counted: {', '.join(result.authorities)}[/dim]")
    if not brief:
        print_row_notes(out, result.entries["notes"])
    print_ending(out, result, brief=brief)


def _line_notes(result: EntriesResult) -> Iterator[list[str]]:
    """The notes of each rated line, without those on the whole table."""
    table_reasons = {note.reason for note in result.notes}
    for notes in result.lines["notes"].drop_nulls():
        yield [note for note in notes if note.partition(": ")[0] not in table_reasons]


def _sums(amounts: Mapping[str, object]) -> str:
    return "   ".join(f"{name.replace('_', ' ')} {value_text(amount)}" for name, amount in amounts.items())
