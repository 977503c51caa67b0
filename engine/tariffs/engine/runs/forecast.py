"""Forecast trade after the response: growth before the duties goes on, rivals share it. See docs/models/trend.md."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cached_property
from typing import Self

import numpy as np

from tariffs.engine.base.array_utils import F64, sum_of
from tariffs.engine.response.trend import RivalCells, nest, read_trend, years_between
from tariffs.engine.runs.column_names import DUTY_FORECAST, VALUE_FORECAST
from tariffs.engine.runs.outcomes.outcome import Outcome
from tariffs.engine.runs.outcomes.table_run import TableRun
from tariffs.engine.runs.sums import Sums

_FORECASTS = {VALUE_FORECAST: "value_after", DUTY_FORECAST: "duty_after"}


class Forecast:
    """Value and duty after the response of each line, moved among rivals, times its growth from the table's year.

    Raises:
        InputError: PARAMETER_INVALID for a trend that cannot be read.
    """

    def __init__(self, run: TableRun) -> None:
        self._run = run
        self._trend = read_trend(run.options.trend) if run.options.trend else None
        self._baseline = date.fromisoformat(run.options.baseline or run.prepared.baseline)

    @classmethod
    def of(cls, run: TableRun) -> Self | None:
        """Make the forecast of a run; None if its options ask for none."""
        return cls(run) if run.options.trend or run.options.rivals else None

    def add(self, sums: Sums, outcomes: Sequence[Outcome], on: str) -> Sums:
        """Add the forecast of a day to the sums of a lane; a mixture gives expected values."""
        run = self._run
        factor = self._growth ** years_between(self._baseline, date.fromisoformat(on[:10]))
        moved = [(outcome, self._change(outcome)) for outcome in outcomes]
        columns = [
            factor * sum_of([(each.weight, change * each.columns[name]) for each, change in moved])
            for name in _FORECASTS.values()
        ]
        found = run.grouping.sums(columns, run.kept(outcomes))
        for place, name in enumerate(_FORECASTS):
            sums = sums.adding(name, found[None, :, place], found[:, place].sum(keepdims=True))
        return sums

    def facts(self) -> dict[str, object]:
        """Describe the trend and the rivals for the provenance."""
        trend = {"trend": dict(self._trend.facts)} if self._trend else {}
        elasticity = self._run.options.rivals
        return {**trend, **({"rivals": {**nest(), "elasticity": elasticity}} if elasticity else {})}

    def _change(self, outcome: Outcome) -> F64 | float:
        """Compute the change of the trade of each line by its rivals."""
        elasticity, base, columns = self._run.options.rivals, self._run.base, outcome.columns
        if not elasticity or base is None:
            return 1.0
        amounts = columns["customs_value"], base.duty, columns["duty"], columns["value_after"]
        return self._cells.change(*amounts, elasticity)

    @cached_property
    def _cells(self) -> RivalCells:
        return RivalCells(self._run.prepared.frame.select("hts", "origin"))

    @cached_property
    def _growth(self) -> F64:
        """Growth of each line in a year, after / before."""
        if self._trend is None:
            return np.ones(self._run.prepared.frame.height)
        lines = self._run.prepared.frame.select("hts", "origin")
        pairs = lines.unique().sort("hts", "origin")
        pairs = pairs.with_columns(growth=self._trend.of(pairs["hts"].to_list(), pairs["origin"].to_list()))
        found = lines.join(pairs, on=["hts", "origin"], how="left", maintain_order="left")
        return 1.0 + found["growth"].to_numpy().astype(np.float64)
