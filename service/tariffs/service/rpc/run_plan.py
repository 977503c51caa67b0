"""Prepare the run of a request, and compute it as a whole or one part at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tariffs.engine.errors import InputError
from tariffs.engine.law.law import Law
from tariffs.engine.law.notes import Note
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.outcomes.table_run import Progress, SwitchReport
from tariffs.engine.runs.stepwise_run import RunEnd, StepwiseRun
from tariffs.engine.tables.prepare import Table
from tariffs.service.rpc.checks import word
from tariffs.service.rpc.laws import LAWS
from tariffs.service.rpc.run_options import LocalInputs, options_of, parameters_of
from tariffs.service.rpc.verbs import Asked, PartEnd, Verb, refused_messages
from tariffs.service.wire import arrow
from tariffs.service.wire.status import Cancelled

Facts = Mapping[str, Any]
"""Facts of a part for the end of its run, as JSON data."""
Messages = Iterable[Any]


@dataclass(frozen=True)
class RunPlan:
    """A request that is read; it can be computed over any table."""

    verb: Verb
    request: Any
    asked: Asked
    options: Options

    @property
    def law(self) -> Law:
        """The law before the scenarios."""
        return LAWS.named(self.request.law_version)

    def run(
        self, table: Table, report: Progress, cancelled: Cancelled, options: Options | None = None
    ) -> StepwiseRun:
        """Prepare the run over a table, with other options if they are given."""
        return self.verb.run(
            table,
            *self.asked.given,
            **self.asked.named,
            law=self.law,
            options=options or self.options,
            progress=report,
            cancelled=cancelled,
        )


@contextmanager
def plan_of(verb: Verb, request: Any, local: LocalInputs) -> Iterator[RunPlan]:
    """Read a request; a table of parameters in it is a file until the context ends.

    Raises:
        TariffsError: an invalid request.
    """
    asked = verb.read(request)
    with parameters_of(request, local) as parameters:
        yield RunPlan(verb, request, asked, options_of(request, parameters))


def parts_of(verb: Verb, request: Any) -> int:
    """Count the parts of a request's result.

    Raises:
        TariffsError: an invalid request, as far as that shows without its table.
    """
    arrow.check_message(request.arrow)
    with plan_of(verb, request, LocalInputs()) as plan:
        # What options say is raised when the run is started, not later when the caller has left.
        plan.options.refuse(own_table=request.WhichOneof("table") in {"arrow", "handle"})
        return plan.asked.parts


def table_of(request: Any, local: LocalInputs) -> pl.DataFrame | pl.LazyFrame | str | Path | None:
    """Return the table in a request or in its place; None for the embedded one.

    Raises:
        InputError: TABLE_NOT_FOUND for a handle, which only a server with stored tables can resolve.
    """
    if local.table is not None:
        return local.table
    source = request.WhichOneof("table")
    if source == "handle":
        raise InputError(
            "TABLE_NOT_FOUND",
            f"There is no stored table {word(request.handle, 'handle')!r} in this process.",
            field="handle",
            fix="Only servers store tables; in-process pass the table itself.",
        )
    return arrow.read_table(request.arrow) if source == "arrow" else None


def whole_run(
    verb: Verb, request: Any, report: Progress, cancelled: Cancelled, local: LocalInputs
) -> tuple[list[Any], RunEnd]:
    """Compute a request in this process: the blocks of its result, and its end.

    Raises:
        TariffsError: an invalid request, or CANCELLED.
    """
    with plan_of(verb, request, local) as plan:
        run = plan.run(table_of(request, local), report, cancelled)
        run.check_rows()
        blocks = run.blocks()
        return blocks, run.end()


class PartsHere:
    """Parts of a run that are computed in this process, one at a time; arguments as `RunPlan.run`."""

    def __init__(self, plan: RunPlan, table: Table, report: Progress, cancelled: Cancelled) -> None:
        self._verb, self._request = plan.verb, plan.request
        self._run = plan.run(table, report, cancelled)
        self._rows = self._run.table_run.refused()

    def head(self) -> Messages:
        """Compute the messages of the rows that cannot be used."""
        return self._refused(self._rows)

    def parts(self, indices: Sequence[int]) -> Iterator[tuple[Messages, Facts]]:
        """Compute parts, in order; messages are encoded when they are read."""
        return map(self._part, indices)

    def part(self, index: int) -> tuple[Messages, Facts]:
        """Compute a part: its messages, and its facts for the end."""
        messages, facts = self._part(index)
        return list(messages), facts

    def _part(self, index: int) -> tuple[Messages, Facts]:
        block = self._run.value(index)
        own, report = self._verb.part_end(index, block), self._run.table_run.switch_report
        facts = {
            "labels": own.labels,
            "notes": [(note.reason, note.message) for note in own.notes],
            "switches": dict(report.switches),
            "too_many": list(report.too_many),
        }
        return self._verb.part_messages(index, block), facts

    def end(self, facts: Sequence[Facts]) -> Messages:
        """Compute the last messages from the facts of all parts: rows that only parts show to be unusable, `done`."""
        for own in facts:
            self._run.table_run.resume(SwitchReport(own["switches"], tuple(own["too_many"])))
        parts = [PartEnd(own["labels"], tuple(Note(*note) for note in own["notes"])) for own in facts]
        end = self._run.end(note for part in parts for note in part.notes)
        late = end.refused.join(
            self._rows.select("row").unique(), on="row", how="anti", maintain_order="left"
        )
        done = self._verb.response(done=self._verb.done(end, parts, self._request))
        return [*self._refused(late), done]

    def _refused(self, rows: pl.DataFrame) -> list[Any]:
        return list(refused_messages(rows, self._verb.response))
