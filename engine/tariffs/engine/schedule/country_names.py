"""Read names of countries as ISO codes: names of ISO 3166-1, of the Census and of the Unicode CLDR, alpha-3 codes.

Names are compared without letter case, accents, points and the word "the", and `Korea, Republic of` is also
`Republic of Korea`. A name of several countries is none of them.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from tariffs.engine.base.spelling import did_you_mean, nearest
from tariffs.engine.errors import InputError
from tariffs.engine.schedule.countries import country_rows, is_country, rows_of

_DROPPED = re.compile(r"[.'\u2019`]")
_BETWEEN = re.compile(r"[\W_]+")
_WORDS = {"st": "saint", "rep": "republic", "dem": "democratic", "fed": "federated"}
FIX = "Give the ISO 3166-1 alpha-2 code of the country of origin, or its name."


def origins_named(text: str) -> tuple[str, ...]:
    """ISO codes of the countries with this alpha-3 code or name, sorted; empty if there is none."""
    names = _by_name()
    return next((names[form] for form in _forms(text) if form in names), ())


def similar_origins(text: str) -> list[str]:
    """ISO codes of countries with this or a similar alpha-3 code or name, the most similar first."""
    names = _by_name()
    similar = [code for name in nearest(_plain(text), names) for code in names[name]]
    return list(dict.fromkeys(origins_named(text) or similar))


def origin_hint(text: str) -> str:
    """Question that suggests similar origins; empty if there are none."""
    return did_you_mean(f"{code} ({name_of(code)})" for code in similar_origins(text))


def name_of(code: str) -> str:
    """Name of the country with an ISO code."""
    return _names()[code]


def read_country(text: str) -> tuple[str, str]:
    """Read a country from its ISO code or name.

    Returns:
        The ISO code, and a note on how a name was read, empty for a code.

    Raises:
        InputError: ORIGIN_UNKNOWN, or ORIGIN_AMBIGUOUS for the name of several countries.
    """
    code = text.strip().upper()
    if is_country(code):
        return code, ""
    named = origins_named(text)
    if len(named) == 1:
        return named[0], f"{text!r} was read as {named[0]} ({name_of(named[0])})."
    if named:
        raise InputError(
            "ORIGIN_AMBIGUOUS",
            f"{text!r} is the name of several countries.",
            field="origin",
            fix=f"Give {' or '.join(f'{code} ({name_of(code)})' for code in named)}.",
            metadata={"choices": ",".join(named)},
        )
    raise InputError(
        "ORIGIN_UNKNOWN",
        f"{text!r} is not a country.",
        field="origin",
        fix=f"{origin_hint(text)}{FIX} Groups of countries are not origins.",
    )


@cache
def _names() -> dict[str, str]:
    return {row["iso2"]: row["name"] for row in country_rows()}


@cache
def _by_name() -> dict[str, tuple[str, ...]]:
    """Codes by the plain form of names and alpha-3 codes; a name listed for several countries has them all."""
    codes: dict[str, set[str]] = {}
    for row in country_rows():
        for form in (row["name"], row["iso3"], *row["also"].split("; ")):
            codes.setdefault(_plain(form), set()).add(row["iso2"])
    for row in rows_of("country_names.csv"):
        for form in _forms(row["name"]):
            codes.setdefault(form, set()).add(row["iso2"])
    codes.pop("", None)
    return {name: tuple(sorted(found)) for name, found in codes.items()}


def _forms(text: str) -> list[str]:
    """Plain form of a name, and of a name with a comma that of its parts in the other order."""
    head, comma, tail = text.partition(",")
    return [_plain(text), *([_plain(f"{tail} {head}")] if comma else [])]


def _plain(text: str) -> str:
    letters = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    words = _BETWEEN.sub(" ", _DROPPED.sub("", letters.casefold().replace("&", " and "))).split()
    return " ".join(_WORDS.get(word, word) for word in words if word != "the")
