"""Make the tables of what duties cost households, by tenth of income and by category of goods."""

from __future__ import annotations

import polars as pl

from tariffs.client.results.amounts import PERCENT, three
from tariffs.client.results.answer import run_title
from tariffs.client.results.tables import ShortTable
from tariffs.client.results.view import Passage

_SHOWN = 8
_ALL = "all"
_WORDS = (
    "Quantities stay as they were, so that it is an upper bound. The poorest tenth spends 3.5 times its income after "
    "tax: for it, look at USD and prices paid."
)
_SHARES = {
    "of_income_before_tax": "% of income before tax",
    "of_income_after_tax": "% of income after tax",
    "change": "% on prices paid",
}


def household_tables(costs: pl.DataFrame | None) -> list[ShortTable]:
    """Make two tables of each scenario and day: costs by tenth of households, and of the largest categories of goods.

    Args:
        costs: `households` of an impact; None where it was not asked for.
    """
    if costs is None:
        return []
    return [
        table
        for run in costs.partition_by("scenario", "on", maintain_order=True)
        for table in _of_run(run, run_title(*run.row(0)[:2]))
    ]


def household_passages(costs: pl.DataFrame | None) -> list[Passage]:
    """Make the part of a report on costs to households; none without one."""
    tables = household_tables(costs)
    return [Passage("What households pay", (_WORDS,), tables)] if tables else []


def _of_run(costs: pl.DataFrame, run: str) -> list[ShortTable]:
    whole = costs.filter(pl.col("category").is_null()).to_dicts()
    # All households are the first row of the result, and the last one of a table.
    rows = [
        [
            str(row["decile"] or _ALL),
            three(row["per_household"], 1.0),
            *(three(row[name], PERCENT) for name in _SHARES),
        ]
        for row in (*whole[1:], whole[0])
    ]
    ranked = "USD of 2023 a year by tenth of income before tax"
    goods = costs.filter(pl.col("category").is_not_null())
    largest = goods.filter(pl.col("decile").is_null()).sort("cost", descending=True)["category"].head(_SHOWN)
    of_goods = []
    for name in largest:
        first, *tenths = goods.filter(category=name)["per_household"]
        of_goods.append([name, *(three(value, 1.0) for value in (*tenths, first))])
    tenths = [row[0] for row in rows]
    return [
        ShortTable(f"{run}: cost to a household, {ranked}", ["tenth", "USD", *_SHARES.values()], rows),
        ShortTable(f"{run}: the largest categories, {ranked}", ["goods", *tenths], of_goods),
    ]
