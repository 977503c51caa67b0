"""Tables on the wire: whole after a round trip, and no bytes can crash or flood the reader."""

from __future__ import annotations

import io
from datetime import date
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
).with_columns(day=pl.Series([date.min, date.max]))
GOOD = arrow(FRAME)
OUTCOMES = {"read", "ARROW_MALFORMED", "TABLE_EMPTY", "COLUMN_TYPE_MISMATCH", "BATCH_TOO_LARGE"}


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_a_stream_is_read_as_it_was_written_and_its_headers_tell_its_size(compression: str) -> None:
    assert read_table(arrow(FRAME, compression)).equals(FRAME)
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


def test_batches_are_close_to_their_limit() -> None:
    frame = pl.DataFrame({"hts": ["9503000073"] * 100_000, "value": [1.0] * 100_000})
    sent = list(batches(frame))
    assert len(sent) <= 1 + sum(map(len, sent)) // int(0.85 * BATCH_BYTES)


def test_what_is_not_a_number_travels_as_null() -> None:
    (data,) = batches(pl.DataFrame({"x": [1.0, float("nan"), None]}))
    assert pl.read_ipc_stream(io.BytesIO(data))["x"].to_list() == [1.0, None, None]


def outcome(data: bytes) -> str:
    """Read a stream; return `read`, or the reason for its refusal."""
    try:
        return "read" if read_table(data).height <= ROWS_LIMIT else "too many rows"
    except InputError as error:
        return error.reason


@given(st.binary(max_size=400), st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_other_bytes_are_read_or_refused_and_never_more(data: bytes, position: int, value: int) -> None:
    assert outcome(data) == "ARROW_MALFORMED"
    assert outcome(GOOD[:position]) in OUTCOMES
    assert outcome(GOOD[:position] + bytes([value]) + GOOD[position + 1 :]) in OUTCOMES


def instants(unit: Any) -> pl.DataFrame:
    return pl.select(x=pl.lit(2**63 - 1).cast(pl.Datetime(unit)))


def deep(levels: int) -> pl.DataType:
    return pl.List(deep(levels - 1)) if levels else pl.Int8()


@pytest.mark.parametrize(
    ("frame", "wanted"),
    [
        *(
            (pl.select(x=pl.lit(days, pl.Int32).cast(pl.Date)), "COLUMN_TYPE_MISMATCH")
            for days in (-(2**31), 2**31 - 1, -719_163, 2_932_897)
        ),
        (instants("ms"), "COLUMN_TYPE_MISMATCH"),
        (instants("us"), "COLUMN_TYPE_MISMATCH"),
        (instants("ns"), "read"),
        *(
            (pl.select(x=column), "COLUMN_TYPE_MISMATCH")
            for column in (pl.lit([1]), pl.struct(a=1), pl.lit(b"x"), pl.lit(1).cast(pl.Duration))
        ),
        (pl.DataFrame({f"c{n}": [1] for n in range(300)}), "BATCH_TOO_LARGE"),
        (pl.DataFrame({"n" * 201: [1]}), "BATCH_TOO_LARGE"),
        (pl.DataFrame({"hts": ["9" * (VALUE_LIMIT + 1)]}), "BATCH_TOO_LARGE"),
        (pl.DataFrame({"hts": ["9" * VALUE_LIMIT]}), "read"),
        (pl.select(x=pl.lit("C" * (VALUE_LIMIT + 1)).cast(pl.Categorical)), "BATCH_TOO_LARGE"),
        (pl.select(x=pl.lit("CN").cast(pl.Categorical), y=pl.lit("a").cast(pl.Enum(["a"]))), "read"),
    ],
)
def test_columns_that_no_table_of_trade_has_are_refused(frame: pl.DataFrame, wanted: str) -> None:
    assert outcome(arrow(frame, "zstd")) == wanted


def test_columns_of_one_name_are_refused() -> None:
    twins = arrow(pl.DataFrame({"name_a": [1], "name_b": [2]})).replace(b"name_b", b"name_a")
    assert outcome(twins) == "ARROW_MALFORMED"


def test_lists_of_lists_are_refused_before_anything_recurses_into_them() -> None:
    data = arrow(pl.DataFrame({"a": pl.Series([1]), "deep": pl.Series([None], dtype=deep(100))}))
    assert inspect_stream(data).nested == "deep"
    with pytest.raises(InputError) as caught:
        read_table(data)
    assert (caught.value.reason, caught.value.field) == ("COLUMN_TYPE_MISMATCH", "deep")
