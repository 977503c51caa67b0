"""Link citations to the addresses of their documents, and list all documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from tariffs.engine.law.documents import document_named, read_documents
from tariffs.engine.law.files import HERE, DirectoryFiles
from tariffs.engine.law.raw_fields import Raw


@cache
def _documents() -> Raw:
    return read_documents(DirectoryFiles(HERE))


def linked(citations: Sequence[str]) -> str:
    """Write citations with semicolons, each a link where its document has an address."""
    return "; ".join(map(_linked, citations))


def _linked(citation: str) -> str:
    return _link(citation, _documents().get(document_named(citation, _documents()), {}).get("address", ""))


def _link(text: str, address: str) -> str:
    return f"[{text}]({address})" if address else text


def document_rows() -> Iterator[str]:
    """List the documents of `sources.yaml`, each with what it is about, its day and its address."""
    yield "Titles are in words of our own. A day that is not given was not seen."
    yield ""
    yield "| document | published | day | about | key |"
    yield "|---|---|---|---|---|"
    for key, document in _documents().items():
        about = [document.get(name, "") for name in ("published", "day", "title")]
        yield f"| {_link(document['name'], document.get('address', ''))} | {' | '.join(about)} | `{key}` |"
