"""Build the table of country names: English names of ISO 3166-1, names in other languages, and usual names.

`python -m tariffs.importers.country_names ISO_FILE CLDR_DIRECTORY DIRECTORY` reads `iso_3166-1.json` of the iso-codes
project, which republishes the short and official names of the standard, and `LANGUAGE/territories.json` of the Unicode
CLDR (the folder `main` of the package cldr-localenames-full), and writes `country_names.csv`.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from tariffs.importers.output import read_csv_text, write_csv

NAMES = "country_names.csv"
HEADER = ("name", "iso2", "source")
ISO = "ISO 3166-1 (iso-codes)"
CLDR = "Unicode CLDR 48"
USAGE = "usage"
LANGUAGES = (
    "cs", "da", "de", "es", "fi", "fr", "hu", "id", "it", "ja", "ko", "nb", "nl", "pl", "pt", "ro", "sv", "tr", "vi",
    "zh",
)  # fmt: skip
"""Languages of customs papers of the trade with the United States."""
_CODE_LENGTH = 3
_KEYS = ("name", "common_name", "official_name")


def read(path: Path) -> list[Mapping[str, str]]:
    """Read the entries of `iso_3166-1.json`: `alpha_2`, `name`, and often `common_name` and `official_name`."""
    entries: list[Mapping[str, str]] = json.loads(path.read_text(encoding="utf-8"))["3166-1"]
    return entries


def read_languages(folder: Path) -> list[tuple[str, str]]:
    """List name and ISO code of the territories in LANGUAGES, variants of a name included."""
    names = []
    for language in LANGUAGES:
        document = json.loads((folder / language / "territories.json").read_text(encoding="utf-8"))
        territories = document["main"][language]["localeDisplayNames"]["territories"]
        names += [(str(name), str(code).split("-", 1)[0]) for code, name in territories.items()]
    return names


def rows_of(
    entries: Iterable[Mapping[str, str]], languages: Iterable[tuple[str, str]], origins: frozenset[str]
) -> list[tuple[str, str, str]]:
    """List name, code and source of the names of known origins, sorted; a shared name has one row for each country.

    `usual_names.csv` has names in customs papers that neither the standard nor the Census Bureau has, and those that
    people give to more than one country, which are refused with the choices.
    """
    given_names = read_csv_text(Path(__file__).with_name("usual_names.csv"))
    times = Counter(row["name"] for row in given_names)
    names = {
        (entry[key], entry["alpha_2"], ISO)
        for entry in entries
        if entry["alpha_2"] in origins
        for key in _KEYS
        if key in entry and times[entry[key]] < 2
    }
    known = {name for name, _, _ in names}
    usual = {(row["name"], row["iso2"], USAGE) for row in given_names if row["name"] not in known}
    given = {name.casefold() for name, _, _ in names | usual}
    foreign = {
        (name, code, CLDR)
        for name, code in languages
        if code in origins and name.casefold() not in given and not _is_code(name)
    }
    return sorted(names | usual | foreign)


def _is_code(name: str) -> bool:
    """Test whether a short name may be an ISO code of another country: `Nga` is Russia in Vietnamese."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore")
    return 0 < len(letters) <= _CODE_LENGTH


def main(source: Path, languages: Path, directory: Path, origins: frozenset[str]) -> None:
    """Write the table."""
    write_csv(directory / NAMES, HEADER, rows_of(read(source), read_languages(languages), origins))


if __name__ == "__main__":
    from tariffs.engine.schedule.countries import origin_codes

    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), origin_codes())
