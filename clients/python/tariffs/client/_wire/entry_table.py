"""Convert tables of entries into messages, one per row, in batches of whole entries."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

import polars as pl
from google.protobuf.message import Message

from tariffs.client._wire.column_mapping import rename_known
from tariffs.client._wire.csv_text import ROW_FAULT
from tariffs.client._wire.requests import ClaimValue, duty_line
from tariffs.client.errors import InvalidRequest
from tariffs.client.results.law import Law
from tariffs.v1 import common_pb2, duty_service_pb2

BATCH_LIMIT, ENTRY_LIMIT = 1000, 3000
"""Lines of a batch of several entries, and of one entry, which is a batch of its own if it has more."""
TOO_LARGE = "BATCH_TOO_LARGE"
REQUIRED = ("hts", "origin", "customs_value")
_GOODS = ("entry_id", "line_id", "entry_date", "quantity", "unit", "mode", "ordinary_rate")
READ = (*REQUIRED, *_GOODS, "freight", "insurance")
_YEAR_LAST = r"^(\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2}))(?:[T ].*)?$"
_ALIKE = 0.4
_EMPTY = {
    "hts": ("HTS_CODE_MALFORMED", "Give an HTS code of 4 to 10 digits."),
    "origin": ("ORIGIN_UNKNOWN", "Give the ISO 3166-1 alpha-2 code of the country of origin, or its name."),
}
"""The reason and the fix of an empty cell, as for a line of which the cell is wrong."""
_TEXTS_LIMIT, _NAMES_LIMIT, _NAME_LIMIT = 2000, 200, 200
CHARGES = {"adcvd": "adcvd", "excise": "excise", "other": "other_charges"}
Row = Mapping[str, Any]
_M = TypeVar("_M", bound=Message)


@dataclass(slots=True)
class EntryTable:
    """Table of entries with one message per row, and the errors of rows that cannot be sent.

    Rows of entries that are too large for one batch have a fault and are never sent.
    """

    frame: pl.DataFrame
    form: common_pb2.TableForm
    messages: list[duty_service_pb2.EntryLine] = field(default_factory=list)
    faults: dict[int, InvalidRequest] = field(default_factory=dict)


def read_entries(
    frame: pl.DataFrame, law: Law, on: str, date_format: str, further: Collection[str] = ()
) -> EntryTable:
    """Convert the rows of a table into messages.

    Args:
        frame: the table.
        law: says which columns are claims.
        on: the day of rows without an entry date.
        date_format: how columns of days are written; empty if each shows it.
        further: columns that the caller reads with `row_messages`.

    Raises:
        InvalidRequest: COLUMN_MISSING or TABLE_EMPTY.
    """
    claims = {claim.id: claim.type for claim in law.claims}
    unread = unread_rows(frame)
    given = frame.drop(ROW_FAULT, strict=False).columns
    frame = rename_known(frame, (*READ, *CHARGES.values(), *claims, *further))
    frame = frame.drop(ROW_FAULT, strict=False)
    missing = [name for name in REQUIRED if name not in frame.columns]
    if missing:
        raise _lacking(given, missing)
    if not frame.height:
        raise InvalidRequest("TABLE_EMPTY", "The table has no rows.", field="lines")
    table = EntryTable(frame, _form(frame, claims, date_format, further))
    declared = [name for name in claims if name in frame.columns]
    for place, row in enumerate(frame.iter_rows(named=True)):
        ids: dict[str, Any] = {
            "entry_id": text_of(row.get("entry_id")),
            "line_id": text_of(row.get("line_id")),
        }
        try:
            if place in unread:
                raise InvalidRequest("ROW_UNREADABLE", unread[place])
            message = _message(row, declared, on, ids)
        except InvalidRequest as error:
            # The line still travels, empty, so that its entry counts it among the refused.
            message = duty_service_pb2.EntryLine(**ids)
            table.faults[place] = error
        table.messages.append(message)
    return table


def _lacking(given: list[str], missing: list[str]) -> InvalidRequest:
    """Make the error of missing columns, with similar columns of the table as suggestions."""
    similar_by_name = {name: difflib.get_close_matches(name, given, n=1, cutoff=_ALIKE) for name in missing}
    hints = [f"{similar[0]!r} may be {name}" for name, similar in similar_by_name.items() if similar]
    return InvalidRequest(
        "COLUMN_MISSING",
        f"The table lacks {', '.join(missing)}; it has {', '.join(given) or 'no columns'}.",
        field=missing[0],
        fix=(f"Rename the columns ({'; '.join(hints)})" if hints else f"It needs {', '.join(REQUIRED)}")
        + "; mapping= names the columns of your table.",
    )


def unread_rows(frame: pl.DataFrame) -> dict[int, str]:
    """Map rows that could not be read from their file to the reason."""
    faults = frame[ROW_FAULT].to_list() if ROW_FAULT in frame.columns else []
    return {row: fault for row, fault in enumerate(faults) if fault is not None}


def _message(
    row: Row, claims: Collection[str], on: str, ids: Mapping[str, str]
) -> duty_service_pb2.EntryLine:
    for name, (reason, fix) in _EMPTY.items():
        if not text_of(row[name]):
            raise InvalidRequest(reason, f"{name} is missing.", field=name, fix=fix)
    return line_of(row, claims, on, ids)


def line_of(row: Row, claims: Collection[str], on: str, ids: Mapping[str, str]) -> duty_service_pb2.EntryLine:
    """Make the message of the goods of a row; `on` is the day of one without an entry date, raises as `duty_line`."""
    declared: dict[str, ClaimValue] = {
        name: value if isinstance(value, bool) else text
        for name in claims
        if (value := row.get(name)) is not None and (text := text_of(value))
    }
    charges = {kind: text for kind, column in CHARGES.items() if (text := text_of(row.get(column)))}
    return duty_line(
        text_of(row["hts"]),
        text_of(row["origin"]),
        text_of(row.get("entry_date")) or on,
        _cell(row["customs_value"]),
        claims=declared,
        quantity=_cell(row.get("quantity")),
        unit=text_of(row.get("unit")),
        mode=text_of(row.get("mode")),
        freight=_cell(row.get("freight")),
        insurance=_cell(row.get("insurance")),
        charges=charges,
        ordinary_rate=text_of(row.get("ordinary_rate")) or None,
        **ids,
    )


def _form(
    frame: pl.DataFrame, claims: Mapping[str, str], date_format: str, further: Collection[str]
) -> common_pb2.TableForm:
    """Describe the whole table to the service: columns not sent, and the format of date columns."""
    read = {*READ, *CHARGES.values(), *claims, *further}
    days = [
        common_pb2.DateColumn(column=name, texts=_year_last(frame[name]))
        for name, dtype in frame.schema.items()
        if dtype == pl.String and (name.endswith("_date") or claims.get(name) == "date")
    ]
    return common_pb2.TableForm(
        columns=[name[:_NAME_LIMIT] for name in frame.columns if name not in read][:_NAMES_LIMIT],
        dates=days,
        date_format=date_format,
    )


def _year_last(column: pl.Series) -> list[str]:
    """List the distinct texts of a column that look like dates with the year last, without times of day."""
    texts = column.str.strip_chars().str.extract(_YEAR_LAST, 1).drop_nulls().unique().sort()
    return texts.head(_TEXTS_LIMIT).to_list()


def _cell(value: object) -> Decimal | float | str:
    """Convert a cell with an amount; numbers keep their digits."""
    return value if isinstance(value, Decimal | float) else text_of(value)


def row_messages(table: EntryTable, kind: type[_M], names: Iterable[str]) -> list[_M]:
    """Make a message of each row: its `line`, and the texts of further columns, as far as the table has them."""
    messages = [kind(line=line) for line in table.messages]
    for name in names:
        if name in table.frame.columns:
            for message, value in zip(messages, table.frame[name].to_list(), strict=True):
                setattr(message, name, text_of(value))
    return messages


def text_of(value: object) -> str:
    """Convert a cell to text: whole floats without a fraction, null as empty text."""
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def batches(table: EntryTable) -> Iterator[list[int]]:
    """Group rows into batches of at most 1,000 that hold whole entries, or of one larger entry.

    Entries of more than 3,000 lines become errors.

    Raises:
        InvalidRequest: BATCH_TOO_LARGE if nothing is left to send.
    """
    entries: dict[tuple[str, int | None], list[int]] = {}
    for row, message in enumerate(table.messages):
        entries.setdefault((message.entry_id, None if message.entry_id else row), []).append(row)
    large = {key: rows for key, rows in entries.items() if len(rows) > ENTRY_LIMIT}
    for (entry_id, _), rows in large.items():
        table.faults |= dict.fromkeys(rows, _too_large(entry_id, len(rows)))
    if len(large) == len(entries):
        raise table.faults[0]
    batch: list[int] = []
    for rows in (rows for key, rows in entries.items() if key not in large):
        if batch and len(batch) + len(rows) > BATCH_LIMIT:
            yield batch
            batch = []
        batch += rows
    yield batch


def _too_large(entry_id: str, lines: int) -> InvalidRequest:
    return InvalidRequest(
        TOO_LARGE,
        f"The entry {entry_id} has {lines:,} lines; the limit is {ENTRY_LIMIT:,}, because the fees "
        "of an entry are computed together.",
        field="entry_id",
        fix="Give each entry its own entry_id.",
    )
