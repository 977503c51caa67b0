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
    "revenue_change",
)  # fmt: skip
"""Columns of the incidence: Paasche indices of prices, amounts in dollars on the quantity after, a share, and the
change of the treasury's revenue from the baseline in dollars."""


def has_incidence(run: TableRun) -> bool:
    """Test whether a run has columns of incidence: a response, and no value added tax."""
    return run.response is not None and run.prepared.lines.vat is None


def add_incidence(run: TableRun, outcomes: Sequence[Outcome], groups: pl.DataFrame) -> pl.DataFrame:
    """Add the incidence of added duty to result rows by the keys of a run.

    Rows by authority, of a static run or of a table with a value added tax stay as they are.
    """
    if not has_incidence(run) or AUTHORITY in run.options.by:
        return groups
    found = incidence(run.sums(outcomes), duty_at_baseline(run))
    place = run.grouping.of_rows(groups)
    return groups.with_columns(
        pl.Series(name, values[place], nan_to_null=True) for name, values in found.items()
    )


def total_incidence(run: TableRun, outcomes: Sequence[Outcome]) -> dict[str, float | None]:
    """Compute the incidence of added duty over the whole table; empty where a run has none."""
    if not has_incidence(run):
        return {}
    sums = {name: values.sum(keepdims=True) for name, values in run.sums(outcomes).items()}
    found = incidence(sums, duty_at_baseline(run).sum(keepdims=True))
    return {name: None if np.isnan(values[0]) else float(values[0]) for name, values in found.items()}


def duty_at_baseline(run: TableRun) -> F64:
    """Sum the duty of the baseline by the keys of a run, in dollars.

    Raises:
        ValueError: the run has no baseline.
    """
    if run.base is None:
        raise ValueError("a run without a baseline has no duty at it")
    return run.grouping.sums([run.base.duty], run.usable)[:, 0]


def incidence(sums: Mapping[str, F64], base_duty: F64) -> dict[str, F64]:
    """Compute the incidence from sums of result columns; landed cost before is at the quantity after.

    Args:
        sums: amounts after the response.
        base_duty: duty of the baseline, of the same groups.
    """
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
        "revenue_change": sums["duty_after"] - base_duty,
    }


def average_quotients(means: pl.DataFrame) -> pl.DataFrame:
    """Replace averaged prices and shares of the incidence by the quotients of the averaged amounts."""
    if "borne_at_home" not in means.columns:
        return means
    quantity = pl.col("customs_value") * pl.col("quantity_hat")
    landed_before = pl.col("landed_after") - pl.col("borne_at_home")
    share = pl.col("borne_at_home") / pl.col("added_duty")
    return means.with_columns(
        exporter_price_hat=pl.when(quantity != 0).then(pl.col("value_after") / quantity),
        landed_price_hat=pl.when(landed_before != 0).then(pl.col("landed_after") / landed_before),
        importer_share=pl.when(pl.col("importer_share").is_not_null()).then(share),
    )
