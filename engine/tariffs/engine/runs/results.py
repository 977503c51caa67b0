"""Compute the result columns per line, and differences between scenarios."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64, Bools, ratio
from tariffs.engine.response.trade.varieties import QuotaRents, TradeVolume
from tariffs.engine.runs.column_names import (
    AFTER,
    BASE_DUTY,
    DIFFERENCES,
    LIMIT_SUMS,
    OWED_AFTER,
    PROHIBITED_VALUE,
    TAX,
)
from tariffs.engine.runs.finish import result_columns
from tariffs.engine.table_duty.duties import Duties
from tariffs.engine.tables.line_arrays import LineArrays


def line_columns(
    lines: LineArrays, duties: Duties, base: Duties | None, volume: TradeVolume | None
) -> dict[str, F64]:
    """Compute the amounts per line in dollars; NaN where a baseline or response is missing.

    `quantity` is in baseline dollars. `prohibited_value` may not be imported: it bears no duty, and landed cost leaves
    out its share of value, freight and insurance. `landed_change` and `value_change` are against
    the baseline. Where there is a value added tax, `vat` is that on values before the response; it is part of the
    landed cost.
    """
    v0 = lines.value
    nothing = np.full(lines.count, np.nan)
    tax = {} if lines.vat is None else {TAX: (v0 + duties.duty) * lines.vat}
    landed = _landed(lines, duties)
    after = dict.fromkeys(AFTER, nothing) if volume is None else after_columns(lines, volume)
    return {
        "customs_value": v0,
        "duty": duties.duty,
        "duty_owed": duties.owed,
        "landed": landed,
        **after,
        "landed_change": landed - _landed(lines, base) if base is not None else nothing,
        PROHIBITED_VALUE: duties.prohibited,
        **tax,
    }


def after_columns(lines: LineArrays, volume: TradeVolume) -> dict[str, F64]:
    """Compute the amounts per line after the response, in dollars."""
    taxed = 1.0 if lines.vat is None else 1.0 + lines.vat
    charges = (lines.freight + lines.insurance) * volume.quantity_hat
    return {
        "value_after": volume.value,
        "duty_after": volume.duty,
        "landed_after": (volume.value + volume.duty) * taxed + charges,
        "value_change": volume.value - lines.value,
        "quantity": lines.value * volume.quantity_hat,
        "creation": volume.creation,
        "diversion": volume.diversion,
        BASE_DUTY: volume.base_duty,
        OWED_AFTER: volume.owed,
    }


def rent_columns(rents: QuotaRents | None, lines: int) -> dict[str, F64]:
    """Amounts per line of the rents of limits, in dollars; 0 without a limit."""
    amounts = np.zeros((len(LIMIT_SUMS), lines)) if rents is None else rents.amounts
    return dict(zip(LIMIT_SUMS, amounts, strict=True))


def _landed(lines: LineArrays, duties: Duties) -> F64:
    """Sum value, freight and insurance of goods that may be imported, their duty and tax; dollars per line."""
    imported = 1.0 - ratio(duties.prohibited, lines.value, 0.0)
    taxed = 1.0 if lines.vat is None else 1.0 + lines.vat
    charges = (lines.freight + lines.insurance) * imported
    # Charges outside the base of duty are outside that of the tax too; without a tax this subtracts 0.
    landed: F64 = (
        (lines.value + lines.freight + lines.insurance) * imported + duties.duty
    ) * taxed - charges * (taxed - 1.0)
    return landed


def lines_frame(frame: pl.DataFrame, columns: Mapping[str, F64], keep: Bools) -> pl.DataFrame:
    """Add the result columns to the usable rows; undefined values are null."""
    results = [
        pl.Series(name, values).fill_nan(None)
        for name, values in result_columns(columns).items()
        if name != "customs_value"
    ]
    return frame.with_columns(results).filter(pl.Series(keep))


def compared_groups(groups: pl.DataFrame, first: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Add differences from the same groups of the first scenario; a group missing there counts as 0."""
    pairs = {name: column for name, column in DIFFERENCES.items() if column in groups.columns}
    keys = list(by)
    theirs = first.select(*keys, *(pl.col(column).alias(name) for name, column in pairs.items()))
    if not keys:
        joined = groups.hstack(theirs)
    else:
        joined = groups.join(theirs, on=keys, how="left", nulls_equal=True, maintain_order="left")
    return joined.with_columns(
        (pl.col(column) - pl.col(name).fill_null(0.0)).alias(name) for name, column in pairs.items()
    )


def compared_totals(
    total: Mapping[str, float | None], first: Mapping[str, float | None]
) -> dict[str, float | None]:
    """Add differences from the first scenario to a total."""
    compared = dict(total)
    for name, column in DIFFERENCES.items():
        ours, theirs = total[column], first[column]
        compared[name] = None if ours is None or theirs is None else ours - theirs
    return compared
