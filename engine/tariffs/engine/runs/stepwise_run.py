"""Run over a table whose blocks of results are computed one at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Required, TypedDict, Unpack

import polars as pl

from tariffs.engine.law.law import Law
from tariffs.engine.law.notes import Note
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.outcomes.table_run import Cancelled, Progress, RunContext, TableRun
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
        table_run: the table, with the rows and switches of the blocks computed so far.
        part: sums a block.
        end: assembles what ends the run, with the notes of all blocks, once every block is computed.

    Raises:
        InputError: PARAMETER_INVALID for an option that the verb does not take.
    """

    verb: ClassVar[str]
    part: Callable[[int], Any]
    end: Callable[..., RunEnd]

    def __init__(
        self, table: Table, scenarios: Sequence[Scenario], parts: int, **how: Unpack[RunArguments]
    ) -> None:
        self.parts = parts
        options = how.get("options") or Options()
        options.refuse_untaken(self.verb)
        self._context = RunContext(how.get("progress"), how.get("cancelled"))
        self.table_run = TableRun(table, how["law"], options, self._context, scenarios)
        self.table_run.options.refuse(verb=self.verb, dates=self.table_run.own_dates is not None)

    def finish(self, part: Any) -> Any:
        """Make the results of a block from its sums."""
        return part.finished()

    def value(self, index: int) -> Any:
        """Compute a block."""
        return self.finish(self.part(index))

    def blocks(self) -> list[Any]:
        """Compute all blocks."""
        return [self.value(index) for index in range(self.parts)]

    def check_rows(self) -> None:
        """Refuse more rows than an answer that is held as a whole may have."""
