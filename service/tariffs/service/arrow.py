"""Tables on the wire: Arrow IPC streams of at most 1 MiB, read as hostile and written in batches."""

from __future__ import annotations

import io
from collections.abc import Iterator

import polars as pl

from tariffs.engine.errors import InputError
from tariffs.service.ipc import MalformedError, inspect_stream

MESSAGE_LIMIT = 1 << 20
ROWS_LIMIT = 1_000_000
COLUMNS_LIMIT = 256
UNPACKED_LIMIT = 64 << 20
FIELD = "arrow"
_ENCODING_SLACK = 0.85


def read_table(data: bytes) -> pl.DataFrame:
    """The table in one Arrow IPC stream.

    Raises:
        InputError: BATCH_TOO_LARGE above 1 MiB, or if it would unpack into too much; ARROW_MALFORMED; TABLE_EMPTY;
            COLUMN_TYPE_MISMATCH for nested and binary columns.
    """
    if len(data) > MESSAGE_LIMIT:
        raise _too_large("bytes", len(data), MESSAGE_LIMIT)
    _check_size(data)
    try:
        frame = pl.read_ipc_stream(io.BytesIO(data))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        raise _malformed(str(error).splitlines()[0] if str(error) else type(error).__name__) from None
    for name, dtype in frame.schema.items():
        if dtype.is_nested() or dtype in (pl.Binary, pl.Object):
            raise InputError(
                "COLUMN_TYPE_MISMATCH",
                f"Column {name!r} is {dtype}.",
                field=name,
                fix="Send text, numbers, booleans and dates only.",
                metadata={"column": name, "found": str(dtype)},
            )
    if not frame.height:
        raise InputError("TABLE_EMPTY", "The table has no rows.", field=FIELD, fix="Send at least one row.")
    return frame


def batches(frame: pl.DataFrame, limit: int = MESSAGE_LIMIT) -> Iterator[bytes]:
    """The frame as Arrow IPC streams of at most `limit` bytes each, in order; an empty frame is one stream.

    Floats that are not a number travel as null.
    """
    frame = frame.with_columns(pl.col(pl.Float64, pl.Float32).fill_nan(None)) if frame.width else frame
    rows = max(1, frame.height)
    size = int(frame.estimated_size()) or 1
    step = max(1, min(rows, int(rows * limit * _ENCODING_SLACK / size)))
    for start in range(0, rows, step):
        yield from _fitting(frame.slice(start, step), limit)


def _fitting(frame: pl.DataFrame, limit: int) -> Iterator[bytes]:
    data = _encode(frame)
    if len(data) <= limit or frame.height < 2:
        yield data
        return
    half = frame.height // 2
    yield from _fitting(frame.slice(0, half), limit)
    yield from _fitting(frame.slice(half), limit)


def _encode(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.rechunk().write_ipc_stream(buffer, compression="uncompressed")
    return buffer.getvalue()


def _check_size(data: bytes) -> None:
    try:
        found = inspect_stream(data)
    except MalformedError as error:
        raise _malformed(str(error)) from None
    for what, size, limit in (
        ("rows", found.rows, ROWS_LIMIT),
        ("columns", found.columns, COLUMNS_LIMIT),
        ("bytes unpacked", found.unpacked_bytes, UNPACKED_LIMIT),
    ):
        if size > limit:
            raise _too_large(what, size, limit)


def _malformed(why: str) -> InputError:
    return InputError(
        "ARROW_MALFORMED",
        f"The bytes are not an Arrow IPC stream: {why}.",
        field=FIELD,
        fix="Send one stream as written by `write_ipc_stream`.",
    )


def _too_large(what: str, found: int, limit: int) -> InputError:
    return InputError(
        "BATCH_TOO_LARGE",
        f"The table has {found:,} {what}; the limit is {limit:,}.",
        field=FIELD,
        fix="Run it in-process: Client.local(), or --local on the command line.",
        metadata={"limit": str(limit), "found": str(found)},
    )
