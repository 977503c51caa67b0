"""Compute a run one part at a time: the points of a simulation, the scenarios of a timeline, the blocks of a sweep."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import polars as pl

from tariffs.engine.law.law import Law
from tariffs.engine.law.notes import Note
from tariffs.engine.runs.impact import ImpactRun, ScenarioImpact
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.sweep import SweepRun, blocks_of, check_points, switched
from tariffs.engine.runs.table_run import Cancelled, Progress, SwitchReport
from tariffs.engine.runs.timeline import TimelineRun
from tariffs.engine.scenario import Scenario
from tariffs.engine.tables.prepare import Table
from tariffs.service.rpc import simulation, sweeps, timeline
from tariffs.service.rpc.checks import word
from tariffs.service.rpc.laws import LAWS
from tariffs.service.rpc.local_inputs import LocalInputs
from tariffs.service.rpc.run_options import options_of, parameters_of
from tariffs.service.rpc.shared import scenario_of
from tariffs.service.wire import arrow
from tariffs.v1 import simulation_service_pb2 as pb

SIMULATE, TIMELINE, SWEEP = "simulate", "timeline", "sweep"
Run = ImpactRun | TimelineRun | SweepRun
Response = pb.SimulateResponse | pb.TimelineResponse | pb.SweepResponse
Facts = Mapping[str, Any]
Messages = list[tuple[str, bytes]]
"""Messages of a result, each with its kind."""
REQUESTS: Mapping[str, Any] = {
    SIMULATE: pb.SimulateRequest,
    TIMELINE: pb.TimelineRequest,
    SWEEP: pb.SweepRequest,
}


RESPONSES: Mapping[str, Any] = {
    SIMULATE: pb.SimulateResponse,
    TIMELINE: pb.TimelineResponse,
    SWEEP: pb.SweepResponse,
}


class Steps(Protocol):
    """A run that is computed one part at a time."""

    @property
    def run(self) -> Run:
        """The engine's run."""

    def refused(self, rows: pl.DataFrame) -> list[Response]:
        """Make the messages of refused rows."""

    def value(self, index: int) -> tuple[list[Response], Facts]:
        """Compute a part; return its messages, and its facts for the end of the run."""

    def recall(self, index: int, facts: Facts) -> None:
        """Reuse the facts of a part computed earlier."""

    def done(self) -> Response:
        """Make the last message."""


class RunParts(Protocol):
    """A run whose parts are computed here or elsewhere; messages are written, each with its kind."""

    def head(self) -> Messages:
        """Compute the messages of the rows that cannot be used."""

    def parts(self, indices: Sequence[int]) -> Iterator[tuple[Messages, Facts]]:
        """Compute parts, in order: the messages of each, and its facts for the end."""

    def end(self, facts: Sequence[Facts]) -> Messages:
        """Compute the last messages from the facts of all parts: rows that only parts show to be unusable, `done`."""


