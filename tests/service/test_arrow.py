"""Tables on the wire: whole after a round trip, and no bytes can crash or flood the reader."""

from __future__ import annotations

import io
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffs.engine.errors import InputError
from tariffs.service.wire.arrow import BATCH_BYTES, ROWS_LIMIT, VALUE_LIMIT, batches, read_table
from tariffs.service.wire.arrow_headers import inspect_stream
from tests.service.stored import arrow

FRAME = pl.DataFrame(
    {"hts": ["9503000073", "0101"], "customs_value": [1.5, None], "donation": [True, None], "n": [1, 2]}
)
GOOD = arrow(FRAME)
OUTCOMES = {"read", "ARROW_MALFORMED", "TABLE_EMPTY", "COLUMN_TYPE_MISMATCH", "BATCH_TOO_LARGE"}


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_a_stream_is_read_as_it_was_written(compression: str) -> None:
    assert read_table(arrow(FRAME, compression)).equals(FRAME)


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_headers_tell_rows_columns_and_memory(compression: str) -> None:
    frame = pl.DataFrame({"a": [1.0] * 5000, "b": ["x"] * 5000})
    found = inspect_stream(arrow(frame, compression))
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
    """Read a stream; return `read`, or the reason for its refusal."""
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
        read_table(arrow(pl.DataFrame({f"c{n}": [1] for n in range(300)})))
    assert caught.value.reason == "BATCH_TOO_LARGE"


@pytest.mark.parametrize("days", [-(2**31), 2**31 - 1, -719_163, 2_932_897])
def test_days_of_no_calendar_are_refused(days: int) -> None:
    with pytest.raises(InputError) as caught:
        read_table(arrow(pl.DataFrame({"entry_date": pl.Series([days], dtype=pl.Int32).cast(pl.Date)})))
    assert caught.value.reason == "COLUMN_TYPE_MISMATCH"


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_instants_of_no_calendar_are_refused(unit: Any) -> None:
    latest = pl.Series("entry_date", [2**63 - 1]).cast(pl.Datetime(unit))
    assert outcome(arrow(latest.to_frame())) == ("read" if unit == "ns" else "COLUMN_TYPE_MISMATCH")


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_first_and_the_last_day_are_read(day: str) -> None:
    frame = pl.DataFrame({"entry_date": pl.Series([day]).str.to_date()})
    assert read_table(arrow(frame)).equals(frame)


@pytest.mark.parametrize("column", [pl.lit([1]), pl.struct(a=1), pl.lit(b"x"), pl.lit(1).cast(pl.Duration)])
def test_columns_that_are_not_plain_are_refused(column: pl.Expr) -> None:
    assert outcome(arrow(pl.select(column.alias("x")))) == "COLUMN_TYPE_MISMATCH"


def test_a_name_or_a_value_beyond_its_limit_is_refused() -> None:
    assert outcome(arrow(pl.DataFrame({"n" * 201: [1]}))) == "BATCH_TOO_LARGE"
    assert outcome(arrow(pl.DataFrame({"hts": ["9" * (VALUE_LIMIT + 1)]}), "zstd")) == "BATCH_TOO_LARGE"
    assert outcome(arrow(pl.DataFrame({"hts": ["9" * VALUE_LIMIT]}))) == "read"
    level = pl.Series("origin", ["C" * (VALUE_LIMIT + 1)]).cast(pl.Categorical)
    assert outcome(arrow(level.to_frame(), "zstd")) == "BATCH_TOO_LARGE"


def test_columns_of_one_name_are_refused() -> None:
    twins = arrow(pl.DataFrame({"name_a": [1], "name_b": [2]})).replace(b"name_b", b"name_a")
    assert outcome(twins) == "ARROW_MALFORMED"


def test_batches_are_close_to_their_limit() -> None:
    frame = pl.DataFrame({"hts": ["9503000073"] * 100_000, "value": [1.0] * 100_000})
    sent = list(batches(frame))
    assert len(sent) <= 1 + sum(map(len, sent)) // int(0.85 * BATCH_BYTES)


def test_lists_of_lists_are_refused_before_anything_recurses_into_them() -> None:
    deep: pl.DataType = pl.Int8()
    for _ in range(100):
        deep = pl.List(deep)
    data = arrow(pl.DataFrame({"a": pl.Series([1]), "deep": pl.Series([None], dtype=deep)}))
    assert inspect_stream(data).nested == "deep"
    with pytest.raises(InputError) as caught:
        read_table(data)
    assert (caught.value.reason, caught.value.field) == ("COLUMN_TYPE_MISMATCH", "deep")


def test_dictionaries_are_no_nested_columns() -> None:
    frame = pl.DataFrame(
        {"origin": pl.Series(["CN"]).cast(pl.Categorical), "x": pl.Series(["a"]).cast(pl.Enum(["a"]))}
    )
    assert inspect_stream(arrow(frame)).nested is None
    assert outcome(arrow(frame)) == "read"
