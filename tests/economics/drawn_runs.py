"""Runs with draws of the elasticities, for tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64
from tariffs.engine.law import load_law
from tariffs.engine.response import Spreads
from tariffs.engine.runs.draws.ranges import Ranges
from tariffs.engine.runs.draws.uncertainty import UncertaintyRun
from tariffs.engine.runs.grouping import Grouping
from tariffs.engine.runs.impact import Impact, Options
from tariffs.engine.runs.outcomes.table_run import RunContext, TableRun
from tariffs.engine.runs.sums import Sums
from tariffs.engine.scenario import Scenario, library
from tariffs.engine.schedule.reference_data import reference_table
from tests.economics import runs

DAY = "2025-05-20"
QUIET = Spreads(0.0, 0.0, 0.0, 0.0)
LEVELS = ("mean", "p5", "p25", "p50", "p75", "p95")


def goods_of(*chapters: str) -> pl.DataFrame:
    """Take some chapters of the embedded table."""
    found = reference_table().filter(pl.col("hts").str.slice(0, 2).is_in(chapters))
    return found.select("hts", "origin", "customs_value")


def run_of(table: pl.DataFrame | None, *scenarios: str | Scenario, on: str = DAY, **options: Any) -> Impact:
    """Compute scenarios with 16 draws, unless an option says otherwise."""
    given = {"horizon": "long", "draws": 16, "seed": 7, "by": ("origin",), **options}
    return runs.run_of(table, *scenarios, on=on, **given)


def ranges_of(found: Impact, place: int = 0) -> Ranges:
    """Take the ranges of a scenario."""
    ranges = found.scenarios[place].ranges
    assert ranges is not None
    return ranges


def row_of(ranges: pl.DataFrame, column: str) -> dict[str, Any]:
    """Take the row of a column."""
    (row,) = ranges.filter(column=column).to_dicts()
    return row


def sums_of_draws(table: pl.DataFrame, **options: Any) -> tuple[pl.DataFrame, Sums]:
    """Compute the keys of the groups and the sums of every draw."""
    options = {"baseline": runs.BASELINE, "horizon": "long", "draws": 64, "seed": 7, **options}
    valuer = TableRun(table, load_law(), Options(**options), RunContext(None, None))
    drawing = UncertaintyRun(valuer)
    outcomes = valuer.outcomes(library()["base"], DAY)
    keys = Grouping.of(valuer.prepared, valuer.options.by).keys
    return keys, drawing.point(outcomes, valuer.kept(outcomes), lambda share: None).sums


def array_of(sums: Mapping[str, F64]) -> F64:
    """Put sums side by side on a first axis, in the order of their names."""
    return np.stack([sums[name] for name in sorted(sums)])
