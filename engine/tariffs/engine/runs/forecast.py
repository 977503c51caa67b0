"""Forecast trade after the response: its growth before the duties goes on. See docs/models/trend.md."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cached_property

import numpy as np

from tariffs.engine.base.array_utils import F64, sum_of
from tariffs.engine.response.trend import read_trend, years_between
from tariffs.engine.runs.column_names import DUTY_FORECAST, VALUE_FORECAST
from tariffs.engine.runs.outcomes.outcome import Outcome
from tariffs.engine.runs.outcomes.table_run import TableRun
from tariffs.engine.runs.sums import Sums

_FORECASTS = {VALUE_FORECAST: "value_after", DUTY_FORECAST: "duty_after"}


class Forecast:
    """Value and duty after the response of each line, times its growth from the table's year to a day.

    Args:
        run: a run with a response and a trend.

    Raises:
        InputError: PARAMETER_INVALID for a trend that cannot be read.
    """

    def __init__(self, run: TableRun) -> None:
        self._run = run
        self._trend = read_trend(run.options.trend)
        self._baseline = date.fromisoformat(run.options.baseline or run.prepared.baseline)

    def add(self, sums: Sums, outcomes: Sequence[Outcome], on: str) -> Sums:
        """Add the forecast of a day to the sums of a lane; a mixture gives expected values."""
        run = self._run
        factor = self._growth ** years_between(self._baseline, date.fromisoformat(on[:10]))
        columns = [
            factor * sum_of([(outcome.weight, outcome.columns[name]) for outcome in outcomes])
            for name in _FORECASTS.values()
        ]
        found = run.grouping.sums(columns, run.kept(outcomes))
        for place, name in enumerate(_FORECASTS):
            sums = sums.adding(name, found[None, :, place], found[:, place].sum(keepdims=True))
        return sums

    def facts(self) -> dict[str, object]:
        """Describe the trend for the provenance."""
        return {"trend": dict(self._trend.facts)}

    @cached_property
    def _growth(self) -> F64:
        """Growth of each line in a year, after / before."""
        lines = self._run.prepared.frame.select("hts", "origin")
        pairs = lines.unique().sort("hts", "origin")
        growth = self._trend.of(pairs["hts"].to_list(), pairs["origin"].to_list())
        found = lines.join(
            pairs.with_columns(growth=growth), on=["hts", "origin"], how="left", maintain_order="left"
        )
        return 1.0 + found["growth"].to_numpy().astype(np.float64)
