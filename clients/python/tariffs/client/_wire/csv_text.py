"""Read CSV as text columns: codes keep leading zeros, rows of another length are marked with their line.

A row whose fields do not match the header is null in every column but ROW_FAULT, which says why; the engine refuses it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import islice

import polars as pl

from tariffs.client.errors import InvalidRequest

ROW_FAULT = "row_fault"
_BOM = b"\xef\xbb\xbf"
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_QUOTE = '"'


def read_csv(data: bytes, name: str) -> pl.DataFrame:
    """Read the bytes of a CSV file called `name`; adds ROW_FAULT if rows have too few or too many fields.

    Raises:
        InvalidRequest: TABLE_UNREADABLE: it is not UTF-8, separated otherwise than by commas, names a column twice,
            or leaves a quote open.
    """
    data = data.removeprefix(_BOM)
    text = _text(data, name)
    header = next((fields for _, fields in _records(text, name)), [])
    _check_header(header, name)
    if _is_regular(text, len(header), name):
        try:
            return pl.read_csv(data, infer_schema=False)
        except pl.exceptions.PolarsError:
            # Quotes within fields: what follows reads them.
            pass
    return _set_apart(text, header, name)


def unreadable(name: str, why: str, fix: str = "Give a .parquet, .arrow or .csv file.") -> InvalidRequest:
    """Make the error of a table that cannot be read."""
    return InvalidRequest(
        "TABLE_UNREADABLE",
        f"The table {name} cannot be read: {why}.",
        field="lines",
        fix=fix,
        metadata={"path": name},
    )


def _text(data: bytes, name: str) -> str:
    fix = "Save it as CSV in UTF-8."
    if data.startswith(_WIDE):
        raise unreadable(name, "it is encoded in UTF-16", fix)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = data[error.start]
        why = f"line {line} is not UTF-8 (byte 0x{byte:02x}); its encoding may be Windows-1252"
        raise unreadable(name, why, fix) from None
    if "\0" in text:
        raise unreadable(name, "it contains zero bytes, so it is not CSV in UTF-8", fix)
    if not text.strip():
        raise unreadable(name, "it is empty")
    return text


def _check_header(header: Sequence[str], name: str) -> None:
    if len(header) == 1:
        for separator, word in _SEPARATORS.items():
            if separator in header[0]:
                raise unreadable(name, f"its columns are separated by {word}", "Save it with commas.")
    named = [column for column in header if column]
    twice = sorted({column for column in named if named.count(column) > 1})
    if twice:
        raise unreadable(name, f"its header names {', '.join(twice)} twice", "Rename or drop the columns.")


def _is_regular(text: str, width: int, name: str) -> bool:
    """Check that every line is one record of `width` fields."""
    lines = text.rstrip("\r\n").split("\n")
    if _QUOTE not in text:
        return all(line.count(",") == width - 1 and line.strip() for line in lines)
    return all(len(fields) == width for _, fields in _records(text, name)) and all(map(str.strip, lines))


def _records(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Iterate over the records that are not blank, each with its first line."""
    reader = csv.reader(io.StringIO(text, newline=""))
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


def _set_apart(text: str, header: Sequence[str], name: str) -> pl.DataFrame:
    width = len(header)
    blank = [""] * width
    # By column: lists of rows would keep the garbage collector busy.
    cells: list[list[str]] = [[] for _ in header]
    faults: list[str | None] = []
    for line, fields in islice(_records(text, name), 1, None):
        good = len(fields) == width
        for column, value in zip(cells, fields if good else blank, strict=True):
            column.append(value)
        faults.append(None if good else _fault(line, len(fields), width))
    names = (column or f"_{place}" for place, column in enumerate(header))
    columns = [pl.Series(column, values, pl.String) for column, values in zip(names, cells, strict=True)]
    frame = pl.DataFrame(columns).with_columns(pl.col(pl.String).replace("", None))
    return frame.with_columns(pl.Series(ROW_FAULT, faults, pl.String)) if any(faults) else frame


def _fault(line: int, fields: int, width: int) -> str:
    return f"Line {line} of the file has {fields} fields and the header {width}. Quote values that contain commas."
