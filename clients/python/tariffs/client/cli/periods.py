"""Tables of periods and of what changes do, for people to read."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
from rich.markup import escape
from rich.table import Column, Table

_BILLION = 1e9
_COLUMNS = (
    ("duty", "duty"),
    ("duty_owed", "owed"),
    ("value_after", "value after"),
    ("duty_after", "duty after"),
)


def segments_table(rows: pl.DataFrame, average: Mapping[str, object]) -> Table:
    """The totals of one scenario by segment, and their average weighted by days."""
    table = Table(
        "from", "to", *_right("days", *(title for _, title in _COLUMNS), "rate"), box=None, pad_edge=False
    )
    for row in rows.to_dicts():
        table.add_row(row["start"], row["end"], f"{row['days']:,}", *_cells(row))
    table.add_row("[bold]average[/bold]", "", "", *_cells(average))
    table.caption = "billion USD at the table's yearly values; rates in percent"
    table.caption_justify = "left"
    return table


def attribution_table(rows: pl.DataFrame) -> Table:
    """What each change of one scenario does to the duty, its authorities summed."""
    first = rows.row(0, named=True)
    columns = ("duty", "behavioural", "duty_after")
    table = Table("change", *_right("duty", "by response", "duty after"), box=None, pad_edge=False)
    sums = rows.group_by("unit", "text", maintain_order=True).agg(pl.col(name).sum() for name in columns)
    missing = [name for name in columns if rows[name].is_null().all()]
    for row in sums.to_dicts():
        cells = ("" if name in missing else _billions(row[name]) for name in columns)
        table.add_row(escape(row["text"]), *cells)
    table.caption = f"against {escape(first['reference'])}, billion USD, {first['method']} split"
    table.caption_justify = "left"
    return table


def _cells(row: Mapping[str, object]) -> list[str]:
    rate = row.get("effective_rate")
    amounts = [_billions(row.get(name)) for name, _ in _COLUMNS]
    return [*amounts, f"{rate * 100:.2f}" if isinstance(rate, float) else "-"]


def _billions(value: object) -> str:
    return f"{value / _BILLION:,.2f}" if isinstance(value, float) else "-"


def _right(*titles: str) -> list[Column]:
    return [Column(title, justify="right") for title in titles]
