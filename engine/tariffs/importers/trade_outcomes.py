"""Build the tables of the hindcast: imports of 2024 and 2025 by partner, industry and month, and growth before 2025.

Imports are for consumption, at customs value, by NAICS of three digits, as the Census Bureau's API gives them; rows of
all partners have an empty origin. Aggregates of several countries are left out.

Growth is annual: what an industry's imports of all countries grew from 2023 to 2024, times the share of a partner in
them in the second half of 2024 over that in the first, held between a half and twice. A share has no season, so halves
of one year can be compared. Of the forms tried (none, the industry alone, this, its square) this one has the smallest
error for January and February 2025, before the duties.

Run as `python -m tariffs.importers.trade_outcomes PARTNERS_PARQUET INDUSTRIES_PARQUET COUNTRIES_CSV`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from tariffs.importers.output import read_csv_text, run, write_csv, write_parquet

OUTCOMES, TREND = "trade_outcomes.parquet", "trend_2024.csv"
TREND_COLUMNS = ("origin", "industry", "growth")
ALL = ""
_TOTAL = "TOTAL"
_YEAR, _YEAR_BEFORE, _HALF = 2024, 2023, 6
_LEAST, _MOST = 0.5, 2.0


def outcomes(partners: pl.DataFrame, iso: Mapping[str, str]) -> pl.DataFrame:
    """Read `origin`, `industry`, `month` (such as 2025-01) and `imports` (USD), sorted.

    Args:
        partners: cty_code, naics3, year, month, customs_value_usd.
        iso: ISO code by code of Schedule C.
    """
    origin = pl.col("cty_code").replace_strict({**iso, _TOTAL: ALL}, default=None).alias("origin")
    month = pl.format("{}-{}", "year", pl.col("month").cast(pl.String).str.zfill(2)).alias("month")
    found = partners.select(
        origin, pl.col("naics3").alias("industry"), month, pl.col("customs_value_usd").alias("imports")
    )
    return found.drop_nulls("origin").sort("origin", "industry", "month")


def growth(partners: pl.DataFrame, industries: pl.DataFrame) -> Iterator[tuple[str, ...]]:
    """Compute annual growth before 2025 by partner and industry; all other partners have that of the industry.

    Args:
        partners: imports as `outcomes` gives them.
        industries: naics (3 to 6 digits), year, customs_value_usd of all countries.
    """
    years = (
        industries.group_by(pl.col("naics").str.slice(0, 3).alias("industry"))
        .agg(_sum_of("year", _YEAR).alias("after"), _sum_of("year", _YEAR_BEFORE).alias("before"))
        .filter(pl.col("before") > 0)
        .select("industry", growth=pl.col("after") / pl.col("before"))
    )
    month = pl.col("month").str.slice(5).cast(pl.Int64)
    halves = (
        partners.filter(pl.col("month").str.starts_with(str(_YEAR)))
        .group_by("origin", "industry")
        .agg(
            first=pl.col("imports").filter(month <= _HALF).sum(),
            second=pl.col("imports").filter(month > _HALF).sum(),
        )
    )
    of_all = halves.filter(origin=ALL).select("industry", all_first="first", all_second="second")
    shares = halves.join(of_all, on="industry").join(years, on="industry")
    moved = (pl.col("second") / pl.col("all_second")) / (pl.col("first") / pl.col("all_first"))
    is_known = (pl.col("first") > 0) & (pl.col("all_second") > 0)
    drift = pl.when(is_known).then(moved.clip(_LEAST, _MOST)).otherwise(1.0)
    for origin, industry, value in (
        shares.with_columns(pl.col("growth") * drift).select("origin", "industry", "growth").iter_rows()
    ):
        yield origin, industry, f"{value - 1:.4f}"


def _sum_of(column: str, value: int) -> pl.Expr:
    return pl.col("customs_value_usd").filter(pl.col(column) == value).sum()


def build(partners: Path, industries: Path, countries: Path, engine: Path) -> tuple[int, int]:
    """Write both tables below the folder of the engine, giving their numbers of rows."""
    iso = {row["cty_code"]: row["iso2"] for row in read_csv_text(countries)}
    found = outcomes(pl.read_parquet(partners), iso)
    write_parquet(found, engine / "validation" / OUTCOMES, ["origin", "industry", "month"])
    rows = list(growth(found, pl.read_parquet(industries)))
    write_csv(engine / "response" / "data" / TREND, TREND_COLUMNS, rows)
    return found.height, len(rows)


if __name__ == "__main__":
    run(build, __doc__, Path(__file__).parents[1] / "engine")
