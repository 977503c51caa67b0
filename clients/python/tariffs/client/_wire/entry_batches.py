"""Send entry files in batches and collect the answers into frames."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

import polars as pl

from tariffs.client._wire import answers
from tariffs.client._wire.entry_table import CHARGES, TOO_LARGE, EntryTable, batches, text_of
from tariffs.client._wire.reading import enum_words, provenance, read_all
from tariffs.client.errors import TariffsError, from_status
from tariffs.client.results.entries import (
    COUNT,
    ENTRY_SCHEMA,
    LANDED,
    LAYER_SCHEMA,
    LINE_SCHEMA,
    MONEY,
    RATE,
    REFUSED_SCHEMA,
    TEXT,
    TEXTS,
    TRUTH,
    EntriesResult,
    Schema,
)
from tariffs.client.results.quote import Note, Provenance, Quote
from tariffs.v1 import duty_service_pb2, refund_service_pb2

_AMOUNTS = ("assessed", "owed", "min", "max")
_FACTS = ("prohibited", "missing_claims", "assumptions")
_STATES = enum_words(duty_service_pb2.LayerState.DESCRIPTOR)
Answer = TypeVar(
    "Answer",
    duty_service_pb2.BatchCalculateDutiesResponse,
    refund_service_pb2.CalculateRefundsResponse,
    duty_service_pb2.ListWatchEventsResponse,
)
Answers = list[tuple[list[int], Answer]]
Report = Callable[[str, float], None]


def in_batches(
    table: EntryTable, stage: str, send: Callable[[list[int]], Answer], report: Report
) -> Answers[Answer]:
    """Send the rows of a table in batches of whole entries; list the answers, each with its rows.

    Entries of more than 3,000 lines are refused. Indices of an answer are positions in its rows.
    """
    answered: Answers[Answer] = []
    done = 0
    for rows in batches(table):
        report(stage, done / table.frame.height)
        answered.append((rows, send(rows)))
        done += len(rows)
    report(stage, 1.0)
    return answered


def refused_of(table: EntryTable, answered: Answers[Answer]) -> pl.DataFrame:
    """Make the frame of refused rows: those that were answered so, and those too large to be sent."""
    refused = [
        _refused_row(table, rows[index], from_status(status))
        for rows, answer in answered
        for index, status in answer.failures.items()
    ]
    large = (row for row, fault in table.faults.items() if fault.reason == TOO_LARGE)
    refused += [_refused_row(table, row, table.faults[row]) for row in large]
    return pl.DataFrame(refused, schema=typed(REFUSED_SCHEMA)).sort("row", maintain_order=True)


def notes_of(answered: Answers[Answer]) -> tuple[Note, ...]:
    """List the different notes of all batches."""
    return tuple(dict.fromkeys(note for _, answer in answered for note in read_all(Note, answer.notes)))


def rated_entries(
    table: EntryTable, answered: Answers[duty_service_pb2.BatchCalculateDutiesResponse]
) -> EntriesResult:
    """Make the result of duties: rows in the order given, entries in the order of their first row."""
    given = {
        rows[one.index]: (one.quote, shared)
        for rows, answer in answered
        for shared in [provenance(answer.provenance)]
        for one in answer.quotes
    }
    quotes = _Quotes(dict(sorted(given.items())))
    entries = [_entry_row(entry, rows) for rows, answer in answered for entry in answer.entries]
    refused = refused_of(table, answered)
    return EntriesResult(
        lines=_lines(table, quotes, dict(refused.select("row", "reason").iter_rows())),
        layers=_layers(table, quotes),
        entries=frame_of(sorted(entries, key=lambda entry: int(entry["row"])), ENTRY_SCHEMA),
        refused=refused,
        quotes=quotes,
        provenance=joined_provenance(answered),
        notes=notes_of(answered),
    )


class _Quotes(Mapping[int, Quote]):
    """Quotes by row, each read from its message when it is first asked for: most callers want the frames alone."""

    def __init__(
        self, messages: Mapping[int, tuple[duty_service_pb2.CalculateDutyResponse, Provenance]]
    ) -> None:
        self.messages = messages
        self._read: dict[int, Quote] = {}

    def __getitem__(self, row: int) -> Quote:
        if row not in self._read:
            self._read[row] = answers.quote(*self.messages[row])
        return self._read[row]

    def __contains__(self, row: object) -> bool:
        return row in self.messages

    def __iter__(self) -> Iterator[int]:
        return iter(self.messages)

    def __len__(self) -> int:
        return len(self.messages)


def _lines(table: EntryTable, quotes: _Quotes, reasons: Mapping[int, str]) -> pl.DataFrame:
    given = table.frame
    taken = {name: f"{name}_given" for name in given.columns if name in LINE_SCHEMA or name == "row"}
    numbered = given.rename(taken).with_row_index("row").cast({"row": pl.Int64})
    found = [quotes.messages.get(row, (None,))[0] for row in range(given.height)]
    landed = [None if one is None else dict(one.landed) for one in found]
    columns = {
        "reason": [reasons.get(row) if one is None else None for row, one in enumerate(found)],
        **{name: _amounts(None if one is None else getattr(one, name) for one in found) for name in _AMOUNTS},
        **{
            column: _amounts(None if parts is None else parts[name] for parts in landed)
            for name, column in LANDED.items()
        },
        **{name: [None if one is None else list(getattr(one, name)) for one in found] for name in _FACTS},
        "notes": [None if one is None else _cell(one.notes, TEXTS) for one in found],
    }
    return pl.concat([numbered, _frame(columns, LINE_SCHEMA)], how="horizontal")


def _layers(table: EntryTable, quotes: _Quotes) -> pl.DataFrame:
    found = [(row, layer) for row, (message, _) in quotes.messages.items() for layer in message.layers]
    ids, layers = [_ids(table, row) for row, _ in found], [layer for _, layer in found]
    columns = {
        **{name: [one[name] for one in ids] for name in ("row", "line_id", "entry_id")},
        **{name: [getattr(layer, name) for layer in layers] for name in ("measure", "authority", "heading")},
        **{
            name: _amounts(getattr(layer, name) for layer in layers)
            for name in ("base", "amount", "min", "max")
        },
        "state": [_STATES(layer.state) for layer in layers],
        "rate": [float(layer.rate) if layer.HasField("rate") else None for layer in layers],
        **{name: [layer.why.get(name) for layer in layers] for name in ("rule", "text")},
        "citations": [list(layer.citations) for layer in layers],
    }
    return _frame(columns, LAYER_SCHEMA)


def _refused_row(table: EntryTable, row: int, fault: TariffsError) -> dict[str, Any]:
    """Make the refused row of an error; an error found before the row was sent has precedence."""
    error = table.faults.get(row) or fault
    column = _column(error.field or "")
    value = table.frame[column][row] if column in table.frame.columns else None
    details = {"column": column, "reason": error.reason, "found": text_of(value), "message": str(error)}
    return _ids(table, row) | details


def _ids(table: EntryTable, row: int) -> dict[str, Any]:
    message = table.messages[row]
    return {"row": row, "line_id": message.line_id or None, "entry_id": message.entry_id or None}


def _entry_row(entry: duty_service_pb2.EntryTotal, rows: Sequence[int]) -> dict[str, Any]:
    landed = {name: Decimal(amount) for name, amount in entry.landed.items()}
    parts = {"freight": landed["freight"], "insurance": landed["insurance"], **_landed(landed)}
    return entry_row(entry, ENTRY_SCHEMA, rows[entry.indices[0]], **parts)


def entry_row(entry: Any, schema: Mapping[str, Any], row: int, **own: Any) -> dict[str, Any]:
    """Make the row of an entry, whose first row is `row`: fields of its message and `own` values by name."""
    return row_of(entry, schema, row=row, lines=len(entry.indices), refused=entry.refused_count, **own)


def row_of(message: Any, schema: Mapping[str, Any], **own: Any) -> dict[str, Any]:
    """Make the row of a message by the names and types of a schema, and `own` values by name; empty text is null."""
    return {
        name: own[name] if name in own else _cell(getattr(message, name), kind)
        for name, kind in schema.items()
    }


def _cell(value: Any, kind: Any) -> Any:
    if kind == MONEY:
        return Decimal(value or "0.00")
    if kind == TEXTS:
        return [f"{note.reason}: {note.message}" for note in value]
    return None if value == "" else value


def _landed(parts: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {column: parts[name] for name, column in LANDED.items()}


def _column(name: str) -> str:
    name = name.removeprefix("claims.").removeprefix("other_charges.")
    return CHARGES.get(name, name)


def joined_provenance(answered: Answers[Answer]) -> dict[str, Any]:
    """Join the provenance of batches: the union of their switches, and one digest of their digests."""
    parts: list[Any] = [provenance(answer.provenance) for _, answer in answered]
    joined = dict(parts[0])
    joined["switches"] = {name: value for part in parts for name, value in part["switches"].items()}
    if len(parts) > 1:
        digests = "".join(part["run_digest"] for part in parts)
        joined["run_digest"] = hashlib.sha256(digests.encode()).hexdigest()
    return joined


def typed(schema: Schema) -> dict[str, pl.DataType]:
    """Types of columns by name."""
    types = {
        TEXT: pl.String(),
        COUNT: pl.Int64(),
        RATE: pl.Float64(),
        MONEY: pl.Decimal(20, 2),
        TRUTH: pl.Boolean(),
        TEXTS: pl.List(pl.String()),
    }
    return {name: types[kind] for name, kind in schema.items()}


def frame_of(rows: Sequence[Mapping[str, Any]], schema: Schema) -> pl.DataFrame:
    """Make a frame of rows that have all columns of a schema."""
    return _frame({name: [row[name] for row in rows] for name in schema}, schema)


def _frame(columns: Mapping[str, Any], schema: Schema) -> pl.DataFrame:
    made = {
        name: text_lists(columns[name]) if kind == TEXTS else columns[name] for name, kind in schema.items()
    }
    return pl.DataFrame(made, schema=typed(schema))


def _amounts(texts: Iterable[str | None]) -> pl.Series:
    """Make a column of amounts from their texts."""
    return pl.Series(list(texts), dtype=pl.String).cast(pl.Decimal(20, 2))


def text_lists(lists: Sequence[Sequence[str] | None]) -> pl.Series:
    """Make a column of lists of texts; None is null.

    Polars makes a series of each list first, which takes most of the time of a frame.
    """
    places = [place for place, texts in enumerate(lists) for _ in texts or ()]
    flat = pl.DataFrame(
        {"place": places, "text": [text for texts in lists for text in texts or ()]},
        schema={"place": pl.UInt32, "text": pl.String},
    )
    given = pl.DataFrame(
        {"place": range(len(lists)), "given": [texts is not None for texts in lists]},
        schema={"place": pl.UInt32, "given": pl.Boolean},
    )
    grouped = flat.group_by("place", maintain_order=True).agg("text")
    joined = given.join(grouped, on="place", how="left", maintain_order="left")
    filled = pl.when("given").then(pl.col("text").fill_null(pl.lit([], pl.List(pl.String))))
    return joined.select(filled.alias("text"))["text"]
