"""Cite the documents of `sources.yaml` by key in product lists, whose importers name them as they are written."""

from __future__ import annotations

import re
from functools import cache

from tariffs.engine.law.documents import read_documents
from tariffs.engine.law.files import HERE, DirectoryFiles

_SCHEDULE = re.compile(r"^(?=U\.S\. notes?\b)")
_PROCLAMATION = re.compile(r"^(?=\d{5}$)")
_IN_BRACKETS = re.compile(r" \(([^)]*)\)")


def by_key(citations: str) -> str:
    """Put keys in place of the documents named in citations that semicolons part; other texts stay."""
    return "; ".join(_by_key(part.strip()) for part in citations.split(";"))


@cache
def _by_key(citation: str) -> str:
    """Cite the document with the longest name, or place of publication, that the citation begins with."""
    named = _PROCLAMATION.sub("Proc ", _SCHEDULE.sub("HTS ", citation))
    found: list[tuple[int, str]] = []
    for key, document in read_documents(DirectoryFiles(HERE)).items():
        published = document.get("published", "")
        for name in {document["name"], *published.split(", ")} - {""}:
            rest = named[len(name) :]
            if named.startswith(name) and not rest[:1].isalnum():
                found.append((len(name), key + _without(rest, published)))
    return max(found)[1] if found else citation


def _without(place: str, published: str) -> str:
    """Take out where the document was published, which its citation is shown with."""
    return _IN_BRACKETS.sub(lambda part: "" if part[1] in published else part[0], place, count=1)
