"""Entry files as batches: rows into messages, entries kept together, answers into frames."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

import grpc
import polars as pl
from google.rpc import error_details_pb2, status_pb2

from tariffs.client import _answers
from tariffs.client._requests import ClaimValue, duty_line
from tariffs.client.entries import (
    ENTRY_SCHEMA,
    LANDED,
    LAYER_SCHEMA,
    LINE_SCHEMA,
    REFUSED_SCHEMA,
    EntriesResult,
)
from tariffs.client.errors import InvalidRequest
from tariffs.client.lawinfo import Law
from tariffs.client.results import Note, Quote
from tariffs.v1 import common_pb2, duty_service_pb2

BATCH_LIMIT = 1000
REQUIRED = ("hts", "origin", "customs_value")
READ = (*REQUIRED, "entry_id", "line_id", "entry_date", "quantity", "unit", "mode", "freight", "insurance")
_YEAR_LAST = r"^(\d{1,2}[-/.]\d{1,2}[-/.]\d{4})(?:[T ].*)?$"
_TEXTS_LIMIT, _NAMES_LIMIT, _NAME_LIMIT = 2000, 200, 200
_CHARGES = {"adcvd": "adcvd", "excise": "excise", "other": "other_charges"}
_AMOUNTS = ("assessed", "owed", "min", "max")
_GROUPED = re.compile(r"[+-]?\$?\d{1,3}(,\d{3})+(\.\d+)?|[+-]?\$\d+(\.\d+)?")
Row = Mapping[str, Any]
Send = Callable[[list[duty_service_pb2.EntryLine]], duty_service_pb2.BatchCalculateDutiesResponse]


@dataclass(slots=True)
class EntryTable:
    """A table read into messages: one per row, and what is wrong with rows that make none."""

    frame: pl.DataFrame
    form: common_pb2.TableForm
    messages: list[duty_service_pb2.EntryLine] = field(default_factory=list)
    faults: dict[int, InvalidRequest] = field(default_factory=dict)


def read_entries(
    frame: pl.DataFrame, law: Law, on: str, date_format: str, further: Collection[str] = ()
) -> EntryTable:
    """The messages of a table's rows.

    Args:
        frame: the table.
        law: says which columns are claims.
        on: the day of rows without an entry date.
        date_format: how columns of days are written; empty if each shows it.
        further: columns that the caller reads besides.

    Raises:
        InvalidRequest: COLUMN_MISSING or TABLE_EMPTY.
    """
    missing = [name for name in REQUIRED if name not in frame.columns]
    if missing:
        raise InvalidRequest(
            "COLUMN_MISSING",
            f"The table lacks {', '.join(missing)}.",
            field=missing[0],
            fix=f"It needs {', '.join(REQUIRED)}.",
        )
    if not frame.height:
        raise InvalidRequest("TABLE_EMPTY", "The table has no rows.", field="lines")
    claims = {claim.id: claim.type for claim in law.claims}
    table = EntryTable(frame, _form(frame, claims, date_format, further))
    for place, row in enumerate(frame.iter_rows(named=True)):
        ids: dict[str, Any] = {
            "entry_id": text_of(row.get("entry_id")),
            "line_id": text_of(row.get("line_id")),
        }
        try:
            message = _message(row, claims, on, ids)
        except InvalidRequest as error:
            # The line still travels, empty, so that its entry counts it among the refused.
            message = duty_service_pb2.EntryLine(**ids)
            table.faults[place] = error
        table.messages.append(message)
    return table


def rate_entries(table: EntryTable, send: Send, report: Callable[[str, float], None]) -> EntriesResult:
    """The whole table, in batches that keep entries together.

    Raises:
        InvalidRequest: BATCH_TOO_LARGE for an entry of more than 1,000 lines.
    """
    found = _Found(table)
    for rows in batches(table.messages):
        report("rating lines", found.done / table.frame.height)
        found.take(rows, send([table.messages[row] for row in rows]))
    report("rating lines", 1.0)
    return found.result()


class _Found:
    """What came back so far."""

    def __init__(self, table: EntryTable) -> None:
        self.done = 0
        self._table = table
        self._quotes: dict[int, Quote] = {}
        self._entries: list[dict[str, Any]] = []
        self._refused: list[dict[str, Any]] = []
        self._provenance: list[dict[str, Any]] = []
        self._notes: dict[Note, None] = {}

    def take(self, rows: Sequence[int], answer: duty_service_pb2.BatchCalculateDutiesResponse) -> None:
        """Take in the answer to one batch; its indices are places in `rows`."""
        shared = dict(_answers.provenance(answer.provenance))
        self._provenance.append(shared)
        self._notes |= dict.fromkeys(_answers.notes(answer.notes))
        for one in answer.quotes:
            quote = _answers.quote(one.quote)
            own = {name: value for name, value in quote.provenance.items() if value}
            self._quotes[rows[one.index]] = replace(quote, provenance={**shared, **own})
        for index, status in answer.failures.items():
            self._refused.append(refusal(self._table, rows[index], status))
        self._entries += [_entry_row(entry, rows) for entry in answer.entries]
        self.done += len(rows)

    def result(self) -> EntriesResult:
        """The frames; rows in the order given, entries in the order of their first row."""
        self._quotes = dict(sorted(self._quotes.items()))
        self._refused.sort(key=lambda refusal: refusal["row"])
        self._entries.sort(key=lambda entry: entry["row"])
        return EntriesResult(
            lines=self._lines(),
            layers=pl.DataFrame(
                [layer for row, quote in self._quotes.items() for layer in self._layers(row, quote)],
                schema=LAYER_SCHEMA,
            ),
            entries=pl.DataFrame(self._entries, schema=ENTRY_SCHEMA),
            refused=pl.DataFrame(self._refused, schema=REFUSED_SCHEMA),
            quotes=self._quotes,
            provenance=joined_provenance(self._provenance),
            notes=tuple(self._notes),
        )

    def _lines(self) -> pl.DataFrame:
        reasons = {refusal["row"]: refusal["reason"] for refusal in self._refused}
        given = self._table.frame
        taken = {name: f"{name}_given" for name in given.columns if name in LINE_SCHEMA or name == "row"}
        rows = [_line_row(self._quotes.get(row), reasons.get(row)) for row in range(given.height)]
        return pl.concat(
            [
                given.rename(taken).with_row_index("row").cast({"row": pl.Int64}),
                pl.DataFrame(rows, LINE_SCHEMA),
            ],
            how="horizontal",
        )

    def _layers(self, row: int, quote: Quote) -> Iterator[dict[str, Any]]:
        for layer in quote.layers:
            yield _ids(self._table, row) | {
                "measure": layer.measure,
                "authority": layer.authority,
                "heading": layer.heading,
                "state": layer.state,
                "rate": None if layer.rate is None else float(layer.rate),
                "base": layer.base,
                "amount": layer.amount,
                "min": layer.min,
                "max": layer.max,
                "rule": layer.why.get("rule"),
                "text": layer.why.get("text"),
                "citations": list(layer.citations),
            }


def refusal(table: EntryTable, row: int, status: status_pb2.Status) -> dict[str, Any]:
    """What was wrong with a row, as a row of the refused."""
    error = table.faults.get(row) or fault_of(status)
    column = _column(error.field or "")
    found = table.frame[column][row] if column in table.frame.columns else None
    told = {"column": column, "reason": error.reason, "found": text_of(found), "message": str(error)}
    return _ids(table, row) | told


def _ids(table: EntryTable, row: int) -> dict[str, Any]:
    message = table.messages[row]
    return {"row": row, "line_id": message.line_id or None, "entry_id": message.entry_id or None}


# -- rows into messages ----------------------------------------------------------------------------------------


def _message(
    row: Row, claims: Collection[str], on: str, ids: Mapping[str, str]
) -> duty_service_pb2.EntryLine:
    declared: dict[str, ClaimValue] = {
        name: value if isinstance(value, bool) else text
        for name in claims
        if (value := row.get(name)) is not None and (text := text_of(value))
    }
    charges = {
        kind: text if "/" in text or text.endswith("%") else _money(text)
        for kind, column in _CHARGES.items()
        if (text := text_of(row.get(column)))
    }
    return duty_line(
        text_of(row["hts"]),
        text_of(row["origin"]),
        text_of(row.get("entry_date")) or on,
        _money(row["customs_value"]),
        claims=declared,
        quantity=_money(row.get("quantity")),
        unit=text_of(row.get("unit")),
        mode=text_of(row.get("mode")),
        freight=_money(row.get("freight")),
        insurance=_money(row.get("insurance")),
        charges=charges,
        **ids,
    )


def _form(
    frame: pl.DataFrame, claims: Mapping[str, str], date_format: str, further: Collection[str]
) -> common_pb2.TableForm:
    """What the service needs to know of the whole table: columns not sent, and how columns of days are written."""
    read = {*READ, *_CHARGES.values(), *claims, *further}
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
    """The distinct texts of a column that look like days with their year last, without times of day."""
    texts = column.str.strip_chars().str.extract(_YEAR_LAST, 1).drop_nulls().unique().sort()
    return texts.head(_TEXTS_LIMIT).to_list()


def text_of(value: object) -> str:
    """A cell as text: whole floats lose their fraction, nothing is empty."""
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _money(value: object) -> Decimal | float | str:
    """A cell as money; `1,234.50` and `$12` are numbers, whatever else is text is for the service to judge."""
    if isinstance(value, Decimal | float):
        return value
    text = text_of(value)
    return re.sub(r"[$,]", "", text) if _GROUPED.fullmatch(text) else text


def batches(messages: Sequence[duty_service_pb2.EntryLine]) -> Iterator[list[int]]:
    """Rows in batches of at most 1,000, all of an entry in one."""
    entries: dict[tuple[str, int | None], list[int]] = {}
    for row, message in enumerate(messages):
        entries.setdefault((message.entry_id, None if message.entry_id else row), []).append(row)
    batch: list[int] = []
    for (entry_id, _), rows in entries.items():
        if len(rows) > BATCH_LIMIT:
            raise InvalidRequest(
                "BATCH_TOO_LARGE",
                f"The entry {entry_id} has {len(rows):,} lines; the limit is {BATCH_LIMIT:,}.",
                field="entry_id",
                fix="Give each entry its own entry_id.",
            )
        if len(batch) + len(rows) > BATCH_LIMIT:
            yield batch
            batch = []
        batch += rows
    if batch:
        yield batch


# -- answers into rows -----------------------------------------------------------------------------------------


def _line_row(quote: Quote | None, reason: str | None) -> dict[str, Any]:
    if quote is None:
        return dict.fromkeys(LINE_SCHEMA) | {"reason": reason}
    return (
        {"reason": None}
        | {name: getattr(quote, name) for name in _AMOUNTS}
        | _landed(quote.landed)
        | {
            "prohibited": list(quote.prohibited),
            "missing_claims": list(quote.missing_claims),
            "assumptions": list(quote.assumptions),
            "notes": [f"{note.reason}: {note.message}" for note in quote.notes],
        }
    )


def _entry_row(entry: duty_service_pb2.EntryTotal, rows: Sequence[int]) -> dict[str, Any]:
    landed = {name: Decimal(amount) for name, amount in entry.landed.items()}
    return {
        "entry_id": entry.entry_id or None,
        "row": rows[entry.indices[0]],
        "day": entry.day or None,
        "lines": len(entry.indices),
        "refused": entry.refused_count,
        "informal": entry.informal,
        "freight": landed["freight"],
        "insurance": landed["insurance"],
        **{name: Decimal(getattr(entry, name)) for name in _AMOUNTS},
        **_landed(landed),
        "notes": [f"{note.reason}: {note.message}" for note in entry.notes],
    }


def _landed(parts: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {column: parts[name] for name, column in LANDED.items()}


def fault_of(status: status_pb2.Status) -> InvalidRequest:
    """The error that a status in an answer tells of."""
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        detail.Unpack(info)
        detail.Unpack(bad)
    field_at_fault = bad.field_violations[0].field if bad.field_violations else None
    code = next((code.name for code in grpc.StatusCode if code.value[0] == status.code), "UNKNOWN")
    return InvalidRequest(
        info.reason, status.message, code=code, field=field_at_fault, fix=info.metadata.get("fix", "")
    )


def _column(name: str) -> str:
    """The column that holds a field of the wire."""
    name = name.removeprefix("claims.").removeprefix("other_charges.")
    return _CHARGES.get(name, name)


def joined_provenance(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The provenance of all batches: their switches together, and one digest of their digests."""
    joined = dict(parts[0])
    joined["switches"] = {name: value for part in parts for name, value in part["switches"].items()}
    if len(parts) > 1:
        digests = "".join(part["run_digest"] for part in parts)
        joined["run_digest"] = hashlib.sha256(digests.encode()).hexdigest()
    return joined


__all__ = [
    "REFUSED_SCHEMA",
    "EntryTable",
    "batches",
    "joined_provenance",
    "rate_entries",
    "read_entries",
    "refusal",
    "text_of",
]
