"""Read a user's table from a file, with its columns renamed by a mapping."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tariffs.client._wire.frames import Table, read_mapped


def read_table(source: Table, *, mapping: str | Path = "") -> pl.DataFrame:
    """Read a trade table as the calls of a client read it; all columns of a CSV file are text.

    Args:
        source: path of a Parquet, Arrow, CSV or Excel file, or a frame.
        mapping: name of a built-in mapping of columns (ace, cbp7501), or the path of a mapping file.

    Raises:
        InvalidRequest: TABLE_UNREADABLE, or REQUEST_INVALID for the mapping.
    """
    return read_mapped(source, mapping).frame
