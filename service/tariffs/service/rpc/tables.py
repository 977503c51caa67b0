"""TableService: check tables that arrive in parts, and store them under their digest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tariffs.engine.errors import InputError, ServiceError, TariffsError
from tariffs.engine.law import load_law
from tariffs.engine.tables.prepare import table_digest
from tariffs.service.rpc.messages import message_of, time_text
from tariffs.service.storage.table_store import StoredTable, TableFiles
from tariffs.service.wire import arrow
from tariffs.service.wire.frames import pack, unpack
from tariffs.service.wire.status import check_cancelled
from tariffs.service.workers.tasks import ResultSink
from tariffs.v1 import table_service_pb2

_LENGTH_BYTES = 4


@dataclass
class Intake:
    """Checks the parts of one table as they arrive, each by itself and against the first."""

    byte_limit: int
    parts: int = 0
    byte_count: int = 0
    columns: Mapping[str, pl.DataType] | None = None

    def check(self, data: bytes) -> bytes:
        """Check a part; return it with its length, as written to the upload file.

        Raises:
            InputError: an invalid part, named by its index.
            ServiceError: ROW_QUOTA if the table grows too large.
        """
        try:
            frame = arrow.read_table(data)
            self._compare(dict(frame.schema))
        except TariffsError as error:
            error.metadata["part"] = str(self.parts)
            raise
        self.parts += 1
        # A part may unpack into far more bytes than were sent.
        self.byte_count += max(len(data), int(frame.estimated_size()))
        if self.byte_count > self.byte_limit:
            raise ServiceError(
                "ROW_QUOTA",
                f"The table has more than {self.byte_limit:,} bytes in memory.",
                fix="Split it, run it in-process (Client.local()), or ask the operators for a higher quota "
                "`table_bytes`.",
                metadata={"limit": str(self.byte_limit), "quota": "table_bytes"},
            )
        return len(data).to_bytes(_LENGTH_BYTES, "big") + data

    def _compare(self, columns: Mapping[str, pl.DataType]) -> None:
        if self.columns is None:
            self.columns = columns
        first = self.columns
        for name in sorted(first.keys() ^ columns.keys()):
            raise InputError(
                "COLUMN_MISSING",
                f"Column {name!r} is not in all parts of the table.",
                field=name,
                fix="Send every part with the columns of the first part.",
                metadata={"column": name},
            )
        for name, dtype in columns.items():
            if dtype != first[name]:
                raise InputError(
                    "COLUMN_TYPE_MISMATCH",
                    f"Column {name!r} is {dtype} in this part and {first[name]} in the first part.",
                    field=name,
                    fix="Send every part with the types of the first part.",
                    metadata={"column": name, "expected": str(first[name]), "found": str(dtype)},
                )


def store_table(payload: bytes, sink: ResultSink) -> None:
    """Store an uploaded table; the one result is its digest and size.

    The payload's facts are `upload`, the file of the parts, and `directory`, that of stored tables.

    Raises:
        InputError: an invalid table, such as COLUMN_MISSING.
    """
    facts, _ = unpack(payload)
    frames = list(_read_parts(Path(facts["upload"])))
    frame = pl.concat([part.select(frames[0].columns) for part in frames])
    digest = table_digest(frame, load_law())
    check_cancelled(sink.cancelled)
    size = TableFiles(Path(facts["directory"])).write(digest, frame)
    counts = {"row_count": frame.height, "column_count": frame.width, "byte_count": size}
    sink.result(pack({"digest": digest, **counts}))


def table_message(table: StoredTable, keep_seconds: float) -> table_service_pb2.Table:
    """Convert a stored table to a message."""
    return message_of(
        table_service_pb2.Table,
        table,
        create_time=time_text(table.created),
        expire_time=time_text(table.used + keep_seconds),
    )


def _read_parts(path: Path) -> Iterator[pl.DataFrame]:
    with path.open("rb") as upload:
        while head := upload.read(_LENGTH_BYTES):
            yield arrow.read_table(upload.read(int.from_bytes(head, "big")))
