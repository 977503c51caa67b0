"""Read a user's table from a file, with its columns renamed by a mapping."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tariffs.client._wire.excel import SheetChoice
from tariffs.client._wire.frames import Table, read_mapped


def read_table(
    source: Table, *, mapping: str | Path = "", sheet: str = "", header_row: int = 0
) -> pl.DataFrame:
    """Read a trade table as the calls of a client read it; all columns of a CSV file are text.

    Args:
        source: path of a Parquet, Arrow, CSV or Excel file, or a frame.
        mapping: name of a built-in mapping of columns (ace, cbp7501), or the path of a mapping file.
        sheet: name of the sheet of a workbook; by default the first that has a row of column names.
        header_row: row of a sheet with the column names, counted from 1; by default the first that fits.

    Raises:
        InvalidRequest: TABLE_UNREADABLE, or REQUEST_INVALID for the mapping.
    """
    return read_mapped(source, mapping, SheetChoice(sheet, header_row)).frame
