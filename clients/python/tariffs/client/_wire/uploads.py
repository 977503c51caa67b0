"""Upload tables in messages of limited size, each table once."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import polars as pl

from tariffs.client._wire.frames import encode, too_large
from tariffs.client.errors import NotFound
from tariffs.client.results.table_handle import TableHandle
from tariffs.v1 import table_service_pb2

_ROWS_TRIED = 65_536
_UPLOADS_KNOWN = 256
Call = Callable[..., Any]


def cut(frame: pl.DataFrame, limit: int, rows: int = _ROWS_TRIED) -> Iterator[tuple[int, bytes]]:
    """Split a frame into Arrow IPC streams of at most `limit` bytes and `rows` rows, each with its row count.

    Raises:
        InvalidRequest: BATCH_TOO_LARGE if a single row does not fit.
    """
    for start in range(0, frame.height, rows):
        yield from _fitting(frame.slice(start, rows), limit)


def handle_of(message: table_service_pb2.Table) -> TableHandle:
    """Convert the message of a table."""
    return TableHandle(
        message.name,
        message.row_count,
        message.column_count,
        message.byte_count,
        message.create_time,
        message.expire_time,
    )


class Uploads:
    """Tables that this client has uploaded, by digest."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._known: dict[str, str] = {}

    def handle(self, frame: pl.DataFrame, call: Call) -> TableHandle:
        """Get the handle of a table, uploaded unless the server has it; `call(method, request)` makes the calls."""
        data = [part for _, part in cut(frame, self._limit)]
        digest = _digest(data)
        name = self._known.get(digest)
        if name is not None:
            try:
                return handle_of(call("GetTable", table_service_pb2.GetTableRequest(name=name)))
            except NotFound:
                # The server has forgotten it.
                pass
        requests = (table_service_pb2.UploadTableRequest(arrow=part) for part in data)
        uploaded = handle_of(call("UploadTable", requests))
        with self._lock:
            self._known[digest] = uploaded.name
            while len(self._known) > _UPLOADS_KNOWN:
                del self._known[next(iter(self._known))]
        return uploaded


def _fitting(frame: pl.DataFrame, limit: int) -> Iterator[tuple[int, bytes]]:
    data = encode(frame)
    if len(data) <= limit:
        yield frame.height, data
        return
    if frame.height < 2:
        raise too_large(frame.height, len(data), limit)
    half = frame.height // 2
    yield from _fitting(frame.slice(0, half), limit)
    yield from _fitting(frame.slice(half), limit)


def _digest(parts: Sequence[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
