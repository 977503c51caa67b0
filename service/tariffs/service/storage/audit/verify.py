"""Verify the chains of an audit record: find entries that were changed, removed, inserted, reordered or cut off.

A chain is read once, in the order in which it is stored, into segments: runs of lines each of which names the one
before it. A chain that nobody touched is one segment; every break between two says what happened there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tariffs.engine.errors import InputError
from tariffs.service.settings.settings import Settings, load_settings
from tariffs.service.storage.audit.chain import MISSING_HEAD, Head, digest_of_line, read_entry
from tariffs.service.storage.audit.sources import Line, StoredChain, chains_at, chains_in, parse_head

CHANGED, REMOVED, INSERTED, REORDERED = "changed", "removed", "inserted", "reordered"
CUT, UNREADABLE, HEADLESS = "cut", "unreadable", "headless"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with a chain: its kind, the place of the line, the first and last entry that it concerns."""

    kind: str
    place: str
    first: int
    last: int
    message: str


@dataclass(frozen=True, slots=True)
class ChainReport:
    """Result for one chain: how many entries it has, its last one, and what is wrong."""

    name: str
    entries: int
    head: Head
    findings: list[Finding] = field(default_factory=list)


@dataclass(slots=True)
class _Segment:
    """Lines that name each other, in the order of the file."""

    order: int
    place: str
    last_place: str
    first: int
    previous: str
    last: Head

    @property
    def length(self) -> int:
        return self.last.seq - self.first + 1


def verify(chain: StoredChain, after: Head | None = None, until: Head | None = None) -> ChainReport:
    """Verify one chain.

    Args:
        after: the last entry before the first one that is stored, where earlier files were moved away.
        until: an entry that the chain must have, such as the head noted at an earlier verification.
    """
    expected = [head for head in (chain.head, until) if head is not None]
    reading = _Reading({head.seq: "" for head in expected})
    reading.read(chain.name, chain.lines)
    head = _in_order(reading, after or Head())
    for one in expected:
        reading.findings += _against(reading, head, one)
    if chain.head is None and (until is None or until.seq != head.seq):
        text = f"no head is recorded: entries after {head.seq} may have been cut off"
        reading.findings.append(Finding(HEADLESS, reading.end or chain.name, head.seq, head.seq, text))
    findings = sorted(dict.fromkeys(reading.findings), key=lambda one: one.first)
    return ChainReport(chain.name, reading.count, head, findings)


@dataclass(slots=True)
class _Reading:
    """Result of one pass over a chain, with the digests of the entries that are compared with a head."""

    digests: dict[int, str]
    segments: list[_Segment] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    count: int = 0

    @property
    def end(self) -> str:
        """The place of the last line that is an entry; empty without one."""
        return self.segments[-1].last_place if self.segments else ""

    def read(self, name: str, lines: Iterable[Line]) -> None:
        """Read all lines into segments."""
        current: _Segment | None = None
        for line in lines:
            current = self._add(name, line, current)

    def _add(self, name: str, line: Line, current: _Segment | None) -> _Segment | None:
        entry = read_entry(line.data)
        if entry is None or entry["chain"] != name:
            at = current.last.seq + 1 if current else 1
            text = "the line is not an entry" if entry is None else "the line is an entry of another chain"
            self.findings.append(Finding(UNREADABLE, line.place, at, at, text))
            return None
        self.count += 1
        if entry.get(MISSING_HEAD):
            text = "no head was recorded when the chain was continued: entries before may have been cut off"
            self.findings.append(Finding(HEADLESS, line.place, entry["seq"], entry["seq"], text))
        head = Head(entry["seq"], digest_of_line(line.data))
        if head.seq in self.digests:
            self.digests[head.seq] = head.digest
        if current and (entry["seq"], entry["previous"]) == (current.last.seq + 1, current.last.digest):
            current.last, current.last_place = head, line.place
            return current
        started = _Segment(len(self.segments), line.place, line.place, entry["seq"], entry["previous"], head)
        self.segments.append(started)
        return started


def _in_order(reading: _Reading, start: Head) -> Head:
    """Walk the segments by the numbers of their entries, and return the last entry."""
    head, place, findings = start, "", reading.findings
    chain: list[_Segment] = []
    for one in sorted(reading.segments, key=lambda segment: (segment.first, -segment.length)):
        if one.first <= head.seq:
            text = f"entry {one.first} is there a second time"
            findings.append(Finding(INSERTED, one.place, one.first, one.last.seq, text))
            continue
        if one.first > head.seq + 1:
            text = f"{_missing(head.seq + 1, one.first - 1)} before this line"
            findings.append(Finding(REMOVED, one.place, head.seq + 1, one.first - 1, text))
        elif one.previous != head.digest:
            text = f"entry {head.seq} is not the one that entry {one.first} was written after"
            findings.append(Finding(CHANGED, place or one.place, head.seq, head.seq, text))
        head, place = one.last, one.last_place
        chain.append(one)
    findings += _out_of_order(chain)
    return head


def _out_of_order(chain: Iterable[_Segment]) -> Iterator[Finding]:
    """Yield the segments that are stored after entries with higher numbers."""
    highest = 0
    for one in sorted(chain, key=lambda segment: segment.order):
        if one.first < highest:
            text = f"entry {one.first} is stored after entries that were written later"
            yield Finding(REORDERED, one.place, one.first, one.last.seq, text)
        highest = max(highest, one.last.seq)


def _against(reading: _Reading, head: Head, expected: Head) -> list[Finding]:
    if expected.seq > head.seq:
        text = f"{_missing(head.seq + 1, expected.seq)} at the end"
        return [Finding(CUT, reading.end, head.seq + 1, expected.seq, text)]
    if reading.digests[expected.seq] not in ("", expected.digest):
        text = f"entry {expected.seq} is not the one whose digest was recorded"
        return [Finding(CHANGED, reading.end, expected.seq, expected.seq, text)]
    return []


def _missing(first: int, last: int) -> str:
    return f"entry {first} is missing" if first == last else f"entries {first} to {last} are missing"


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
