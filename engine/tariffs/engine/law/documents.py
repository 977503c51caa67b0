"""Cite the documents of `sources.yaml` by key: read them, and put the text of each citation in the place of its key."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Protocol

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law.known_names import check_known
from tariffs.engine.law.raw_fields import Raw, check_keys, fault, keys, read, read_required


class LawFiles(Protocol):
    """Files of a law; names are relative, with slashes."""

    def names(self, pattern: str) -> Sequence[str]:
        """List the files that match a pattern, sorted; empty where there are none."""

    def mapping(self, name: str) -> Any:
        """Read a YAML file with every scalar as text.

        Raises:
            OSError: the file is not there.
            yaml.YAMLError: it is not YAML.
        """

    def text(self, name: str) -> str:
        """Read a file of text; raises OSError if it is not there."""


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


SOURCES = "sources.yaml"
_DOCUMENT_KEYS = keys("name published day title address")
_CITING = frozenset({"cite", "source"})
# The key of a document, with the place in it after it; text has capitals or no underscore in its first word.
_KEYED = re.compile(r"([a-z][a-z0-9_]*)(.*)", re.DOTALL)
# Files that cite; of a pack, whose names are matched whole, the first is all of the YAML.
_CITERS = ("*.yaml", "measures/*.yaml", "markets/*.yaml", "lists/*.csv")
# Files whose periods, acts and rules have days of publication.
_PUBLISHED = ("measures/*.yaml", "stacking.yaml")


class CitedFiles:
    """Files of a law in which citations by key are spelled out; a law without `sources.yaml` cites texts alone."""

    def __init__(self, files: LawFiles) -> None:
        self._files = files
        self.documents = read_documents(files)

    def names(self, pattern: str) -> Sequence[str]:
        """List the files that match a pattern, sorted."""
        return self._files.names(pattern)

    def mapping(self, name: str) -> Any:
        """Read a YAML file with its citations spelled out.

        Raises:
            ScenarioError: NOTHING_MATCHED for an unknown key, with the nearest; `path` is FILE: PATH.
        """
        return _spelled_out(self._files.mapping(name), self.documents, f"{name}: ")

    def text(self, name: str) -> str:
        """Read a file of text."""
        return self._files.text(name)


def read_documents(files: LawFiles) -> Raw:
    """Read `sources.yaml`: documents by key.

    Raises:
        LawError: LAW_INVALID for a document without a name, two of one name, and a malformed day or address.
    """
    if not files.names(SOURCES):
        return {}
    documents: Raw = check_keys(files.mapping(SOURCES), keys("documents"), SOURCES)["documents"]
    named: dict[str, str] = {}
    for key, raw in documents.items():
        path = f"{SOURCES}: documents.{key}"
        name = read_required(check_keys(raw, _DOCUMENT_KEYS, path), "name", str, path)
        if not re.fullmatch(r"[a-z][a-z0-9_]*", key):
            raise fault(path, "a key has small letters, digits and _")
        if name in named:
            raise fault(f"{path}.name", f"{named[name]} has this name too")
        named[name] = key
        read(raw, "day", date.fromisoformat, None, path)
        read(raw, "address", _address, "", path)
    return documents


def _address(text: str) -> str:
    if not text.startswith("https://"):
        raise ValueError(f"{text!r} is no address that begins with https://")
    return text


def spelled_out(citation: str, documents: Raw, path: str) -> str:
    """Spell out one citation: name of the document, place in it, and where it was published; a text stays as it is."""
    keyed = _KEYED.fullmatch(citation)
    if not documents or keyed is None or not ("_" in keyed[1] or keyed[1] in documents):
        return citation
    check_known((keyed[1],), documents, "source", path)
    document = documents[keyed[1]]
    published = f" ({document['published']})" if document.get("published") else ""
    return f"{document['name']}{keyed[2]}{published}"


def _spelled_out(value: Any, documents: Raw, path: str) -> Any:
    if isinstance(value, list):
        return [_spelled_out(item, documents, f"{path}[{place}]") for place, item in enumerate(value)]
    if not isinstance(value, Mapping):
        return value
    return {
        key: _citations(part, documents, f"{path}.{key}")
        if key in _CITING
        else _spelled_out(part, documents, f"{path}.{key}".replace(": .", ": "))
        for key, part in value.items()
    }


def _citations(value: Any, documents: Raw, path: str) -> Any:
    if isinstance(value, list):
        return [_citations(item, documents, path) for item in value]
    return spelled_out(value, documents, path) if isinstance(value, str) else value


def document_faults(files: LawFiles) -> Iterator[tuple[str, str, str, str]]:
    """Find documents that nothing cites or that contradict themselves, and citations and days that do not fit them.

    Each is the file, the place in it, what is wrong, and what to do.
    """
    documents = read_documents(files)
    used = set()
    for file in sorted({name for pattern in _CITERS for name in files.names(pattern)} - {SOURCES}):
        for citation in sorted(_cited(files, file)):
            try:
                spelled_out(citation, documents, "cite")
            except ScenarioError as error:
                yield file, "cite", error.message, error.fix
            used.add(cited_key(citation))
            key = document_named(citation, documents)
            if key:
                yield (
                    file,
                    "cite",
                    f"{citation!r} writes out a document of {SOURCES}",
                    f"Cite it by its key, {key}.",
                )
    for key in sorted(documents.keys() - used):
        yield (
            SOURCES,
            f"documents.{key}",
            f"{key} is cited nowhere",
            "Cite it where it belongs, or remove it.",
        )
    for key, message, fix in source_faults(documents):
        yield SOURCES, f"documents.{key}", message, fix
    for file in sorted(name for pattern in _PUBLISHED for name in files.names(pattern)):
        for path, message, fix in unread_days(documents, files.mapping(file), ""):
            yield file, path, message, fix


def document_named(citation: str, documents: Raw) -> str:
    """Find the key of the document whose name a citation begins with: `Proc 1097` does not begin `Proc 10976`."""
    fitting = (
        key
        for key, document in documents.items()
        if citation.startswith(name := document["name"]) and not citation[len(name) : len(name) + 1].isalnum()
    )
    return max(fitting, key=lambda key: len(documents[key]["name"]), default="")


def _cited(files: LawFiles, name: str) -> set[str]:
    return _cited_in_list(files.text(name)) if name.endswith(".csv") else set(_cited_in(files.mapping(name)))


def _cited_in(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _cited_in(item)
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _texts(part) if key in _CITING else _cited_in(part)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _cited_in_list(text: str) -> set[str]:
    rows = csv.DictReader(io.StringIO(text, newline=""))
    return {part.strip() for row in rows for part in (row.get("cite") or "").split(";")} - {""}
