"""Origins the project knows: ISO 3166-1 alpha-2 codes, names, Census country codes; and hints for what is none."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import polars as pl

from tariffs.engine.base.spelling import did_you_mean, nearest
from tariffs.engine.errors import InputError

_PATH = Path(__file__).parent / "data" / "countries.csv"


@cache
def countries() -> pl.DataFrame:
    """One row per origin: `iso2`, `name`, `census` (list of Census country codes; one origin may have several), `iso3`,
    `also` (list of other names)."""
    return pl.read_csv(_PATH, infer_schema=False, null_values=[]).with_columns(
        pl.col("census").str.split(" "), pl.col("also").fill_null("").str.split("; ")
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


def origins_meant(text: str) -> list[str]:
    """The ISO codes that may be meant, by alpha-3 code, name or common name, the likest first."""
    known = _by_name()
    meant = origins_named(text) or [known[near] for near in nearest(text.strip().casefold(), known)]
    return list(dict.fromkeys(meant))


def origins_named(text: str) -> list[str]:
    """The ISO code of a country by its alpha-3 code, name or common name; empty if it is none of these."""
    code = _by_name().get(text.strip().casefold())
    return [code] if code else []


def origin_hint(text: str) -> str:
    """The question whether other origins are meant; empty if none is near."""
    return did_you_mean(f"{code} ({country_name(code)})" for code in origins_meant(text))


def unknown_origin(text: str) -> InputError:
    """The error of an origin that is no ISO code of a country."""
    return InputError(
        "ORIGIN_UNKNOWN",
        f"{text!r} is not a country of the law.",
        field="origin",
        fix=f"{origin_hint(text)}Give the ISO 3166-1 alpha-2 code of the country of origin.",
    )


@cache
def _by_name() -> dict[str, str]:
    """ISO codes by what people write instead, casefolded."""
    return {
        name.casefold(): iso2
        for iso2, name, iso3, also in countries().select("iso2", "name", "iso3", "also").iter_rows()
        for name in (name, iso3, *also)
        if name
    }
