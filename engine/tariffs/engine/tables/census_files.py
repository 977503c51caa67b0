"""Read import trade in the formats of the Census Bureau: interface answers, monthly detail files, CSV.

Every reader gives the same frame: `hts` (10 digits), `census` (Census country code), `customs_value` (US dollars),
`calculated_duty` (US dollars, null where not published).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import polars as pl

COLUMNS = ("hts", "census", "customs_value", "calculated_duty")
# Fields of the Census Bureau's public files and interface, by the name they take here.
API_FIELDS = {
    "I_COMMODITY": "hts",
    "CTY_CODE": "census",
    "CON_VAL_YR": "customs_value",
    "CAL_DUT_YR": "calculated_duty",
}
# Start and width, in characters, of the fields of an IMP_DETL record.
DETAIL_FIELDS = {"hts": (0, 10), "census": (10, 4), "customs_value": (73, 15), "calculated_duty": (103, 15)}


def read_csv(path: Path, fields: Mapping[str, str]) -> pl.DataFrame:
    """Read a CSV file as text; `fields` maps its column names to the importer's."""
    return shaped(pl.read_csv(path, infer_schema=False, columns=list(fields)).rename(dict(fields)))


def read_api(path: Path, fields: Mapping[str, str] = API_FIELDS) -> pl.DataFrame:
    """Read a JSON answer of the Census API: a list of rows of which the first names the columns."""
    header, *rows = json.loads(path.read_text(encoding="utf-8"))
    frame = pl.DataFrame(rows, schema=dict.fromkeys(header, pl.String), orient="row")
    return shaped(frame.select(list(fields)).rename(dict(fields)))


def read_detail(path: Path, fields: Mapping[str, tuple[int, int]] = DETAIL_FIELDS) -> pl.DataFrame:
    """Read the fixed-width monthly detail file; rows of one code and origin (districts, programs) are summed."""
    lines = pl.Series("line", path.read_text(encoding="latin-1").splitlines())
    frame = pl.DataFrame([lines]).select(
        pl.col("line").str.slice(start, width).str.strip_chars().alias(name)
        for name, (start, width) in fields.items()
    )
    return shaped(frame)


def shaped(frame: pl.DataFrame) -> pl.DataFrame:
    """Bring a frame to the columns of all readers, summed by code and country."""
    for name in COLUMNS:
        if name not in frame.columns:
            frame = frame.with_columns(pl.lit(None, dtype=pl.Float64).alias(name))
    numbers = [pl.col(name).cast(pl.Float64) for name in ("customs_value", "calculated_duty")]
    frame = frame.with_columns(pl.col("hts").str.replace_all(".", "", literal=True), *numbers).select(COLUMNS)
    known = pl.col("calculated_duty").is_not_null().any()
    duty = pl.when(known).then(pl.col("calculated_duty").sum()).alias("calculated_duty")
    return frame.group_by("hts", "census").agg(pl.col("customs_value").sum(), duty).sort("hts", "census")
