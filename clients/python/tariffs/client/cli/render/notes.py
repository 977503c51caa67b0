"""Print notes, refused rows and the law version below a result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import polars as pl
from rich.console import Console
from rich.markup import escape

from tariffs.client.cli.render.table import frame_table
from tariffs.client.results.html import law_line
from tariffs.client.results.quote import Note, Provenance
from tariffs.client.results.refused import refused_words
from tariffs.client.results.short_names import spelled_out
from tariffs.client.results.shown import TableResult

_ROUTINE = frozenset(
    {
        "AVE_2024", "AVE_HTS6_MEAN", "AVE_UNKNOWN", "RATE_OF_2024", "LAW_READ_TO", "SHARE_SOURCED", "PROHIBITED",
        "CHARGE_UNDETERMINED",
    }
)  # fmt: skip
"""Reasons of notes on the data and the law that most runs over all imports have."""


def print_notes(out: Console, notes: Iterable[Note], *, folded: bool = False) -> None:
    """Print each different note once, whichever scenarios and days have it; folded, those of routine as a count."""
    different = {(note.reason, note.message): note for note in notes}.values()
    routine = [note for note in different if folded and note.reason in _ROUTINE]
    for note in different:
        if note not in routine:
            out.print(
                f"note {escape(note.reason)}: {escape(spelled_out(note.message) if folded else note.message)}"
            )
    if routine:
        out.print(f"[dim]notes on data and law: {len(routine)}; --wide prints them[/dim]")


def print_row_notes(out: Console, rows: Iterable[Iterable[str]]) -> None:
    """Print the notes of rows, each `REASON: message`, once per reason with the number of rows that have it."""
    first: dict[str, str] = {}
    count: Counter[str] = Counter()
    for notes in rows:
        by_reason = {note.partition(": ")[0]: note.partition(": ")[2] for note in reversed(list(notes))}
        count.update(by_reason.keys())
        first = {**by_reason, **first}
    for reason, message in first.items():
        times = f"{count[reason]:,} times, first: " if count[reason] > 1 else ""
        out.print(f"note {escape(reason)}: {times}{escape(message)}")


def print_refused(out: Console, refused: pl.DataFrame, shown: int) -> None:
    """Print the first refused rows below their count, if there are any."""
    if refused.height:
        out.print(f"\n{refused_words(refused)}:")
        out.print(frame_table(refused.head(shown)))


def print_citations(out: Console, citations: Iterable[str]) -> None:
    """Print legal sources on one indented line."""
    out.print(f"  [dim]{escape('; '.join(citations) or 'no citation')}[/dim]")


def print_footer(out: Console, provenance: Provenance) -> None:
    """Print the law version, and that the result is an estimate."""
    line = law_line(provenance)
    out.print(f"[dim]{line[0].lower()}{line[1:]}[/dim]")


def print_ending(
    out: Console, result: TableResult, *, brief: bool, shown: int = 20, folded: bool = False
) -> None:
    """Print notes, refused rows and the law version below a result; a brief ending counts the notes alone."""
    out.print()
    if brief:
        different = len({(note.reason, note.message) for note in result.notes})
        if different:
            out.print(f"[dim]{different} {'note' if different == 1 else 'notes'}, left out by --brief[/dim]")
    else:
        print_notes(out, result.notes, folded=folded)
        print_refused(out, result.refused, shown)
    print_footer(out, result.provenance)
