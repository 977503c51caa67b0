"""Describe how a trade table is read before anything is computed: columns, codes, days, refused rows, totals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import polars as pl

from tariffs.engine.law.model import Claim
from tariffs.engine.schedule.countries import is_country
from tariffs.engine.schedule.country_names import origins_named
from tariffs.engine.tables.columns import PLAIN, REQUIRED, ROW_FAULT, Claims
from tariffs.engine.tables.dates import format_of
from tariffs.engine.tables.read_columns import text_of
from tariffs.engine.tables.trade_table import CheckedTable

OWN, CLAIM, OPTIONAL, NEEDED = "own", "claim", "optional", "required"
ISO_DAY = "YYYY-MM-DD"
_ISO = r"^\d{4}[-/.]?\d{1,2}[-/.]?\d{1,2}([T ].*)?$"
_READ_AS: Mapping[str, str] = {
    "line_id": "your id of the line",
    "entry_id": "your id of the entry",
    "hts": "HTS code",
    "origin": "country of origin",
    "customs_value": "US dollars",
    "entry_date": "day",
    "quantity": "number",
    "unit": "unit",
    "freight": "US dollars",
    "insurance": "US dollars",
    "mode": "mode of transport",
    "ordinary_rate": "rate, a fraction or percent",
}
_CLAIM_READ_AS: Mapping[str, str] = {
    "share": "share from 0 to 1",
    "content": "share from 0 to 1",
    "number": "number",
    "bool": "yes or no",
    "date": "day",
    "code": "code",
}
_WRITTEN, _UNREAD = ("as codes", "as codes in lower case", "as names"), "not read"


@dataclass(frozen=True, slots=True)
class DescribedColumn:
    """Column of a table.

    Attributes:
        name: its name.
        role: required, optional, claim, or own: returned unchanged.
        read_as: what its cells are read as, days with their format; empty for an own column.
        filled: number of rows with a value.
        refused: number of rows with a value that cannot be read.
        example: first value, as text; empty if there is none.
    """

    name: str
    role: str
    read_as: str
    filled: int
    refused: int
    example: str


@dataclass(frozen=True, slots=True)
class TableDescription:
    """Description of how a table is read.

    Attributes:
        columns: its columns in order.
        row_count: all rows.
        usable_count: rows that can be used.
        customs_value: US dollars of the usable rows.
        code_digits: number of usable rows by the number of digits of their code.
        origin_count: number of different origins of the usable rows.
        first_day: first entry date of the usable rows, ISO; empty without entry dates.
        last_day: last of them.
    """

    columns: tuple[DescribedColumn, ...]
    row_count: int
    usable_count: int
    customs_value: float
    code_digits: Mapping[int, int]
    origin_count: int
    first_day: str
    last_day: str


def describe_table(
    source: pl.DataFrame, checked: CheckedTable, claims: Claims, zone: ZoneInfo, date_format: str = ""
) -> TableDescription:
    """Describe a table that was checked.

    Args:
        source: the table as given, with the required columns.
        zone: time zone of the days.
        date_format: the format of date columns that was stated; empty if each column implies it.
    """
    lines = checked.lines
    digits = lines["hts"].str.len_chars().value_counts().sort("hts")
    first, last = _days(lines, zone)
    return TableDescription(
        columns=tuple(
            _column(column, checked.refused, claims, date_format)
            for column in source.drop(ROW_FAULT, strict=False).iter_columns()
        ),
        row_count=source.height,
        usable_count=lines.height,
        customs_value=float(lines["customs_value"].sum()),
        code_digits=dict(digits.iter_rows()),
        origin_count=lines["origin"].n_unique(),
        first_day=first,
        last_day=last,
    )


def _column(column: pl.Series, refused: pl.DataFrame, claims: Claims, date_format: str) -> DescribedColumn:
    name = column.name
    filled = _filled(column)
    return DescribedColumn(
        name=name,
        role=_role(name, claims),
        read_as=_read_as(column, claims.get(name), date_format),
        filled=len(filled),
        refused=refused.filter(column=name)["row"].n_unique(),
        example=str(filled[0]) if len(filled) else "",
    )


def _filled(column: pl.Series) -> pl.Series:
    present = column.drop_nulls()
    return present.filter(present.str.strip_chars() != "") if present.dtype == pl.String else present


def _role(name: str, claims: Claims) -> str:
    if name in REQUIRED:
        return NEEDED
    if name in PLAIN:
        return OPTIONAL
    return CLAIM if name in claims else OWN


def _read_as(column: pl.Series, claim: Claim | None, date_format: str) -> str:
    words = _CLAIM_READ_AS[claim.type] if claim else _READ_AS.get(column.name, "")
    if words == "day":
        return f"{words}, {_day_form(column, date_format)}"
    return f"{words}, {_origin_form(column)}" if column.name == "origin" else words


def _origin_form(column: pl.Series) -> str:
    """Count the origins by how they are written, in words."""
    counts = Counter[str]()
    for text, rows in text_of(column).drop_nulls().value_counts().iter_rows():
        counts[_written_as(text)] += rows
    return ", ".join(f"{counts[name]:,} {name}" for name in (*_WRITTEN, _UNREAD) if counts[name]) or "none"


def _written_as(text: str) -> str:
    if is_country(text):
        return _WRITTEN[0]
    if is_country(text.upper()):
        return _WRITTEN[1]
    return _WRITTEN[2] if len(origins_named(text)) == 1 else _UNREAD


def _day_form(column: pl.Series, date_format: str) -> str:
    """Say how the days of a column are written, in words."""
    if column.dtype.is_temporal():
        return "of a date type"
    texts = text_of(column).drop_nulls().unique()
    year_last = texts.filter(~texts.str.contains(_ISO))
    if not len(year_last):
        return f"written {ISO_DAY}"
    form = date_format or format_of(year_last)
    told = "stated" if date_format else "told by the column"
    return f"written {form}, {told}" if form else "its order of day and month cannot be told"


def _days(lines: pl.DataFrame, zone: ZoneInfo) -> tuple[str, str]:
    if "entry_date" not in lines.columns or not lines["entry_date"].count():
        return "", ""
    days = lines["entry_date"].dt.convert_time_zone(str(zone)).dt.date()
    return str(days.min()), str(days.max())
