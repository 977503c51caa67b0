"""Print sweeps and goal seeks."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from rich.markup import escape
from rich.table import Table

from tariffs.client.cli.render.notes import print_ending, print_footer, print_notes, print_refused
from tariffs.client.cli.render.table import console, more_row, right, text_table
from tariffs.client.results.amounts import unit_for
from tariffs.client.results.columns import is_fraction, labels, number_cell
from tariffs.client.results.headline import assumptions, titles_of
from tariffs.client.results.quote import Provenance
from tariffs.client.results.sweep import Seek, Sweep

_SHOWN = 20
_COLUMNS = (
    "customs_value", "duty", "effective_rate", "rate", "value_after", "duty_after", "effective_rate_after",
)  # fmt: skip


def print_sweep(result: Sweep, *, brief: bool = False) -> None:
    """Print the totals of the points, the rows of their groups, then notes and refused rows."""
    out = console()
    names = result.points.columns
    out.print(f"\n[bold]totals of {result.points.height:,} points[/bold]")
    out.print(escape(assumptions(result.provenance)))
    out.print(_rows_table(result.totals, names, result.provenance))
    if result.keys:
        out.print("\n[bold]groups[/bold]")
        out.print(_rows_table(result.groups, [*names, *result.keys], result.provenance))
    print_ending(out, result, brief=brief)


def print_seek(result: Seek, *, folded: bool) -> None:
    """Print the values that meet the target, jumps over it, or the nearest value, then notes, as `print_notes`."""
    out = console()
    title, *lines = result.words()
    out.print(f"\n[bold]{escape(title)}[/bold]")
    for line in lines:
        out.print(escape(line))
    out.print()
    print_notes(out, result.notes, folded=folded)
    print_refused(out, result.refused, _SHOWN)
    print_footer(out, result.provenance)


def _rows_table(rows: pl.DataFrame, keys: Sequence[str], provenance: Provenance) -> Table:
    columns = [name for name in _COLUMNS if name in rows.columns and rows[name].count()]
    unit = unit_for([value for name in columns if not is_fraction(name) for value in rows[name].head(_SHOWN)])
    cells = [
        [*labels(row, keys), *(number_cell(name, row[name], unit) for name in columns)]
        for row in rows.head(_SHOWN).to_dicts()
    ]
    caption = f"{unit.name}; rates in percent"
    titles = right(*titles_of(columns, provenance))
    return text_table([*keys, *titles], [*cells, *more_row(rows.height - _SHOWN)], caption)
