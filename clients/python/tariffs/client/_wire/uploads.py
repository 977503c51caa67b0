"""Upload tables in messages of limited size, each table once."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import polars as pl

from tariffs.client._wire.frames import encode, too_large
from tariffs.client._wire.reading import read
from tariffs.client.errors import NotFound, TariffsError
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


class Uploads:
    """Tables that this client has uploaded, by digest."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._known: dict[str, str] = {}

    def handle(self, frame: pl.DataFrame, call: Call) -> TableHandle:
        """Get the handle of a table, uploaded unless the server has it; `call(method, request)` makes the calls."""
        data = [part for _, part in cut(frame, self._limit)]

        def upload() -> TableHandle:
            requests = (table_service_pb2.UploadTableRequest(arrow=part) for part in data)
            return read(TableHandle, call("UploadTable", requests))

        return self._kept(_digest(data), call, upload)

    def stream(self, batches: Iterable[pl.DataFrame], key: str, call: Call) -> TableHandle:
        """Upload a table batch by batch; one with a key, such as that of an unchanged file, is sent once."""
        if not key:
            return upload_stream(batches, self._limit, call)
        return self._kept(key, call, lambda: upload_stream(batches, self._limit, call))

    def _kept(self, key: str, call: Call, upload: Callable[[], TableHandle]) -> TableHandle:
        name = self._known.get(key)
        if name is not None:
            try:
                return read(TableHandle, call("GetTable", table_service_pb2.GetTableRequest(name=name)))
            except NotFound:
                # The server has forgotten it.
                pass
        uploaded = upload()
        with self._lock:
            self._known[key] = uploaded.name
            while len(self._known) > _UPLOADS_KNOWN:
                del self._known[next(iter(self._known))]
        return uploaded


def upload_stream(frames: Iterable[pl.DataFrame], limit: int, call: Call) -> TableHandle:
    """Upload a table batch by batch by `call(method, request)`; raises InvalidRequest for one unread or refused."""
    failures: list[Exception] = []

    def parts() -> Iterator[table_service_pb2.UploadTableRequest]:
        # gRPC reads requests in a thread of its own, where an error would be lost; an empty part makes the server
        # refuse the upload.
        try:
            for frame in frames:
                for _, part in cut(frame, limit):
                    yield table_service_pb2.UploadTableRequest(arrow=part)
        except Exception as error:
            failures.append(error)
            yield table_service_pb2.UploadTableRequest()

    try:
        return read(TableHandle, call("UploadTable", parts()))
    except TariffsError:
        if failures:
            raise failures[0] from None
        raise


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
