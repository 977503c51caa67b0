"""Build the table of country names: English names of ISO 3166-1, names in other languages, and usual names.

`python -m tariffs.importers.country_names ISO_FILE CLDR_DIRECTORY DIRECTORY` reads `iso_3166-1.json` of the iso-codes
project, which republishes the short and official names of the standard, and `LANGUAGE/territories.json` of the Unicode
CLDR (the folder `main` of the package cldr-localenames-full), and writes `country_names.csv`.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path

from tariffs.importers.output import write_csv

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
# Names that people give to more than one country: they are refused with the choices.
_SHARED = {
    "China, Republic of": ("CN", "TW"),
    "Congo": ("CD", "CG"),
    "Korea": ("KP", "KR"),
    "Netherlands Antilles": ("CW", "SX"),
    "Virgin Islands": ("VG", "VI"),
}
# Names in customs papers that neither the standard nor the Census Bureau has.
_USUAL = {
    "Antigua": "AG",
    "Bosnia": "BA",
    "P.R. China": "CN",
    "PRC": "CN",
    "China P.R.": "CN",
    "Brunei Darussalam": "BN",
    "Gaza": "PS",
    "Gaza Strip": "PS",
    "Irish Republic": "IE",
    "Kyrgyz Republic": "KG",
    "Lao PDR": "LA",
    "Macedonia": "MK",
    "Micronesia": "FM",
    "Palestine": "PS",
    "Republic of Ireland": "IE",
    "Slovak Republic": "SK",
    "Trinidad": "TT",
    "U.S. Virgin Islands": "VI",
    "West Bank": "PS",
}


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
    """List name, code and source of the names of known origins, sorted; a shared name has one row for each country."""
    names = {
        (entry[key], entry["alpha_2"], ISO)
        for entry in entries
        if entry["alpha_2"] in origins
        for key in _KEYS
        if key in entry and entry[key] not in _SHARED
    }
    shared = {(name, code, USAGE) for name, codes in _SHARED.items() for code in codes}
    known = {name for name, _, _ in names}
    usual = {(name, code, USAGE) for name, code in _USUAL.items() if name not in known}
    given = {name.casefold() for name, _, _ in names | shared | usual}
    foreign = {
        (name, code, CLDR)
        for name, code in languages
        if code in origins and name.casefold() not in given and not _is_code(name)
    }
    return sorted(names | shared | usual | foreign)


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
