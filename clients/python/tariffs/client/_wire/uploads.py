"""Sending tables: cut into messages, uploaded once, found again by what they hold."""

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
    """The frame as Arrow IPC streams of at most `limit` bytes and `rows` rows, in order, each with its rows' number.

    Raises:
        InvalidRequest: BATCH_TOO_LARGE if a single row does not fit.
    """
    for start in range(0, frame.height, rows):
        yield from _fitting(frame.slice(start, rows), limit)


def handle_of(message: table_service_pb2.Table) -> TableHandle:
    """The table of a message."""
    return TableHandle(
        message.name,
        message.row_count,
        message.column_count,
        message.byte_count,
        message.create_time,
        message.expire_time,
    )


class Uploads:
    """What this client has uploaded, so that a table in use is sent once."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._known: dict[str, str] = {}

    def handle(self, frame: pl.DataFrame, call: Call) -> TableHandle:
        """The table on the server, uploaded unless it is there; `call(method, request)` makes the calls."""
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
        found = handle_of(call("UploadTable", requests))
        with self._lock:
            self._known[digest] = found.name
            while len(self._known) > _UPLOADS_KNOWN:
                del self._known[next(iter(self._known))]
        return found


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
