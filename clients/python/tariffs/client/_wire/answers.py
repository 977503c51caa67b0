"""Read the answers of duties and runs into results; a stream that ends before its last message is ENGINE_INVARIANT."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias, cast

import polars as pl

from tariffs.client._wire.frames import from_arrow
from tariffs.client._wire.reading import provenance, read, read_all
from tariffs.client.errors import InternalError
from tariffs.client.results.impact import ImpactResult, TimelineResult
from tariffs.client.results.quote import Note, Provenance, Quote
from tariffs.client.results.ranges import Ranges
from tariffs.client.results.sweep import Seek, Sweep
from tariffs.v1 import duty_service_pb2, simulation_service_pb2, sweep_service_pb2

Report = Callable[[str, float], None]
_Frames: TypeAlias = "Mapping[str, list[pl.DataFrame]]"


def quote(message: duty_service_pb2.CalculateDutyResponse, shared: Provenance | None = None) -> Quote:
    """Read the answer on one line; in a batch it has only what differs from the `shared` provenance of all lines."""
    own = provenance(message.provenance)
    if shared is not None:
        own = {**shared, **{name: value for name, value in own.items() if value}}
    return read(Quote, message, provenance=own)


def impact(messages: Iterable[simulation_service_pb2.SimulateResponse], report: Report) -> ImpactResult:
    """Read an impact run from its stream of messages; reports progress."""
    frames, done = _gathered(messages, report)
    return ImpactResult(
        groups=_concat(frames["groups"]),
        total=_concat(frames["total"]),
        refused=_concat(frames["refused"]),
        lines=_asked(frames["lines"]),
        ranges=_ranges(frames),
        attribution=_asked(frames["attribution"]),
        consumer_prices=_asked(frames["consumer_prices"]),
        households=_asked(frames["households"]),
        world=_asked(frames["world"]),
        notes=run_notes(done),
        provenance=provenance(done.provenance),
    )


def timeline(messages: Iterable[simulation_service_pb2.TimelineResponse], report: Report) -> TimelineResult:
    """Read a timeline from its stream of messages; reports progress."""
    frames, done = _gathered(messages, report)
    # Its rows have days of their own.
    kinds = {
        kind: _concat(frames[kind]).drop("on", strict=False)
        for kind in ("segments", "totals", "averages", "average_total")
    }
    return TimelineResult(
        **kinds,
        score=_concat(frames["score"]).drop("on") if frames["score"] else None,
        refused=_concat(frames["refused"]),
        notes=run_notes(done),
        provenance=provenance(done.provenance),
    )


def sweep(messages: Iterable[simulation_service_pb2.SweepResponse], report: Report) -> Sweep:
    """Read a sweep from its stream of messages; reports progress."""
    frames, done = _gathered(messages, report)
    inputs, totals = provenance(done.provenance), _concat(frames["totals"])
    details = cast("Mapping[str, Mapping[str, list[str]]]", inputs["details"])
    return Sweep(
        points=totals.select(details["sweep"]["parameters"]),
        groups=_concat(frames["groups"]),
        totals=totals,
        refused=_by_row(frames["refused"]),
        notes=read_all(Note, done.notes),
        provenance=inputs,
    )


def seek(messages: Iterable[sweep_service_pb2.SeekResponse], report: Report) -> Seek:
    """Read a goal seek from its stream of messages; reports progress."""
    frames, done = _gathered(messages, report)
    return read(Seek, done, refused=_by_row(frames["refused"]))


def _gathered(messages: Iterable[Any], report: Report) -> tuple[_Frames, Any]:
    """Read the frames of a run by kind, and its last message; reports progress."""
    frames: defaultdict[str, list[pl.DataFrame]] = defaultdict(list)
    done = None
    for message in messages:
        kind = message.WhichOneof("content")
        if kind == "progress":
            report(message.progress.stage, message.progress.fraction)
        elif kind == "done":
            done = message.done
        elif kind is not None:
            frames[kind].append(rows(getattr(message, kind)))
    if done is None:
        raise InternalError("ENGINE_INVARIANT", "The run ended without its last message.", code="INTERNAL")
    return frames, done


def rows(batch: Any) -> pl.DataFrame:
    """Read a batch of rows; those of one scenario and day have both as first columns."""
    frame = from_arrow(batch.arrow)
    if not isinstance(batch, simulation_service_pb2.ResultBatch | simulation_service_pb2.LinesBatch):
        return frame
    run = [pl.lit(batch.scenario).alias("scenario"), pl.lit(batch.on).alias("on")]
    return frame.select(*run, pl.all().exclude("scenario", "on"))


def _ranges(frames: _Frames) -> Ranges | None:
    if not frames["total_ranges"]:
        return None
    return Ranges(_concat(frames["ranges"]), _concat(frames["total_ranges"]), _concat(frames["tornado"]))


def _concat(frames: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(frames, how="vertical_relaxed") if frames else pl.DataFrame()


def _asked(frames: list[pl.DataFrame]) -> pl.DataFrame | None:
    return _concat(frames) if frames else None


def _by_row(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Join refused rows; those that only valuing shows to be unusable come after the others."""
    return _concat(frames).sort("row", maintain_order=True) if frames else pl.DataFrame()


def run_notes(done: simulation_service_pb2.Done) -> tuple[Note, ...]:
    """List the notes on the run as a whole, then the notes on single scenarios and days."""
    on_points = [
        Note(note.reason, note.message, point.scenario, point.on)
        for point in done.point_notes
        for note in point.notes
    ]
    known = {(note.reason, note.message) for note in on_points}
    on_all = (note for note in read_all(Note, done.notes) if (note.reason, note.message) not in known)
    return (*on_all, *on_points)
