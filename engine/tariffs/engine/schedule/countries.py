"""Countries of origin: ISO 3166-1 alpha-2 codes, names, Census codes, and suggestions for unknown ones."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import polars as pl

from tariffs.engine.base.spelling import did_you_mean, nearest
from tariffs.engine.errors import InputError

_PATH = Path(__file__).parent / "data" / "countries.csv"


@cache
def countries() -> pl.DataFrame:
    """Table of origins: `iso2`, `name`, `census` (list of Census country codes; one origin may have several), `iso3`,
    `also` (list of other names)."""
    return pl.read_csv(_PATH, infer_schema=False, null_values=[]).with_columns(
        pl.col("census").str.split(" "), pl.col("also").fill_null("").str.split("; ")
    )


@cache
def origin_codes() -> frozenset[str]:
    """ISO codes of all origins."""
    return frozenset(countries()["iso2"])


def is_country(code: str) -> bool:
    """Test whether text is the ISO code of an origin, in upper case."""
    return code in origin_codes()


def similar_origins(text: str) -> list[str]:
    """ISO codes of countries with this or a similar alpha-3 code or name, the most similar first."""
    codes = _by_name()
    similar = origins_named(text) or [codes[name] for name in nearest(text.strip().casefold(), codes)]
    return list(dict.fromkeys(similar))


def origins_named(text: str) -> list[str]:
    """ISO code of the country with this alpha-3 code, name or common name; empty if there is none."""
    code = _by_name().get(text.strip().casefold())
    return [code] if code else []


def origin_hint(text: str) -> str:
    """Question that suggests similar origins; empty if there are none."""
    names = dict(countries().select("iso2", "name").iter_rows())
    return did_you_mean(f"{code} ({names[code]})" for code in similar_origins(text))


def unknown_origin(text: str) -> InputError:
    """Build the error for an origin that is not the ISO code of a country."""
    return InputError(
        "ORIGIN_UNKNOWN",
        f"{text!r} is not the code of a country.",
        field="origin",
        fix=f"{origin_hint(text)}Give the ISO 3166-1 alpha-2 code of the country of origin.",
    )


@cache
def _by_name() -> dict[str, str]:
    """ISO codes by alpha-3 codes and names, casefolded."""
    return {
        name.casefold(): iso2
        for iso2, name, iso3, also in countries().select("iso2", "name", "iso3", "also").iter_rows()
        for name in (name, iso3, *also)
        if name
    }
