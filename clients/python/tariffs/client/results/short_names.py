"""Name the codes of result rows: countries by ISO code, goods by HTS chapter, industries of the BEA's summary.

Names of countries are those of the Unicode CLDR in English, some shortened; the others are the project's own.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import polars as pl

_FOLDER = Path(__file__).resolve().parent / "data"
_TABLES = {
    "origin": "countries.csv",
    "destination": "countries.csv",
    "hts2": "chapters.csv",
    "sector": "sectors.csv",
}


def name_of(key: str, code: str) -> str:
    """Short name of a code of a key such as origin or hts2; empty if there is none."""
    return _names(_TABLES[key]).get(code, "") if key in _TABLES else ""


def with_names(frame: pl.DataFrame) -> pl.DataFrame:
    """Add a column of names, such as `origin_name`, behind each column of codes that have names."""
    columns: list[str | pl.Expr] = []
    for name in frame.columns:
        columns.append(name)
        if name in _TABLES and f"{name}_name" not in frame.columns:
            names = pl.col(name).replace_strict(_names(_TABLES[name]), default=None, return_dtype=pl.String)
            columns.append(names.alias(f"{name}_name"))
    return frame.select(columns)


@cache
def _names(table: str) -> dict[str, str]:
    with (_FOLDER / table).open(encoding="utf-8", newline="") as file:
        return {row["code"]: row["name"] for row in csv.DictReader(file)}
