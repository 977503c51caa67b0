"""The parts of a run's result: Parquet files of messages, in a directory named by what was asked.

A part appears whole or not at all, and is the same whoever computes it. It holds the messages as they are sent, so that
the place of a message never depends on who reads it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tariffs.service.storage import files

HEAD, TAIL = "head", "tail"
_FACTS = "tariffs.facts"
_ROWS_PER_GROUP = 16
_SCHEMA = {"kind": pl.String, "message": pl.Binary}


@dataclass(frozen=True, slots=True)
class ResultPart:
    """Where one part is."""

    path: Path

    def is_there(self) -> bool:
        """Whether it can be read."""
        return self.path.exists()

    def write(self, messages: Sequence[tuple[str, bytes]], facts: Mapping[str, Any]) -> None:
        """Make the part of its messages, each with its kind, and of facts that the end of the run needs."""
        frame = pl.DataFrame(messages, schema=_SCHEMA, orient="row")
        metadata = {_FACTS: json.dumps(facts)}

        def fill(path: Path) -> None:
            frame.write_parquet(path, row_group_size=_ROWS_PER_GROUP, metadata=metadata)

        files.write_whole(self.path, fill)

    def facts(self) -> dict[str, Any]:
        """What was noted beside the messages."""
        found: dict[str, Any] = json.loads(pl.read_parquet_metadata(self.path)[_FACTS])
        return found

    def count(self) -> int:
        """How many messages it has."""
        return int(pl.scan_parquet(self.path).select(pl.len()).collect().item())

    def read(self, start: int, count: int) -> list[bytes]:
        """Some of its messages."""
        rows = pl.scan_parquet(self.path).slice(start, count).select("message").collect()
        return rows["message"].to_list()


@dataclass(frozen=True, slots=True)
class ResultParts:
    """The parts of one run: what was refused at once, one per point or scenario, and the end."""

    directory: Path
    total: int

    @property
    def head(self) -> ResultPart:
        """The part before the first result."""
        return self._part(HEAD)

    @property
    def tail(self) -> ResultPart:
        """The part that ends the run."""
        return self._part(TAIL)

    def __getitem__(self, index: int) -> ResultPart:
        return self._part(f"{index:05}")

    def __iter__(self) -> Iterator[ResultPart]:
        yield self.head
        yield from (self[index] for index in range(self.total))
        yield self.tail

    def complete(self) -> bool:
        """Whether all can be read."""
        return all(part.is_there() for part in self)

    def touch(self) -> None:
        """Say that the parts are in use."""
        files.touch(self.directory)

    def _part(self, name: str) -> ResultPart:
        return ResultPart(self.directory / f"{name}.parquet")
