"""Hold events of lines that a firm imports: changes of the duty on them, or of what is known of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from tariffs.client.results.json_values import Plain, json_rows
from tariffs.client.results.quote import Provenance

EVENT_TITLES = ("known", "effective", "event", "line", "goods", "USD a year", "why")
"""Titles of the cells of `WatchEvent.cells`."""


@dataclass(frozen=True, slots=True)
class WatchEvent(Plain):
    """Event of a line. Amounts are USD a year on its volume.

    Attributes:
        id: digest of what happened, the same whenever it is computed or delivered again.
        kind: enacted, announced, ahead, rate_changed, heading_changed, claim_worth or refund_window.
        line_id: your id of the line, else its place from 1.
        hts: its code.
        origin: its origin.
        known_on: day on which it is known.
        effective_on: day from which it holds; of a refund window the last day.
        before: duty before it; None where there is none.
        after: duty after it.
        amount: change of duty; of a refund window the duty to claim back.
        measures: measures whose layers differ.
        headings: headings of the entry after it.
        claim: the claim worth making; of a refund window the time limit, protest or suit.
        citations: legal sources.
        text: one sentence.
    """

    id: str
    kind: str
    line_id: str
    hts: str
    origin: str
    known_on: str
    effective_on: str
    before: Decimal | None
    after: Decimal | None
    amount: Decimal | None
    measures: tuple[str, ...]
    headings: tuple[str, ...]
    claim: str
    citations: tuple[str, ...]
    text: str

    @property
    def cells(self) -> list[str]:
        """Write it as a row of a table: `EVENT_TITLES`."""
        amount = "" if self.amount is None else f"{self.amount:+,.2f}"
        goods = f"{self.hts} {self.origin}"
        return [self.known_on, self.effective_on, self.kind, self.line_id, goods, amount, self.text]


@dataclass(frozen=True, slots=True)
class WatchResult:
    """Events of lines that became known in a period. A planning estimate, not a ruling.

    Attributes:
        events: by the day on which they are known, and by line.
        refused: rows that could not be used: `row, line_id, entry_id, column, reason, found, message`.
        provenance: what it takes to get the answer again.
    """

    events: tuple[WatchEvent, ...]
    refused: pl.DataFrame
    provenance: Provenance

    @property
    def frame(self) -> pl.DataFrame:
        """A row an event: the fields of `WatchEvent`, lists joined by `; `."""
        return event_frame(self.events)

    def to_json_dict(self) -> dict[str, object]:
        """Convert to the document of `watch events --json`: amounts as decimal text."""
        return {
            "events": [event.to_json_dict() for event in self.events],
            "refused": {"count": self.refused.height, "rows": json_rows(self.refused.head(100))},
            "provenance": dict(self.provenance),
        }


def event_frame(events: Iterable[WatchEvent]) -> pl.DataFrame:
    """Make a row an event: the fields of `WatchEvent`, lists joined by `; `."""
    schema = {
        **dict.fromkeys(("id", "kind", "line_id", "hts", "origin", "known_on", "effective_on"), pl.String()),
        **dict.fromkeys(("before", "after", "amount"), pl.Decimal(20, 2)),
        **dict.fromkeys(("measures", "headings", "claim", "citations", "text"), pl.String()),
    }
    rows = [
        {
            name: "; ".join(value) if isinstance(value, tuple) else value
            for name in schema
            for value in (getattr(event, name),)
        }
        for event in events
    ]
    return pl.DataFrame(rows, schema=schema)
