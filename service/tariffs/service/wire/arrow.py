"""Read and write tables as Arrow IPC streams of at most 1 MiB; streams from callers are validated before decoding."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import cast

import polars as pl

from tariffs.engine.errors import InputError
from tariffs.engine.tables.calendar import off_calendar
from tariffs.service.wire.arrow_headers import MalformedError, inspect_stream
from tariffs.service.wire.status import too_large

MESSAGE_LIMIT = 1 << 20
BATCH_BYTES = 1 << 19
"""Size of result batches: small enough to stay in a core's cache between copies."""
ROWS_LIMIT = 1_000_000
COLUMNS_LIMIT = 256
UNPACKED_LIMIT = 64 << 20
NAME_LIMIT = 200
VALUE_LIMIT = 32 << 10
FIELD = "arrow"
_ENCODING_SLACK = 0.9
_PROBED_ROWS = 2_048


def read_table(data: bytes) -> pl.DataFrame:
    """Read the table in one Arrow IPC stream.

    Raises:
        InputError: BATCH_TOO_LARGE above 1 MiB, or if it would unpack into too much; ARROW_MALFORMED; TABLE_EMPTY;
            COLUMN_TYPE_MISMATCH for columns that are not text, numbers, booleans or dates.
    """
    check_message(data)
    _check_size(data)
    try:
        frame = pl.read_ipc_stream(io.BytesIO(data))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        raise _malformed(str(error).splitlines()[0] if str(error) else type(error).__name__) from None
    for column in frame.iter_columns():
        _check_column(column)
    if not frame.height:
        raise InputError("TABLE_EMPTY", "The table has no rows.", field=FIELD, fix="Send at least one row.")
    return frame


def check_message(data: bytes) -> None:
    """Raise InputError BATCH_TOO_LARGE for a table of more than MESSAGE_LIMIT bytes."""
    _check_limit("bytes", len(data), MESSAGE_LIMIT)


def batches(frame: pl.DataFrame, limit: int = BATCH_BYTES) -> Iterator[bytes]:
    """Encode a frame as Arrow IPC streams of at most `limit` bytes each, in order; an empty frame is one stream.

    NaN is encoded as null.
    """
    with_nan = [
        column.name for column in frame.iter_columns() if column.dtype.is_float() and column.is_nan().any()
    ]
    if with_nan:
        frame = frame.with_columns(pl.col(with_nan).fill_nan(None))
    # Encoded size does not follow from size in memory, and encoding a part twice costs more than encoding a sample.
    probe = _encode(frame.slice(0, _PROBED_ROWS))
    if frame.height <= _PROBED_ROWS and len(probe) <= limit:
        yield probe
        return
    probed = min(frame.height, _PROBED_ROWS)
    step = max(1, int(probed * limit * _ENCODING_SLACK / len(probe)))
    for start in range(0, max(1, frame.height), step):
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


def _check_column(column: pl.Series) -> None:
    name, dtype = column.name, column.dtype
    _check_limit("characters in a column's name", len(name), NAME_LIMIT)
    is_text = dtype in (pl.String, pl.Categorical, pl.Enum)
    if not (is_text or dtype.is_numeric() or dtype in (pl.Boolean, pl.Null, pl.Date, pl.Datetime)):
        raise _not_plain(name, str(dtype))
    if is_text:
        # A refused row quotes its value in a message of at most 1 MiB.
        longest = column.cast(pl.String).str.len_bytes().max()
        _check_limit("bytes in one value", cast(int, longest or 0), VALUE_LIMIT)
    if dtype == pl.Date or isinstance(dtype, pl.Datetime):
        _check_days(column)


def _check_days(column: pl.Series) -> None:
    if off_calendar(column).any():
        raise InputError(
            "COLUMN_TYPE_MISMATCH",
            f"Column {column.name!r} has dates outside the years 1 to 9999.",
            field=column.name,
            fix="Send dates of the years 1 to 9999.",
            metadata={"column": column.name},
        )


def _not_plain(name: str, found: str) -> InputError:
    return InputError(
        "COLUMN_TYPE_MISMATCH",
        f"Column {name!r} is {found}.",
        field=name,
        fix="Send text, numbers, booleans and dates only.",
        metadata={"column": name, "found": found},
    )


def _check_size(data: bytes) -> None:
    try:
        stream = inspect_stream(data)
    except MalformedError as error:
        raise _malformed(str(error)) from None
    for what, size, limit in (
        ("rows", stream.rows, ROWS_LIMIT),
        ("columns", stream.columns, COLUMNS_LIMIT),
        ("bytes unpacked", stream.unpacked_bytes, UNPACKED_LIMIT),
    ):
        _check_limit(what, size, limit)
    if stream.nested is not None:
        raise _not_plain(stream.nested[:NAME_LIMIT], "nested")


def _check_limit(what: str, found: int, limit: int) -> None:
    if found > limit:
        raise too_large(
            f"The table has {found:,} {what}; the limit is {limit:,}.",
            FIELD,
            "Upload it in parts, or run it in-process: Client.local(), or --local on the command line.",
            found,
            limit,
        )


def _malformed(why: str) -> InputError:
    return InputError(
        "ARROW_MALFORMED",
        f"The bytes are not an Arrow IPC stream: {why}.",
        field=FIELD,
        fix="Send one stream as written by `write_ipc_stream`.",
    )
