"""Additive results: sums of lanes by group, and the operations that add, weight and stack them.

A lane is one law with one set of elasticities: a point, a segment of a timeline, a coalition, a draw. Mixtures, means
over days, attributions and parts of a table combine sums; `finish` alone makes rates, hats and shares of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64, I64, sum_of
from tariffs.engine.base.ordered_sums import sum_by_group
from tariffs.engine.runs.column_names import AFTER, LIMIT_SUMS


@dataclass(frozen=True)
class ChargedDuties:
    """Duty by authority and group, on the places that bear some, ordered by authority and group.

    Attributes:
        names: authorities, sorted.
        authority, group: of each place, the index of its authority among the names, and its group.
        columns: `duty`, `duty_owed` and with a response `duty_after`, each (lanes, places) in dollars.
    """

    names: tuple[str, ...]
    authority: I64
    group: I64
    columns: Mapping[str, F64]

    @property
    def lanes(self) -> int:
        """Number of lanes."""
        return len(next(iter(self.columns.values())))

    def weighted(self, weights: Sequence[Sequence[float]]) -> ChargedDuties:
        """Combine lanes linearly, as `Sums.weighted`."""
        return replace(self, columns=_weighted(self.columns, weights))

    @classmethod
    def of_table(cls, names: Sequence[str], columns: Mapping[str, F64]) -> ChargedDuties:
        """Take the places of a lane at which `duty` is not 0; the columns are (groups, authorities)."""
        authority, group = np.nonzero(columns["duty"].T)
        found = {name: values[group, authority][None] for name, values in columns.items()}
        return cls(tuple(names), authority, group, found)


@dataclass(frozen=True)
class Sums:
    """Sums of lanes by group and in total, in dollars; NaN where unknown.

    Attributes:
        keys: keys of the groups, a row a group; without columns for the table as a whole.
        groups: (lanes, groups) by name, see `column_names`.
        total: (lanes,) by name. It knows amounts that groups which cut through products do not.
        charged: duty by authority; None where results are not by authority.
    """

    keys: pl.DataFrame
    groups: Mapping[str, F64]
    total: Mapping[str, F64]
    charged: ChargedDuties | None = None

    @property
    def count(self) -> int:
        """Number of groups."""
        return self.keys.height if self.keys.width else 1

    @property
    def lanes(self) -> int:
        """Number of lanes."""
        return len(next(iter(self.total.values())))

    def adding(self, name: str, groups: F64, total: F64) -> Sums:
        """Add a sum: (lanes, groups) and (lanes,)."""
        return replace(self, groups={**self.groups, name: groups}, total={**self.total, name: total})

    def weighted(self, weights: Sequence[Sequence[float]]) -> Sums:
        """Combine lanes linearly: weights (lanes out, lanes in). A lane of weight 0 does not count."""
        charged = self.charged
        return Sums(
            self.keys,
            _weighted(self.groups, weights),
            _weighted(self.total, weights),
            None if charged is None else charged.weighted(weights),
        )


@dataclass(frozen=True)
class AfterSums:
    """Sums of lanes after the response, in dollars; NaN where unknown.

    Attributes:
        groups: (lanes, groups) by name: RESPONSE_SUMS, and those of limits and domestic goods in runs that have them.
        total: (lanes,) by name.
        duty_after: (lanes, places) duty by group and authority, the authorities of a group adjacent unless the caller
            chose places; no place where results are not by authority.
    """

    groups: Mapping[str, F64]
    total: Mapping[str, F64]
    duty_after: F64

    def unlimited(self) -> AfterSums:
        """Add the sums of limits to lanes of which none has a limit, in a run that has them."""
        nothing = {name: np.zeros_like(self.groups[AFTER[0]]) for name in LIMIT_SUMS}
        none = {name: np.zeros_like(self.total[AFTER[0]]) for name in LIMIT_SUMS}
        return replace(self, groups={**self.groups, **nothing}, total={**self.total, **none})


def stacked(parts: Sequence[Sums]) -> Sums:
    """Put the lanes of sums over the same groups one after another."""
    ends = np.cumsum([0, *(part.lanes for part in parts)])
    return placed(parts, [np.arange(*span) for span in itertools.pairwise(ends)])


def placed(parts: Sequence[Sums], lanes: Sequence[I64]) -> Sums:
    """Arrange sums over the same groups by the lanes given for each; an amount that a part lacks is unknown."""
    count, first = sum(map(len, lanes)), parts[0]
    if len(parts) == 1 and np.array_equal(lanes[0], np.arange(count)):
        return first

    def arranged(columns: Sequence[Mapping[str, F64]], shape: tuple[int, ...]) -> dict[str, F64]:
        found = {name: np.full((count, *shape), np.nan) for name in _names(columns)}
        for own, at in zip(columns, lanes, strict=True):
            for name, values in own.items():
                found[name][at] = values
        return found

    charged = [part.charged for part in parts if part.charged is not None]
    same = [np.arange(first.count)] * len(parts)
    return Sums(
        first.keys,
        arranged([part.groups for part in parts], (first.count,)),
        arranged([part.total for part in parts], ()),
        _arranged_duties(charged, same, first.count, lanes, count) if charged else None,
    )


def stacked_duties(parts: Sequence[ChargedDuties], groups: int) -> ChargedDuties:
    """Put the lanes of duties over the same groups one after another; there are none without parts."""
    ends = np.cumsum([0, *(part.lanes for part in parts)])
    lanes = [np.arange(*span) for span in itertools.pairwise(ends)]
    return _arranged_duties(parts, [np.arange(groups)] * len(parts), groups, lanes, int(ends[-1]))


def joined(parts: Sequence[Sums]) -> Sums:
    """Add the sums of disjoint parts of a table; an amount is unknown where it is in some part that has its group."""
    rows = pl.concat([part.keys for part in parts])
    keys = rows.unique().sort(rows.columns, nulls_last=True) if rows.width else rows
    count, lanes, only = keys.height if keys.width else 1, parts[0].lanes, np.zeros(1, dtype=np.int64)
    group_of = [rows_of(part.keys, keys) if keys.width else only for part in parts]
    charged = [part.charged for part in parts if part.charged is not None]
    every = [np.arange(lanes)] * len(parts)
    total = _added([part.total for part in parts], [only] * len(parts), 1)
    return Sums(
        keys,
        _added([part.groups for part in parts], group_of, count),
        {name: values[:, 0] for name, values in total.items()},
        _arranged_duties(charged, group_of, count, every, lanes) if charged else None,
    )


def rows_of(rows: pl.DataFrame, keys: pl.DataFrame) -> I64:
    """Find the row of each row's keys in `keys`; all rows are of one group without keys."""
    if not keys.width:
        return np.zeros(rows.height, dtype=np.int64)
    numbered = keys.with_row_index("_group")
    found = rows.select(keys.columns).join(
        numbered, on=keys.columns, how="left", nulls_equal=True, maintain_order="left"
    )
    return found["_group"].to_numpy().astype(np.int64)


