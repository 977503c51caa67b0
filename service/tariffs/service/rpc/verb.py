"""Describe a verb over tables: how its request is read, how the engine runs it, and the messages of its results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import polars as pl

from tariffs.engine.law.notes import Note
from tariffs.engine.runs.stepwise_run import RunEnd, StepwiseRun
from tariffs.engine.scenario import Scenario
from tariffs.service.rpc.shared import notes_of, provenance_of
from tariffs.service.wire import arrow
from tariffs.v1 import simulation_service_pb2 as pb

Labels = Mapping[str, str | int]
Frames = Iterable[tuple[str, pl.DataFrame]]


class Asked(NamedTuple):
    """Arguments of the engine that a request asks for.

    Attributes:
        parts: number of parts of the result.
        scenarios: the scenarios with their parameters filled in; of a sweep, those with different changes.
        given: arguments of the engine's run after the table.
        named: further arguments by name.
    """

    parts: int
    scenarios: Sequence[Scenario]
    given: Sequence[Any]
    named: Mapping[str, Any] = {}


class PartEnd(NamedTuple):
    """Facts of a part for the end of its run: the fields of its batches, and its notes."""

    labels: Labels
    notes: tuple[Note, ...]


def plain_done(end: RunEnd, parts: Sequence[PartEnd], request: Any) -> pb.Done:
    """Make the content of the last message of a run without notes by part."""
    return pb.Done(provenance=provenance_of(end.provenance, request), notes=notes_of(end.notes))


@dataclass(frozen=True)
class Verb:
    """A verb whose result is computed and sent in parts: points, scenarios, or blocks of points.

    Attributes:
        kind: name of its requests in StartRun, and of their responses in ReadRun.
        name: its name in the list of options, `run_spec`.
        request: type of its requests.
        response: type of its messages.
        read: reads a request; raises TariffsError for an invalid one.
        run: makes the engine's run.
        frames: tables of a part, each with the name of its field.
        labels: fields of the batches of a part, given its index and itself.
        done: makes the content of the last message.
        sends_parts: True if a stream has each part as soon as it is computed; otherwise all are held, since rows that
            only computing shows to be unusable come first.
    """

    kind: str
    name: str
    request: type[Any]
    response: type[Any]
    read: Callable[[Any], Asked]
    run: Callable[..., StepwiseRun]
    frames: Callable[[Any], Frames]
    labels: Callable[[int, Any], Labels]
    done: Callable[[RunEnd, Sequence[PartEnd], Any], pb.Done] = plain_done
    sends_parts: bool = False

    def part_end(self, index: int, block: Any) -> PartEnd:
        """Return the facts of a part for the end of its run."""
        return PartEnd(self.labels(index, block), getattr(block, "notes", ()))

    def part_messages(self, index: int, block: Any) -> Iterator[Any]:
        """Make the messages of a part, in batches."""
        labels = self.labels(index, block)
        for kind, frame in self.frames(block):
            for data in arrow.batches(frame):
                message = self.response()
                # Filled in place, which saves a copy of the batch.
                batch = getattr(message, kind)
                batch.arrow = data
                for name, value in labels.items():
                    setattr(batch, name, value)
                yield message

    def whole_messages(self, blocks: Sequence[Any], end: RunEnd, request: Any) -> Iterator[Any]:
        """Make the messages of a result that is computed: refused rows, parts, and the last one."""
        yield from refused_messages(end.refused, self.response)
        for index, block in enumerate(blocks):
            yield from self.part_messages(index, block)
        parts = [self.part_end(index, block) for index, block in enumerate(blocks)]
        yield self.response(done=self.done(end, parts, request))


def refused_messages(refused: pl.DataFrame, response: type[Any]) -> Iterator[Any]:
    """Make the messages of refused rows, if there are any."""
    if refused.height:
        for data in arrow.batches(refused):
            yield response(refused=pb.RefusedBatch(arrow=data))


def progress_of(response: type[Any], emit: Callable[[Any], None]) -> Callable[[str, float], None]:
    """Make the function that emits progress: it takes a stage and a fraction done."""
    return lambda stage, fraction: emit(response(progress=pb.Progress(stage=stage, fraction=fraction)))
