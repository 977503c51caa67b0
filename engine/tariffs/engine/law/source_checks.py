"""Check days, volumes, numbers and addresses of the documents of `sources.yaml`, and the days of what cites them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from tariffs.engine.law.raw_fields import Raw

# Volume 1 of the Federal Register is that of 1936.
_YEAR_BEFORE_VOLUME_1 = 1935
_VOLUME = re.compile(r"\b(\d+) FR \d+")
_NUMBER = re.compile(r"\bFR (\d{4})-\d+")
_NOTICE = re.compile(r"\d+ FR \d+|FR \d{4}-\d+")
_SATURDAY, _JANUARY, _DECEMBER = 5, 1, 12
_KEY = re.compile(r"[^a-z0-9_]")
# Addresses made from a number, each with how a document states the number.
_NUMBERED = tuple(
    (re.compile(address), re.compile(stated))
    for address, stated in (
        (r"federalregister\.gov/d/(\d{4}-\d+)$", r"\bFR (\d{4}-\d+)"),
        (r"federalregister\.gov/citation/(\d+)-FR-(\d+)$", r"\b(\d+) FR (\d+)"),
        (r"federalregister\.gov/executive-order/(\d+)$", r"\bEO (\d+)"),
        (r"govinfo\.gov/link/plaw/(\d+)/public/(\d+)$", r"Pub\. L\. (\d+)-(\d+)"),
        (r"ecfr\.gov/current/title-(\d+)/(?:section|part)-([\d.]+)$", r"(\d+) CFR (?:part )?([\d.]+)"),
        (r"USC-prelim-title(\d+)-section(\w+)$", r"(\d+) USC (\w+)"),
    )
)


def cited_key(citation: str) -> str:
    """Read the key of the document that a citation begins with."""
    return _KEY.split(citation)[0]


def source_faults(documents: Raw) -> Iterator[tuple[str, str, str]]:
    """Find documents that contradict themselves; each is the key, what is wrong, and what to do."""
    shared = Counter(document.get("address") for document in documents.values())
    for key, document in documents.items():
        day = date.fromisoformat(document["day"]) if "day" in document else None
        stated = f"{document['name']}, {document.get('published', '')}"
        notice = bool(_NOTICE.fullmatch(document["name"]))
        if day and notice and day.weekday() >= _SATURDAY:
            yield (
                key,
                f"{key} is of a {day:%A}",
                "Give the day of publication; the Federal Register has none then.",
            )
        if day and not _of_year(stated, day, notice):
            yield key, f"{key} is not of the year of its volume or number", "Correct day, name or published."
        address = document.get("address", "")
        if address and shared[address] > 1:
            yield (
                key,
                f"the address of {key} is that of other documents too",
                "Give the address of the document alone.",
            )
        if not _fits(address, stated):
            yield (
                key,
                f"the address of {key} has the number of another document",
                "Correct address, name or published.",
            )


def _of_year(stated: str, day: date, notice: bool) -> bool:
    """Test whether volumes and numbers can be those of a notice published, or of an order signed, on a day.

    What is signed in December may be published in January, and what is published in January was filed in December.
    """
    next_year = day.year + (day.month == _DECEMBER and not notice)
    last_year = day.year - (day.month == _JANUARY and notice)
    volumes = {_YEAR_BEFORE_VOLUME_1 + int(volume) for volume in _VOLUME.findall(stated)}
    numbers = {int(year) for year in _NUMBER.findall(stated)}
    return volumes <= {day.year, next_year} and numbers <= {last_year, day.year, next_year}


def unread_days(documents: Raw, value: Any, path: str) -> Iterator[tuple[str, str, str]]:
    """Find what is known later than the one day of what it cites; each is the path, what is wrong, and what to do.

    A period, an act or a rule may cite documents of several days, and then any of them may have published it.
    """
    if isinstance(value, list):
        for place, part in enumerate(value):
            yield from unread_days(documents, part, f"{path}[{place}]")
    elif isinstance(value, Mapping):
        known = next((str(value[key]) for key in ("known_from", "from", "at") if key in value), "")
        cited = {cited_key(cite) for cite in value.get("cite", ()) if isinstance(cite, str)}
        days = {documents[key]["day"] for key in cited if "day" in documents.get(key, {})}
        if len(days) == 1 and min(days) < known[: len("2025-01-01")]:
            name = value.get("id") or value.get("op", "")
            yield (
                path,
                f"{name} is known later than what it cites, of {min(days)}",
                "Give that day as known_from.",
            )
        for key, part in value.items():
            yield from unread_days(documents, part, f"{path}.{key}" if path else key)


def _fits(address: str, stated: str) -> bool:
    for form, said in _NUMBERED:
        found, numbers = form.findall(address), said.findall(stated)
        if found and numbers and found[0] not in numbers:
            return False
    return True
