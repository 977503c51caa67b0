"""Divide added duty between exporters and importers, with exact price indices, by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64, ratio
from tariffs.engine.runs.grouping import AUTHORITY
from tariffs.engine.runs.outcome import Outcome
from tariffs.engine.runs.results import BASE_DUTY
from tariffs.engine.runs.table_run import TableRun

INCIDENCE_COLUMNS = (
    "exporter_price_hat", "landed_price_hat", "added_duty", "borne_abroad", "borne_at_home", "importer_share",
)  # fmt: skip
"""Columns of the incidence: Paasche indices of prices, then amounts in dollars on the quantity after, then a share."""


def add_incidence(run: TableRun, outcomes: Sequence[Outcome], groups: pl.DataFrame) -> pl.DataFrame:
    """Add the incidence of added duty to result rows by the keys of a run.

    Rows by authority, of a static run or of a table with a value added tax stay as they are.
    """
    if run.response is None or run.prepared.lines.vat is not None or AUTHORITY in run.options.by:
        return groups
    found = _incidence(run.sums(outcomes))
    place = run.grouping.of_rows(groups.select(run.grouping.keys.columns))
    return groups.with_columns(
        pl.Series(name, values[place], nan_to_null=True) for name, values in found.items()
    )


def total_incidence(run: TableRun, outcomes: Sequence[Outcome]) -> dict[str, float | None]:
    """Compute the incidence of added duty over the whole table; empty where `add_incidence` adds nothing."""
    if run.response is None or run.prepared.lines.vat is not None:
        return {}
    found = _incidence({name: values.sum(keepdims=True) for name, values in run.sums(outcomes).items()})
    return {name: None if np.isnan(values[0]) else float(values[0]) for name, values in found.items()}


def _incidence(sums: Mapping[str, F64]) -> dict[str, F64]:
    """Compute the incidence from sums; landed cost before is at the quantity after."""
    quantity, value, landed = sums["quantity"], sums["value_after"], sums["landed_after"]
    duty_before = sums[BASE_DUTY]
    landed_before = quantity + duty_before + (landed - value - sums["duty_after"])
    abroad, added = quantity - value, landed - landed_before + quantity - value
    return {
        "exporter_price_hat": ratio(value, quantity),
        "landed_price_hat": ratio(landed, landed_before),
        "added_duty": added,
        "borne_abroad": abroad,
        "borne_at_home": added - abroad,
        "importer_share": np.divide(
            added - abroad, added, out=np.full_like(added, np.nan), where=np.abs(added) > 1e-9 * duty_before
        ),
    }
