"""Name the codes of results for all displays: countries, goods, sectors, authorities and measures.

Names of countries are those of the Unicode CLDR in English, some shortened. Authorities and measures are named by the
law's own titles, `python -m tariffs.reference_pages.names` writes them. The others are the project's own.
"""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent / "data"
TABLES = {
    "origin": "countries.csv",
    "destination": "countries.csv",
    "country": "countries.csv",
    "hts2": "chapters.csv",
    **dict.fromkeys(("hts4", "hts6", "hts8", "hts10"), "headings.csv"),
    "sector": "sectors.csv",
    "authority": "authorities.csv",
    "measure": "measures.csv",
    "claim": "claims.csv",
}
_ALPHA3 = "alpha3"
_KEPT_CODES = re.compile(r"hts\d+")
_NODE, _ACTS = re.compile(r"[.\d]"), {"ieepa": "IEEPA"}
"""Nodes of authorities that are no words of a sentence, and short names of acts that are."""
_WORD = re.compile(r"(?<![\w-])[a-z][a-zA-Z0-9_.]*[a-zA-Z0-9](?![\w-])")


def name_of(key: str, code: str) -> str:
    """Short name of a code of a key such as origin or hts4; of goods that of their heading, else of their chapter.

    Empty if there is none.
    """
    if key not in TABLES:
        return ""
    names = _names(TABLES[key], _ALPHA3 if key == "country" else "code")
    if TABLES[key] != "headings.csv":
        return names.get(code, "")
    return names.get(code[:4]) or name_of("hts2", code[:2])


def label_of(key: str, code: str) -> str:
    """Name a code for a reader: goods by code and name, others by their name, or the code if there is none."""
    name = name_of(key, code)
    return f"{code} {name}".rstrip() if _KEPT_CODES.fullmatch(key) else name or code


def fact_name(fact: str) -> str:
    """Name a fact about goods, such as usmca_share: `USMCA claims`."""
    claim = fact.removesuffix("_share")
    return name_of("claim", claim) or claim.replace("_", " ")


def spelled_out(text: str) -> str:
    """Replace the ids of measures, labels of their periods and nodes of authorities in a text by their names."""
    return _WORD.sub(lambda found: _in_text(found[0]), text)


def _in_text(word: str) -> str:
    node = name_of("authority", word) if _NODE.search(word) else ""
    return name_of("measure", word) or _ACTS.get(word) or node or word


def inside(title: str) -> str:
    """Write the title of a scenario within a sentence: `the law as it is`."""
    return title if title[:2].isupper() else title[:1].lower() + title[1:]


def named_codes(key: str) -> dict[str, str]:
    """Return the names of all codes of a key that has names."""
    return _names(TABLES[key])


@cache
def _names(table: str, column: str = "code") -> dict[str, str]:
    with (_FOLDER / table).open(encoding="utf-8", newline="") as file:
        return {row[column]: row["name"] for row in csv.DictReader(file)}
