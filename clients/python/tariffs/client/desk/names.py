"""Search codes and countries by their names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from tariffs.client.find.goods import find_goods
from tariffs.client.results.short_names import named_codes

Choices = Sequence[tuple[str, str]]
_CODE = re.compile(r"[\d. ]{2,15}")
_FOUND = 12


@cache
def countries() -> Choices:
    """List codes and names of countries, by name."""
    return sorted(named_codes("origin").items(), key=lambda pair: pair[1])


def country_in(text: str) -> str:
    """Return the code of a country that a text is, or is the name of; empty if it is none."""
    named = {name.lower(): code for code, name in countries()}
    return text.upper() if text.upper() in dict(countries()) else named.get(text.lower(), "")


def code_in(text: str) -> str:
    """Return a product code that a text is, its digits alone; empty if it is none."""
    digits = re.sub(r"\D", "", text)
    return digits if _CODE.fullmatch(text.strip()) and 2 <= len(digits) <= 10 else ""


def goods_named(text: str) -> list[tuple[str, str]]:
    """List headings that `Client.find` finds by the words of a text, or headings and chapters by its digits."""
    if code := code_in(text):
        known = [*named_codes("hts4").items(), *named_codes("hts2").items()]
        return [(one, name) for one, name in known if one.startswith(code[:4])][:_FOUND]
    return [(one.hts, one.text) for one in find_goods(text, _FOUND).found]


def countries_named(text: str) -> list[tuple[str, str]]:
    """List countries whose code is a text, or whose name has it."""
    wanted = text.strip().lower()
    return [
        (code, name)
        for code, name in countries()
        if wanted == code.lower() or (len(wanted) > 2 and wanted in name.lower())
    ][:_FOUND]
