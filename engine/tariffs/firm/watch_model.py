"""Hold lines that are watched, and the events on them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from tariffs.engine.errors import TariffsError
from tariffs.engine.line_duty.entry_line import EntryLine

ENACTED, ANNOUNCED, AHEAD = "enacted", "announced", "ahead"
RATE, HEADING = "rate_changed", "heading_changed"
CLAIM, REFUND = "claim_worth", "refund_window"
KINDS = (ENACTED, ANNOUNCED, AHEAD, RATE, HEADING, CLAIM, REFUND)
_ID_DIGITS = 32


class WatchLine(NamedTuple):
    """Line that is watched: goods with their yearly value and quantity, and the caller's id.

    With `entered` it is one entry of that day, whose refund is watched; `liquidated` is the day of liquidation.
    """

    id: str
    goods: EntryLine
    entered: date | None = None
    liquidated: date | None = None


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """Event of a line.

    Attributes:
        kind: one of `KINDS`.
        line_id: id of the line.
        hts: its code as given.
        origin: its origin as given.
        known_on: day on which the event is known.
        effective_on: day from which it holds; of a refund window the last day.
        before: duty a year before it, USD; None of announced acts.
        after: duty a year after it.
        amount: change of duty a year; of a refund window the duty to claim back.
        measures: measures whose layers differ.
        headings: headings of the entry after it.
        claim: the claim worth making, or the time limit that ends.
        citations: legal sources.
        text: one sentence.
    """

    kind: str
    line_id: str
    hts: str
    origin: str
    known_on: date
    effective_on: date
    before: Decimal | None = None
    after: Decimal | None = None
    amount: Decimal | None = None
    measures: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()
    claim: str = ""
    citations: tuple[str, ...] = ()
    text: str = ""

    @property
    def id(self) -> str:
        """Digest of what happened: equal for the same event, whenever and wherever it is computed."""
        facts = (
            *(self.line_id, self.hts, self.origin, self.kind, self.known_on, self.effective_on),
            *(self.before, self.after, self.amount, self.measures, self.headings, self.claim),
        )
        return hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()[:_ID_DIGITS]


@dataclass(frozen=True, slots=True)
class Watched:
    """Events by day and line, and refused lines by place."""

    events: tuple[WatchEvent, ...]
    refused: Mapping[int, TariffsError]


def usd(amount: Decimal) -> str:
    """Write an amount in US dollars."""
    return f"{amount:,.2f} USD"
