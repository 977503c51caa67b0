"""Entries of the engine, which yields them one by one, collected for tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

from tariffs.engine.errors import TariffsError
from tariffs.engine.law.law import Law
from tariffs.engine.line_duty.entries import EntryTotal, UnreadLine, rate_entries
from tariffs.engine.line_duty.entry_line import EntryLine
from tariffs.engine.line_duty.quote import Quote


class Collected(NamedTuple):
    """One outcome per line, in order; entries in the order of their first line; the last days of entries."""

    outcomes: tuple[Quote | TariffsError, ...]
    entries: tuple[EntryTotal, ...]
    last_days: tuple[date | None, ...]


def collect(
    law: Law,
    lines: Sequence[EntryLine | UnreadLine],
    *,
    known_on: str | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Collected:
    """Rate entries and collect them; arguments and errors as `rate_entries`."""
    rated = list(rate_entries(law, lines, known_on=known_on, cancelled=cancelled))
    outcomes = {
        index: one for entry in rated for index, one in zip(entry.total.lines, entry.outcomes, strict=True)
    }
    return Collected(
        tuple(outcomes[index] for index in range(len(lines))),
        tuple(entry.total for entry in rated),
        tuple(entry.last_day for entry in rated),
    )
