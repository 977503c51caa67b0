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
from textwrap import wrap
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
_LONGEST_NAME, _NARROWEST, _WIDEST = 31, 10, 60
_COVER_TITLE, _COVER_TEXT, _LINE = 16, 110, 15
_A4, _COLUMNS_ON_A_PAGE = 9, 11
_CHART = "chart"
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
        sheets: frames by the name of their sheet; columns without a value are left out, and rows beyond the limit of
            Excel, which the last row says.
        provenance: inputs of the result.
        figure: chart on the cover, with its numbers on the sheet `chart`.
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
        bold, above_numbers = (book.add_format({"bold": True, **more}) for more in ({}, {"align": "right"}))
        money, share = (book.add_format({"num_format": form}) for form in ("#,##0.00", "0.00%"))
        inputs = {name: json.dumps(value, sort_keys=True) for name, value in provenance.items()}
        frames = {
            **sheets,
            "provenance": pl.DataFrame({"input": list(inputs), "value": list(inputs.values())}),
        }
        first = _sheet(book, "cover")
        _write_cover(book, first, cover)
        if figure is not None:
            numbers = figure.rows.with_columns(
                pl.selectors.numeric().exclude(figure.rows.columns[0]) / figure.unit.dollars
            )
            _draw(book, first, figure.title, numbers, sum(map(bool, cover.values())) + 1)
            frames = {**sheets, _CHART: numbers, "provenance": frames["provenance"]}
        for name, given in frames.items():
            frame = with_names(given.select(one for one in given if one.null_count() < max(given.height, 1)))
            sheet = _sheet(book, re.sub(r"[\[\]:*?/\\]", " ", name)[:_LONGEST_NAME])
            sheet.freeze_panes(1, 0)
            sheet.repeat_rows(0)
            sheet.fit_to_pages(max(math.ceil(frame.width / _COLUMNS_ON_A_PAGE), 1), 0)
            if frame.width:
                sheet.autofilter(0, 0, min(frame.height, MOST_ROWS), frame.width - 1)
            for place, (title, dtype) in enumerate(frame.schema.items()):
                sheet.write_string(0, place, title, above_numbers if dtype.is_numeric() else bold)
                is_amount = dtype.is_float() or dtype.is_decimal()
                form = share if is_fraction(title) or title in shares else money if is_amount else None
                sheet.set_column(place, place, _width(frame[title], form is money))
                _write_column(sheet, place, frame[title].head(MOST_ROWS), form)
            if frame.height > MOST_ROWS:
                sheet.write_string(MOST_ROWS, 0, f"{frame.height - MOST_ROWS + 1:,} more rows are left out")


def _sheet(book: Any, name: str) -> Any:
    """Add a sheet that prints across one page, in landscape."""
    sheet = book.add_worksheet(name)
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)
    return sheet


def _width(column: pl.Series, is_money: bool) -> int:
    """Width of a column in characters: its title beside the button of the filter, and its longest value."""
    if is_money:
        largest = max((abs(float(value)) for value in column.drop_nulls().to_list()), default=0.0)
        longest = len(f"-{largest:,.2f}")
    else:
        longest = max((len(_text(value)) for value in column.to_list()), default=0)
    return min(max(len(column.name) + 3, longest + 1, _NARROWEST), _WIDEST)


def _write_cover(book: Any, sheet: Any, cover: Mapping[str, str]) -> None:
    """Write titles and texts; rows are as high as their lines, so that the chart below covers none."""
    title_form = book.add_format({"bold": True, "valign": "top"})
    text_form = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, _COVER_TITLE)
    sheet.set_column(1, 1, _COVER_TEXT)
    for row, (title, text) in enumerate((title, text) for title, text in cover.items() if text):
        lines = sum(max(len(wrap(line, _COVER_TEXT)), 1) for line in text.splitlines())
        sheet.set_row(row, _LINE * lines)
        sheet.write_string(row, 0, title, title_form)
        sheet.write_string(row, 1, text, text_form)


def _draw(book: Any, sheet: Any, title: str, rows: pl.DataFrame, top: int) -> None:
    """Draw the numbers of the sheet `chart` as a chart of Excel: bars by label, lines over days or numbers."""
    is_bar = rows.columns[0] in {"label", "scenario"}
    chart = book.add_chart({"type": "bar"} if is_bar else {"type": "line"})
    bar_options = {"data_labels": {"value": True, "num_format": "#,##0.00"}, "gap": 60}
    for place in range(1, rows.width):
        colour = {"color": PALETTE[(place - 1) % len(PALETTE)]}
        chart.add_series(
            {
                "name": [_CHART, 0, place],
                "categories": [_CHART, 1, 0, rows.height, 0],
                "values": [_CHART, 1, place, rows.height, place],
                **({"fill": colour, **bar_options} if is_bar else {"line": colour}),
            }
        )
    chart.set_title({"name": title, "name_font": {"size": 12}})
    chart.set_y_axis({"reverse": is_bar, "num_format": "#,##0.0", "major_gridlines": {"visible": not is_bar}})
    chart.set_x_axis({"major_gridlines": {"visible": False}})
    if rows.width < 3:
        chart.set_legend({"none": True})
    chart.set_size({"width": 900, "height": 380})
    sheet.insert_chart(top, 0, chart)


def _write_column(sheet: Any, place: int, column: pl.Series, form: Any) -> None:
    for row, value in enumerate(column.to_list(), 1):
        if isinstance(value, bool):
            sheet.write_boolean(row, place, value)
        elif isinstance(value, int | float | Decimal):
            if math.isfinite(value):
                sheet.write_number(row, place, float(value), form)
        elif value is not None:
            sheet.write_string(row, place, _text(value))


def _text(value: object) -> str:
    """Write a value of a cell that is no number; lists by semicolons."""
    return "; ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
