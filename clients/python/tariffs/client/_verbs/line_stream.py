"""Rows that flow: sent in batches, valued, and given back in order."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Protocol, cast

import polars as pl

from tariffs.client._wire import answers
from tariffs.client._wire.frames import Table, from_arrow, read_table
from tariffs.client._wire.uploads import cut
from tariffs.client.errors import InternalError
from tariffs.client.results.quote import Note, Provenance
from tariffs.v1 import simulation_service_pb2 as pb

# A server takes batches of a quarter of a million lines, counting each row once for each point.
_LINES_AT_A_TIME = 100_000


class Lines(Protocol):
    """What a stream needs of the other side."""

    def lines(
        self, requests: Iterator[pb.SimulateLinesRequest], timeout: float
    ) -> Iterator[pb.SimulateLinesResponse]:
        """The answers to rows that are sent while they are read."""


class LineStream:
    """Frames of valued rows, to be read once: each has `scenario`, `on`, the table's columns and the results.

    Attributes:
        notes: what to know of the whole; empty before the end.
        provenance: what it takes to get the rows again; None before the end.
    """

    def __init__(
        self,
        backend: Lines,
        config: pb.LinesConfig,
        table: Table | Iterable[pl.DataFrame],
        limit: int,
        timeout: float,
    ) -> None:
        self.notes: tuple[Note, ...] = ()
        self.provenance: Provenance | None = None
        self._backend = backend
        self._config = config
        self._table = table
        self._limit = limit
        self._timeout = timeout
        self._refused: list[pl.DataFrame] = []
        self._first_rows = [0]
        self._failure: Exception | None = None
        self._frames = self._read()

    def __iter__(self) -> Iterator[pl.DataFrame]:
        return self

    def __next__(self) -> pl.DataFrame:
        return next(self._frames)

    @property
    def refused(self) -> pl.DataFrame:
        """Rows that could not be used, as far as the stream was read; `row` counts from the table's first."""
        return pl.concat(self._refused) if self._refused else pl.DataFrame()

    def collect(self) -> pl.DataFrame:
        """All rows that are left, as one frame."""
        frames = list(self)
        return pl.concat(frames, how="vertical_relaxed") if frames else pl.DataFrame()

    def close(self) -> None:
        """End the stream early."""
        self._frames.close()

    def _read(self) -> Generator[pl.DataFrame, None, None]:
        for message in self._backend.lines(self._sent(), self._timeout):
            kind = message.WhichOneof("content")
            if kind == "lines":
                batch = message.lines
                yield answers.rows(pb.ResultBatch(scenario=batch.scenario, on=batch.on, arrow=batch.arrow))
            elif kind == "refused":
                first = self._first_rows[message.refused.batch]
                self._refused.append(from_arrow(message.refused.arrow).with_columns(pl.col("row") + first))
            elif kind == "done":
                self.notes = answers.run_notes(message.done)
                self.provenance = answers.provenance(message.done.provenance)
        if self._failure is not None:
            raise self._failure
        if self.provenance is None:
            raise InternalError(
                "ENGINE_INVARIANT", "The stream ended without its last message.", code="INTERNAL"
            )

    def _sent(self) -> Iterator[pb.SimulateLinesRequest]:
        # gRPC reads this in a thread of its own, where an error would be lost.
        try:
            yield from self._requests()
        except Exception as error:
            self._failure = error

    def _requests(self) -> Iterator[pb.SimulateLinesRequest]:
        yield pb.SimulateLinesRequest(config=self._config)
        for frame in _frames_of(self._table):
            for rows, data in cut(frame, self._limit, max(1, _LINES_AT_A_TIME // len(self._config.points))):
                self._first_rows.append(self._first_rows[-1] + rows)
                yield pb.SimulateLinesRequest(arrow=data)


def _frames_of(table: Table | Iterable[pl.DataFrame]) -> Iterable[pl.DataFrame]:
    alone = isinstance(table, pl.DataFrame | str | Mapping) or hasattr(table, "__arrow_c_stream__")
    if isinstance(table, Iterable) and not alone:
        return map(read_table, table)
    return [read_table(cast(Table, table))]
