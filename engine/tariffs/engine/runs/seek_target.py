"""Targets of a goal seek: a result column over the groups that count, as one number a point."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from tariffs.engine.runs.point_sums import PointSums
from tariffs.engine.runs.results import OWED_AFTER, PROHIBITED_VALUE
from tariffs.engine.runs.sweep_points import invalid_value
from tariffs.engine.runs.table_run import TableRun

SUMS = (
    "customs_value", "duty", "duty_owed", "landed", "value_after", "duty_after", OWED_AFTER, "landed_after",
    "landed_change", "value_change", "creation", "diversion", "buyer_surplus", "welfare", PROHIBITED_VALUE,
)  # fmt: skip
RATES = {
    "effective_rate": ("duty", "customs_value", PROHIBITED_VALUE),
    "effective_rate_after": ("duty_after", "value_after", ""),
}
"""Quotients of sums: over what, less what."""
SHARE = "_share"
Where = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Target:
    """Result that a seek aims at: a column, the value it shall have, and the groups that count.

    Columns are sums of the contract, `effective_rate`, `effective_rate_after`, and with `_share` appended to a sum the
    share of the groups in the whole table. `where` has the values that count by key; none is the whole table.
    """

    column: str
    value: float
    where: Where

    def achieved(self, sums: PointSums) -> float:
        """Compute the result at a point; NaN if it is undefined there."""
        rows = self._counted(sums)
        if self._share_of is not None:
            return _quotient(rows.get(self._share_of), sums.total.get(self._share_of))
        if self.column in RATES:
            upper, lower, less = RATES[self.column]
            base = rows.get(lower)
            return _quotient(rows.get(upper), None if base is None else base - (rows.get(less) or 0.0))
        value = rows.get(self.column)
        return math.nan if value is None else value

    def _counted(self, sums: PointSums) -> Mapping[str, float | None]:
        """Sum the groups that count; without one, such as an authority that charges nothing, sums are 0."""
        if not self.where:
            return sums.total
        found = sums.groups.filter(
            pl.col(key).cast(pl.String).is_in(list(values)) for key, values in self.where.items()
        )
        if not found.height:
            return dict.fromkeys(found.columns, 0.0)
        known = (name for name in found.columns if name not in self.where and found[name].count())
        return found.select(pl.col(name).sum() for name in known).row(0, named=True)

    @property
    def _share_of(self) -> str | None:
        sum_of = self.column.removesuffix(SHARE)
        return sum_of if self.column.endswith(SHARE) and sum_of in SUMS else None

    def check(self) -> None:
        """Check the column and the value; raises InputError PARAMETER_INVALID."""
        if self.column not in SUMS and self.column not in RATES and self._share_of is None:
            fix = f"Use {', '.join((*SUMS, *RATES))}, or a sum with {SHARE}, such as value_after{SHARE}."
            raise invalid_value("target", f"{self.column!r} is not a result", fix)
        if not math.isfinite(self.value):
            raise invalid_value("target", f"{self.value} is not a finite number", "Give a number.")


def check_where(run: TableRun, where: Where) -> None:
    """Check that some group of the table has the values of each key; authorities show only in results."""
    keys = run.grouping.keys
    for key, values in where.items():
        if key not in keys.columns:
            continue
        known = keys[key].cast(pl.String)
        if not known.is_in(list(values)).any():
            shown = ", ".join(value for value in known.head(10) if value is not None)
            raise invalid_value(
                "where",
                f"no line of the table has {key} {' or '.join(map(repr, values))}",
                f"Values in the table are {shown}{', ...' if len(known) > 10 else ''}.",
            )


def _quotient(upper: float | None, lower: float | None) -> float:
    return math.nan if upper is None or not lower else upper / lower
