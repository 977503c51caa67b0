"""Digest a table in a canonical form that does not depend on chunks, compression or source file."""

from __future__ import annotations

import hashlib
from typing import Any

import polars as pl


def digest_of_frames(*frames: pl.DataFrame) -> str:
    """Compute the SHA-256 over columns in order: name, type, length, null mask, values."""
    digest = hashlib.sha256()
    for frame in frames:
        digest.update(f"{frame.height} x {frame.width}\n".encode())
        for column in frame.get_columns():
            _add(digest, column)
    return digest.hexdigest()


def _add(digest: Any, column: pl.Series) -> None:
    values = _plain(column)
    digest.update(f"{column.name}\x00{values.dtype}\n".encode())
    digest.update(values.is_null().cast(pl.UInt8).to_numpy().tobytes())
    if values.dtype == pl.String:
        digest.update(values.str.len_bytes().fill_null(0).to_numpy().tobytes())
        digest.update((values.fill_null("").str.join("").item() or "").encode())
        return
    if values.dtype.is_float():
        # One zero and one NaN: their signs do not distinguish tables.
        values = values.fill_nan(float("nan")) + 0.0
    digest.update(values.to_physical().fill_null(0).to_numpy().tobytes())


def _plain(column: pl.Series) -> pl.Series:
    """Convert a column to text or to a type of fixed width."""
    dtype = column.dtype
    if dtype == pl.Boolean:
        return column.cast(pl.UInt8)
    if dtype == pl.Null:
        return column.cast(pl.String)
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object):
        return pl.Series(
            column.name, [None if v is None else repr(v) for v in column.to_list()], dtype=pl.String
        )
    if dtype.is_decimal() or dtype in (pl.Categorical, pl.Enum):
        return column.cast(pl.String)
    return column
