"""Run over a table whose blocks of results are computed one at a time."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from tariffs.engine.law.law import Law
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.table_run import Cancelled, Progress, RunContext, SwitchReport, TableRun
from tariffs.engine.scenario import Scenario
from tariffs.engine.tables.prepare import PreparedTable, Table


class StepwiseRun:
    """Run whose blocks of results are computed one at a time, so that an interrupted run can be resumed.

    Args:
        table: a frame, a path, or None for the embedded table of US imports 2024.
        law: the law before any scenario.
        options: options of the run.
        progress: called with a stage and a fraction done.
        cancelled: called between stages and chunks; if it returns True the run stops.
        scenarios: those of the run.
    """

    def __init__(
        self,
        table: Table,
        law: Law,
        options: Options | None,
        progress: Progress | None,
        cancelled: Cancelled | None,
        scenarios: Sequence[Scenario],
    ) -> None:
        self._context = RunContext(progress, cancelled)
        self._table_run = TableRun(table, law, options or Options(), self._context, scenarios)

    @property
    def prepared(self) -> PreparedTable:
        """The table as it was read, for other runs of the same law and market."""
        return self._table_run.prepared

    @property
    def refused(self) -> pl.DataFrame:
        """Rows that could not be used, as far as is known."""
        return self._table_run.refused()

    @property
    def switch_report(self) -> SwitchReport:
        """Switches and refused lines of the blocks computed so far."""
        return self._table_run.switch_report

    def resume(self, report: SwitchReport) -> None:
        """Add the report of blocks that another run computed."""
        self._table_run.resume(report)
