"""Read CSV as text columns: codes keep leading zeros, rows of another length are marked with their line.

Encoding, separator and the mark of decimals are detected. A row whose fields do not match the header is null in
every column but ROW_FAULT, which says why; the engine refuses it.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import polars as pl

from tariffs.client._wire.column_mapping import plain_name
from tariffs.client.errors import InvalidRequest

ROW_FAULT = "row_fault"
_QUOTE = '"'
AMOUNTS = (
    "customs_value", "quantity", "freight", "insurance", "adcvd", "excise", "other_charges", "drawback", "deposited",
    "unit_cost", "unit_quantity", "yield", "capacity", "min_order", "min_share", "max_share",
)  # fmt: skip
"""Columns with amounts, whose marks of thousands and decimals matter."""
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 with a byte order mark",
    "utf-16": "UTF-16",
    "cp1252": "Windows-1252",
}
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_COMMA_DECIMAL = (
    r"^[^\d]*(\d{1,3}(\.\d{3})+,\d+|\d+,\d{1,2}|\d{4,},\d+|\d+,\d{4,}|\d{1,3}(\.\d{3}){2,})[^\d]*$"
)
_POINT_DECIMAL = (
    r"^[^\d]*(\d{1,3}(,\d{3})+\.\d+|\d+\.\d{1,2}|\d{4,}\.\d+|\d+\.\d{4,}|\d{1,3}(,\d{3}){2,})[^\d]*$"
)
_EITHER = r"^[^\d]*\d{1,3}[.,]\d{3}[^\d]*$"
_FORMULA = r"^([=+\-@\t\r])"
_GUARD = "'"
_FIRST = tuple("=+-@\t\r")
_RAW: ContextVar[bool] = ContextVar("raw_csv", default=False)


class CsvTable(NamedTuple):
    """Table of a CSV file, its amounts with a point, and how it is written.

    Attributes:
        frame: the rows; has ROW_FAULT if some have too few or too many fields.
        separator: character between fields.
        form: encoding, separator, and the columns of amounts with decimal commas, in words.
    """

    frame: pl.DataFrame
    separator: str
    form: str


def read_csv(data: bytes, name: str) -> CsvTable:
    """Read the bytes of a CSV file called `name`.

    Fields are separated by commas, semicolons, tabs or bars, in UTF-8, UTF-16 or Windows-1252.

    Raises:
        InvalidRequest: TABLE_UNREADABLE: it is no text, names a column twice, leaves a quote open, or has amounts that
            can be read in two ways.
    """
    text, form = _text(data, name)
    header = next((fields for _, fields in _records(text, name, form.separator)), [])
    _check_header(header, name)
    frame = _frame(text, header, name, form.separator)
    # Spreadsheets write rows of separators below their last row; those with a fault have a text in ROW_FAULT.
    frame = frame.filter(~pl.all_horizontal(pl.all().str.strip_chars().fill_null("") == ""))
    commas = [] if form.separator == "," else comma_columns(frame, name)
    words = f"CSV in {_ENCODINGS[form.encoding]}, separated by {SEPARATORS[form.separator]}"
    words += f", with decimal commas in {', '.join(commas)}" if commas else ""
    return CsvTable(with_points(frame, commas), form.separator, words)


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


@dataclass(frozen=True, slots=True)
class CsvForm:
    """Encoding of a CSV file by name, and the character between its fields."""

    encoding: str
    separator: str


def form_of(data: bytes) -> CsvForm:
    """Detect the encoding and the separator of a file.

    UTF-16 is known by its first bytes; what is not UTF-8 is read as Windows-1252. The separator is the first of comma,
    semicolon, tab and bar that splits the header.

    Raises:
        UnicodeDecodeError: a byte has no meaning in Windows-1252 either.
    """
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), "")
    if not encoding:
        try:
            data.decode()
            encoding = "utf-8"
        except UnicodeDecodeError:
            encoding = "cp1252"
    header = data.decode(encoding).lstrip().split("\n", 1)[0]
    return CsvForm(encoding, next((mark for mark in SEPARATORS if _splits(header, mark)), ","))


def _splits(header: str, separator: str) -> bool:
    try:
        return len(next(csv.reader(io.StringIO(header, newline=""), delimiter=separator), [])) > 1
    except csv.Error:
        return False


def with_points(frame: pl.DataFrame, columns: Iterable[str]) -> pl.DataFrame:
    """Write the amounts of columns that have a comma before their decimals with a point."""
    texts = pl.col(list(columns)).str.replace_all(".", "", literal=True)
    return frame.with_columns(texts.str.replace_all(",", ".", literal=True))


def comma_columns(frame: pl.DataFrame, name: str) -> list[str]:
    """List the columns of amounts with a comma before their decimals, in a file not separated by commas.

    Such files come from countries that write `1.234,50`, or from others that write `1,234.50`; a column is told by the
    amounts that can be read in one way only.

    Raises:
        InvalidRequest: TABLE_UNREADABLE for a column with both forms, or with amounts such as `1,234` alone.
    """
    amounts = set(map(plain_name, AMOUNTS))
    return [
        column
        for column, dtype in frame.schema.items()
        if plain_name(column) in amounts and dtype == pl.String and _has_commas(frame[column], name)
    ]


def _has_commas(column: pl.Series, name: str) -> bool:
    """Test whether the amounts of a column have a comma before their decimals."""
    texts = column.drop_nulls().str.strip_chars()
    commas, points = (texts.filter(texts.str.contains(form)) for form in (_COMMA_DECIMAL, _POINT_DECIMAL))
    if len(commas) and len(points):
        raise _ambiguous(name, column.name, (commas[0], points[0]))
    either = texts.filter(texts.str.contains(_EITHER))
    if len(either) and not len(commas) and not len(points):
        raise _ambiguous(name, column.name, (either[0],))
    return bool(len(commas))


def _ambiguous(name: str, column: str, found: Sequence[str]) -> InvalidRequest:
    return InvalidRequest(
        "TABLE_UNREADABLE",
        f"The table {name} cannot be read: the amounts of {column} can be read in two ways "
        f"({' and '.join(found)}).",
        field=column,
        fix="Write amounts as 1234.50, without marks of thousands.",
        metadata={"path": name},
    )


def leave_raw() -> None:
    """Write texts as they are from now on, for programs that read them."""
    _RAW.set(True)


def for_people(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame as it is written for people: guarded, unless `leave_raw` was called."""
    return frame if _RAW.get() else guarded(frame)


def guarded(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame whose texts and column names no spreadsheet computes; numbers stay, and what is guarded."""
    texts = pl.col(pl.String, pl.Categorical, pl.Enum).cast(pl.String)
    made = frame.with_columns(texts.str.replace(_FORMULA, _GUARD + "$1"))
    names = {name: _GUARD + name for name in frame.columns if name.startswith(_FIRST)}
    return made.rename(names)
