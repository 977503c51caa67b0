"""Import trade by code and origin: the reference table, and tables in Census Bureau formats.

Every reader gives the same frame: `hts` (10 digits), `census` (Census country code), `customs_value` (US dollars),
`calculated_duty` (US dollars, null where not published).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from tariffs.importers.countries import census_to_iso
from tariffs.importers.output import write_parquet

TRADE = "trade_2024.parquet"
COLUMNS = ("hts", "census", "customs_value", "calculated_duty")
# Fields of the Census Bureau's public files and interface, by the name they take here.
API_FIELDS = {
    "I_COMMODITY": "hts",
    "CTY_CODE": "census",
    "CON_VAL_YR": "customs_value",
    "CAL_DUT_YR": "calculated_duty",
}
PARQUET_FIELDS = {
    "hts10": "hts",
    "cty_code": "census",
    "customs_value_usd": "customs_value",
    "calculated_duty_usd": "calculated_duty",
}
# Start and width, in characters, of the fields of an IMP_DETL record.
DETAIL_FIELDS = {"hts": (0, 10), "census": (10, 4), "customs_value": (73, 15), "calculated_duty": (103, 15)}


def read_parquet(path: Path, fields: Mapping[str, str] = PARQUET_FIELDS) -> pl.DataFrame:
    """Read a Parquet table with the named columns."""
    return _shaped(pl.read_parquet(path, columns=list(fields)).rename(dict(fields)))


def read_csv(path: Path, fields: Mapping[str, str]) -> pl.DataFrame:
    """Read a CSV file as text; `fields` maps its column names to the importer's."""
    return _shaped(pl.read_csv(path, infer_schema=False, columns=list(fields)).rename(dict(fields)))


def read_api(path: Path, fields: Mapping[str, str] = API_FIELDS) -> pl.DataFrame:
    """Read a JSON answer of the Census API: a list of rows of which the first names the columns."""
    header, *rows = json.loads(path.read_text(encoding="utf-8"))
    frame = pl.DataFrame(rows, schema=dict.fromkeys(header, pl.String), orient="row")
    return _shaped(frame.select(list(fields)).rename(dict(fields)))


def read_detail(path: Path, fields: Mapping[str, tuple[int, int]] = DETAIL_FIELDS) -> pl.DataFrame:
    """Read the fixed-width monthly detail file; rows of one code and origin (districts, programs) are summed."""
    lines = pl.Series("line", path.read_text(encoding="latin-1").splitlines())
    frame = pl.DataFrame([lines]).select(
        pl.col("line").str.slice(start, width).str.strip_chars().alias(name)
        for name, (start, width) in fields.items()
    )
    return _shaped(frame)


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


def _shaped(frame: pl.DataFrame) -> pl.DataFrame:
    for name in COLUMNS:
        if name not in frame.columns:
            frame = frame.with_columns(pl.lit(None, dtype=pl.Float64).alias(name))
    numbers = [pl.col(name).cast(pl.Float64) for name in ("customs_value", "calculated_duty")]
    frame = frame.with_columns(pl.col("hts").str.replace_all(".", "", literal=True), *numbers).select(COLUMNS)
    known = pl.col("calculated_duty").is_not_null().any()
    duty = pl.when(known).then(pl.col("calculated_duty").sum()).alias("calculated_duty")
    return frame.group_by("hts", "census").agg(pl.col("customs_value").sum(), duty).sort("hts", "census")
