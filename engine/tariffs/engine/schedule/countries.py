"""Countries of origin: ISO 3166-1 alpha-2 codes, names and Census codes."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import polars as pl

_DATA = Path(__file__).parent / "data"


@cache
def countries() -> pl.DataFrame:
    """Table of origins: `iso2`, `name`, `census` (list of Census country codes; one origin may have several), `iso3`,
    `also` (list of other names)."""
    return pl.read_csv(_DATA / "countries.csv", infer_schema=False, null_values=[]).with_columns(
        pl.col("census").str.split(" "), pl.col("also").fill_null("").str.split("; ")
    )


def rows_of(name: str) -> list[dict[str, str]]:
    """Rows of a file of countries, by column; Polars, which takes longer to load, is not needed for them."""
    with (_DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def country_rows() -> list[dict[str, str]]:
    """Rows of `countries` as texts."""
    return rows_of("countries.csv")


@cache
def origin_codes() -> frozenset[str]:
    """ISO codes of all origins."""
    return frozenset(row["iso2"] for row in country_rows())


@cache
def regions() -> dict[str, str]:
    """Map origins to their subregion of UN M49, such as Southeast Asia."""
    return {row["iso2"]: row["region"] for row in rows_of("regions.csv")}


def is_country(code: str) -> bool:
    """Test whether text is the ISO code of an origin, in upper case."""
    return code in origin_codes()
