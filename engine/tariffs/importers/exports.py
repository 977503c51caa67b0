"""Import US exports of 2024: by subheading to the markets whose sources give it, and by chapter to all partners.

Figures are those of the Census Bureau, free alongside ship, domestic and foreign exports together. Code 999999 of one
source is no code of the Harmonized System: it is chapter 98 and civil aircraft (8800.00, an export code). It is kept,
so that totals are those published.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tariffs.importers.countries import census_to_iso
from tariffs.importers.output import write_parquet

SUBHEADINGS, CHAPTERS = "exports_2024.parquet", "exports_2024_chapters.parquet"
_YEAR = 2024
_SCHEMA = pl.Schema({"hts": pl.String, "customs_value": pl.Int64, "quantity": pl.Int64})


def by_subheading(folder: Path) -> pl.DataFrame:
    """Value in dollars and net weight in kilograms by destination and subheading; null where no weight is known."""
    china = pl.read_parquet(folder / "us_exports_china_hs6_2015_2025.parquet").filter(year=_YEAR)
    canada = pl.read_parquet(folder / "us_exports_canada_hs6_2024_listed.parquet")
    parts = {
        "CN": china.select(
            hts="hs6", customs_value="fas_value_usd", quantity=pl.col("net_weight_kg").round()
        ),
        "CA": canada.select(hts="hs6", customs_value="fas_value_usd_2024", quantity=pl.lit(None)),
    }
    return pl.concat(
        part.cast(_SCHEMA)
        .filter(pl.col("customs_value") > 0)
        .select(pl.lit(to).alias("destination"), pl.lit("US").alias("origin"), *_SCHEMA)
        for to, part in parts.items()
    )


def by_chapter(folder: Path, countries: list[dict[str, str]]) -> pl.DataFrame:
    """Value in dollars by destination and chapter; Census codes that share an ISO code are summed."""
    table = pl.read_parquet(folder / "us_exports_hs2_country_2020_2024.parquet").filter(year=_YEAR)
    iso = census_to_iso(countries)
    return (
        table.with_columns(destination=pl.col("cty_code").replace_strict(iso))
        .group_by("destination", hts2="hs2")
        .agg(customs_value=pl.col("fas_value_usd").sum())
        .select("destination", "hts2", "customs_value")
    )


def write(subheadings: pl.DataFrame, chapters: pl.DataFrame, directory: Path) -> None:
    """Write both tables."""
    write_parquet(subheadings, directory / SUBHEADINGS, ["destination", "hts"])
    write_parquet(chapters, directory / CHAPTERS, ["destination", "hts2"])
