"""Send entry files in batches and collect the answers into frames."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from tariffs.client._wire import answers
from tariffs.client._wire.entry_table import CHARGES, TOO_LARGE, EntryTable, batches, text_of
from tariffs.client._wire.reading import provenance, read_all
from tariffs.client._wire.row_frames import frame_of
from tariffs.client.errors import TariffsError, from_status
from tariffs.client.results.entries import (
    ENTRY_SCHEMA,
    LANDED,
    LAYER_SCHEMA,
    LINE_SCHEMA,
    REFUSED_SCHEMA,
    EntriesResult,
)
from tariffs.client.results.quote import Note, Quote
from tariffs.v1 import duty_service_pb2

_AMOUNTS = ("assessed", "owed", "min", "max")
Send = Callable[[list[duty_service_pb2.EntryLine]], duty_service_pb2.BatchCalculateDutiesResponse]


def rate_entries(table: EntryTable, send: Send, report: Callable[[str, float], None]) -> EntriesResult:
    """Compute the duties of a table in batches of whole entries; entries of more than 3,000 lines are refused."""
    collector = _EntryCollector(table)
    for rows in batches(table):
        report("computing duties", collector.done / table.frame.height)
        collector.take(rows, send([table.messages[row] for row in rows]))
    report("computing duties", 1.0)
    return collector.result()


class _EntryCollector:
    """Collector of the answers to batches."""

    def __init__(self, table: EntryTable) -> None:
        self.done = 0
        self._table = table
        self._quotes: dict[int, Quote] = {}
        self._entries: list[dict[str, Any]] = []
        self._refused: list[dict[str, Any]] = []
        self._provenance: list[dict[str, Any]] = []
        self._notes: dict[Note, None] = {}

    def take(self, rows: Sequence[int], answer: duty_service_pb2.BatchCalculateDutiesResponse) -> None:
        """Add the answer to one batch; its indices are positions in `rows`."""
        shared = dict(provenance(answer.provenance))
        self._provenance.append(shared)
        self._notes |= dict.fromkeys(read_all(Note, answer.notes))
        for one in answer.quotes:
            self._quotes[rows[one.index]] = answers.quote(one.quote, shared)
        for index, status in answer.failures.items():
            self._refused.append(refused_row(self._table, rows[index], from_status(status)))
        self._entries += [_entry_row(entry, rows) for entry in answer.entries]
        self.done += len(rows)

    def result(self) -> EntriesResult:
        """Build the frames: rows in the order given, entries in the order of their first row."""
        self._refused += oversized_rows(self._table)
        self._quotes = dict(sorted(self._quotes.items()))
        self._refused.sort(key=lambda refused_row: refused_row["row"])
        self._entries.sort(key=lambda entry: entry["row"])
        return EntriesResult(
            lines=self._lines(),
            layers=frame_of(
                [layer for row, quote in self._quotes.items() for layer in self._layers(row, quote)],
                LAYER_SCHEMA,
            ),
            entries=frame_of(self._entries, ENTRY_SCHEMA),
            refused=pl.DataFrame(self._refused, schema=REFUSED_SCHEMA),
            quotes=self._quotes,
            provenance=joined_provenance(self._provenance),
            notes=tuple(self._notes),
        )

    def _lines(self) -> pl.DataFrame:
        reasons = {refused_row["row"]: refused_row["reason"] for refused_row in self._refused}
        table_rows = self._table.frame
        taken = {name: f"{name}_given" for name in table_rows.columns if name in LINE_SCHEMA or name == "row"}
        rows = [_line_row(self._quotes.get(row), reasons.get(row)) for row in range(table_rows.height)]
        return pl.concat(
            [
                table_rows.rename(taken).with_row_index("row").cast({"row": pl.Int64}),
                frame_of(rows, LINE_SCHEMA),
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


def oversized_rows(table: EntryTable) -> list[dict[str, Any]]:
    """List the rows of entries that are too large for a batch, as refused rows."""
    large = (row for row, fault in table.faults.items() if fault.reason == TOO_LARGE)
    return [refused_row(table, row, table.faults[row]) for row in large]


def refused_row(table: EntryTable, row: int, fault: TariffsError) -> dict[str, Any]:
    """Make the refused row of an error; an error found before the row was sent has precedence."""
    error = table.faults.get(row) or fault
    column = _column(error.field or "")
    value = table.frame[column][row] if column in table.frame.columns else None
    details = {"column": column, "reason": error.reason, "found": text_of(value), "message": str(error)}
    return _ids(table, row) | details


def _ids(table: EntryTable, row: int) -> dict[str, Any]:
    message = table.messages[row]
    return {"row": row, "line_id": message.line_id or None, "entry_id": message.entry_id or None}


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


def _column(name: str) -> str:
    """Name the column of a request field."""
    name = name.removeprefix("claims.").removeprefix("other_charges.")
    return CHARGES.get(name, name)


def joined_provenance(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Join the provenance of batches: the union of their switches, and one digest of their digests."""
    joined = dict(parts[0])
    joined["switches"] = {name: value for part in parts for name, value in part["switches"].items()}
    if len(parts) > 1:
        digests = "".join(part["run_digest"] for part in parts)
        joined["run_digest"] = hashlib.sha256(digests.encode()).hexdigest()
    return joined
