"""Build the input-output tables that carry duties to consumer prices, from the BEA's accounts.

Imported inputs by industry, domestic requirements of industries for a dollar of each commodity, and the bridge from
commodities to personal consumption: in detail for 2017, the last year that has it, and in summary for 2024. All are
after redefinitions, at producers' prices.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tariffs.importers.output import read_csv_text, write_csv, write_parquet

ACCOUNTS = {"2017": "detail_2017", "2024": "summary_2024"}
"""Name of the source files by the year of the accounts."""
SUMMARY = "summary_industries.csv"
SUMMARY_COLUMNS = {
    "industry": "bea_code",
    "output": "commodity_output_2023",
    "exports": "exports_2023",
    "imports": "imports_2023",
    "redefined_output": "industry_output_2024_basic",
    "redefined_variable_cost": "industry_variable_cost_2024",
}
"""Columns of the summary industries, with those of the source: trade of 2023, output of 2024."""
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
    if "coef" in frame.columns:
        frame = frame.with_columns((pl.col("coef") * _UNITS_OF_SOURCE).round().alias("coef_e7"))
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


def summary_rows(path: Path) -> list[tuple[str, ...]]:
    """Read output, trade and cost of the summary industries, million USD."""
    rows = []
    for row in read_csv_text(path):
        code, *amounts = (row[name] for name in SUMMARY_COLUMNS.values())
        rows.append((code, *(str(round(float(amount))) if amount else "" for amount in amounts)))
    return rows


def build(economics: Path, data: Path) -> int:
    """Write the tables of both years, giving their number of rows."""
    io, count = economics / "io", 0
    for year, source in ACCOUNTS.items():
        used = import_use(io / f"use_import_{source}.parquet")
        needed = requirements(io / f"requirements_domestic_{source}.parquet")
        consumed = bridge(io / f"pce_bridge_{source}.csv")
        write_parquet(used, data / f"import_use_{year}.parquet", ["industry", "commodity"])
        write_parquet(needed, data / f"requirements_{year}.parquet", ["commodity", "industry"])
        write_csv(data / f"pce_bridge_{year}.csv", ("line", "commodity", "producers", "purchasers"), consumed)
        count += len(used) + len(needed) + len(consumed)
    rows = summary_rows(economics / "domestic" / "bea_summary_output_trade.csv")
    write_csv(data / SUMMARY, tuple(SUMMARY_COLUMNS), rows)
    return count + len(rows)
