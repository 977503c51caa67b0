"""Countries of origin: ISO 3166-1 alpha-2 codes, names and Census codes."""

from __future__ import annotations

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


@cache
def origin_codes() -> frozenset[str]:
    """ISO codes of all origins."""
    return frozenset(countries()["iso2"])


@cache
def regions() -> dict[str, str]:
    """Map origins to their subregion of UN M49, such as Southeast Asia."""
    return dict(pl.read_csv(_DATA / "regions.csv", infer_schema=False, null_values=[]).iter_rows())


def is_country(code: str) -> bool:
    """Test whether text is the ISO code of an origin, in upper case."""
    return code in origin_codes()
