"""Find dates outside the years 1 to 9999, which Polars can hold and panics on when it converts them."""

from __future__ import annotations

from datetime import date

import polars as pl

_EPOCH = date(1970, 1, 1).toordinal()
_FIRST, _LAST = date.min.toordinal() - _EPOCH, date.max.toordinal() - _EPOCH
_UNITS_A_DAY = {"ms": 86_400 * 10**3, "us": 86_400 * 10**6, "ns": 86_400 * 10**9}


def off_calendar(values: pl.Series) -> pl.Series:
    """Mark the days or instants of a column outside the years 1 to 9999; nulls are not marked."""
    a_day = _UNITS_A_DAY[values.dtype.time_unit] if isinstance(values.dtype, pl.Datetime) else 1
    days = values.to_physical().cast(pl.Int64) // a_day
    return ((days < _FIRST) | (days > _LAST)).fill_null(value=False)
