"""Print sweeps and goal seeks."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from rich.markup import escape
from rich.table import Table

from tariffs.client.cli.render.notes import print_ending, print_footer, print_notes, print_refused
from tariffs.client.cli.render.table import console, more_row, right, text_table
from tariffs.client.results.amounts import MoneyUnit, unit_for
from tariffs.client.results.headline import assumptions, block_title
from tariffs.client.results.quote import Provenance
from tariffs.client.results.sweep import Seek, Sweep

_SHOWN = 20
_COLUMNS = {
    "customs_value": "customs value",
    "duty": "duty",
    "effective_rate": "rate",
    "rate": "rate",
    "value_after": "value after",
    "duty_after": "duty after",
    "effective_rate_after": "rate after",
}
_FRACTIONS = frozenset({"effective_rate", "rate", "effective_rate_after"})


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


def print_seek(result: Seek) -> None:
    """Print the values at which the target is met, jumps over it, or the nearest value, then notes."""
    out = console()
    title, *lines = result.words()
    out.print(f"\n[bold]{escape(title)}[/bold]")
    for line in lines:
        out.print(escape(line))
    out.print()
    print_notes(out, result.notes)
    print_refused(out, result.refused, _SHOWN)
    print_footer(out, result.provenance)


def _rows_table(rows: pl.DataFrame, keys: Sequence[str], provenance: Provenance) -> Table:
    columns = [name for name in _COLUMNS if name in rows.columns and rows[name].count()]
    amounts = [name for name in columns if name not in _FRACTIONS]
    unit = unit_for([value for name in amounts for value in rows[name].head(_SHOWN)])
    cells = [
        [*(_value(row[key]) for key in keys), *(_number(name, row[name], unit) for name in columns)]
        for row in rows.head(_SHOWN).to_dicts()
    ]
    titles = right(*(f"{block_title(name, provenance)}\n{_COLUMNS[name]}" for name in columns))
    caption = f"{unit.name}; rates in percent"
    return text_table([*keys, *titles], [*cells, *more_row(rows.height - _SHOWN)], caption)


def _number(name: str, value: object, unit: MoneyUnit) -> str:
    if name in _FRACTIONS and isinstance(value, float):
        return f"{value * 100:,.2f}"
    return unit.cell(value)


def _value(value: object) -> str:
    """Write the value of a parameter or key."""
    return "-" if value is None else f"{value:.10g}" if isinstance(value, float) else str(value)
