"""Origins: ISO 3166-1 alpha-2 codes with the Census country codes they stand for."""

from __future__ import annotations

from pathlib import Path

from tariffs.engine.trade.importers.output import read_csv_text, write_csv

COUNTRIES = "countries.csv"
HEADER = ("iso2", "name", "census")
# Names shorter than the Census Bureau's, and one name for the two parts that share a code.
_SHORT = {
    "CD": "Congo, Democratic Republic",
    "CG": "Congo, Republic",
    "PS": "Palestinian territories",
    "US": "United States",
}


def read(path: Path) -> list[dict[str, str]]:
    """Rows with `cty_code`, `name` and `iso2`."""
    return [row for row in read_csv_text(path) if row["iso2"]]


def census_to_iso(countries: list[dict[str, str]]) -> dict[str, str]:
    """ISO code by Census code."""
    return {row["cty_code"]: row["iso2"] for row in countries}


def write(countries: list[dict[str, str]], directory: Path) -> None:
    """Write one row per ISO code with its Census codes, separated by spaces."""
    census: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    for row in countries:
        census.setdefault(row["iso2"], []).append(row["cty_code"])
        names.setdefault(row["iso2"], row["name"])
    rows = [
        (iso2, _SHORT.get(iso2, names[iso2].split(" (")[0]), " ".join(sorted(codes)))
        for iso2, codes in census.items()
    ]
    write_csv(directory / COUNTRIES, HEADER, rows)
