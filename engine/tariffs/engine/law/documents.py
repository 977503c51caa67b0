"""Cite the documents of `sources.yaml` by key: read them, and put the text of each citation in the place of its key."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law.file_access import LawFiles
from tariffs.engine.law.known_names import check_known
from tariffs.engine.law.raw_fields import Raw, check_keys, fault, keys, read, read_required
from tariffs.engine.law.source_checks import cited_key, source_faults, unread_days

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
