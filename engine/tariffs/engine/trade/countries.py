"""Origins the project knows: ISO 3166-1 alpha-2 codes, short names, Census country codes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import polars as pl

_PATH = Path(__file__).parent / "data" / "countries.csv"


@cache
def countries() -> pl.DataFrame:
    """One row per origin: `iso2`, `name`, `census` (list of Census country codes; one origin may have several)."""
    return pl.read_csv(_PATH, infer_schema=False, null_values=[]).with_columns(
        pl.col("census").str.split(" ")
    )


@cache
def origin_codes() -> frozenset[str]:
    """The ISO codes of all origins."""
    return frozenset(countries()["iso2"])


def is_country(code: str) -> bool:
    """Whether text is an origin's ISO code, upper case."""
    return code in origin_codes()


@cache
def country_name(code: str) -> str:
    """The short name of an origin; the code itself if unknown."""
    named: dict[str, str] = dict(countries().select("iso2", "name").iter_rows())
    return named.get(code, code)
