"""Compute long runs part by part: write each part when it is done, and continue with the first missing part."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import polars as pl
from google.longrunning import operations_pb2

from tariffs.engine.base.provenance import engine_version
from tariffs.engine.law import load_law
from tariffs.engine.law.notes import Note
from tariffs.engine.runs.impact import ImpactRun, ScenarioImpact
from tariffs.engine.runs.options import baseline_required
from tariffs.engine.runs.sweep import SweepRun, blocks_of, check_points
from tariffs.engine.runs.table_run import SwitchReport
from tariffs.engine.runs.timeline import TimelineRun
from tariffs.service.rpc import simulation, sweeps, timeline
from tariffs.service.rpc.checks import word
from tariffs.service.rpc.local_inputs import LocalInputs
from tariffs.service.rpc.shared import scenario_of
from tariffs.service.rpc.simulation import parameters_of, simulate_options, table_of
from tariffs.service.rpc.tables import time_text
from tariffs.service.storage.result_parts import ResultPart, ResultParts
from tariffs.service.storage.run_rows import CANCELLED, FAILED, RUNNING, SUCCEEDED, WAITING, RunRow
from tariffs.service.wire import arrow
from tariffs.service.wire.frames import pack, unpack
from tariffs.service.wire.status import failure_of
from tariffs.service.workers.tasks import ResultSink
from tariffs.v1 import common_pb2
from tariffs.v1 import simulation_service_pb2 as pb

SIMULATE, TIMELINE, SWEEP = "simulate", "timeline", "sweep"
Request = pb.SimulateRequest | pb.TimelineRequest | pb.SweepRequest
Response = pb.SimulateResponse | pb.TimelineResponse | pb.SweepResponse
Facts = Mapping[str, Any]
STATES = {
    WAITING: pb.RUN_STATE_WAITING,
    RUNNING: pb.RUN_STATE_RUNNING,
    SUCCEEDED: pb.RUN_STATE_SUCCEEDED,
    FAILED: pb.RUN_STATE_FAILED,
    CANCELLED: pb.RUN_STATE_CANCELLED,
}
REQUESTS: Mapping[str, Any] = {
    SIMULATE: pb.SimulateRequest,
    TIMELINE: pb.TimelineRequest,
    SWEEP: pb.SweepRequest,
}


class Steps(Protocol):
    """A run that is computed one part at a time."""

    @property
    def run(self) -> ImpactRun | TimelineRun | SweepRun:
        """The engine's run."""

    def refused(self, rows: pl.DataFrame) -> list[Response]:
        """Make the messages of refused rows."""

    def value(self, index: int) -> tuple[list[Response], Facts]:
        """Compute a part; return its messages, and its facts for the end of the run."""

    def recall(self, index: int, facts: Facts) -> None:
        """Reuse the facts of a part computed earlier."""

    def done(self) -> Response:
        """Make the last message."""


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


def maker() -> str:
    """Digest the law and the engine version, on which a result depends beside the request."""
    return hashlib.sha256(f"{load_law().digest} {engine_version()}".encode()).hexdigest()


def parts_of(kind: str, request: Any) -> int:
    """Count the parts of a request's result.

    Raises:
        TariffsError: an invalid request, as far as that shows without its table.
    """
    _check_table(request)
    if kind == SIMULATE:
        simulate_options(request, "")
        return len(simulation.points_of(request.points, request.scenario_parameters))
    simulation.options_of(request, "")
    if kind == SWEEP:
        points = sweeps.points_of(request)
        check_points(scenario_of(request.scenario, "scenario"), points, sweeps.fixed_of(request))
        return blocks_of(len(points))
    timeline.period_of(request)
    return len(timeline.scenarios_of(request))


def _check_table(request: Any) -> None:
    arrow.check_message(request.arrow)
    own = request.WhichOneof("table") in {"arrow", "handle"}
    if own and not request.baseline and request.response != pb.RESPONSE_MODEL_NONE:
        # Raised when the run is started, not later when the caller has left.
        raise baseline_required()


def compute(payload: bytes, sink: ResultSink) -> None:
    """Compute the missing parts of a run; send a message for each finished part, and last one for the run.

    The payload's facts are `kind`, `directory`, `total` and, for a stored table, `table`, its path.

    Raises:
        TariffsError: an invalid request, or CANCELLED.
    """
    facts, body = unpack(payload)
    request = REQUESTS[facts["kind"]].FromString(body)
    parts = ResultParts(Path(facts["directory"]), facts["total"])
    parts.touch()
    if not parts.tail.is_there():
        with _steps(facts["kind"], request, facts.get("table"), sink) as steps:
            _compute(steps, parts, sink)
    else:
        for index in range(parts.total):
            sink.result(pack({"part": index + 1}))
    end = parts.tail.facts()
    sink.result(pack({"messages": end["messages"]}, base64.b64decode(end["provenance"])))


