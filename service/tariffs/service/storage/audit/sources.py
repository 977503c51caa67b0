"""Read audit entries: the chains of a directory, of single files or of the database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from tariffs.engine.errors import InputError
from tariffs.service.storage.audit.chain import ZERO, Head

HEAD_SUFFIX, LOCK_SUFFIX = ".head", ".lock"
_FILE = re.compile(r"(?P<chain>.+)-\d{4}-\d\d-\d\d-(?P<seq>\d{12,})\.jsonl")
_HEAD = re.compile(r"(\d{20}) ([0-9a-f]{64})\n")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the record and where it is: `FILE:LINE`, or `CHAIN:SEQ` in the database."""

    place: str
    data: bytes


@dataclass(frozen=True, slots=True)
class StoredChain:
    """One chain: its lines in the order in which they are stored, and its recorded head; None if it is missing."""

    name: str
    lines: Iterable[Line]
    head: Head | None


def chain_files(directory: Path, name: str) -> list[Path]:
    """List the files of a chain in the order of their first entries."""
    found = []
    for path in directory.glob("*.jsonl"):
        match = _FILE.fullmatch(path.name)
        if match is not None and match["chain"] == name:
            found.append((int(match["seq"]), path))
    return [path for _, path in sorted(found)]


def read_head(path: Path) -> Head | None:
    """Read a head file; None if it does not exist or is not one."""
    try:
        match = _HEAD.fullmatch(path.read_text(encoding="ascii"))
    except (OSError, UnicodeError):
        match = None
    return None if match is None else Head(int(match[1]), match[2])


def chains_at(path: Path) -> list[StoredChain]:
    """List the chains in a directory, or the one that a file is part of.

    Raises:
        InputError: REQUEST_INVALID if there are none.
    """
    directory = path if path.is_dir() else path.parent
    matches = (_FILE.fullmatch(one.name) for one in ([*path.glob("*.jsonl")] if path.is_dir() else [path]))
    names = sorted({match["chain"] for match in matches if match is not None})
    if path.is_dir():
        # A chain whose files are all gone leaves its lock.
        traces = (one for suffix in (HEAD_SUFFIX, LOCK_SUFFIX) for one in path.glob(f"*{suffix}"))
        names = sorted({*names, *(one.stem for one in traces)})
    if not names or not path.exists():
        raise InputError(
            "REQUEST_INVALID",
            f"There is no audit record at {path}.",
            field="path",
            fix="Give the directory of TARIFFS_AUDIT, or one of its files CHAIN-DAY-SEQ.jsonl.",
        )
    return [
        StoredChain(
            name, _FileLines(chain_files(directory, name)), read_head(directory / f"{name}{HEAD_SUFFIX}")
        )
        for name in names
    ]


def chains_in(url: str) -> list[StoredChain]:
    """List the chains in a database.

    Raises:
        ServiceError: STORAGE_UNAVAILABLE if the database cannot be reached; DATABASE_VERSION if it has no audit record.
    """
    from tariffs.service.storage.audit.table_chain import AUDIT_CHAINS, AUDIT_ENTRIES
    from tariffs.service.storage.database import Database

    with closing(Database(url)) as database:
        database.require_current()
        with database.read() as connection:
            rows = connection.execute(sa.select(AUDIT_CHAINS)).all()
            written = connection.execute(sa.select(AUDIT_ENTRIES.c.chain).distinct()).scalars().all()
    heads = {row.name: Head(row.seq, row.digest) for row in rows}
    return [StoredChain(name, _TableLines(url, name), heads.get(name)) for name in sorted({*heads, *written})]


def parse_head(text: str) -> Head:
    """Read `SEQ:DIGEST`; raises InputError REQUEST_INVALID."""
    seq, _, digest = text.partition(":")
    if not seq.isdecimal() or not re.fullmatch(rf"[0-9a-f]{{{len(ZERO)}}}", digest):
        raise InputError(
            "REQUEST_INVALID",
            f"{text[:100]!r} is not the number and the digest of an entry.",
            field="head",
            fix="Give SEQ:DIGEST as `tariffs audit verify` prints it.",
        )
    return Head(int(seq), digest)


@dataclass(frozen=True, slots=True)
class _FileLines:
    paths: list[Path]

    def __iter__(self) -> Iterator[Line]:
        for path in self.paths:
            with path.open("rb") as stream:
                for number, line in enumerate(stream, 1):
                    yield Line(f"{path.name}:{number}", line.removesuffix(b"\n"))


@dataclass(frozen=True, slots=True)
class _TableLines:
    url: str
    name: str

    def __iter__(self) -> Iterator[Line]:
        from tariffs.service.storage.audit.table_chain import AUDIT_ENTRIES
        from tariffs.service.storage.database import Database

        mine = AUDIT_ENTRIES.c.chain == self.name
        query = sa.select(AUDIT_ENTRIES.c.seq, AUDIT_ENTRIES.c.line).where(mine).order_by(AUDIT_ENTRIES.c.seq)
        with closing(Database(self.url)) as database, database.read() as connection:
            for row in connection.execute(query.execution_options(yield_per=1000)):
                yield Line(f"{self.name}:{row.seq}", row.line.encode())
