"""Tables on the wire: whole after a round trip, and no bytes can crash or flood the reader."""

from __future__ import annotations

import io
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffs.engine.errors import InputError
from tariffs.service.arrow import ROWS_LIMIT, batches, read_table
from tariffs.service.ipc import inspect_stream


def stream(frame: pl.DataFrame, compression: Any = "uncompressed") -> bytes:
    buffer = io.BytesIO()
    frame.write_ipc_stream(buffer, compression=compression)
    return buffer.getvalue()


FRAME = pl.DataFrame(
    {"hts": ["9503000073", "0101"], "customs_value": [1.5, None], "donation": [True, None], "n": [1, 2]}
)
GOOD = stream(FRAME)
OUTCOMES = {"read", "ARROW_MALFORMED", "TABLE_EMPTY", "COLUMN_TYPE_MISMATCH", "BATCH_TOO_LARGE"}


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_a_stream_is_read_as_it_was_written(compression: str) -> None:
    assert read_table(stream(FRAME, compression)).equals(FRAME)


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_headers_tell_rows_columns_and_memory(compression: str) -> None:
    frame = pl.DataFrame({"a": [1.0] * 5000, "b": ["x"] * 5000})
    found = inspect_stream(stream(frame, compression))
    assert (found.rows, found.columns) == (5000, 2)
    assert found.unpacked_bytes >= 8 * 5000


@given(st.integers(0, 3000), st.integers(1_500, 40_000))
def test_batches_keep_every_row_in_order_and_the_limit(rows: int, limit: int) -> None:
    frame = pl.DataFrame({"n": range(rows), "text": [f"row {n}" * (n % 7) for n in range(rows)]})
    frame = frame.cast({"n": pl.Int64, "text": pl.String})
    sent = list(batches(frame, limit))
    assert all(len(data) <= limit for data in sent)
    assert pl.concat([pl.read_ipc_stream(io.BytesIO(data)) for data in sent]).equals(frame)


def test_what_is_not_a_number_travels_as_null() -> None:
    (data,) = batches(pl.DataFrame({"x": [1.0, float("nan"), None]}))
    assert pl.read_ipc_stream(io.BytesIO(data))["x"].to_list() == [1.0, None, None]


@given(st.binary(max_size=400))
def test_random_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InputError) as caught:
        read_table(data)
    assert caught.value.reason == "ARROW_MALFORMED"


def outcome(data: bytes) -> str:
    """What becomes of a stream: `read`, or the reason it was refused for."""
    try:
        return "read" if read_table(data).height <= ROWS_LIMIT else "too many rows"
    except InputError as error:
        return error.reason


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_a_changed_byte_is_read_or_refused_and_never_more(position: int, value: int) -> None:
    assert outcome(GOOD[:position] + bytes([value]) + GOOD[position + 1 :]) in OUTCOMES


@given(st.integers(0, len(GOOD) - 1))
def test_a_stream_cut_short_is_read_or_refused(length: int) -> None:
    assert outcome(GOOD[:length]) in OUTCOMES


def test_too_many_columns_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        read_table(stream(pl.DataFrame({f"c{n}": [1] for n in range(300)})))
    assert caught.value.reason == "BATCH_TOO_LARGE"
