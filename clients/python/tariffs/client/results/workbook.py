"""Write a result as an Excel workbook: numbers as numbers, headings and codes as text, a sheet a table."""

from __future__ import annotations

import importlib
import json
import math
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from tariffs.client.errors import extra_missing
from tariffs.client.results.columns import is_fraction

MOST_ROWS = 1_048_575
"""Rows that a sheet of Excel holds below its heading."""
_LONGEST_NAME, _WIDEST = 31, 40
# The time in a workbook is not that of the machine: the same result gives the same file.
_CREATED = datetime(2000, 1, 1)


def write_workbook(path: Path, sheets: Mapping[str, pl.DataFrame], provenance: Mapping[str, object]) -> None:
    """Write frames as sheets, and the inputs of the result as the last one.

    Args:
        path: the file.
        sheets: frames by the name of their sheet; rows beyond the limit of Excel are left out, which the last row says.
        provenance: inputs of the result.

    Raises:
        ExtraMissing: the extra `notebook` is not installed.
    """
    try:
        xlsxwriter: Any = importlib.import_module("xlsxwriter")
    except ModuleNotFoundError as error:
        raise extra_missing("notebook", error.name) from error
    path.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(str(path)) as book:
        book.set_properties({"created": _CREATED})
        bold = book.add_format({"bold": True})
        money, share = (book.add_format({"num_format": form}) for form in ("#,##0.00", "0.00%"))
        inputs = {name: json.dumps(value, sort_keys=True) for name, value in provenance.items()}
        last = pl.DataFrame({"input": list(inputs), "value": list(inputs.values())})
        for name, frame in {**sheets, "provenance": last}.items():
            sheet = book.add_worksheet(re.sub(r"[\[\]:*?/\\]", " ", name)[:_LONGEST_NAME])
            sheet.freeze_panes(1, 0)
            for place, (title, dtype) in enumerate(frame.schema.items()):
                sheet.write_string(0, place, title, bold)
                sheet.set_column(place, place, min(max(len(title) + 2, 12), _WIDEST))
                form = (
                    share if is_fraction(title) else money if dtype.is_float() or dtype.is_decimal() else None
                )
                _write_column(sheet, place, frame[title].head(MOST_ROWS), form)
            if frame.height > MOST_ROWS:
                sheet.write_string(MOST_ROWS, 0, f"{frame.height - MOST_ROWS + 1:,} more rows are left out")


def _write_column(sheet: Any, place: int, column: pl.Series, form: Any) -> None:
    for row, value in enumerate(column.to_list(), 1):
        if isinstance(value, bool):
            sheet.write_boolean(row, place, value)
        elif isinstance(value, int | float | Decimal):
            if math.isfinite(value):
                sheet.write_number(row, place, float(value), form)
        elif value is not None:
            text = "; ".join(map(str, value)) if isinstance(value, list) else str(value)
            sheet.write_string(row, place, text)
