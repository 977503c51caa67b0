"""Build the table of origins: ISO 3166-1 alpha-2 codes and their Census country codes."""

from __future__ import annotations

from pathlib import Path

from tariffs.importers.output import read_csv_text, write_csv

COUNTRIES = "countries.csv"
HEADER = ("iso2", "name", "census", "iso3", "also")
# Names shorter than the Census Bureau's, and one name for the two parts that share a code.
_SHORT = {
    "CD": "Congo, Democratic Republic",
    "CG": "Congo, Republic",
    "PS": "Palestinian territories",
    "US": "United States",
}
# ISO 3166-1 alpha-3 codes of US territories, which the source leaves empty.
_ALPHA3 = {"GU": "GUM", "MP": "MNP", "PR": "PRI", "UM": "UMI", "VI": "VIR"}
# What people write besides the name and the codes of ISO.
_ALSO = {
    "CD": "DRC; Congo Kinshasa; Democratic Republic of the Congo",
    "CG": "Congo Brazzaville; Republic of the Congo",
    "CI": "Ivory Coast",
    "CN": "PRC; Mainland China; People's Republic of China",
    "CV": "Cape Verde",
    "CZ": "Czechia",
    "GB": "UK; Great Britain; Britain; England; Scotland; Wales; Northern Ireland",
    "HK": "Hong Kong SAR",
    "KP": "DPRK",
    "KR": "ROK; Republic of Korea; Korea South",
    "MM": "Myanmar",
    "MO": "Macau",
    "NL": "Holland; The Netherlands",
    "RU": "Russian Federation",
    "SZ": "Swaziland",
    "TL": "East Timor",
    "TR": "Türkiye; Turkiye",
    "TW": "Chinese Taipei",
    "AE": "UAE; Emirates",
    "US": "America; United States of America",
    "VA": "Vatican; Vatican City",
    "VN": "Viet Nam",
}


def read(path: Path) -> list[dict[str, str]]:
    """Read rows with `cty_code`, `name` and `iso2`."""
    return [row for row in read_csv_text(path) if row["iso2"]]


def census_to_iso(countries: list[dict[str, str]]) -> dict[str, str]:
    """Map Census codes to ISO codes."""
    return {row["cty_code"]: row["iso2"] for row in countries}


def write(countries: list[dict[str, str]], directory: Path) -> None:
    """Write one row per ISO code with its Census codes, its alpha-3 code, and other names separated by semicolons."""
    census: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    alpha3 = {row["iso2"]: row["iso3"] for row in countries} | _ALPHA3
    for row in countries:
        census.setdefault(row["iso2"], []).append(row["cty_code"])
        names.setdefault(row["iso2"], row["name"])
    rows = [
        (
            iso2,
            _SHORT.get(iso2, names[iso2].split(" (")[0]),
            " ".join(sorted(codes)),
            alpha3[iso2],
            _ALSO.get(iso2, ""),
        )
        for iso2, codes in census.items()
    ]
    write_csv(directory / COUNTRIES, HEADER, rows)
