"""Run over a table whose blocks of results are computed one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Required, TypedDict, Unpack

import polars as pl

from tariffs.engine.law.law import Law
from tariffs.engine.law.notes import Note
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.outcomes.table_run import Cancelled, Progress, RunContext, SwitchReport, TableRun
from tariffs.engine.scenario import Scenario
from tariffs.engine.tables.prepare import Table


@dataclass(frozen=True, kw_only=True)
class RunEnd:
    """End of a run: its notes, the rows that it refused, and inputs needed to reproduce it."""

    notes: tuple[Note, ...]
    refused: pl.DataFrame
    provenance: Mapping[str, object]


class RunArguments(TypedDict, total=False):
    """Arguments that all verbs have: the law before the scenarios, and the options of the run.

    `progress` is called with a stage and a fraction done; `cancelled` is called between stages and chunks, and ends the
    run by ServiceError CANCELLED if it returns True.
    """

    law: Required[Law]
    options: Options | None
    progress: Progress | None
    cancelled: Cancelled | None


class StepwiseRun:
    """Run whose blocks of results are computed one at a time, so that an interrupted run can be resumed.

    Attributes:
        verb: its name in `refusals`.
        parts: number of the blocks.

    Args:
        table: a frame, a path, or None for the embedded table of US imports 2024.
        scenarios: those of the run.
        parts: number of its blocks.
        how: law, options, progress and cancellation.

    Raises:
        InputError: PARAMETER_INVALID for an option that the verb does not take.
    """

    verb: ClassVar[str]

    def __init__(
        self, table: Table, scenarios: Sequence[Scenario], parts: int, **how: Unpack[RunArguments]
    ) -> None:
        self.parts = parts
        options = how.get("options") or Options()
        options.refuse_untaken(self.verb)
        self._context = RunContext(how.get("progress"), how.get("cancelled"))
        self._table_run = TableRun(table, how["law"], options, self._context, scenarios)

    def part(self, index: int) -> Any:
        """Sum a block."""
        raise NotImplementedError

    def finish(self, part: Any) -> Any:
        """Make the results of a block from its sums."""
        return part.finished()

    def value(self, index: int) -> Any:
        """Compute a block."""
        return self.finish(self.part(index))

    def blocks(self) -> list[Any]:
        """Compute all blocks."""
        return [self.value(index) for index in range(self.parts)]

    def end(self, notes: Iterable[Note] = ()) -> RunEnd:
        """Assemble what ends the run, with the notes of all blocks, once every block is computed."""
        raise NotImplementedError

    def check_rows(self) -> None:
        """Refuse more rows than an answer that is held as a whole may have."""

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
