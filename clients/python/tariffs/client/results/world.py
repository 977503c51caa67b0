"""The world in general equilibrium: changes by country."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from tariffs.client.results.amounts import percent
from tariffs.client.results.bars import bars
from tariffs.client.results.json_values import Plain
from tariffs.client.results.quote import Note, Provenance
from tariffs.client.results.short_names import label_of
from tariffs.client.results.tables import ShortTable
from tariffs.client.results.view import Passage

SHOWN = (
    "welfare", "welfare_first_order", "real_wage", "prices", "employment", "exports", "imports", "deficit",
    "revenue_to_spending",
)  # fmt: skip
"""Changes that tables for people show, in percent."""
_BAR = 20


@dataclass(frozen=True, slots=True)
class World(Plain):
    """World under a scenario or tariffs beside the world before.

    Attributes:
        countries: a row a country, changes as fractions: `country` (alpha-3), `welfare`, `welfare_first_order`,
            `real_wage`, `prices`, `employment`, `exports_to_gdp`, `imports_to_gdp`, `deficit` (over its absolute base),
            `revenue_to_spending` (after over before), `real_spending`, `terms_of_trade`, `volume_of_trade`, `wage`,
            `exports`, `imports`; in USD `revenue`, `gdp_before`, `spending_before`. Null where not defined. With draws
            `welfare_p5`, `welfare_p95` and those of real_wage, prices, employment, exports and imports.
        residual: largest residual of all equations, as a share of income.
        iterations: steps of the solver.
        unallocated: transfers that the closure leaves unallocated, USD.
        rates: rate that each player chose, by name, a fraction.
        largest_gain: most that a player would gain in welfare by another rate, a fraction.
        notes: what the answer leaves out.
        provenance: law version, digests, model and parameters.
    """

    countries: pl.DataFrame
    residual: float
    iterations: int
    unallocated: float
    rates: dict[str, float]
    largest_gain: float
    notes: tuple[Note, ...]
    provenance: Provenance


def economies(countries: pl.DataFrame, run: str = "", shown: int = 20) -> ShortTable:
    """Make the table of the largest economies, by welfare, with bars of it; `run` is a column that names the run."""
    rows = _largest(countries, run, shown)
    longest = max((abs(value) for value in rows["welfare"]), default=0.0) or 1.0
    ranged = ["welfare_p5", "welfare_p95"] if "welfare_p5" in rows.columns else []
    cells = [
        [
            _name(row, run),
            *(percent(row[name]) for name in (*SHOWN, *ranged)),
            "+-"[row["welfare"] < 0.0] * round(_BAR * abs(row["welfare"]) / longest),
        ]
        for row in rows.iter_rows(named=True)
    ]
    heads = ["country", *(name.replace("_", " ") for name in (*SHOWN, *ranged)), "welfare"]
    return ShortTable(
        f"changes in percent, the {min(shown, countries.height)} largest economies", heads, cells
    )


def world_passages(countries: pl.DataFrame | None) -> list[Passage]:
    """Make the part of a report on the world, with bars of welfare in order; none without its countries."""
    if countries is None:
        return []
    rows = _largest(countries, "scenario", 20).iter_rows(named=True)
    drawn = bars((_name(row, "scenario"), row["welfare"], f"{percent(row['welfare'])} %") for row in rows)
    table = economies(countries, "scenario")
    plain = replace(table, heads=table.heads[:-1], rows=[row[:-1] for row in table.rows])
    title = "Welfare of the largest economies, change in percent"
    return [Passage("The world in general equilibrium", (), [plain], drawn, title)]


def _largest(countries: pl.DataFrame, run: str, shown: int) -> pl.DataFrame:
    """Choose the largest economies of each run, by welfare."""
    by = [run] if run else []
    place = pl.col("gdp_before").rank("ordinal", descending=True).over(by or pl.lit(0))
    order = [*(False for _ in by), True]
    return countries.filter(place <= shown).sort(*by, "welfare", descending=order)


def _name(row: Mapping[str, Any], run: str) -> str:
    return ", ".join([label_of("country", row["country"]), *([row[run]] if run else [])])
