"""Join result frames of disjoint parts of a table: amounts are summed, rates and hats are quotients of sums.

Sums carry their rounding error and run in the order of the parts, so that the bits depend on the parts alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64, I64, Bools, ratio
from tariffs.engine.base.ordered_sums import sum_by_group
from tariffs.engine.runs.grouping import AUTHORITY, rows_of
from tariffs.engine.runs.limit_columns import LIMITED, PAID, PREMIUM, PREMIUM_AMOUNTS
from tariffs.engine.runs.results import PROHIBITED_VALUE

RATE = "rate"
_QUANTITY, _LANDED_BEFORE = "quantity", "landed_before"
_MEANS: Mapping[str, tuple[str, str]] = {
    "quantity_hat": (_QUANTITY, "customs_value"),
    "landed_price_hat": ("landed_after", _LANDED_BEFORE),
    "effective_rate_after": ("duty_after", "value_after"),
    "exporter_price_hat": ("value_after", _QUANTITY),
    "domestic_price_hat": ("domestic_price", "domestic_shipments"),
    "domestic_quantity_hat": ("domestic_quantity", "domestic_shipments"),
    PREMIUM: (PAID, LIMITED),
}
"""Columns that are quotients, with their numerator and denominator."""
_RESTORED: Mapping[str, tuple[str, str]] = {
    _QUANTITY: ("quantity_hat", "customs_value"),
    "domestic_price": ("domestic_price_hat", "domestic_shipments"),
    "domestic_quantity": ("domestic_quantity_hat", "domestic_shipments"),
}
"""Amounts that results show as means alone: the mean and its weight."""
_LEAST_ADDED = 1e-9


def joined_frames(frames: Sequence[pl.DataFrame], keys: Sequence[str]) -> pl.DataFrame:
    """Join result frames of parts of a table by their keys.

    Args:
        frames: frames with the same columns, in the order of the parts.
        keys: columns that tell rows apart; empty for frames of one row.

    Returns:
        A row for each distinct key, sorted. An amount is null where it is unknown in some part. The amounts of premiums
        are left out.
    """
    columns = [name for name in frames[0].columns if name not in PREMIUM_AMOUNTS]
    rows = pl.concat(frames)
    distinct, place = numbered(rows, keys)
    amounts = {name: rows[name].to_numpy() for name in rows.columns if name not in keys and _is_amount(name)}
    amounts |= _restored_amounts(rows)
    sums = _sums(amounts, place, distinct.height if keys else 1)
    numbers = [pl.Series(name, _result(name, sums), nan_to_null=True) for name in columns if name not in keys]
    return pl.concat([distinct, pl.DataFrame(numbers)], how="horizontal") if keys else pl.DataFrame(numbers)


def joined_authorities(
    frames: Sequence[pl.DataFrame], static: pl.DataFrame, keys: Sequence[str]
) -> pl.DataFrame:
    """Join result frames by authority of parts of a table.

    Args:
        frames: frames by `keys` and authority.
        static: the joined frame of customs value by `keys` alone, over which `rate` is.
        keys: keys other than authority.
    """
    order = [AUTHORITY, *keys]
    joined = joined_frames([frame.drop(RATE) for frame in frames], order)
    _, place = numbered(pl.concat([static, joined], how="diagonal_relaxed"), keys)
    entered = np.zeros(place.max(initial=0) + 1)
    value = static["customs_value"] - static[PROHIBITED_VALUE]
    entered[place[: static.height]] = value.to_numpy()
    rate = ratio(joined["duty"].to_numpy(), entered[place[static.height :]])
    with_rate = joined.with_columns(pl.Series(RATE, rate, nan_to_null=True))
    return with_rate.select(frames[0].columns)


def numbered(rows: pl.DataFrame, keys: Sequence[str]) -> tuple[pl.DataFrame, I64]:
    """List the distinct keys, sorted, and the place of each row among them."""
    if not keys:
        return pl.DataFrame(), np.zeros(rows.height, dtype=np.int64)
    distinct = rows.select(keys).unique().sort(keys, nulls_last=True)
    return distinct, rows_of(rows, distinct)


def _is_amount(name: str) -> bool:
    return name not in _MEANS and name not in {"effective_rate", "importer_share"}


def _restored_amounts(rows: pl.DataFrame) -> dict[str, F64]:
    """Compute the amounts that results show as means alone; nothing where their weight is 0."""
    found = {}
    for name, (mean, weight) in _RESTORED.items():
        if mean in rows.columns:
            amounts = rows[weight].to_numpy()
            found[name] = np.where(amounts == 0.0, 0.0, rows[mean].to_numpy() * amounts)
    if "landed_price_hat" in rows.columns:
        landed, hat = rows["landed_after"].to_numpy(), rows["landed_price_hat"].to_numpy()
        # No landed cost after has none before either: a rate moves quantities, and prices by as much.
        found[_LANDED_BEFORE] = np.where(landed == 0.0, 0.0, landed / hat)
    return found


def _sums(amounts: Mapping[str, F64], place: I64, count: int) -> dict[str, F64]:
    """Sum columns by place in the order of the rows; NaN where a value is."""
    names = list(amounts)
    values = np.column_stack([amounts[name] for name in names]).astype(np.float64)
    unknown: Bools = np.isnan(values)
    sums = np.zeros((count, len(names)))
    sum_by_group(place, np.where(unknown, 0.0, values), sums)
    for column in np.flatnonzero(unknown.any(axis=0)):
        sums[place[unknown[:, column]], column] = np.nan
    return dict(zip(names, sums.T, strict=True))


def _result(name: str, sums: Mapping[str, F64]) -> F64:
    """Compute a column of the results from sums."""
    if name == "effective_rate":
        return ratio(sums["duty"], sums["customs_value"] - sums[PROHIBITED_VALUE])
    if name == "importer_share":
        added = sums["added_duty"]
        charges = sums["landed_after"] - sums["value_after"] - sums["duty_after"]
        duty_before = sums[_LANDED_BEFORE] - sums[_QUANTITY] - charges
        return np.divide(
            sums["borne_at_home"], added, out=np.full_like(added, np.nan),
            where=np.abs(added) > _LEAST_ADDED * np.abs(duty_before),
        )  # fmt: skip
    if name in _MEANS:
        above, below = _MEANS[name]
        return ratio(sums[above], sums[below])
    return sums[name]
