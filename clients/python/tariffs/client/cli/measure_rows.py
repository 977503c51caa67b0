"""Rows of a measure as a table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from tariffs.client.results.law import MeasureRow


def rows_table(rows: Sequence[MeasureRow]) -> Table:
    """Tabulate rows: the charge of each, its goods, conditions, heading and base."""
    table = Table("charge", "goods", "if", "heading", "base", box=None, pad_edge=False)
    for row in rows:
        cells = (row.charge, row.goods, row.conditions, row.heading, row.base)
        table.add_row(*(escape(cell) for cell in cells))
    return table
