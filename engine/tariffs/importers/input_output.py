"""Build the input-output tables that carry duties to consumer prices, from the BEA's accounts of 2017.

Imported inputs by industry, domestic requirements of industries for a dollar of each commodity, and the bridge from
commodities to personal consumption. All three are after redefinitions, at producers' prices.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tariffs.importers.output import read_csv_text, write_csv, write_parquet

IMPORT_USE, REQUIREMENTS, BRIDGE = (
    "import_use_2017.parquet",
    "requirements_2017.parquet",
    "pce_bridge_2017.csv",
)
UNITS = 20_000
"""Units of a requirement per dollar: rounding moves the price of all consumption by 1 in 2,500."""
# The published trade tables have primary and secondary smelting of aluminum as one industry.
MERGED = {"331314": "331313"}
_UNITS_OF_SOURCE = 10_000_000


def import_use(path: Path) -> pl.DataFrame:
    """Read imported inputs: commodity, industry, million USD."""
    frame = pl.read_parquet(path).with_columns(pl.col("industry").replace(MERGED))
    return frame.group_by("commodity", "industry").agg(pl.col("musd").sum())


def requirements(path: Path) -> pl.DataFrame:
    """Read domestic requirements: commodity, industry, units of output per dollar of the commodity."""
    frame = pl.read_parquet(path).with_columns(pl.col("industry").replace(MERGED))
    sums = frame.group_by("commodity", "industry").agg(pl.col("coef_e7").cast(pl.Int64).sum())
    units = (pl.col("coef_e7") * UNITS / _UNITS_OF_SOURCE).round().cast(pl.Int32).alias("units")
    return sums.select("commodity", "industry", units).filter(pl.col("units") != 0)


def bridge(path: Path) -> list[tuple[str, ...]]:
    """Read consumption by line and commodity: producers' and purchasers' value, million USD."""
    rows = []
    for row in read_csv_text(path):
        amounts = (f"{float(row[name]):.0f}" for name in ("producers_musd", "purchasers_musd"))
        rows.append((f"{int(row['nipa_line']):03d}", row["bea_code"], *amounts))
    return rows


def build(io: Path, data: Path) -> tuple[int, int, int]:
    """Write the three tables, giving their numbers of rows."""
    used = import_use(io / "use_import_detail_2017.parquet")
    needed = requirements(io / "requirements_domestic_detail_2017.parquet")
    consumed = bridge(io / "pce_bridge_detail_2017.csv")
    write_parquet(used, data / IMPORT_USE, ["industry", "commodity"])
    write_parquet(needed, data / REQUIREMENTS, ["commodity", "industry"])
    write_csv(data / BRIDGE, ("line", "commodity", "producers", "purchasers"), consumed)
    return len(used), len(needed), len(consumed)
