"""Read CSV as text columns: codes keep leading zeros, rows of another length are marked with their line.

A row whose fields do not match the header is null in every column but ROW_FAULT, which says why; the engine refuses it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import islice

import polars as pl

from tariffs.client._wire.csv_form import SEPARATORS, CsvForm, comma_columns, form_of, form_text, with_points
from tariffs.client.errors import InvalidRequest

ROW_FAULT = "row_fault"
_QUOTE = '"'


def read_csv(data: bytes, name: str) -> pl.DataFrame:
    """Read the bytes of a CSV file called `name`; adds ROW_FAULT if rows have too few or too many fields.

    Fields are separated by commas, semicolons, tabs or bars, in UTF-8, UTF-16 or Windows-1252.

    Raises:
        InvalidRequest: TABLE_UNREADABLE: it is no text, names a column twice, leaves a quote open, or has amounts that
            can be read in two ways.
    """
    frame, form = _read(data, name)
    return frame if form.separator == "," else with_points(frame, name)


def describe_csv(data: bytes, name: str) -> str:
    """Say how a CSV file is written: encoding, separator, and the columns of amounts with decimal commas.

    Raises:
        InvalidRequest: as `read_csv`.
    """
    frame, form = _read(data, name)
    commas = [] if form.separator == "," else comma_columns(frame, name)
    return form_text(form) + (f", with decimal commas in {', '.join(commas)}" if commas else "")


def _read(data: bytes, name: str) -> tuple[pl.DataFrame, CsvForm]:
    text, form = _text(data, name)
    header = next((fields for _, fields in _records(text, name, form.separator)), [])
    _check_header(header, name)
    frame = _frame(text, header, name, form.separator)
    # Spreadsheets write rows of separators below their last row; those with a fault have a text in ROW_FAULT.
    return frame.filter(~pl.all_horizontal(pl.all().str.strip_chars().fill_null("") == "")), form


def _frame(text: str, header: Sequence[str], name: str, separator: str) -> pl.DataFrame:
    if _is_regular(text, len(header), name, separator):
        try:
            return pl.read_csv(text.encode(), infer_schema=False, separator=separator)
        except pl.exceptions.PolarsError:
            # Quotes within fields: what follows reads them.
            pass
    return _set_apart(text, header, name, separator)


def unreadable(
    name: str, why: str, fix: str = "Give a .parquet, .arrow, .csv or .xlsx file."
) -> InvalidRequest:
    """Make the error of a table that cannot be read."""
    return InvalidRequest(
        "TABLE_UNREADABLE",
        f"The table {name} cannot be read: {why}.",
        field="lines",
        fix=fix,
        metadata={"path": name},
    )


def _text(data: bytes, name: str) -> tuple[str, CsvForm]:
    """Decode a file; returns its text and its form."""
    try:
        form = form_of(data)
        text = data.decode(form.encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = data[error.start]
        why = f"line {line} is neither UTF-8 nor Windows-1252 (byte 0x{byte:02x})"
        raise unreadable(name, why, "Save it as CSV in UTF-8.") from None
    if "\0" in text:
        raise unreadable(name, "it contains zero bytes, so it is no text", "Save it as CSV in UTF-8.")
    if not text.strip():
        raise unreadable(name, "it is empty")
    return text, form


def _check_header(header: Sequence[str], name: str) -> None:
    named = [column for column in header if column]
    twice = sorted({column for column in named if named.count(column) > 1})
    if twice:
        raise unreadable(name, f"its header names {', '.join(twice)} twice", "Rename or drop the columns.")


def _is_regular(text: str, width: int, name: str, separator: str) -> bool:
    """Check that every line is one record of `width` fields."""
    lines = text.rstrip("\r\n").split("\n")
    if _QUOTE not in text:
        return all(line.count(separator) == width - 1 and line.strip() for line in lines)
    return all(len(fields) == width for _, fields in _records(text, name, separator)) and all(
        map(str.strip, lines)
    )


def _records(text: str, name: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Iterate over the records that are not blank, each with its first line."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    line = 0
    try:
        for fields in reader:
            first, line = line + 1, reader.line_num
            if fields:
                yield first, fields
    except csv.Error as error:
        raise unreadable(name, f"line {line + 1}: {error}") from None
    rest = text.split("\n")[first - 1 :] if line > first else []
    if sum(part.count(_QUOTE) for part in rest) % 2:
        raise unreadable(name, f"line {first} opens a quote that is never closed", "Close the quote.")


def _set_apart(text: str, header: Sequence[str], name: str, separator: str) -> pl.DataFrame:
    width = len(header)
    blank = [""] * width
    # By column: lists of rows would keep the garbage collector busy.
    cells: list[list[str]] = [[] for _ in header]
    faults: list[str | None] = []
    for line, fields in islice(_records(text, name, separator), 1, None):
        good = len(fields) == width
        for column, value in zip(cells, fields if good else blank, strict=True):
            column.append(value)
        faults.append(None if good else _fault(line, len(fields), width, separator))
    names = (column or f"_{place}" for place, column in enumerate(header))
    columns = [pl.Series(column, values, pl.String) for column, values in zip(names, cells, strict=True)]
    frame = pl.DataFrame(columns).with_columns(pl.col(pl.String).replace("", None))
    return frame.with_columns(pl.Series(ROW_FAULT, faults, pl.String)) if any(faults) else frame


def _fault(line: int, fields: int, width: int, separator: str) -> str:
    return (
        f"Line {line} of the file has {fields} fields and the header {width}. Quote values that contain "
        f"{SEPARATORS[separator]}."
    )
