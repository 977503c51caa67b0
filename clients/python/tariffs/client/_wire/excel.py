"""Read a sheet of an Excel workbook as text columns, as a CSV file is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from tariffs.client._wire.column_mapping import plain_name
from tariffs.client._wire.csv_text import unreadable
from tariffs.client.errors import module_of

SUFFIXES = frozenset({".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"})
_MIDNIGHT = r"^(\d{4}-\d{2}-\d{2}) 00:00:00$"
# Codes have an even number of digits: a number with an odd one has lost its leading zero.
_LOST_ZERO = r"^(\d{5}|\d{7}|\d{9})$"
_NUMBER = r"^[-+$]?\d[\d.,]*$"
_SEARCHED_ROWS, _LEAST_NAMES, _LEAST_FILLED = 50, 3, 0.6


@dataclass(frozen=True, slots=True)
class SheetChoice:
    """Part of a workbook to read.

    Attributes:
        sheet: name of the sheet; empty for the first that has a row of column names.
        header_row: row with the names of the columns, counted from 1 as Excel does; 0 to find it.
    """

    sheet: str = ""
    header_row: int = 0


class Sheet(NamedTuple):
    """Sheet as text: its name, the row of its column names (from 1), and the rows below it."""

    name: str
    header_row: int
    frame: pl.DataFrame


def read_excel(path: Path, choice: SheetChoice) -> Sheet:
    """Read one sheet of a workbook.

    The column names are in the first row that fills most of the columns with texts, below titles and merged cells. Days
    lose their time of midnight, and codes in the column `hts` that were stored as numbers get back their leading zero.

    Raises:
        ExtraMissing: the extra `notebook`, which has the reader, is not installed.
        InvalidRequest: TABLE_UNREADABLE.
    """
    fastexcel = module_of("notebook", "fastexcel")
    try:
        book = fastexcel.read_excel(path)
        names = [choice.sheet] if choice.sheet else book.sheet_names
        sheets = ((name, _cells(book, name)) for name in names)
        found = ((name, cells, choice.header_row or _header_row(cells)) for name, cells in sheets)
        name, cells, row = next((one for one in found if one[2]), (names[0], _cells(book, names[0]), 1))
    except FileNotFoundError as error:
        raise unreadable(str(path), "there is no such file") from error
    except fastexcel.FastExcelError as error:
        raise unreadable(str(path), str(error).splitlines()[-1].strip(" .0:")) from error
    return Sheet(name, row, _table(cells, row, f"{path}, sheet {name!r}"))


def _cells(book: Any, name: str) -> pl.DataFrame:
    # Through Arrow: the rows are given without pyarrow. Rows are skipped only if told, so that they keep their numbers.
    cells = pl.DataFrame(book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string"))
    return cells.with_columns(pl.col(pl.String).str.strip_chars().replace("", None))


def _header_row(cells: pl.DataFrame) -> int:
    """Row (from 1) of the column names: the first that is wide enough and holds no number; 0 if there is none."""
    rows = [[cell for cell in row if cell is not None] for row in cells.head(_SEARCHED_ROWS).iter_rows()]
    least = max(_LEAST_NAMES, _LEAST_FILLED * max(map(len, rows), default=0))
    numbers = [pl.Series(row, dtype=pl.String).str.contains(_NUMBER).any() for row in rows]
    fits = (place for place, row in enumerate(rows, 1) if len(row) >= least and not numbers[place - 1])
    return next(fits, 0)


def _table(cells: pl.DataFrame, header_row: int, name: str) -> pl.DataFrame:
    if not 1 <= header_row <= cells.height:
        raise unreadable(name, f"it has {cells.height} rows and no row {header_row} of column names")
    header = [text or f"_{place}" for place, text in enumerate(cells.row(header_row - 1))]
    if twice := sorted({text for text in header if header.count(text) > 1}):
        raise unreadable(
            name, f"row {header_row} names {', '.join(twice)} twice", "Rename or drop the columns."
        )
    rows = cells.slice(header_row).rename(dict(zip(cells.columns, header, strict=True)))
    texts = rows.with_columns(pl.all().str.replace(_MIDNIGHT, "$1"))
    codes = [column for column in header if plain_name(column) == "hts"]
    texts = texts.with_columns(pl.col(codes).str.replace(_LOST_ZERO, "0$1"))
    return texts.filter(~pl.all_horizontal(pl.all().is_null()))
