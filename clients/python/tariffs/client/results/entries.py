"""Results of entry files: duties by line and layer, fees once per entry, as Polars frames.

Money is exact: `Decimal` with two decimals. The columns are explained on the page on landed cost in docs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from tariffs.client.results.json_values import json_rows
from tariffs.client.results.quote import Quote
from tariffs.client.results.shown import TableResult
from tariffs.client.results.tables import Section

TEXT, COUNT, RATE, MONEY, TRUTH, TEXTS = "text", "count", "rate", "money", "truth", "texts"
"""Kinds of columns; a process that reads no table does not load Polars for their types."""
Schema = dict[str, str]
"""Kinds of columns by name."""
LANDED = {
    "customs_value": "entered_value",
    "mpf": "mpf",
    "hmf": "hmf",
    "adcvd": "adcvd_amount",
    "excise": "excise_amount",
    "other": "other_amount",
    "total": "landed",
}
"""Parts of the landed cost by the column that holds them; freight and insurance are the caller's own columns."""

_DUTY = dict.fromkeys(("assessed", "owed", "min", "max"), MONEY)
_FEES = dict.fromkeys(("mpf", "hmf", "adcvd_amount", "excise_amount", "other_amount", "landed"), MONEY)
_IDS = {"row": COUNT, "line_id": TEXT, "entry_id": TEXT}
LINE_SCHEMA: Schema = {
    "reason": TEXT,
    "entered_value": MONEY,
    **_DUTY,
    **_FEES,
    **dict.fromkeys(("prohibited", "missing_claims", "assumptions", "notes"), TEXTS),
}
LAYER_SCHEMA: Schema = {
    **_IDS,
    **dict.fromkeys(("measure", "authority", "heading", "state"), TEXT),
    "rate": RATE,
    **dict.fromkeys(("base", "amount", "min", "max"), MONEY),
    **dict.fromkeys(("rule", "text"), TEXT),
    "citations": TEXTS,
}
ENTRY_KEYS: Schema = {
    "entry_id": TEXT,
    "row": COUNT,
    "day": TEXT,
    "lines": COUNT,
    "refused": COUNT,
}
"""First columns of the frames of entries."""
ENTRY_SCHEMA: Schema = {
    **ENTRY_KEYS,
    "informal": TRUTH,
    **dict.fromkeys(("entered_value", "freight", "insurance"), MONEY),
    **_DUTY,
    **_FEES,
    "notes": TEXTS,
}
REFUSED_SCHEMA: Schema = {
    **_IDS,
    **dict.fromkeys(("column", "reason", "found", "message"), TEXT),
}
VIEWS = ("line", "entry", "layer")


@dataclass(frozen=True, slots=True, repr=False)
class EntriesResult(TableResult):
    """Duties and fees of entries. A planning estimate, not a ruling.

    Attributes:
        lines: one row per row given, in order: `row` (from 0), the columns given, then the results, which are null
            where `reason` says why the row was refused. A caller's column with the name of a result gets `_given`.
        layers: one row per layer of each line, with `row, line_id, entry_id`.
        entries: one row per entry in the order of first lines, sums of its rated lines; `entry_id` is null for a line
            that is treated as an entry, `row` its first row.
        refused: rows that could not be used: `row, line_id, entry_id, column, reason, found, message`.
        quotes: the whole answer of each row that was not refused.
    """

    lines: pl.DataFrame
    layers: pl.DataFrame
    entries: pl.DataFrame
    quotes: Mapping[int, Quote]

    def view(self, name: str) -> pl.DataFrame:
        """Select the frame of a view: `line`, `entry` or `layer`."""
        return {"line": self.lines, "entry": self.entries, "layer": self.layers}[name]

    def _json(self) -> dict[str, object]:
        ids = {row: (line, entry) for row, line, entry in self._ids().iter_rows()}
        return {
            "lines": [
                {"row": row, "line_id": ids[row][0], "entry_id": ids[row][1], **quote.to_json_dict()}
                for row, quote in self.quotes.items()
            ],
            "entries": json_rows(self.entries),
        }

    def _headline(self) -> str:
        return f"Duties of {self.entries.height:,} entries with {self.lines.height:,} lines"

    def sections(self) -> list[Section]:
        """List the tables of the result, the most important first."""
        sums = ("entered_value", "assessed", "owed", "mpf", "hmf", "landed")
        lines = [
            name for name in ("row", "line_id", "entry_id", "hts", "origin") if name in self.lines.columns
        ]
        return [
            Section("entries", self.entries, ("entry_id", "day", "lines", "refused"), sums),
            Section("lines", self.lines, (*lines, "reason"), sums),
            Section(
                "layers", self.layers, ("row", "state", "measure", "heading"), ("rate", "base", "amount")
            ),
        ]

    def _ids(self) -> pl.DataFrame:
        columns = [
            pl.col(name).cast(pl.String) if name in self.lines.columns else pl.lit(None).alias(name)
            for name in ("line_id", "entry_id")
        ]
        return self.lines.select("row", *columns)


def flat(frame: pl.DataFrame) -> pl.DataFrame:
    """Join lists to text with `; `, for file formats without lists."""
    return frame.with_columns(
        pl.col(name).list.join("; ") for name, dtype in frame.schema.items() if dtype == pl.List(pl.String)
    )