def _compute(steps: Steps, parts: ResultParts, sink: ResultSink) -> None:
    rows = steps.run.refused
    if not parts.head.is_there():
        _write(parts.head, steps.refused(rows), {})
    for index in range(parts.total):
        part = parts[index]
        if part.is_there():
            steps.recall(index, part.facts())
        else:
            _write(part, *steps.value(index))
        sink.result(pack({"part": index + 1}))
    done = steps.done()
    late = steps.run.refused.join(rows.select("row").unique(), on="row", how="anti", maintain_order="left")
    messages = [*steps.refused(late), done]
    count = sum(part.count() for part in parts if part.is_there()) + len(messages)
    provenance = base64.b64encode(done.done.provenance.SerializeToString()).decode()
    _write(parts.tail, messages, {"messages": count, "provenance": provenance})


@contextmanager
def _steps(kind: str, request: Any, table: str | None, sink: ResultSink) -> Iterator[Steps]:
    def report(stage: str, fraction: float) -> None:
        sink.progress(pack({"stage": stage, "fraction": fraction}))

    trade_table = table if table is not None else table_of(request)
    with parameters_of(request, LocalInputs()) as parameters:
        common: dict[str, Any] = {"law": load_law(), "progress": report, "cancelled": sink.cancelled}
        if kind == SIMULATE:
            options = simulate_options(request, parameters)
            points = simulation.points_of(request.points, request.scenario_parameters)
            yield _Points(ImpactRun(trade_table, points, options=options, **common), request)
            return
        options = simulation.options_of(request, parameters)
        if kind == SWEEP:
            run = SweepRun(
                trade_table,
                scenario_of(request.scenario, "scenario"),
                sweeps.points_of(request),
                parameters=sweeps.fixed_of(request),
                on=word(request.on, "on"),
                options=options,
                **common,
            )
            yield _Blocks(run, request)
        else:
            scenarios, period = timeline.scenarios_of(request), timeline.period_of(request)
            yield _Scenarios(TimelineRun(trade_table, scenarios, *period, options=options, **common), request)


def _collect(emit_all: Callable[[Callable[[Any], None]], None]) -> list[Response]:
    messages: list[Response] = []
    emit_all(messages.append)
    return messages


def _write(part: ResultPart, messages: list[Response], facts: Facts) -> None:
    rows = [(message.WhichOneof("content") or "", message.SerializeToString()) for message in messages]
    part.write(rows, facts)


def _note_pairs(notes: tuple[Note, ...]) -> list[tuple[str, str]]:
    return [(note.reason, note.message) for note in notes]


def _read_notes(facts: Facts) -> tuple[Note, ...]:
    return tuple(Note(reason, message) for reason, message in facts["notes"])


def _written(report: SwitchReport) -> dict[str, Any]:
    return {"switches": dict(report.switches), "too_many": list(report.too_many)}


def _read(facts: Facts) -> SwitchReport:
    return SwitchReport(facts["switches"], tuple(facts["too_many"]))


def operation_of(run: RunRow, keep_seconds: float) -> operations_pb2.Operation:
    """Return a run as an operation: metadata always, result or error once it has ended."""
    operation = operations_pb2.Operation(name=run.name, done=not run.is_open)
    operation.metadata.Pack(
        pb.RunMetadata(
            state=STATES[run.state],
            stage=run.stage,
            fraction=run.fraction,
            finished_parts=run.finished_parts,
            total_parts=run.total_parts,
            attempts=run.attempts,
            create_time=time_text(run.created),
            end_time=time_text(run.ended),
            expire_time=time_text(None if run.ended is None else run.ended + keep_seconds),
        )
    )
    if run.failure is not None:
        operation.error.CopyFrom(failure_of(run.failure))
    elif run.provenance is not None:
        provenance = common_pb2.Provenance.FromString(run.provenance)
        operation.response.Pack(pb.RunResult(provenance=provenance, message_count=run.message_count))
    return operation


def read_response(kind: str, offset: int, message: bytes) -> pb.ReadRunResponse:
    """Wrap a message of a run with its offset."""
    response = pb.ReadRunResponse(offset=offset)
    getattr(response, kind).MergeFromString(message)
    return response
