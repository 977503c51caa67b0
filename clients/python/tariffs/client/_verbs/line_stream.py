"""Stream of table rows: sent in batches, returned with their duty in order."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from typing import Unpack, cast

import polars as pl

from tariffs.client import _arguments as arguments
from tariffs.client._verbs.remote_calls import RemoteCalls
from tariffs.client._wire import answers, requests
from tariffs.client._wire.channel import Backend
from tariffs.client._wire.frames import Table, batches_of, from_arrow, read_table
from tariffs.client._wire.reading import provenance
from tariffs.client._wire.requests import ScenarioLike
from tariffs.client._wire.run_options import read_spec
from tariffs.client._wire.uploads import cut
from tariffs.client.errors import InternalError
from tariffs.client.results.quote import Note, Provenance
from tariffs.client.scenario import Scenario
from tariffs.run_spec.option import Day
from tariffs.run_spec.typed import LawOptions
from tariffs.v1 import simulation_service_pb2 as pb

# A server takes batches of a quarter of a million lines, counting each row once for each point.
_LINES_AT_A_TIME = 100_000


class LineStream:
    """Iterator of frames with results, to be read once: `scenario`, `on`, the table's columns and the results.

    As a context manager it ends the call when the block is left.

    Attributes:
        notes: notes on the whole table; empty before the end.
        provenance: inputs needed to reproduce the rows; None before the end.
    """

    def __init__(
        self,
        backend: Backend,
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

    def __enter__(self) -> LineStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __next__(self) -> pl.DataFrame:
        return next(self._frames)

    @property
    def refused(self) -> pl.DataFrame:
        """Refused rows, as far as the stream was read; `row` counts from the table's first."""
        return pl.concat(self._refused) if self._refused else pl.DataFrame()

    def collect(self) -> pl.DataFrame:
        """Read all remaining rows into one frame."""
        frames = list(self)
        return pl.concat(frames, how="vertical_relaxed") if frames else pl.DataFrame()

    def close(self) -> None:
        """End the stream early."""
        self._frames.close()

    def _read(self) -> Generator[pl.DataFrame, None, None]:
        for message in self._backend.lines(self._sent(), self._timeout):
            kind = message.WhichOneof("content")
            if kind == "lines":
                yield answers.rows(message.lines)
            elif kind == "refused":
                first = self._first_rows[message.refused.batch]
                self._refused.append(from_arrow(message.refused.arrow).with_columns(pl.col("row") + first))
            elif kind == "done":
                self.notes = answers.run_notes(message.done)
                self.provenance = provenance(message.done.provenance)
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
    return batches_of(cast(Table, table))


class LineStreamCalls(RemoteCalls):
    """Streams of table rows; mixed into `Client`."""

    def lines(
        self,
        table: Table | Iterable[pl.DataFrame],
        scenarios: Sequence[ScenarioLike] = ("base",),
        *,
        on: Day | None = None,
        timeout: float | None = None,
        **options: Unpack[LawOptions],
    ) -> LineStream:
        """Compute the duty on the rows of a table of any length, batch by batch, without trade response.

        Rows are sent as the results are read, and both sides hold only a few batches.

        Args:
            table: as in `impact`, or frames with the same columns as they come.
            scenarios: library names, `*.yaml` paths, or `Scenario`s, which may carry a day of their own.
            on: day of the law; a row's own entry date beats it.
            timeout: seconds for the whole stream; by default the config's deadline.
            **options: the other options, listed by `help(tariffs.client.LawOptions)`.

        Returns:
            An iterator of frames, each some rows of one scenario.

        Raises:
            InvalidRequest: an option cannot be used. What is wrong with the table is raised by the iterator.
        """
        spec = read_spec("lines", options, on=on)
        config = requests.lines_config(Scenario.all_of(scenarios), spec)
        seconds = arguments.seconds(timeout, self._config.deadlines.lines)
        return LineStream(self._backend, config, table, self._config.message_limit, seconds)
