"""SimulateLines: rows that come in batches, each valued on its own and answered in order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from tariffs.engine.errors import InputError, TariffsError
from tariffs.engine.law import load_law
from tariffs.engine.law.notes import Note
from tariffs.engine.runs.line_stream import LineStream
from tariffs.engine.runs.table_run import Options
from tariffs.service.rpc.checks import direction_of, word, words
from tariffs.service.rpc.shared import notes_of, provenance_of
from tariffs.service.rpc.simulation import Cancelled, points_of
from tariffs.service.wire import arrow
from tariffs.service.wire.frames import pack, unpack
from tariffs.service.workers.tasks import ResultSink
from tariffs.v1 import simulation_service_pb2 as pb

STREAMS_KEPT = 8
LINES_LIMIT = 250_000
"""Rows of a batch times points: what comes of a batch is held until the ones before it are sent."""


@lru_cache(maxsize=STREAMS_KEPT)
def stream_of(config: bytes) -> LineStream:
    """The laws of a stream, made once in each process.

    Raises:
        TariffsError: what is wrong with the serialised LinesConfig.
    """
    request = pb.LinesConfig.FromString(config)
    options = Options(
        known_on=word(request.known_on, "known_on"),
        switches=words(request.switches, "switches"),
        min_conf=word(request.min_confidence, "min_confidence"),
        direction=direction_of(request.direction),
        date_format=word(request.date_format, "date_format"),
    )
    return LineStream(points_of(request.points), law=load_law(), options=options)


def value_batch(
    config: bytes, index: int, data: bytes, cancelled: Cancelled
) -> tuple[list[pb.SimulateLinesResponse], dict[str, Any]]:
    """The messages of one batch, and what of it the end of the stream needs.

    Raises:
        TariffsError: a fault of the batch as a whole, named by its index, or CANCELLED.
    """
    stream = stream_of(config)
    try:
        frame = arrow.read_table(data)
        _check_size(frame.height, len(stream.points))
        found = stream.value(frame, cancelled)
    except InputError as error:
        raise _in_batch(error, index) from error
    messages = []
    if found.refused.height:
        for part in arrow.batches(found.refused):
            messages.append(pb.SimulateLinesResponse(refused=pb.RefusedLines(batch=index, arrow=part)))
    for point, frame in zip(stream.points, found.lines, strict=True):
        for part in arrow.batches(frame):
            batch = pb.LinesBatch(batch=index, scenario=point.scenario.id, on=point.on, arrow=part)
            messages.append(pb.SimulateLinesResponse(lines=batch))
    facts = {
        "digest": found.digest,
        "switches": dict(found.switches),
        "bases": dict(found.bases),
        "notes": [(note.reason, note.message) for note in found.notes],
    }
    return messages, facts


def value_lines(payload: bytes, outlet: ResultSink) -> None:
    """Value one batch in a worker: its messages, and last its facts.

    The payload's facts are `batch` and `config`, the length of the LinesConfig before the rows.
    """
    facts, body = unpack(payload)
    config, data = body[: facts["config"]], body[facts["config"] :]
    messages, found = value_batch(config, facts["batch"], data, outlet.cancelled)
    for message in messages:
        outlet.result(message.SerializeToString())
    outlet.result(pack(found))


def end_lines(payload: bytes, outlet: ResultSink) -> None:
    """The last message of a stream, made in a worker from what its tally holds and its LinesConfig."""
    facts, config = unpack(payload)
    outlet.result(done_of(config, facts).SerializeToString())


def done_of(config: bytes, tally: Mapping[str, Any]) -> pb.SimulateLinesResponse:
    """The last message of a stream; see `Tally.facts`."""
    stream, request = stream_of(config), pb.LinesConfig.FromString(config)
    provenance = stream.provenance(tally["digest"], tally["batches"], tally["switches"], tally["bases"])
    met = (Note(reason, message) for reason, message in tally["notes"])
    notes = notes_of(dict.fromkeys((*stream.notes, *met)))
    done = pb.Done(provenance=provenance_of(provenance, request), notes=notes)
    return pb.SimulateLinesResponse(done=done)


@dataclass
class Tally:
    """What the end of a stream tells, gathered batch by batch in their order, in memory that does not grow."""

    batches: int = 0
    switches: dict[str, str] = field(default_factory=dict)
    bases: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    digest: Any = field(default_factory=hashlib.sha256)

    def add(self, facts: Mapping[str, Any]) -> None:
        """Take in the next batch; of the notes of one reason the first stands for all."""
        self.batches += 1
        self.digest.update(facts["digest"].encode())
        self.switches |= facts["switches"]
        self.bases |= facts["bases"]
        for reason, message in facts["notes"]:
            self.notes.setdefault(reason, message)

    def facts(self) -> dict[str, Any]:
        """What was gathered, as plain data."""
        return {
            "batches": self.batches,
            "switches": self.switches,
            "bases": self.bases,
            "notes": list(self.notes.items()),
            "digest": self.digest.hexdigest(),
        }


def config_of(first: pb.SimulateLinesRequest | None) -> bytes:
    """The serialised config that a stream begins with; raises InputError REQUEST_INVALID if it does not."""
    if first is None or first.WhichOneof("content") != "config":
        raise InputError(
            "REQUEST_INVALID",
            "The stream does not begin with its config.",
            field="config",
            fix="Send the config as the first message, then rows.",
        )
    return first.config.SerializeToString(deterministic=True)


def rows_of(message: pb.SimulateLinesRequest, index: int) -> bytes:
    """The rows in a message; raises InputError REQUEST_INVALID if it holds none."""
    if message.WhichOneof("content") != "arrow":
        error = InputError(
            "REQUEST_INVALID",
            "The message holds no rows.",
            field="arrow",
            fix="Send the config once, first, and then rows.",
        )
        raise _in_batch(error, index)
    return message.arrow


def simulate_lines(
    requests: Iterable[pb.SimulateLinesRequest], cancelled: Cancelled
) -> Iterator[pb.SimulateLinesResponse]:
    """A whole stream in this thread.

    Raises:
        TariffsError: what is wrong with the config or a batch.
    """
    incoming = iter(requests)
    config, tally = config_of(next(incoming, None)), Tally()
    for index, message in enumerate(incoming):
        messages, facts = value_batch(config, index, rows_of(message, index), cancelled)
        tally.add(facts)
        yield from messages
    yield done_of(config, tally.facts())


def _check_size(rows: int, points: int) -> None:
    if rows * points > LINES_LIMIT:
        raise InputError(
            "BATCH_TOO_LARGE",
            f"{rows:,} rows under {points:,} points are more than {LINES_LIMIT:,} lines.",
            field="arrow",
            fix=f"Send at most {LINES_LIMIT // points:,} rows at a time.",
            metadata={"limit": str(LINES_LIMIT), "found": str(rows * points)},
        )


def _in_batch(error: TariffsError, index: int) -> InputError:
    return InputError(
        error.reason,
        f"Batch {index}: {error.message}",
        field=error.field,
        fix=error.fix,
        metadata={**error.metadata, "batch": str(index)},
    )
