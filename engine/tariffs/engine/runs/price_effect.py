"""Compute what the duties of one point do to consumer prices, before any response of trade."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64, sums_of
from tariffs.engine.response.consumer_prices import (
    DETAIL,
    METHODS,
    SOURCE,
    commodities,
    consumer_prices,
    household_costs,
)
from tariffs.engine.response.industries import industries, industry_of, pools, summaries
from tariffs.engine.runs.outcomes.outcome import Outcome
from tariffs.engine.runs.outcomes.table_run import TableRun


def industry_duties(run: TableRun, outcomes: Sequence[Outcome]) -> F64:
    """Sum the duties added since the baseline by industry, in USD, in the order of `industries()`."""
    assert run.base is not None
    added: F64 = sum((x.weight * x.duties.duty for x in outcomes), start=np.zeros(run.prepared.lines.count))
    change = np.where(run.kept(outcomes), added - run.base.duty, 0.0)
    of_product = industry_of(run.prepared.products)
    by_product = sums_of(run.prepared.product_of_line, change, len(of_product))
    inside = of_product >= 0
    return sums_of(of_product[inside], by_product[inside], len(industries().codes))


def price_effect(duties: F64, method: str) -> pl.DataFrame:
    """Compute the effect of added duties, as `industry_duties` has them, on consumer prices by a method of `METHODS`.

    Returns:
        One row for all consumption, whose `line` is null, then one for each line: `line, spending` (USD, of the year of
        the accounts), `direct, indirect, change` (fractions of spending).
    """
    margins, multiplier, accounts = METHODS[method]
    rates = _rates(duties, accounts)
    found = consumer_prices(rates, margins=margins, multiplier=multiplier, accounts=accounts)
    columns = {"spending": found.spending, "direct": found.direct, "indirect": found.indirect}
    lines = pl.DataFrame({"line": found.lines, **columns})
    whole = {name: values.sum() for name, values in columns.items()}
    total = pl.DataFrame({"line": pl.Series([None], dtype=pl.String), **whole})
    dollars = pl.when(pl.col("spending") != 0.0).then(1e6 / pl.col("spending"))
    return (
        pl.concat([total, lines])
        .with_columns(pl.col("spending") * 1e6)
        .with_columns(pl.col("direct") * dollars, pl.col("indirect") * dollars)
        .with_columns(change=pl.col("direct") + pl.col("indirect"))
    )


def household_effect(prices: pl.DataFrame, method: str) -> pl.DataFrame:
    """Divide an effect on consumer prices, as of `price_effect`, over tenths of households; see `household_costs`."""
    return household_costs(prices.filter(pl.col("line").is_not_null()), METHODS[method][2])


def method_facts(method: str) -> dict[str, object]:
    """Describe a method for the provenance."""
    margins, multiplier, accounts = METHODS[method]
    return {
        "method": method, "margins": margins, "multiplier": multiplier, "accounts": accounts, "source": SOURCE,
    }  # fmt: skip


def _rates(duties: F64, accounts: str) -> F64:
    """Compute added duty over all imports of 2024 by commodity, so that a table of a part adds its part alone."""
    found = industries()
    to = pools() if accounts == DETAIL else summaries()
    sums: defaultdict[str, F64] = defaultdict(lambda: np.zeros(2))
    for code, paid, value in zip(found.codes, duties, found.imports, strict=True):
        sums[to[code]] += paid, value * 1e6
    codes = commodities(accounts)
    names = [pools().get(code, code) for code in codes] if accounts == DETAIL else codes
    return np.array([sums[name][0] / sums[name][1] if sums[name][1] > 0.0 else 0.0 for name in names])
