"""Import the reference table of trade: imports by code and origin, from Census Bureau formats."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from tariffs.engine.tables.public_files import shaped
from tariffs.importers.countries import census_to_iso
from tariffs.importers.output import write_parquet

TRADE = "trade_2024.parquet"
PARQUET_FIELDS = {
    "hts10": "hts",
    "cty_code": "census",
    "customs_value_usd": "customs_value",
    "calculated_duty_usd": "calculated_duty",
}


def read_parquet(path: Path, fields: Mapping[str, str] = PARQUET_FIELDS) -> pl.DataFrame:
    """Read a Parquet table with the named columns."""
    return shaped(pl.read_parquet(path, columns=list(fields)).rename(dict(fields)))


def to_origins(frame: pl.DataFrame, countries: list[dict[str, str]]) -> pl.DataFrame:
    """Sum Census countries to ISO origins: `hts, origin, customs_value` in whole dollars.

    Two Census codes may share one ISO code, so rows are summed, never joined one to one.
    """
    return (
        frame.with_columns(pl.col("census").replace_strict(census_to_iso(countries)).alias("origin"))
        .group_by("hts", "origin")
        .agg(pl.col("customs_value").sum().round().cast(pl.Int64))
        .sort("hts", "origin")
    )


def write(frame: pl.DataFrame, directory: Path) -> None:
    """Write the reference trade table."""
    write_parquet(frame, directory / TRADE, ["hts", "origin"])