def _added(columns: Sequence[Mapping[str, F64]], group_of: Sequence[I64], count: int) -> dict[str, F64]:
    """Add (lanes, groups), or (lanes,) of one group, of parts by the group of each, carrying the rounding error."""
    place, found = np.concatenate(group_of), {}
    for name in _names(columns):
        values = np.concatenate([own[name].reshape(len(own[name]), -1) for own in columns], axis=1).T
        sums = np.zeros((count, values.shape[1]))
        sum_by_group(place, np.ascontiguousarray(values), sums)
        found[name] = sums.T
    return found


def _arranged_duties(
    parts: Sequence[ChargedDuties], group_of: Sequence[I64], groups: int, lanes: Sequence[I64], count: int
) -> ChargedDuties:
    """Add duties to the lanes and groups given for those of each part; a part bears none where it has no place."""
    names = tuple(sorted({name for part in parts for name in part.names}))
    index = {name: place for place, name in enumerate(names)}
    keys = [
        np.array([index[name] for name in part.names], dtype=np.int64)[part.authority] * groups
        + own[part.group]
        for part, own in zip(parts, group_of, strict=True)
    ]
    places = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *keys]))
    used = _names([part.columns for part in parts]) or ["duty", "duty_owed"]
    columns = {name: np.zeros((count, places.size)) for name in used}
    for part, key, at in zip(parts, keys, lanes, strict=True):
        place = np.searchsorted(places, key)
        for name, values in part.columns.items():
            columns[name][np.ix_(at, place)] += values
    return ChargedDuties(names, places // groups, places % groups, columns)


def _weighted(columns: Mapping[str, F64], weights: Sequence[Sequence[float]]) -> dict[str, F64]:
    def combined(values: F64, row: Sequence[float]) -> F64:
        parts = [(weight, values[lane]) for lane, weight in enumerate(row) if weight]
        return sum_of(parts) if parts else np.zeros(values.shape[1:])

    return {
        name: np.array([combined(values, row) for row in weights]).reshape(len(weights), *values.shape[1:])
        for name, values in columns.items()
    }


def _names(columns: Sequence[Mapping[str, F64]]) -> list[str]:
    return list(dict.fromkeys(name for own in columns for name in own))
