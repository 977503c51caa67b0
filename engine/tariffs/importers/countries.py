"""Build the table of origins: ISO 3166-1 alpha-2 codes and their Census country codes."""

from __future__ import annotations

from pathlib import Path

from tariffs.importers.output import read_csv_text, write_csv

COUNTRIES = "countries.csv"
HEADER = ("iso2", "name", "census", "iso3", "also")
# By ISO code: a name shorter than the Census Bureau's, or for two parts that share the code; an alpha-3 code that the
# source leaves empty; and what people write besides the name and the codes of ISO.
_OWN = {row["iso2"]: row for row in read_csv_text(Path(__file__).with_name("countries.csv"))}
_NOTHING = {"name": "", "iso3": "", "also": ""}


def read(path: Path) -> list[dict[str, str]]:
    """Read rows with `cty_code`, `name` and `iso2`."""
    return [row for row in read_csv_text(path) if row["iso2"]]


def census_to_iso(countries: list[dict[str, str]]) -> dict[str, str]:
    """Map Census codes to ISO codes."""
    return {row["cty_code"]: row["iso2"] for row in countries}


def write(countries: list[dict[str, str]], directory: Path) -> None:
    """Write one row per ISO code with its Census codes, its alpha-3 code, and other names separated by semicolons."""
    census: dict[str, list[str]] = {}
    first: dict[str, dict[str, str]] = {}
    for row in countries:
        census.setdefault(row["iso2"], []).append(row["cty_code"])
        first.setdefault(row["iso2"], row)
    rows = []
    for iso2, codes in census.items():
        own, source = _OWN.get(iso2, _NOTHING), first[iso2]
        name = own["name"] or source["name"].split(" (")[0]
        rows.append((iso2, name, " ".join(sorted(codes)), own["iso3"] or source["iso3"], own["also"]))
    write_csv(directory / COUNTRIES, HEADER, rows)
