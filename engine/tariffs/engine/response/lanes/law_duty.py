"""Duty of one law on the varieties of a table, as the lanes of a law take it."""

from __future__ import annotations

from dataclasses import dataclass

from tariffs.engine.base.array_utils import F64, I64
from tariffs.engine.response.lanes.adjustment import DutyPath


@dataclass(frozen=True, eq=False)
class LawDuty:
    """Duty of one law on the varieties of a table.

    Attributes:
        path: steps of duty, and the elasticities that they have.
        rate: rate after the last step that is charged, per variety, over the value in dollars.
        responding: rate that trade responds to after the last step; with `price` it is not the one that is charged.
        kept: share of each variety that counts after the response, 0 of what is prohibited; None if all does.
        price: factor on exporters' prices in dollars per variety; None if the exchange rate stays.
        owed: duty owed per variety, over the value in dollars, where it is not `rate`; else None.
        values: group of values of each variety, for sums of values by class and group; None without such.
    """

    path: DutyPath
    rate: F64
    responding: F64
    kept: F64 | None = None
    price: F64 | None = None
    owed: F64 | None = None
    values: I64 | None = None
