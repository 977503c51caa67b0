"""Make results by country of a solved world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64
from tariffs.engine.response.world.newton import Solution

COLUMNS = (
    "welfare",
    "welfare_first_order",
    "real_wage",
    "prices",
    "employment",
    "exports_to_gdp",
    "imports_to_gdp",
    "deficit",
    "revenue_to_spending",
    "real_spending",
    "terms_of_trade",
    "volume_of_trade",
    "wage",
    "exports",
    "imports",
    "revenue",
    "gdp_before",
    "spending_before",
)
"""Results by country: changes as fractions; revenue after over spending before; revenue, GDP, spending in USD."""


_BALANCED = 1e-9
"""Deficit, as a share of GDP, that has no change in percent."""


@dataclass(frozen=True)
class WorldResult:
    """World under tariffs beside the world before.

    Attributes:
        countries: a row a country: `country` and `COLUMNS`; what is not defined is null.
        tariffs: rates that were solved for, exporter by importer, in sectors by sector before.
        trade_before, trade_after: trade before tariff in USD, exporter by importer, in sectors by sector before; home
            sales are on the diagonal.
        residual: largest residual of all equations, as a share of income.
        iterations: steps of the solver.
        unallocated: transfers of the closure that no country pays, USD; see docs/models/world.md.
        root: solution, from which a similar one is found sooner.
    """

    countries: pl.DataFrame
    tariffs: F64
    trade_before: F64
    trade_after: F64
    residual: float
    iterations: int
    unallocated: float
    root: Solution[Any]

    def of(self, country: str, column: str) -> float:
        """Value of a column for a country; NaN where it is not defined."""
        value = self.countries.filter(pl.col("country") == country)[column].item()
        return np.nan if value is None else float(value)

    def mean(self, countries: Sequence[str], column: str) -> float:
        """Mean of a column over countries, as `mean_over`."""
        return mean_over(self.countries, countries, column)


def mean_over(frame: pl.DataFrame, countries: Sequence[str], column: str) -> float:
    """Mean of a column over countries, weighted by their spending before; NaN where it is not defined."""
    chosen = frame.filter(pl.col("country").is_in(countries))
    return float(np.average(chosen[column].to_numpy(), weights=chosen["spending_before"].to_numpy()))


def frame_of(countries: Sequence[str], columns: Mapping[str, F64]) -> pl.DataFrame:
    """Make the rows of countries; a column that is missing is null, and so is a number that is not finite."""
    empty = np.full(len(countries), np.nan)
    values = {name: columns.get(name, empty) for name in COLUMNS}
    frame = pl.DataFrame({"country": list(countries), **values})
    return frame.with_columns(
        pl.when(pl.col(name).is_finite()).then(pl.col(name)).alias(name) for name in COLUMNS
    )


def mean_of(frames: Sequence[tuple[float, pl.DataFrame]]) -> pl.DataFrame:
    """Mean of the rows of countries in several worlds, with weights; of one world its own."""
    first = frames[0][1]
    if len(frames) == 1:
        return first
    columns = (
        pl.sum_horizontal((weight * frame[name] for weight, frame in frames), ignore_nulls=False).alias(name)
        for name in COLUMNS
    )
    return first.with_columns(columns)


def foreign(trade: F64) -> tuple[F64, F64]:
    """Sum exports and imports by country of trade (exporter by importer), without home sales."""
    home = np.diag(trade)
    return trade.sum(axis=1) - home, trade.sum(axis=0) - home


def trade_changes(before: F64, after: F64, gdp_before: F64, gdp_after: F64) -> dict[str, F64]:
    """Compute changes of exports, imports, their ratios to GDP, and the deficit over its absolute base."""
    exports, imports = foreign(before)
    exports_after, imports_after = foreign(after)
    with np.errstate(divide="ignore", invalid="ignore"):
        deficit = imports - exports
        deficit[np.abs(deficit) <= _BALANCED * gdp_before] = np.nan
        return {
            "exports": exports_after / exports - 1.0,
            "imports": imports_after / imports - 1.0,
            "exports_to_gdp": (exports_after / gdp_after) / (exports / gdp_before) - 1.0,
            "imports_to_gdp": (imports_after / gdp_after) / (imports / gdp_before) - 1.0,
            "deficit": (imports_after - exports_after - deficit) / np.abs(deficit),
        }
