"""Write a result as an Excel workbook: a cover, then a sheet a table with filters and names beside codes.

Numbers are written as numbers, fractions in percent, headings and codes as text.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from tariffs.client.errors import module_of
from tariffs.client.results.charts import Figure
from tariffs.client.results.columns import is_fraction
from tariffs.client.results.output_files import check_suffix
from tariffs.client.results.palette import PALETTE
from tariffs.client.results.short_names import with_names

MOST_ROWS = 1_048_575
"""Rows that a sheet of Excel holds below its heading."""
_LONGEST_NAME, _WIDEST = 31, 40
_COVER_TITLE, _COVER_TEXT, _CHART_ROWS = 28, 100, 20
# The time in a workbook is not that of the machine: the same result gives the same file.
_CREATED = datetime(2000, 1, 1)


def write_workbook(
    path: Path,
    cover: Mapping[str, str],
    sheets: Mapping[str, pl.DataFrame],
    provenance: Mapping[str, object],
    figure: Figure | None = None,
    shares: Collection[str] = (),
) -> None:
    """Write a cover, frames as sheets, and the inputs of the result as the last one.

    Args:
        path: the file.
        cover: what the result is, by title: question, days, law, assumptions; empty texts are left out.
        sheets: frames by the name of their sheet; rows beyond the limit of Excel are left out, which the last row says.
        provenance: inputs of the result.
        figure: chart on the cover, with its numbers below it.
        shares: columns with fractions besides those of results, such as rates that are varied.

    Raises:
        InvalidRequest: the name of the file does not end in .xlsx.
        ExtraMissing: the extra `notebook` is not installed.
    """
    check_suffix(path, ".xlsx")
    xlsxwriter = module_of("notebook", "xlsxwriter")
    path.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(str(path)) as book:
        book.set_properties({"created": _CREATED})
        bold = book.add_format({"bold": True})
        money, share = (book.add_format({"num_format": form}) for form in ("#,##0.00", "0.00%"))
        inputs = {name: json.dumps(value, sort_keys=True) for name, value in provenance.items()}
        last = pl.DataFrame({"input": list(inputs), "value": list(inputs.values())})
        first = book.add_worksheet("cover")
        _write_cover(first, cover, bold, book.add_format({"text_wrap": True}))
        if figure is not None:
            _draw(book, first, figure, sum(map(bool, cover.values())) + 1, money)
        for name, given in {**sheets, "provenance": last}.items():
            frame = with_names(given)
            sheet = book.add_worksheet(re.sub(r"[\[\]:*?/\\]", " ", name)[:_LONGEST_NAME])
            sheet.freeze_panes(1, 0)
            if frame.width:
                sheet.autofilter(0, 0, min(frame.height, MOST_ROWS), frame.width - 1)
            for place, (title, dtype) in enumerate(frame.schema.items()):
                sheet.write_string(0, place, title, bold)
                sheet.set_column(place, place, min(max(len(title) + 2, 12), _WIDEST))
                is_amount = dtype.is_float() or dtype.is_decimal()
                form = share if is_fraction(title) or title in shares else money if is_amount else None
                _write_column(sheet, place, frame[title].head(MOST_ROWS), form)
            if frame.height > MOST_ROWS:
                sheet.write_string(MOST_ROWS, 0, f"{frame.height - MOST_ROWS + 1:,} more rows are left out")


def _write_cover(sheet: Any, cover: Mapping[str, str], bold: Any, wrapped: Any) -> None:
    sheet.set_column(0, 0, _COVER_TITLE)
    sheet.set_column(1, 1, _COVER_TEXT)
    for row, (title, text) in enumerate((title, text) for title, text in cover.items() if text):
        sheet.write_string(row, 0, title, bold)
        sheet.write_string(row, 1, text, wrapped)


def _draw(book: Any, sheet: Any, figure: Figure, top: int, form: Any) -> None:
    """Draw the numbers of a figure, in a format, as a chart of Excel: bars by label, lines over days or numbers."""
    rows, below = figure.rows, top + _CHART_ROWS
    is_bar = rows.columns[0] in {"label", "scenario"}
    chart = book.add_chart({"type": "bar"} if is_bar else {"type": "line"})
    for place, name in enumerate(rows.columns):
        sheet.write_string(below, place, "" if place == 0 or name == "shown" else name)
        _write_column(sheet, place, rows[name], form if place else None, below + 1)
        ends = [sheet.name, below + 1, place, below + rows.height, place]
        if place > 0:
            colour = {"color": PALETTE[(place - 1) % len(PALETTE)]}
            chart.add_series(
                {
                    "name": [sheet.name, below, place],
                    "categories": [sheet.name, below + 1, 0, below + rows.height, 0],
                    "values": ends,
                    **(
                        {"fill": colour, "data_labels": {"value": True, "num_format": "#,##0.00"}}
                        if is_bar
                        else {"line": colour}
                    ),
                }
            )
    chart.set_title({"name": figure.title, "name_font": {"size": 12}})
    chart.set_y_axis({"reverse": is_bar, "num_format": "#,##0.0"})
    if rows.width < 3:
        chart.set_legend({"none": True})
    chart.set_size({"width": 760, "height": 380})
    sheet.insert_chart(top, 0, chart)


def _write_column(sheet: Any, place: int, column: pl.Series, form: Any, first: int = 1) -> None:
    for row, value in enumerate(column.to_list(), first):
        if isinstance(value, bool):
            sheet.write_boolean(row, place, value)
        elif isinstance(value, int | float | Decimal):
            if math.isfinite(value):
                sheet.write_number(row, place, float(value), form)
        elif value is not None:
            text = "; ".join(map(str, value)) if isinstance(value, list) else str(value)
            sheet.write_string(row, place, text)
