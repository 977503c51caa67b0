"""What changed and what comes back, for people to read."""

from __future__ import annotations

import polars as pl
from rich.markup import escape
from rich.table import Table

from tariffs.client.cli.render import console, footer, print_notes, print_row_notes
from tariffs.client.results.law_changes import LawChanges
from tariffs.client.results.quote import Quote
from tariffs.client.results.refund import RefundsResult

_SHOWN = 20


def refunds(result: RefundsResult, shown: int = _SHOWN) -> None:
    """The largest refunds, the sums by heading and window, and the total."""
    out = console()
    largest = result.entries.sort("refund", descending=True, maintain_order=True).head(shown)
    names = (
        "entry_id",
        "day",
        "liquidation",
        "route",
        "deposited",
        "assessed",
        "owed",
        "drawback",
        "refund",
        "interest",
    )
    out.print(_table(largest.select(names)))
    if result.entries.height > shown:
        out.print(f"[dim]and {result.entries.height - shown:,} more entries[/dim]")
    out.print()
    out.print(_table(result.by_heading()))
    out.print()
    out.print("   ".join(f"{name.replace('_', ' ')} {amount:,}" for name, amount in result.total.items()))
    out.print(f"[dim]authorities counted: {', '.join(result.authorities)}[/dim]")
    print_notes(out, result.notes)
    print_row_notes(out, result.entries["notes"])
    footer(out, result.provenance)


def changes(found: LawChanges, shown: int = _SHOWN) -> None:
    """The changes by instant, and what each step does to the table."""
    out = console()
    for one in found.changes:
        when = one.effect_time or "no date"
        known = f", published {one.known_from}" if one.known_from else ""
        step = "" if one.step is None else f"[{one.step}] "
        out.print(escape(f"{step}{when}{known}: {one.kind} {', '.join(one.measures)}"))
        out.print(f"  {escape(one.text)}")
        out.print(f"  [dim]{escape('; '.join(one.citations) or 'no citation')}[/dim]")
    if found.effects.height:
        out.print()
        out.print(_table(found.effects.with_columns(pl.col(pl.Float64).round(2))))
        out.print()
        lines = found.lines.head(shown).with_columns(pl.col(pl.Float64).round(2))
        out.print(_table(lines))
        left = found.lines.height - shown + found.lines_left_off
        if left > 0:
            out.print(f"[dim]and {left:,} more lines[/dim]")
        if found.effects_left_off:
            out.print(f"[dim]and {found.effects_left_off:,} more effects, which the server left off[/dim]")
    footer(out, found.provenance)


def considered(answer: Quote) -> None:
    """The headings to report, and what was looked at and made no layer."""
    out = console()
    out.print("[dim]headings in the order of an entry summary:[/dim]")
    for line in answer.headings:
        out.print(f"[dim]  {escape(line.heading)}  {line.amount:,}[/dim]")
    for one in answer.considered:
        out.print(f"[dim]not {escape(one.measure)}: {escape(one.text)}[/dim]")


def _table(frame: pl.DataFrame) -> Table:
    table = Table(*frame.columns, box=None, pad_edge=False)
    for row in frame.iter_rows():
        table.add_row(*(_cell(value) for value in row))
    return table


def _cell(value: object) -> str:
    if value is None:
        return ""
    return escape(str(value) if isinstance(value, str | int) else f"{value:,}")
