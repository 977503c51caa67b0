"""Detect how a CSV file is written: its encoding, its separator, and the mark of decimals in its amounts."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from tariffs.client._wire.column_mapping import plain_name
from tariffs.client.errors import InvalidRequest

AMOUNTS = (
    "customs_value", "quantity", "freight", "insurance", "adcvd", "excise", "other_charges", "drawback", "deposited",
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


@dataclass(frozen=True, slots=True)
class CsvForm:
    """Encoding of a CSV file by name, and the character between its fields."""

    encoding: str
    separator: str


def form_text(form: CsvForm) -> str:
    """Say in words how a file is written."""
    encoding = _ENCODINGS.get(form.encoding, form.encoding)
    return f"CSV in {encoding}, separated by {SEPARATORS[form.separator]}"


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


def with_points(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """Write the amounts of a file not separated by commas with a point before their decimals.

    Such files come from countries that write `1.234,50`, or from others that write `1,234.50`; a column is told by the
    amounts that can be read in one way only.

    Raises:
        InvalidRequest: TABLE_UNREADABLE for a column with both forms, or with amounts such as `1,234` alone.
    """
    for column in comma_columns(frame, name):
        text = pl.col(column).str.replace_all(".", "", literal=True)
        frame = frame.with_columns(text.str.replace_all(",", ".", literal=True))
    return frame


def comma_columns(frame: pl.DataFrame, name: str) -> list[str]:
    """List the columns of amounts with a comma before their decimals; raises as `with_points`."""
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
