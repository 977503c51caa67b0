"""Print sweeps and goal seeks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import polars as pl
from rich.markup import escape
from rich.table import Table

from tariffs.client.cli.render.notes import print_ending, print_footer, print_notes, print_refused
from tariffs.client.cli.render.table import console, more_row, right, text_table
from tariffs.client.results.amounts import MoneyUnit, unit_for
from tariffs.client.results.headline import assumptions, block_title
from tariffs.client.results.quote import Provenance
from tariffs.client.results.sweep import Seek, SeekRoot, Sweep

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
    details = cast("Mapping[str, Mapping[str, Sequence[object]]]", result.provenance["details"])["seek"]
    name, low, high = details["vary"]
    column, target = details["target"]
    unit = unit_for([target]) if not _is_fraction(str(column)) else MoneyUnit(0.01, 4, "percent")
    out.print(f"\n[bold]{escape(str(column))} of {unit.cell(target)} {unit.name}[/bold]")
    out.print(escape(assumptions(result.provenance)))
    for root in result.roots:
        until = "" if root.to is None else f" to {_value(root.to)}"
        out.print(f"met at {escape(str(name))} = {_value(root.value)}{until}")
    for jump in result.jumps:
        out.print(
            f"passed between {escape(str(name))} = {_value(jump.value)} ({unit.cell(jump.achieved)}) and "
            f"{_value(jump.next_value)} ({unit.cell(jump.next_achieved)}), which is a jump"
        )
    if not result.roots:
        out.print(_none(str(name), f"{low} to {high}", result.nearest, unit))
    turns = "never turns" if result.monotone else "turns"
    out.print(f"{result.path.height:,} values were computed; the result {turns} along them.\n")
    print_notes(out, result.notes)
    print_refused(out, result.refused, _SHOWN)
    print_footer(out, result.provenance)


def _none(name: str, values: str, nearest: SeekRoot, unit: MoneyUnit) -> str:
    return escape(
        f"no value of {name} from {values} meets it; the nearest is {_value(nearest.value)}, "
        f"with {unit.cell(nearest.achieved)}"
    )


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


def _is_fraction(column: str) -> bool:
    return column in _FRACTIONS or column.endswith("_share")
