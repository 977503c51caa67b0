"""Result parts of a long run: Parquet files of messages, in a directory named by the run digest.

A part is written atomically and is the same whichever server computes it. It holds the messages as they are sent, so a
message has the same offset for every reader.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
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
    """One part as a Parquet file."""

    path: Path

    def is_there(self) -> bool:
        """Return True if the part has been written."""
        return self.path.exists()

    def write(self, messages: Sequence[tuple[str, bytes]], facts: Mapping[str, Any]) -> None:
        """Write messages, each with its kind, and the facts needed to finish the run."""
        frame = pl.DataFrame(messages, schema=_SCHEMA, orient="row")
        metadata = {_FACTS: json.dumps(facts)}
        write = partial(frame.write_parquet, row_group_size=_ROWS_PER_GROUP, metadata=metadata)
        files.write_whole(self.path, write)

    def facts(self) -> dict[str, Any]:
        """Read the facts written beside the messages."""
        facts: dict[str, Any] = json.loads(pl.read_parquet_metadata(self.path)[_FACTS])
        return facts

    def count(self) -> int:
        """Count its messages."""
        return int(pl.scan_parquet(self.path).select(pl.len()).collect().item())

    def read(self, start: int, count: int) -> list[bytes]:
        """Read `count` of its messages from `start` on."""
        rows = pl.scan_parquet(self.path).slice(start, count).select("message").collect()
        return rows["message"].to_list()


@dataclass(frozen=True, slots=True)
class ResultParts:
    """All parts of one run: the refused rows, one part per point or scenario, and the last message."""

    directory: Path
    total: int

    @property
    def head(self) -> ResultPart:
        """The part of the refused rows."""
        return self._part(HEAD)

    @property
    def tail(self) -> ResultPart:
        """The part of the last message."""
        return self._part(TAIL)

    def __getitem__(self, index: int) -> ResultPart:
        return self._part(f"{index:05}")

    def __iter__(self) -> Iterator[ResultPart]:
        yield self.head
        yield from (self[index] for index in range(self.total))
        yield self.tail

    def complete(self) -> bool:
        """Return True if all parts have been written."""
        return all(part.is_there() for part in self)

    def touch(self) -> None:
        """Mark the parts as in use."""
        files.touch(self.directory)

    def _part(self, name: str) -> ResultPart:
        return ResultPart(self.directory / f"{name}.parquet")
