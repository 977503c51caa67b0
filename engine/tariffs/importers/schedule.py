"""Import the tariff schedule: official exports, and the same rows as Parquet with rates carried down to every line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from tariffs.engine.schedule.usitc_export import (
    LAST_CHAPTER,
    LINE_DIGITS,
    ScheduleTables,
    grouped_special,
    tables_of,
)
from tariffs.importers.output import write_parquet

LINES = "schedule_lines.parquet"
CODES = "schedule_codes.parquet"
SPECIAL = "special_rates.parquet"


def read_parquet(lines: Path, programs: Path, vintage: str) -> ScheduleTables:
    """Read one vintage from Parquet rows with rates already inherited."""
    wanted = ("hts", "general_text", "column2_text", "special_text", "unit_1", "unit_2")
    frame = pl.read_parquet(lines, columns=list(wanted))
    names = ("code", "general", "other", "special", "unit_1", "unit_2")
    rows = [dict(zip(names, row, strict=True)) for row in frame.iter_rows()]
    tables = tables_of(rows, vintage)
    # The program file, unlike the text column, names one program per row, which spares a second parse.
    special = (
        pl.read_parquet(programs)
        .filter(pl.col("hts").str.slice(0, 2) <= LAST_CHAPTER)
        .select(
            pl.col("hts").str.slice(0, LINE_DIGITS).alias("hts8"),
            "program",
            pl.col("rate_text").alias("rate"),
        )
        .unique()
    )
    return ScheduleTables(tables.lines, tables.codes, grouped_special(special, vintage))


def write(tables: Iterable[ScheduleTables], directory: Path) -> None:
    """Write the embedded schedule of several vintages."""
    parts = list(tables)
    write_parquet(pl.concat([t.lines for t in parts]), directory / LINES, ["vintage", "hts8"])
    write_parquet(pl.concat([t.codes for t in parts]), directory / CODES, ["vintage", "code"])
    write_parquet(
        pl.concat([t.special for t in parts]), directory / SPECIAL, ["vintage", "hts8", "rate", "programs"]
    )
