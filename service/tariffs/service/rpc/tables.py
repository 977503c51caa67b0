"""TableService: tables that come in parts, checked as they come and kept under their digest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from tariffs.engine.errors import InputError, ServiceError, TariffsError
from tariffs.engine.law import load_law
from tariffs.engine.tables.prepare import table_digest
from tariffs.service.rpc.changes import LocalTable, list_changes
from tariffs.service.rpc.simulation import Local, simulate
from tariffs.service.rpc.timeline import run_timeline
from tariffs.service.storage.table_store import LocalTables, StoredTable
from tariffs.service.wire import arrow
from tariffs.service.wire.frames import pack, unpack
from tariffs.service.workers.tasks import ResultSink
from tariffs.v1 import law_service_pb2, table_service_pb2
from tariffs.v1 import simulation_service_pb2 as pb

_LENGTH_BYTES = 4


@dataclass
class Intake:
    """The parts of one table as they come: each is checked alone, and against the first."""

    byte_limit: int
    row_limit: int
    parts: int = 0
    byte_count: int = 0
    row_count: int = 0
    columns: Mapping[str, pl.DataType] | None = None

    def take(self, data: bytes) -> bytes:
        """Check a part; gives it as it is spooled.

        Raises:
            InputError: what is wrong with the part, named by its place.
            ServiceError: ROW_QUOTA if the table grows too large.
        """
        try:
            frame = arrow.read_table(data)
            self._compare(dict(frame.schema))
        except TariffsError as error:
            error.metadata["part"] = str(self.parts)
            raise
        self.parts += 1
        # A part may unpack into far more than was sent.
        self.byte_count += max(len(data), int(frame.estimated_size()))
        self.row_count += frame.height
        _check_limit("bytes", self.byte_count, self.byte_limit)
        _check_limit("rows", self.row_count, self.row_limit)
        return len(data).to_bytes(_LENGTH_BYTES, "big") + data

    def _compare(self, columns: Mapping[str, pl.DataType]) -> None:
        if self.columns is None:
            self.columns = columns
        first = self.columns
        for name in sorted(first.keys() ^ columns.keys()):
            raise InputError(
                "COLUMN_MISSING",
                f"The parts of a table have the same columns; {name!r} is not in all of them.",
                field=name,
                fix="Send every part with the columns of the first.",
                metadata={"column": name},
            )
        for name, dtype in columns.items():
            if dtype != first[name]:
                raise InputError(
                    "COLUMN_TYPE_MISMATCH",
                    f"Column {name!r} is {dtype} here and {first[name]} in the first part.",
                    field=name,
                    fix="Send every part with the types of the first.",
                    metadata={"column": name, "expected": str(first[name]), "found": str(dtype)},
                )


def keep_table(payload: bytes, outlet: ResultSink) -> None:
    """Keep a table whose parts were spooled; its digest and size are the one result.

    The payload's facts are `spool`, the file of the parts, and `directory`, where tables are kept.

    Raises:
        InputError: a fault of the table as a whole, such as COLUMN_MISSING.
    """
    facts, _ = unpack(payload)
    frames = list(_spooled(Path(facts["spool"])))
    frame = pl.concat([part.select(frames[0].columns) for part in frames])
    digest = table_digest(frame, load_law())
    if outlet.cancelled():
        raise ServiceError("CANCELLED", "The caller cancelled the upload.")
    size = LocalTables(Path(facts["directory"])).put(digest, frame)
    found = {
        "digest": digest,
        "row_count": frame.height,
        "column_count": frame.width,
        "byte_count": size,
    }
    outlet.result(pack(found))


def simulate_kept(payload: bytes, outlet: ResultSink) -> None:
    """Simulate over a table that is kept; the payload's fact is `table`, its path."""
    facts, body = unpack(payload)

    def emit(message: pb.SimulateResponse) -> None:
        _tell(message, outlet)

    simulate(pb.SimulateRequest.FromString(body), emit, outlet.cancelled, Local(facts["table"]))


def timeline_kept(payload: bytes, outlet: ResultSink) -> None:
    """A period over a table that is kept; the payload's fact is `table`, its path."""
    facts, body = unpack(payload)

    def emit(message: pb.TimelineResponse) -> None:
        _tell(message, outlet)

    run_timeline(pb.TimelineRequest.FromString(body), emit, outlet.cancelled, Local(facts["table"]))


def changes_kept(payload: bytes, outlet: ResultSink) -> None:
    """What changes of the law do to a table that is kept; the payload's fact is `table`, its path."""
    facts, body = unpack(payload)

    def emit(message: law_service_pb2.ListChangesResponse) -> None:
        outlet.result(message.SerializeToString())

    request = law_service_pb2.ListChangesRequest.FromString(body)
    list_changes(request, emit, outlet.cancelled, LocalTable(facts["table"], arrow.MESSAGE_LIMIT))


def table_message(table: StoredTable, keep_seconds: float) -> table_service_pb2.Table:
    """A table as a message."""
    return table_service_pb2.Table(
        name=table.name,
        row_count=table.row_count,
        column_count=table.column_count,
        byte_count=table.byte_count,
        create_time=time_text(table.created),
        expire_time=time_text(table.used + keep_seconds),
    )


def time_text(seconds: float | None) -> str:
    """A time of the server as RFC 3339; empty where there is none."""
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _tell(message: Any, outlet: ResultSink) -> None:
    tell = outlet.progress if message.WhichOneof("content") == "progress" else outlet.result
    tell(message.SerializeToString())


def _spooled(path: Path) -> Iterator[pl.DataFrame]:
    with path.open("rb") as spool:
        while head := spool.read(_LENGTH_BYTES):
            yield arrow.read_table(spool.read(int.from_bytes(head, "big")))


def _check_limit(what: str, found: int, limit: int) -> None:
    if found > limit:
        raise ServiceError(
            "ROW_QUOTA",
            f"The table has more than {limit:,} {what}.",
            fix="Split it, or run it in-process: Client.local().",
            metadata={"limit": str(limit)},
        )
