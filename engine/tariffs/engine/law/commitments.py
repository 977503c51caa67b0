"""The steps of promises to buy (law/constraints.yaml): what is promised from when to when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tariffs.engine.law.values import read_amount

_YEAR = 12


@dataclass(frozen=True, slots=True)
class CommitmentStep:
    """At least `quantity` in `unit` over [start, end), which are months as a whole."""

    quantity: Decimal
    unit: str
    start: datetime
    end: datetime

    @property
    def yearly(self) -> Decimal:
        """The quantity at the rate of a year."""
        months = _YEAR * (self.end.year - self.start.year) + self.end.month - self.start.month
        return self.quantity * _YEAR / months


def commitment_steps(entry: Mapping[str, Any], zone: ZoneInfo) -> list[CommitmentStep]:
    """The steps of one entry, on the clock of its measure; none for a limit."""

    def midnight(day: str) -> datetime:
        return datetime.combine(date.fromisoformat(day), time(0), zone)

    return [
        CommitmentStep(*read_amount(step["quantity"]), midnight(step["from"]), midnight(step["to"]))
        for step in entry.get("floors", ())
    ]


def commitment_moments(entries: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> Iterable[datetime]:
    """Every instant at which one of the promises begins or ends."""
    for entry in entries:
        for promise in commitment_steps(entry, zone):
            yield from (promise.start, promise.end)
