"""Long runs: computed part by part, each part written as soon as it is there, and gone on with where one is missing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from tariffs.engine.base.provenance import engine_version
from tariffs.engine.law import load_law
from tariffs.engine.law.notes import Note
from tariffs.engine.runs.impact import PointRun, ScenarioImpact
from tariffs.engine.runs.table_run import SwitchReport, baseline_required
from tariffs.engine.runs.timeline import PeriodRun
from tariffs.service.rpc import simulation, timeline
from tariffs.service.rpc.simulation import Local, parameters_of, simulate_options, table_of
from tariffs.service.storage.result_parts import ResultPart, ResultParts
from tariffs.service.wire import arrow
from tariffs.service.wire.frames import pack, unpack
from tariffs.service.workers.tasks import ResultSink
from tariffs.v1 import simulation_service_pb2 as pb

SIMULATE, TIMELINE = "simulate", "timeline"
Request = pb.SimulateRequest | pb.TimelineRequest
Response = pb.SimulateResponse | pb.TimelineResponse
Facts = Mapping[str, Any]
REQUESTS: Mapping[str, Any] = {SIMULATE: pb.SimulateRequest, TIMELINE: pb.TimelineRequest}


class Steps(Protocol):
    """A run that is valued one part at a time."""

    @property
    def run(self) -> PointRun | PeriodRun:
        """What values the parts."""

    def refused(self, rows: pl.DataFrame) -> list[Response]:
        """The messages of rows that could not be used."""

    def value(self, index: int) -> tuple[list[Response], Facts]:
        """The messages of a part, and what of it the end needs."""

    def recall(self, index: int, facts: Facts) -> None:
        """Take over a part that was valued before."""

    def done(self) -> Response:
        """The last message."""


@dataclass
class _Points:
    """The points of a simulation; of those valued, only notes are kept."""

    run: PointRun
    request: pb.SimulateRequest
    blocks: dict[int, ScenarioImpact] = field(default_factory=dict)

    def refused(self, rows: pl.DataFrame) -> list[Response]:
        return _told(lambda emit: simulation.tell_refused(rows, emit))

    def value(self, index: int) -> tuple[list[Response], Facts]:
        block = self.run.value(index)
        facts = {
            "id": block.id,
            "on": block.on,
            "notes": [(note.reason, note.message) for note in block.notes],
            **_written(self.run.touched),
        }
        self._keep(index, facts)
        return _told(lambda emit: simulation.tell_point(block, emit)), facts

    def recall(self, index: int, facts: Facts) -> None:
        self._keep(index, facts)
        self.run.recall(_read(facts))

    def done(self) -> Response:
        blocks = [self.blocks[index] for index in range(len(self.request.points))]
        return simulation.done_of(self.run.result(blocks), self.request)

    def _keep(self, index: int, facts: Facts) -> None:
        notes = tuple(Note(reason, message) for reason, message in facts["notes"])
        self.blocks[index] = ScenarioImpact(facts["id"], facts["on"], pl.DataFrame(), {}, None, notes)


@dataclass
class _Scenarios:
    """The scenarios of a timeline."""

    run: PeriodRun
    request: pb.TimelineRequest

    def refused(self, rows: pl.DataFrame) -> list[Response]:
        return _told(lambda emit: timeline.tell_refused(rows, emit))

    def value(self, index: int) -> tuple[list[Response], Facts]:
        block = self.run.value(index)
        return _told(lambda emit: timeline.tell_scenario(block, emit)), _written(self.run.touched)

    def recall(self, index: int, facts: Facts) -> None:
        self.run.recall(_read(facts))

    def done(self) -> Response:
        return timeline.done_of(self.run.result([]), self.request)


def maker() -> str:
    """What a result depends on beside the request: the law and the version of the engine."""
    return hashlib.sha256(f"{load_law().digest} {engine_version()}".encode()).hexdigest()


def parts_of(kind: str, request: Any) -> int:
    """How many parts the result of a request has.

    Raises:
        TariffsError: what is wrong with the request, as far as it can be told without its table.
    """
    _check_table(request)
    if kind == SIMULATE:
        simulate_options(request, "")
        return len(simulation.points_of(request.points))
    simulation.options_of(request, "")
    timeline.period_of(request)
    return len(timeline.scenarios_of(request))


def _check_table(request: Any) -> None:
    arrow.check_message(request.arrow)
    own = request.WhichOneof("table") in {"arrow", "handle"}
    if own and not request.baseline and request.response != pb.RESPONSE_MODEL_NONE:
        # Told when the run is begun, not when nobody looks any more.
        raise baseline_required()


def compute(payload: bytes, outlet: ResultSink) -> None:
    """Compute the parts of a run that are missing, telling of each part as it is there, and last of the whole.

    The payload's facts are `kind`, `directory`, `total` and, for a table that is kept, `table`, its path.

    Raises:
        TariffsError: what is wrong with the request, or CANCELLED.
    """
    facts, body = unpack(payload)
    request = REQUESTS[facts["kind"]].FromString(body)
    parts = ResultParts(Path(facts["directory"]), facts["total"])
    parts.touch()
    if not parts.tail.is_there():
        with _steps(facts["kind"], request, facts.get("table"), outlet) as steps:
            _compute(steps, parts, outlet)
    else:
        for index in range(parts.total):
            outlet.result(pack({"part": index + 1}))
    found = parts.tail.facts()
    outlet.result(pack({"messages": found["messages"]}, base64.b64decode(found["provenance"])))


def _compute(steps: Steps, parts: ResultParts, outlet: ResultSink) -> None:
    rows = steps.run.refused
    if not parts.head.is_there():
        _write(parts.head, steps.refused(rows), {})
    for index in range(parts.total):
        part = parts[index]
        if part.is_there():
            steps.recall(index, part.facts())
        else:
            _write(part, *steps.value(index))
        outlet.result(pack({"part": index + 1}))
    done = steps.done()
    late = steps.run.refused.join(rows.select("row").unique(), on="row", how="anti", maintain_order="left")
    messages = [*steps.refused(late), done]
    count = sum(part.count() for part in parts if part.is_there()) + len(messages)
    provenance = base64.b64encode(done.done.provenance.SerializeToString()).decode()
    _write(parts.tail, messages, {"messages": count, "provenance": provenance})


@contextmanager
def _steps(kind: str, request: Any, table: str | None, outlet: ResultSink) -> Iterator[Steps]:
    def tell(stage: str, fraction: float) -> None:
        outlet.progress(pack({"stage": stage, "fraction": fraction}))

    given = table if table is not None else table_of(request)
    with parameters_of(request, Local()) as parameters:
        common: dict[str, Any] = {"law": load_law(), "progress": tell, "cancelled": outlet.cancelled}
        if kind == SIMULATE:
            options = simulate_options(request, parameters)
            points = simulation.points_of(request.points)
            yield _Points(PointRun(given, points, options=options, **common), request)
        else:
            options = simulation.options_of(request, parameters)
            scenarios, period = timeline.scenarios_of(request), timeline.period_of(request)
            yield _Scenarios(PeriodRun(given, scenarios, *period, options=options, **common), request)


def _told(tell: Callable[[Callable[[Any], None]], None]) -> list[Response]:
    messages: list[Response] = []
    tell(messages.append)
    return messages


def _write(part: ResultPart, messages: list[Response], facts: Facts) -> None:
    rows = [(message.WhichOneof("content") or "", message.SerializeToString()) for message in messages]
    part.write(rows, facts)


def _written(touched: SwitchReport) -> dict[str, Any]:
    return {"switches": dict(touched.switches), "too_many": list(touched.too_many)}


def _read(facts: Facts) -> SwitchReport:
    return SwitchReport(facts["switches"], tuple(facts["too_many"]))
