"""Print the answer of a run over a table: five lines, the largest groups by name, and notes."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Column

from tariffs.client.cli.render.notes import print_ending
from tariffs.client.cli.render.table import console, text_table
from tariffs.client.results.answer import SHOWN_ROWS, ShortTable
from tariffs.client.results.headline import days_words
from tariffs.client.results.shown import TableResult

_WIDEST_NUMBER = 17


def print_answer(
    result: TableResult, *details: str, top: int = SHOWN_ROWS, sort: str = "", brief: bool = False
) -> None:
    """Print a result by scenarios side by side.

    Args:
        result: what to print.
        details: lines between its tables and its notes.
        top: number of groups.
        sort: number whose largest values come first, and which several scenarios show.
        brief: leave out notes and refused rows.
    """
    out, answer = console(), result.answer()
    days = days_words(result.provenance, " to ".join(dict.fromkeys(result.days)))
    out.print(f"[bold]{escape(days)}[/bold]")
    if answer is not None:
        print_table(answer.table)
        out.print(f"[dim]{escape(answer.about)}[/dim]")
    for table in result.short_tables(sort, top):
        out.print()
        print_table(table)
    for line in details:
        out.print(escape(line))
    print_ending(out, result, brief=brief, folded=True)


def print_table(table: ShortTable) -> None:
    """Print a table; titles of several words are broken."""
    first, *others = table.heads
    columns = [Column(head, justify="right", max_width=_WIDEST_NUMBER) for head in others]
    console().print(text_table([first, *columns], table.rows, table.caption))
