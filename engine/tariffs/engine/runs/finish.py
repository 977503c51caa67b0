"""Make results of sums: every rate, hat, share and index, the order of columns and their names, in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariffs.engine.base.array_utils import F64, Bools, ratio
from tariffs.engine.runs.column_names import (
    AUTHORITY,
    AUTHORITY_COLUMNS,
    BASE_DUTY,
    BASELINE_DUTY,
    COLUMNS,
    FURTHER_COLUMNS,
    LIMITED,
    LINES,
    NOT_SHOWN,
    PAID,
    PREMIUM,
    PROHIBITED_VALUE,
)
from tariffs.engine.runs.sums import ChargedDuties, Sums

_NOISE = 1e-12
"""Share of a customs value below which a sum of diversion is rounding."""
_LEAST_ADDED = 1e-9
"""Share of the duty before below which added duty is rounding, so that nobody's share of it is known."""


@dataclass(frozen=True)
class LaneRows:
    """Rows of results of lanes, one lane after another, and the lane of each row (UInt32)."""

    frame: pl.DataFrame
    lane: pl.Series


def result_columns(sums: Mapping[str, F64]) -> dict[str, F64]:
    """Compute all result columns that sums give; NaN where a quotient is undefined.

    Sums are in dollars, of one shape or shapes that broadcast. They may lack what a run does not have.
    """
    found = {name: values for name, values in sums.items() if name not in NOT_SHOWN}
    if LIMITED in sums:
        found[PREMIUM] = ratio(sums[PAID], sums[LIMITED])
    if PROHIBITED_VALUE in sums:
        found["effective_rate"] = ratio(sums["duty"], sums["customs_value"] - sums[PROHIBITED_VALUE])
    if "value_after" in sums:
        found["effective_rate_after"] = ratio(sums["duty_after"], sums["value_after"])
        found["quantity_hat"] = ratio(sums["quantity"], sums["customs_value"])
        # Diversion sums to 0 over whole products.
        is_noise = np.abs(sums["diversion"]) <= _NOISE * sums["customs_value"]
        found["diversion"] = np.where(is_noise, 0.0, sums["diversion"])
    if "domestic_shipments" in sums:
        shipments = sums["domestic_shipments"]
        found["domestic_price_hat"] = ratio(sums["domestic_price"], shipments)
        found["domestic_quantity_hat"] = ratio(sums["domestic_output"], shipments)
    return found | (_incidence(sums) if BASELINE_DUTY in sums else {})


def _incidence(sums: Mapping[str, F64]) -> dict[str, F64]:
    """Divide added duty between exporters and importers; landed cost before is at the quantity after."""
    quantity, value, landed = sums["quantity"], sums["value_after"], sums["landed_after"]
    duty_before = sums[BASE_DUTY]
    landed_before = quantity + duty_before + (landed - value - sums["duty_after"])
    abroad, added = quantity - value, landed - landed_before + quantity - value
    is_known = np.abs(added) > _LEAST_ADDED * duty_before
    return {
        "exporter_price_hat": ratio(value, quantity),
        "landed_price_hat": ratio(landed, landed_before),
        "added_duty": added,
        "borne_abroad": abroad,
        "borne_at_home": added - abroad,
        "importer_share": np.divide(added - abroad, added, out=np.full_like(added, np.nan), where=is_known),
        "revenue_change": sums["duty_after"] - sums[BASELINE_DUTY],
    }


def group_rows(sums: Sums) -> LaneRows:
    """Make a row for each lane and group with a line, or for each lane, authority and group with duty."""
    if sums.charged is not None:
        return _authority_rows(sums, sums.charged)
    shape = (sums.lanes, sums.count)
    has_row = sums.groups[LINES] > 0.0 if sums.keys.width else np.ones(shape, dtype=bool)
    return _rows_where(has_row, sums.keys, _frame(_values_where(has_row, sums.groups)))


def total_rows(sums: Sums) -> pl.DataFrame:
    """Make a row for each lane over the whole table."""
    return _frame(sums.total)


def total_row(sums: Sums) -> dict[str, float | None]:
    """Make the only row over the whole table of sums of one lane."""
    return total_rows(sums).row(0, named=True)


def _frame(sums: Mapping[str, F64]) -> pl.DataFrame:
    found = result_columns(sums)
    return _numbers(found, (*COLUMNS, *(name for name in FURTHER_COLUMNS if name in found)))


def _numbers(found: Mapping[str, F64], names: Sequence[str]) -> pl.DataFrame:
    """Make columns, null where unknown; those that are not found are null in all rows."""
    known = [pl.Series(name, found[name], nan_to_null=True) for name in names if name in found]
    missing = [pl.lit(None, pl.Float64).alias(name) for name in names if name not in found]
    return pl.DataFrame(known).with_columns(missing).select(names)


def _authority_rows(sums: Sums, charged: ChargedDuties) -> LaneRows:
    """Make rows by authority; `rate` is over the value that may be imported of the whole group."""
    has_row = charged.columns["duty"] != 0.0
    entered = sums.groups["customs_value"] - sums.groups[PROHIBITED_VALUE]
    columns = {**charged.columns, "rate": ratio(charged.columns["duty"], entered[:, charged.group])}
    found = _values_where(has_row, columns)
    names = pl.Series(AUTHORITY, charged.names, dtype=pl.String).gather(charged.authority)
    keys = sums.keys[charged.group].with_columns(names) if sums.keys.width else names.to_frame()
    return _rows_where(has_row, keys, _numbers(found, AUTHORITY_COLUMNS))


def _values_where(has_row: Bools, columns: Mapping[str, F64]) -> dict[str, F64]:
    """Take the values of rows (lanes x places); most runs have them all."""
    if has_row.all():
        return {name: np.ravel(values) for name, values in columns.items()}
    return {name: values[has_row] for name, values in columns.items()}


def _rows_where(has_row: Bools, keys: pl.DataFrame, numbers: pl.DataFrame) -> LaneRows:
    """Put the keys of places, if they have any, before the numbers of rows."""
    every: Sequence[NDArray[np.uint32]] = np.indices(has_row.shape, np.uint32, sparse=True)
    lane, place = (pl.Series(np.broadcast_to(each, has_row.shape)[has_row]) for each in every)
    rows = pl.concat([keys[place], numbers], how="horizontal") if keys.width else numbers
    return LaneRows(rows, lane)
