"""SimulateLines: calculate duties on batches of rows, each batch independently."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from tariffs.engine.errors import InputError, TariffsError
from tariffs.engine.law.notes import Note
from tariffs.engine.runs.line_stream import LineStream
from tariffs.service.rpc.laws import LAWS, pin
from tariffs.service.rpc.run_options import options_of
from tariffs.service.rpc.shared import notes_of, provenance_of
from tariffs.service.rpc.verbs import points_of
from tariffs.service.wire import arrow
from tariffs.service.wire.frames import pack, unpack
from tariffs.service.wire.status import Cancelled, request_invalid, too_large
from tariffs.service.workers.tasks import ResultSink
from tariffs.v1 import simulation_service_pb2 as pb

STREAMS_KEPT = 8
LINES_LIMIT = 250_000
"""Largest product of rows and points of a batch, as its result is held in memory until earlier ones are sent."""


@lru_cache(maxsize=STREAMS_KEPT)
def stream_of(config: bytes) -> LineStream:
    """Prepare the laws of a stream, once in each process; raises TariffsError for an invalid serialised LinesConfig."""
    request = pb.LinesConfig.FromString(config)
    points, law = points_of(request.points, request.parameters), LAWS.named(request.law_version)
    return LineStream(points, law=law, options=options_of(request, ""))


def value_batch(
    config: bytes, index: int, data: bytes, cancelled: Cancelled
) -> tuple[list[pb.SimulateLinesResponse], dict[str, Any]]:
    """Return the messages of one batch, and the facts for the end of the stream.

    Raises:
        TariffsError: an invalid batch, named by its index, or CANCELLED.
    """
    stream = stream_of(config)
    try:
        frame = arrow.read_table(data)
        _check_size(frame.height, len(stream.points))
        result = stream.value(frame, cancelled)
    except InputError as error:
        raise _in_batch(error, index) from error
    messages = []
    if result.refused.height:
        for part in arrow.batches(result.refused):
            messages.append(pb.SimulateLinesResponse(refused=pb.RefusedLines(batch=index, arrow=part)))
    for point, frame in zip(stream.points, result.lines, strict=True):
        for part in arrow.batches(frame):
            batch = pb.LinesBatch(batch=index, scenario=point.scenario.id, on=point.on, arrow=part)
            messages.append(pb.SimulateLinesResponse(lines=batch))
    facts = {
        "digest": result.digest,
        "switches": dict(result.switches),
        "bases": dict(result.bases),
        "notes": [(note.reason, note.message) for note in result.notes],
    }
    return messages, facts


def value_lines(payload: bytes, sink: ResultSink) -> None:
    """Calculate one batch in a worker: send its messages, and last its facts.

    The payload's facts are `batch` and `config`, the length of the LinesConfig before the rows.
    """
    facts, body = unpack(payload)
    config, data = body[: facts["config"]], body[facts["config"] :]
    messages, batch_facts = value_batch(config, facts["batch"], data, sink.cancelled)
    for message in messages:
        sink.result(message.SerializeToString())
    sink.result(pack(batch_facts))


def end_lines(payload: bytes, sink: ResultSink) -> None:
    """Make the last message of a stream in a worker, from the stream's totals and its LinesConfig."""
    facts, config = unpack(payload)
    sink.result(done_of(config, facts).SerializeToString())


def done_of(config: bytes, totals: Mapping[str, Any]) -> pb.SimulateLinesResponse:
    """Make the last message of a stream; see `StreamTotals.facts`."""
    stream, request = stream_of(config), pb.LinesConfig.FromString(config)
    provenance = stream.provenance(totals["digest"], totals["batches"], totals["switches"], totals["bases"])
    batch_notes = (Note(reason, message) for reason, message in totals["notes"])
    notes = notes_of(dict.fromkeys((*stream.notes, *batch_notes)))
    done = pb.Done(provenance=provenance_of(provenance, request), notes=notes)
    return pb.SimulateLinesResponse(done=done)


@dataclass
class StreamTotals:
    """Facts for the last message of a stream, added batch by batch in order, in bounded memory."""

    batches: int = 0
    switches: dict[str, str] = field(default_factory=dict)
    bases: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    digest: Any = field(default_factory=hashlib.sha256)

    def add(self, facts: Mapping[str, Any]) -> None:
        """Add the next batch; only the first note of each reason is kept."""
        self.batches += 1
        self.digest.update(facts["digest"].encode())
        self.switches |= facts["switches"]
        self.bases |= facts["bases"]
        for reason, message in facts["notes"]:
            self.notes.setdefault(reason, message)

    def facts(self) -> dict[str, Any]:
        """Return the totals as JSON data."""
        return {
            "batches": self.batches,
            "switches": self.switches,
            "bases": self.bases,
            "notes": list(self.notes.items()),
            "digest": self.digest.hexdigest(),
        }


def config_of(first: pb.SimulateLinesRequest | None) -> bytes:
    """Return the serialised config of a stream; raises InputError REQUEST_INVALID if it is not the first message."""
    if first is None or first.WhichOneof("content") != "config":
        raise request_invalid(
            "The first message of the stream is not the config.",
            "config",
            "Send the config as the first message, then rows.",
        )
    return first.config.SerializeToString(deterministic=True)


def pinned_config(config: bytes) -> bytes:
    """Return a serialised config with the law for good; raises LawError LAW_VERSION_NOT_FOUND."""
    message = pb.LinesConfig.FromString(config)
    pin(message)
    return message.SerializeToString(deterministic=True)


def rows_of(message: pb.SimulateLinesRequest, index: int) -> bytes:
    """Return the rows in a message; raises InputError REQUEST_INVALID if there are none."""
    if message.WhichOneof("content") != "arrow":
        error = request_invalid(
            "The message has no rows.", "arrow", "Send the config once, as the first message, then rows."
        )
        raise _in_batch(error, index)
    return message.arrow


def simulate_lines(
    requests: Iterable[pb.SimulateLinesRequest], cancelled: Cancelled
) -> Iterator[pb.SimulateLinesResponse]:
    """Calculate a whole stream in this thread; raises TariffsError for an invalid config or batch."""
    incoming = iter(requests)
    config, totals = config_of(next(incoming, None)), StreamTotals()
    for index, message in enumerate(incoming):
        messages, facts = value_batch(config, index, rows_of(message, index), cancelled)
        totals.add(facts)
        yield from messages
    yield done_of(config, totals.facts())


def _check_size(rows: int, points: int) -> None:
    if rows * points > LINES_LIMIT:
        raise too_large(
            f"{rows:,} rows times {points:,} points exceed the limit of {LINES_LIMIT:,} lines.",
            "arrow",
            f"Send at most {LINES_LIMIT // points:,} rows at a time.",
            rows * points,
            LINES_LIMIT,
        )


def _in_batch(error: TariffsError, index: int) -> InputError:
    return InputError(
        error.reason,
        f"Batch {index}: {error.message}",
        field=error.field,
        fix=error.fix,
        metadata={**error.metadata, "batch": str(index)},
    )
