"""Divide the effect on consumer prices over tenths of households by income. See docs/models/households.md.

A line of consumption is spent by the tenths in the proportions in which they spend on the item of the Consumer
Expenditure Survey that stands for it. Costs are in dollars of 2023, the year of the survey.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64, I64, ratio, sums_of
from tariffs.engine.response.constants import constant, table

DECILE = "decile"
"""Key of the tenths of households among those of the groups of a run."""
TENTHS = 10
FACTS = {
    "shares": "BLS, Consumer Expenditure Surveys 2023, Table 1110 (deciles of income before taxes)",
    "ranked_by": "income before tax of consumer units",
    "incomes": "of the same table: before tax, after tax",
    "dollars": 2023,
}
"""Facts for the provenance."""
_NEAR, _PROXY = "near", "proxy"
_DOLLARS = 1e9


class _Lines(NamedTuple):
    """Lines of consumption of one year of accounts: place of each line, its category, item and fit."""

    place: dict[str, int]
    categories: tuple[str, ...]
    category: I64
    shares: F64
    fit: tuple[str, ...]


def household_costs(prices: pl.DataFrame, accounts: str) -> pl.DataFrame:
    """Divide the effect on the prices of lines over tenths of households and categories.

    Args:
        prices: `line`, `spending` in USD of the year of the accounts, and `change` of the price as a fraction; a row a
            line.
        accounts: year of the accounts, 2017 or 2024.

    Returns:
        A row for all households and all goods, then one for each category of goods, then the same for each tenth of
        households, the poorest first: `decile` (null: all), `category` (null: all), `cost` of the tenth in USD of 2023
        a year, `per_household` (USD), `of_income_before_tax`, `of_income_after_tax`, `change` of the price of what the
        tenth buys (fractions), and the shares of the cost in goods whose item is wider or a neighbour, `near_share`, or
        that no item fits, `proxy_share`.
    """
    held, incomes = _lines(accounts), _incomes()
    order = np.array([held.place[line] for line in prices["line"]], dtype=np.int64)
    spending = prices["spending"].to_numpy()
    spending = spending * (constant("consumption_2023") * _DOLLARS / float(spending.sum()))
    cost = spending * prices["change"].to_numpy()
    fit = np.array(held.fit)[order]
    # Shares of all households (the whole) and of each tenth, by line.
    shares = np.vstack([np.ones(len(order)), held.shares[:, order]])
    category, count = held.category[order], len(held.categories)

    def sums(amounts: F64) -> F64:
        """Sum amounts of lines by row of the result: all goods, then each category, of all and then of each tenth."""
        of_tenths = (sums_of(category, share * amounts, count) for share in shares)
        return np.concatenate([[each.sum(), *each] for each in of_tenths])

    total, units = sums(cost), np.repeat([incomes["units"].sum(), *incomes["units"]], 1 + count)
    per_household = total / units

    def of_income(name: str) -> F64:
        income = incomes[name]
        mean = (income * incomes["units"]).sum() / incomes["units"].sum()
        found: F64 = per_household / np.repeat([mean, *income], 1 + count)
        return found

    columns = {
        "cost": total,
        "per_household": per_household,
        "of_income_before_tax": of_income("income_before_tax"),
        "of_income_after_tax": of_income("income_after_tax"),
        "change": ratio(total, sums(spending)),
        "near_share": _part(sums(np.where(fit == _NEAR, cost, 0.0)), total),
        "proxy_share": _part(sums(np.where(fit == _PROXY, cost, 0.0)), total),
    }
    keys = {
        DECILE: pl.Series(np.repeat(np.arange(1 + TENTHS), 1 + count)).replace(0, None),
        "category": [None, *held.categories] * (1 + TENTHS),
    }
    numbers = {name: pl.Series(values, nan_to_null=True) for name, values in columns.items()}
    return pl.DataFrame({**keys, **numbers})


def fit_text(costs: pl.DataFrame) -> str:
    """Say what share of the cost is of goods that no item of the survey fits, and in which categories most of it is."""
    whole = costs.filter(pl.col(DECILE).is_null())
    total = whole.row(0, named=True)
    unfit = whole[1:].select("category", unfit=pl.col("cost") * pl.col("proxy_share"))
    largest = unfit.filter(pl.col("unfit") > 0.0).sort("unfit", descending=True).head(3)
    names = ", ".join(f"{name} {part / total['cost']:.1%}" for name, part in largest.iter_rows())
    return (
        f"{total['proxy_share'] or 0.0:.1%} of the cost is of goods without an item of spending by households that "
        f"fits ({names or 'none'}): all spending, or the nearest item, divides them; {total['near_share'] or 0.0:.1%} "
        "is by a wider or neighbouring item."
    )


def _part(part: F64, whole: F64) -> F64:
    """Divide where the whole is not 0; NaN elsewhere."""
    return np.divide(part, whole, out=np.full_like(whole, np.nan), where=whole != 0.0)


@cache
def _lines(year: str) -> _Lines:
    rows = [row for row in table("household_lines.csv") if row["accounts"] == year]
    items = {row.pop("item"): np.array([*map(float, row.values())]) for row in table("household_items.csv")}
    categories = tuple(sorted({row["category"] for row in rows}))
    # Published shares are rounded, and sum to 99.8 to 100.2 percent.
    shares = np.array([items[row["item"]] / items[row["item"]].sum() for row in rows]).T
    return _Lines(
        {row["line"]: place for place, row in enumerate(rows)},
        categories,
        np.array([categories.index(row["category"]) for row in rows], dtype=np.int64),
        shares,
        tuple(row["fit"] for row in rows),
    )


@cache
def _incomes() -> dict[str, F64]:
    """Read households, incomes and spending by tenth, in households and USD a year."""
    rows = table("household_incomes.csv")
    found = {name: np.array([float(row[name]) for row in rows]) for name in rows[0] if name != DECILE}
    return {**found, "units": 1e3 * found["units"]}
