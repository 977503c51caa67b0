"""Find the rows of a table that runs over tables use and entry lines cannot be: those that `duty` refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from tariffs.engine.errors import TariffsError
from tariffs.engine.law.conditions import MODE
from tariffs.engine.law.law import Law
from tariffs.engine.law.notes import Note
from tariffs.engine.line_duty.entry_line import EntryLine
from tariffs.engine.line_duty.quote import rate_line
from tariffs.engine.tables.columns import RATE_COLUMN
from tariffs.engine.tables.trade_table import CheckedTable

KINDS_AT_MOST = 1_000
"""Rows that differ in codes, origins, units or claims are rated once each, a few milliseconds apiece."""
_ROWS_SHOWN = 10
_PLACE, _HAS_QUANTITY = "__place", "__has_quantity"


def entry_note(law: Law, checked: CheckedTable) -> Note | None:
    """Note on the usable rows that `duty` and `refund` refuse, with their reasons and verbs; None if there are none.

    Args:
        checked: a table of imports.
    """
    claims = [name for name in law.claims if name in checked.lines.columns and name != MODE]
    keys = [name for name in ("hts", "origin", "unit", MODE, RATE_COLUMN) if name in checked.lines.columns]
    quantity = (
        pl.col("quantity").is_not_null() if "quantity" in checked.lines.columns else pl.lit(value=False)
    )
    kinds = (
        checked.lines.with_row_index(_PLACE)
        .with_columns(quantity.alias(_HAS_QUANTITY))
        .group_by([*keys, *claims, _HAS_QUANTITY], maintain_order=True)
        .agg(pl.col(_PLACE), pl.exclude(_PLACE, *keys, *claims, _HAS_QUANTITY).first())
    )
    rows: dict[str, list[int]] = {}
    for kind in kinds.head(KINDS_AT_MOST).iter_rows(named=True):
        if reason := _refused_for(law, kind, claims):
            rows.setdefault(reason, []).extend(checked.rows.gather(kind[_PLACE]).to_list())
    if not rows:
        return None
    listed = "; ".join(f"{reason}: {_named(sorted(found))}" for reason, found in rows.items())
    among = (
        ""
        if kinds.height <= KINDS_AT_MOST
        else f" Of the goods the first {KINDS_AT_MOST:,} kinds were tried."
    )
    return Note(
        "ROWS_OF_TABLES_ALONE",
        f"{sum(map(len, rows.values())):,} of the usable rows can be used by impact, timeline, sweep and seek, and are "
        f"refused by duty and refund. {listed}.{among}",
    )


def _refused_for(law: Law, row: Mapping[str, Any], claims: list[str]) -> str:
    """Reason why a row cannot be rated as an entry line; empty if it can."""
    line = EntryLine(
        row["hts"],
        row["origin"],
        row["customs_value"],
        row.get("entry_date"),
        {name: row[name] for name in claims if row[name] is not None},
        row.get("quantity"),
        row.get("unit") or "",
        row.get(MODE) or "",
        ordinary_rate=row.get(RATE_COLUMN),
    )
    try:
        rate_line(law, line)
    except TariffsError as error:
        return error.reason
    return ""


def _named(rows: list[int]) -> str:
    more = f" and {len(rows) - _ROWS_SHOWN:,} more" if len(rows) > _ROWS_SHOWN else ""
    return f"row{'s' * (len(rows) > 1)} {', '.join(map(str, rows[:_ROWS_SHOWN]))}{more}"