class StepParts:
    """Parts of a run that are computed in this process, one at a time."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._rows = steps.run.refused

    def head(self) -> Messages:
        """Compute the messages of the rows that cannot be used."""
        return _written_messages(self._steps.refused(self._rows))

    def parts(self, indices: Sequence[int]) -> Iterator[tuple[Messages, Facts]]:
        """Compute parts, in order."""
        for index in indices:
            messages, facts = self._steps.value(index)
            yield _written_messages(messages), facts

    def end(self, facts: Sequence[Facts]) -> Messages:
        """Compute the last messages from the facts of all parts."""
        for index, own in enumerate(facts):
            self._steps.recall(index, own)
        done = self._steps.done()
        sent = self._rows.select("row").unique()
        late = self._steps.run.refused.join(sent, on="row", how="anti", maintain_order="left")
        return _written_messages([*self._steps.refused(late), done])


@dataclass
class _Points:
    """The points of a simulation; of computed points only ids and notes are kept."""

    run: ImpactRun
    request: pb.SimulateRequest
    blocks: dict[int, ScenarioImpact] = field(default_factory=dict)

    def refused(self, rows: pl.DataFrame) -> list[Response]:
        return _collect(lambda emit: simulation.emit_refused(rows, pb.SimulateResponse, emit))

    def value(self, index: int) -> tuple[list[Response], Facts]:
        block = self.run.value(index)
        facts = {
            "id": block.id,
            "on": block.on,
            "notes": _note_pairs(block.notes),
            **_written(self.run.switch_report),
        }
        self._keep(index, facts)
        return _collect(lambda emit: simulation.emit_point(block, emit)), facts

    def recall(self, index: int, facts: Facts) -> None:
        self._keep(index, facts)
        self.run.resume(_read(facts))

    def done(self) -> Response:
        blocks = [self.blocks[index] for index in range(len(self.request.points))]
        return simulation.done_of(self.run.result(blocks), self.request)

    def _keep(self, index: int, facts: Facts) -> None:
        notes = _read_notes(facts)
        self.blocks[index] = ScenarioImpact(facts["id"], facts["on"], pl.DataFrame(), {}, None, notes)


@dataclass
class _Scenarios:
    """The scenarios of a timeline."""

    run: TimelineRun
    request: pb.TimelineRequest

    def refused(self, rows: pl.DataFrame) -> list[Response]:
        return _collect(lambda emit: simulation.emit_refused(rows, pb.TimelineResponse, emit))

    def value(self, index: int) -> tuple[list[Response], Facts]:
        block = self.run.value(index)
        return _collect(lambda emit: timeline.emit_scenario(block, emit)), _written(self.run.switch_report)

    def recall(self, index: int, facts: Facts) -> None:
        self.run.resume(_read(facts))

    def done(self) -> Response:
        return timeline.done_of(self.run.result([]), self.request)


@dataclass
class _Blocks:
    """The blocks of a sweep; of computed blocks only notes are kept."""

    run: SweepRun
    request: pb.SweepRequest
    notes: dict[int, tuple[Note, ...]] = field(default_factory=dict)

    def refused(self, rows: pl.DataFrame) -> list[Response]:
        return _collect(lambda emit: simulation.emit_refused(rows, pb.SweepResponse, emit))

    def value(self, index: int) -> tuple[list[Response], Facts]:
        block = self.run.value(index)
        facts = {"notes": _note_pairs(block.notes), **_written(self.run.switch_report)}
        self.notes[index] = block.notes
        return _collect(lambda emit: sweeps.emit_block(index, block, emit)), facts

    def recall(self, index: int, facts: Facts) -> None:
        self.notes[index] = _read_notes(facts)
        self.run.resume(_read(facts))

    def done(self) -> Response:
        notes = [note for index in sorted(self.notes) for note in self.notes[index]]
        return sweeps.done_of(self.run.result([sweeps.notes_alone(notes)]), self.request)


def parts_of(kind: str, request: Any) -> int:
    """Count the parts of a request's result.

    Raises:
        TariffsError: an invalid request, as far as that shows without its table.
    """
    arrow.check_message(request.arrow)
    with parameters_of(request, LocalInputs()) as parameters:
        # What options say is raised when the run is started, not later when the caller has left.
        options_of(request, parameters).refuse(own_table=request.WhichOneof("table") in {"arrow", "handle"})
    if kind == SIMULATE:
        return len(simulation.points_of(request.points, request.scenario_parameters))
    if kind == SWEEP:
        points = sweeps.points_of(request)
        check_points(scenario_of(request.scenario, "scenario"), points, sweeps.fixed_of(request))
        return blocks_of(len(points))
    timeline.period_of(request)
    return len(timeline.scenarios_of(request))


@dataclass(frozen=True)
class RunPlan:
    """A request whose scenarios and options are read; it can be computed over any table.

    Attributes:
        kind: SIMULATE, TIMELINE or SWEEP.
        request: the request.
        options: its options.
    """

    kind: str
    request: Any
    options: Options

    @property
    def law(self) -> Law:
        """The law before the scenarios."""
        return LAWS.named(self.request.law_version)

    @property
    def scenarios(self) -> list[Scenario]:
        """Scenarios with their parameters filled in; of a sweep, those with different changes."""
        request = self.request
        if self.kind == SIMULATE:
            return [
                point.scenario for point in simulation.points_of(request.points, request.scenario_parameters)
            ]
        if self.kind == TIMELINE:
            return timeline.scenarios_of(request)
        scenario = scenario_of(request.scenario, "scenario")
        return switched(scenario, sweeps.points_of(request), sweeps.fixed_of(request))

    def run(
        self, table: Table, report: Progress, cancelled: Cancelled, options: Options | None = None
    ) -> Run:
        """Prepare the run over a table, with other options if they are given."""
        request = self.request
        common: dict[str, Any] = {
            "law": self.law,
            "options": options or self.options,
            "progress": report,
            "cancelled": cancelled,
        }
        if self.kind == SIMULATE:
            return ImpactRun(
                table, simulation.points_of(request.points, request.scenario_parameters), **common
            )
        if self.kind == TIMELINE:
            scenarios, period = timeline.scenarios_of(request), timeline.period_of(request)
            return TimelineRun(table, scenarios, *period, **common)
        return SweepRun(
            table,
            scenario_of(request.scenario, "scenario"),
            sweeps.points_of(request),
            parameters=sweeps.fixed_of(request),
            on=word(request.on, "on"),
            **common,
        )

    def steps(self, table: Table, report: Progress, cancelled: Cancelled) -> Steps:
        """Prepare the run over a table, to be computed one part at a time."""
        run = self.run(table, report, cancelled)
        if isinstance(run, ImpactRun):
            return _Points(run, self.request)
        if isinstance(run, TimelineRun):
            return _Scenarios(run, self.request)
        return _Blocks(run, self.request)


@contextmanager
def plan_of(kind: str, request: Any, local: LocalInputs) -> Iterator[RunPlan]:
    """Read a request; a table of parameters in it is a file until the context ends.

    Raises:
        TariffsError: an invalid request.
    """
    with parameters_of(request, local) as parameters:
        yield RunPlan(kind, request, options_of(request, parameters))


def _written_messages(messages: Sequence[Response]) -> Messages:
    return [(message.WhichOneof("content") or "", message.SerializeToString()) for message in messages]


def _collect(emit_all: Callable[[Callable[[Any], None]], None]) -> list[Response]:
    messages: list[Response] = []
    emit_all(messages.append)
    return messages


def _note_pairs(notes: tuple[Note, ...]) -> list[tuple[str, str]]:
    return [(note.reason, note.message) for note in notes]


def _read_notes(facts: Facts) -> tuple[Note, ...]:
    return tuple(Note(reason, message) for reason, message in facts["notes"])


def _written(report: SwitchReport) -> dict[str, Any]:
    return {"switches": dict(report.switches), "too_many": list(report.too_many)}


def _read(facts: Facts) -> SwitchReport:
    return SwitchReport(facts["switches"], tuple(facts["too_many"]))
