"""Read the first sheet of an Excel workbook as text columns, as a CSV file is read."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import polars as pl

from tariffs.client._wire.csv_text import unreadable
from tariffs.client.errors import extra_missing

SUFFIXES = frozenset({".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"})
_MIDNIGHT = r"^(\d{4}-\d{2}-\d{2}) 00:00:00$"
# Codes have an even number of digits: a number with an odd one has lost its leading zero.
_LOST_ZERO = r"^(\d{5}|\d{7}|\d{9})$"


def read_excel(path: Path) -> pl.DataFrame:
    """Read the first sheet of a workbook; its first row has the names of the columns.

    Days lose their time of midnight, and codes in the column `hts` that were stored as numbers get back their leading
    zero.

    Raises:
        ExtraMissing: the extra `notebook`, which has the reader, is not installed.
        InvalidRequest: TABLE_UNREADABLE.
    """
    try:
        fastexcel: Any = importlib.import_module("fastexcel")
    except ModuleNotFoundError as error:
        raise extra_missing("notebook", error.name) from error
    try:
        book = fastexcel.read_excel(path)
        # Through Arrow: the rows are given without pyarrow.
        frame = pl.DataFrame(book.load_sheet(0, dtypes="string"))
    except FileNotFoundError as error:
        raise unreadable(str(path), "there is no such file") from error
    except fastexcel.FastExcelError as error:
        raise unreadable(str(path), str(error).splitlines()[0]) from error
    texts = frame.with_columns(pl.col(pl.String).str.strip_chars().str.replace(_MIDNIGHT, "$1"))
    if "hts" in texts.columns:
        texts = texts.with_columns(pl.col("hts").str.replace(_LOST_ZERO, "0$1"))
    return texts.filter(~pl.all_horizontal(pl.all().is_null()))
