"""Targets of a goal seek: a result column over the groups that count, as one number a point."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64
from tariffs.engine.runs.column_names import AUTHORITY, COLUMNS
from tariffs.engine.runs.finish import result_columns
from tariffs.engine.runs.outcomes.table_run import TableRun
from tariffs.engine.runs.sums import Sums
from tariffs.engine.runs.sweeps.sweep_points import invalid_value

SUMS = tuple(
    name for name in COLUMNS if name not in {"effective_rate", "effective_rate_after", "quantity_hat"}
)
RATES = ("effective_rate", "effective_rate_after")
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

    def achieved(self, sums: Sums) -> F64:
        """Compute the result in each lane; NaN where it is undefined."""
        column, counted = self._share_of or self.column, self._counted(sums)
        found = result_columns(counted).get(column) if counted else None
        if found is None:
            return np.full(sums.lanes, np.nan)
        if self._share_of is None:
            return found
        whole = sums.total[column]
        return np.divide(found, whole, out=np.full_like(found, np.nan), where=whole != 0.0)

    def _counted(self, sums: Sums) -> Mapping[str, F64]:
        """Sum the groups that count in each lane: 0 without one, such as an authority that charges nothing."""
        if not self.where:
            return sums.total
        counts = np.ones(sums.count, dtype=bool)
        for key in self.where.keys() - {AUTHORITY}:
            counts &= sums.keys[key].cast(pl.String).is_in(list(self.where[key])).to_numpy()
        columns: Mapping[str, F64] = sums.groups
        if sums.charged is not None:
            columns, names = sums.charged.columns, np.array(sums.charged.names, dtype=object)
            is_named = np.isin(names, list(self.where[AUTHORITY]))
            counts = counts[sums.charged.group] & is_named[sums.charged.authority]
        return {name: values[:, counts].sum(axis=1) for name, values in columns.items()}

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
