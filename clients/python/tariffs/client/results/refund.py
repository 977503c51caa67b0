"""Refunds of entries, as Polars frames; a refund goes to the importer and lowers no price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from tariffs.client.results.entries import COUNT, ENTRY_KEYS, MONEY, TEXT, TEXTS, Schema
from tariffs.client.results.json_values import json_rows, json_value
from tariffs.client.results.shown import TableResult
from tariffs.client.results.tables import Section

AMOUNTS = (
    "deposited", "assessed", "owed", "by_act", "refundable", "drawback", "refund", "interest", "interest_by_act",
)  # fmt: skip
ENTRY_SCHEMA: Schema = {
    **ENTRY_KEYS,
    **dict.fromkeys(("liquidation", "route", "route_from", "protest_by", "suit_by"), TEXT),
    **dict.fromkeys(AMOUNTS, MONEY),
    "notes": TEXTS,
}
HEADING_SCHEMA: Schema = {
    "entry_id": TEXT,
    "row": COUNT,
    **dict.fromkeys(("measure", "heading", "start", "end"), TEXT),
    **dict.fromkeys(("deposited", "assessed", "owed", "refundable"), MONEY),
}


@dataclass(frozen=True, slots=True, repr=False)
class RefundsResult(TableResult):
    """Refunds of entries. A planning estimate, not a ruling.

    Attributes:
        entries: one row per entry in the order of first lines: liquidation state and route, `deposited` (duty as known
            on the entry day), `assessed` (as known now), `owed`, `by_act` (deposited less assessed: what retroactive
            acts gave back), `refundable` (assessed less owed), `drawback`, `refund` (refundable less drawback),
            `interest` on it and `interest_by_act`; `protest_by` and `suit_by` are the last days for these; `row` is
            its first row.
        headings: the same by measure, heading and collection window [start, end) of each entry.
        refused: rows that could not be used: `row, line_id, entry_id, column, reason, found, message`.
        total: sums over all entries by name.
        authorities: the nodes of the authority tree counted.
    """

    entries: pl.DataFrame
    headings: pl.DataFrame
    total: Mapping[str, Decimal]
    authorities: tuple[str, ...]

    def by_heading(self) -> pl.DataFrame:
        """Sum over all entries by measure, heading and collection window."""
        keys = ["measure", "heading", "start", "end"]
        amounts = [pl.col(name).sum() for name in ("deposited", "assessed", "owed", "refundable")]
        return (
            self.headings.group_by(keys, maintain_order=True)
            .agg(*amounts)
            .sort("start", "heading", "measure")
        )

    def _json(self) -> dict[str, object]:
        headings: dict[int, list[dict[str, object]]] = {}
        for heading in json_rows(self.headings):
            row = heading.pop("row")
            heading.pop("entry_id")
            headings.setdefault(row if isinstance(row, int) else -1, []).append(heading)
        entries = [
            {**entry, "headings": headings.get(row, [])}
            for entry in json_rows(self.entries)
            if isinstance(row := entry["row"], int)
        ]
        return {
            "entries": entries,
            "headings": json_rows(self.by_heading()),
            "total": json_value(self.total),
            "authorities": list(self.authorities),
        }

    def _headline(self) -> str:
        amounts = ", ".join(f"{name.replace('_', ' ')} {amount:,}" for name, amount in self.total.items())
        return f"Refunds of {self.entries.height:,} entries in USD: {amounts}"

    def sections(self) -> list[Section]:
        """List the tables of the result, the most important first."""
        largest = self.entries.sort("refund", descending=True, maintain_order=True)
        keys, sums = (
            ("entry_id", "day", "liquidation", "route"),
            ("deposited", "assessed", "owed", "refundable"),
        )
        return [
            Section(
                "entries, the largest refund first", largest, keys, (*sums, "by_act", "refund", "interest")
            ),
            Section("headings", self.by_heading(), ("measure", "heading", "start", "end"), sums),
        ]
