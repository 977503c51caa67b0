"""Import the table of the world: trade in goods between countries of 2023, and their GDP."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tariffs.importers.output import write_csv, write_parquet

HOME = "USA"
HEADER = ("iso3", "gdp_usd", "is_home")


def build(folder: Path, data: Path) -> int:
    """Write trade (thousand dollars) and GDP (dollars) by country under `data`; return the number of flows."""
    trade = pl.read_parquet(folder / "trade_2023.parquet").filter(pl.col("value_kusd") > 0.0)
    write_parquet(trade, data / "world_trade_2023.parquet", ["exporter", "importer"])
    countries = pl.read_csv(folder / "countries.csv", infer_schema=False)
    rows = [
        (code, gdp, str(int(code == HOME))) for code, gdp in countries.select("iso3", "gdp_usd").iter_rows()
    ]
    write_csv(data / "world_countries_2023.csv", HEADER, rows)
    return len(trade)
