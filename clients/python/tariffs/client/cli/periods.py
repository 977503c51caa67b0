"""Tables of periods and of what changes do, for people to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from rich.markup import escape
from rich.table import Column, Table

_COLUMNS = (
    ("duty", "duty"),
    ("duty_owed", "owed"),
    ("value_after", "value after"),
    ("duty_after", "duty after"),
)
_NUMBERS = frozenset({"customs_value", "duty"})
_RATES = ("effective_rate", "rate")


@dataclass(frozen=True, slots=True)
class ChangeUnit:
    """A unit of money for a table: `dollars` of one unit, `decimals` shown, `words` for the caption."""

    dollars: float
    decimals: int
    words: str

    def cell(self, value: object) -> str:
        """An amount in this unit; a dash where there is none."""
        return f"{value / self.dollars:,.{self.decimals}f}" if isinstance(value, int | float) else "-"


_DOLLARS = ChangeUnit(1.0, 2, "USD")
_UNITS = (ChangeUnit(1e9, 2, "billion USD"), ChangeUnit(1e6, 2, "million USD"))
_UNITS_OF_UNIT = 100


def unit_for(values: Sequence[object]) -> ChangeUnit:
    """The unit in which the largest amount has three digits before the point, or dollars."""
    largest = max((abs(value) for value in values if isinstance(value, int | float)), default=0.0)
    return next((unit for unit in _UNITS if largest >= _UNITS_OF_UNIT * unit.dollars), _DOLLARS)


def keys_of(rows: pl.DataFrame) -> list[str]:
    """The group keys of result rows: they stand before the numbers of the contract, of which each result has some."""
    first = next((place for place, name in enumerate(rows.columns) if name in _NUMBERS), rows.width)
    return [name for name in rows.columns[:first] if name not in {"scenario", "on", "start", "end", "days"}]


def segments_table(rows: pl.DataFrame, average: Mapping[str, object]) -> Table:
    """The totals of one scenario by segment, and their average weighted by days."""
    unit = _unit_of(rows)
    table = Table("from", "to", *_right("days", *_titles(), "rate"), box=None, pad_edge=False)
    for row in rows.to_dicts():
        table.add_row(row["start"], row["end"], f"{row['days']:,}", *_cells(row, unit))
    table.add_row("[bold]average[/bold]", "", "", *_cells(average, unit))
    return _captioned(table, f"{unit.words} at the table's yearly values; rates in percent")


def groups_table(averages: pl.DataFrame, shown: int) -> Table:
    """The groups of one scenario with the largest duty, on average of the period; the rest counted."""
    keys, unit = keys_of(averages), _unit_of(averages)
    table = Table(*keys, *_right(*_titles(), "rate"), box=None, pad_edge=False)
    largest = averages.sort(pl.col("duty").abs(), descending=True, nulls_last=True, maintain_order=True)
    for row in largest.head(shown).to_dicts():
        table.add_row(*labels(row, keys), *_cells(row, unit))
    if averages.height > shown:
        table.add_row(f"[dim]and {averages.height - shown:,} more[/dim]")
    return _captioned(table, f"average of the period; {unit.words}; rates in percent")


def labels(row: Mapping[str, object], keys: Sequence[str]) -> Iterator[str]:
    """The keys of a row; a dash where one is null."""
    return ("-" if row[key] is None else escape(str(row[key])) for key in keys)


def attribution_table(rows: pl.DataFrame) -> Table:
    """What each change of one scenario does to the duty, its authorities summed."""
    first = rows.row(0, named=True)
    columns = ("duty", "behavioural", "duty_after")
    table = Table("change", *_right("duty", "by response", "duty after"), box=None, pad_edge=False)
    sums = rows.group_by("unit", "text", maintain_order=True).agg(pl.col(name).sum() for name in columns)
    missing = [name for name in columns if rows[name].is_null().all()]
    unit = unit_for([value for name in columns for value in sums[name]])
    for row in sums.to_dicts():
        cells = ("" if name in missing else unit.cell(row[name]) for name in columns)
        table.add_row(escape(row["text"]), *cells)
    return _captioned(table, f"against {escape(first['reference'])}, {unit.words}, {first['method']} split")


def _unit_of(rows: pl.DataFrame) -> ChangeUnit:
    names = [name for name, _ in _COLUMNS if name in rows.columns]
    return unit_for([value for name in names for value in rows[name]])


def _cells(row: Mapping[str, object], unit: ChangeUnit) -> list[str]:
    rate = next((row[name] for name in _RATES if isinstance(row.get(name), float)), None)
    amounts = [unit.cell(row.get(name)) for name, _ in _COLUMNS]
    return [*amounts, f"{rate * 100:.2f}" if isinstance(rate, float) else "-"]


def _titles() -> list[str]:
    return [title for _, title in _COLUMNS]


def _captioned(table: Table, caption: str) -> Table:
    table.caption, table.caption_justify = caption, "left"
    return table


def _right(*titles: str) -> list[Column]:
    return [Column(title, justify="right") for title in titles]
