"""Verify chains of the audit record, and select entries, for `tariffs audit`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tariffs.engine.errors import InputError
from tariffs.service.settings.settings import Settings, load_settings
from tariffs.service.storage.audit.chain import read_entry
from tariffs.service.storage.audit.sources import StoredChain, chains_at, chains_in, parse_head
from tariffs.service.storage.audit.verify import ChainReport, verify


def chains(path: str | None, database: str | None) -> list[StoredChain]:
    """List the chains of a directory or file, or of a database.

    Args:
        path: directory or file; None for the database.
        database: URL of the database, checked as TARIFFS_DATABASE_URL is.

    Raises:
        InputError: REQUEST_INVALID or SETTING_INVALID.
        ServiceError: STORAGE_UNAVAILABLE, or DATABASE_VERSION.
    """
    if (path is None) == (database is None):
        raise InputError(
            "REQUEST_INVALID", "Give a path, or --database URL.", field="path", fix="Give one of them."
        )
    if path is not None:
        return chains_at(Path(path))
    settings: Settings = load_settings(database_url=database)
    return chains_in(settings.database)


def verified(
    found: Sequence[StoredChain], after: Mapping[str, str], heads: Mapping[str, str]
) -> list[ChainReport]:
    """Verify chains.

    Args:
        found: the chains.
        after: by chain, the last entry before the first that is stored, as SEQ:DIGEST.
        heads: by chain, an entry that it must have, as SEQ:DIGEST.

    Raises:
        InputError: REQUEST_INVALID for a chain that is not there, or another text.
    """
    names = {chain.name for chain in found}
    for name in sorted({*after, *heads} - names):
        raise InputError(
            "REQUEST_INVALID",
            f"There is no chain {name[:100]!r}; those there: {', '.join(sorted(names)) or 'none'}.",
            field="chain",
            fix="Give CHAIN=SEQ:DIGEST as `tariffs audit verify` prints it.",
        )
    anchors = ({name: parse_head(text) for name, text in given.items()} for given in (after, heads))
    starts, ends = anchors
    return [verify(chain, starts.get(chain.name), ends.get(chain.name)) for chain in found]


def selected(
    found: Iterable[StoredChain], wanted: Mapping[str, str], since: str, until: str
) -> Iterator[dict[str, Any]]:
    """Yield the entries that have these values, by chain and in their order.

    Args:
        found: the chains.
        wanted: value by field; of a list one must have it, of a scenario or law its id, version or digest.
        since: first instant, as ISO 8601 text or the beginning of one; empty for the beginning.
        until: first instant that is left out; empty for none.
    """
    for chain in found:
        for line in chain.lines:
            entry = read_entry(line.data)
            if entry is None or not _in_time(str(entry.get("time", "")), since, until):
                continue
            if all(text in _values(entry.get(name)) for name, text in wanted.items()):
                yield entry


def _in_time(time: str, since: str, until: str) -> bool:
    return time >= since and (not until or time < until)


def _values(value: Any) -> set[str]:
    if isinstance(value, dict):
        return {str(one) for one in value.values()}
    if isinstance(value, list):
        return {text for one in value for text in _values(one)}
    return {str(value)}
