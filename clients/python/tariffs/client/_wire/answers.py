"""Convert answer messages into results."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

import polars as pl
from google.protobuf import struct_pb2
from google.protobuf.json_format import MessageToDict

from tariffs.client._wire.frames import from_arrow
from tariffs.client.errors import InternalError
from tariffs.client.results import law as lawinfo
from tariffs.client.results.impact import ImpactResult, Ranges, TimelineResult
from tariffs.client.results.quote import Charge, Considered, HeadingLine, Layer, Note, Provenance, Quote
from tariffs.v1 import (
    common_pb2,
    duty_service_pb2,
    law_service_pb2,
    simulation_service_pb2,
)

Report = Callable[[str, float], None]
_DETAILS_KEPT = 1024


def quote(message: duty_service_pb2.CalculateDutyResponse, shared: Provenance | None = None) -> Quote:
    """Convert the answer on one entry line.

    Args:
        message: the answer.
        shared: provenance of the lines of a batch, of which the answer has only what differs from it.
    """
    own = provenance(message.provenance)
    if shared is not None:
        own = {**shared, **{name: value for name, value in own.items() if value}}
    return Quote(
        assessed=Decimal(message.assessed),
        owed=Decimal(message.owed),
        min=Decimal(message.min),
        max=Decimal(message.max),
        missing_claims=tuple(message.missing_claims),
        assumptions=tuple(message.assumptions),
        landed={name: Decimal(amount) for name, amount in sorted(message.landed.items())},
        layers=tuple(_layer(layer) for layer in message.layers),
        notes=notes(message.notes),
        provenance=own,
        charges=tuple(_charge(charge) for charge in message.charges),
        headings=tuple(_heading(line) for line in message.headings),
        considered=tuple(_considered(one) for one in message.considered),
        prohibited=tuple(message.prohibited),
    )


_Messages = (
    Iterable[simulation_service_pb2.SimulateResponse] | Iterable[simulation_service_pb2.TimelineResponse]
)


def _gathered(
    messages: _Messages, report: Report
) -> tuple[Mapping[str, list[pl.DataFrame]], simulation_service_pb2.Done]:
    """Read the frames of a run by kind, and its last message; reports progress.

    Raises:
        InternalError: ENGINE_INVARIANT if the stream ends before its last message.
    """
    frames: defaultdict[str, list[pl.DataFrame]] = defaultdict(list)
    done: simulation_service_pb2.Done | None = None
    for message in messages:
        kind = message.WhichOneof("content")
        if kind == "progress":
            report(message.progress.stage, message.progress.fraction)
        elif kind == "refused":
            frames["refused"].append(from_arrow(message.refused.arrow))
        elif kind == "done":
            done = message.done
        elif kind is not None:
            frames[kind].append(rows(getattr(message, kind)))
    if done is None:
        raise InternalError("ENGINE_INVARIANT", "The run ended without its last message.", code="INTERNAL")
    return frames, done


def impact(messages: Iterable[simulation_service_pb2.SimulateResponse], report: Report) -> ImpactResult:
    """Read an impact run from its stream of messages; reports progress.

    Raises:
        InternalError: ENGINE_INVARIANT if the stream ends before its last message.
    """
    frames, done = _gathered(messages, report)
    return ImpactResult(
        groups=_concat(frames["groups"]),
        total=_concat(frames["total"]),
        refused=_concat(frames["refused"]),
        lines=_concat(frames["lines"]) if frames["lines"] else None,
        ranges=_ranges(frames),
        attribution=_concat(frames["attribution"]) if frames["attribution"] else None,
        consumer_prices=_concat(frames["consumer_prices"]) if frames["consumer_prices"] else None,
        notes=run_notes(done),
        provenance=provenance(done.provenance),
    )


def timeline(messages: Iterable[simulation_service_pb2.TimelineResponse], report: Report) -> TimelineResult:
    """Read a timeline from its stream of messages; reports progress.

    Raises:
        InternalError: ENGINE_INVARIANT if the stream ends before its last message.
    """
    frames, done = _gathered(messages, report)
    return TimelineResult(
        segments=_undated(frames["segments"]),
        totals=_undated(frames["totals"]),
        averages=_undated(frames["averages"]),
        average_total=_undated(frames["average_total"]),
        refused=_concat(frames["refused"]),
        notes=run_notes(done),
        provenance=provenance(done.provenance),
    )


def provenance(message: common_pb2.Provenance) -> Provenance:
    """Convert provenance into plain data; digests that do not apply are None."""
    return {
        "law_version": message.law_version,
        "law_digest": message.law_digest,
        "law_read_to": message.law_read_to,
        "engine_version": message.engine_version,
        "known_on": message.known_on,
        "scenarios": [{"id": one.id, "digest": one.digest} for one in message.scenarios],
        "table_digest": message.table_digest or None,
        "parameter_digest": message.parameter_digest or None,
        "switches": dict(sorted(message.switches.items())),
        "bases": list(message.bases),
        "details": _sorted(_details(message.details.SerializeToString())),
        "run_digest": message.run_digest,
    }


@lru_cache(maxsize=_DETAILS_KEPT)
def _details(encoded: bytes) -> dict[str, Any]:
    """Decode details, which most lines of a table share with others; read only."""
    return MessageToDict(struct_pb2.Struct.FromString(encoded))


def _sorted(value: Any) -> Any:
    """Sort keys at every level: those of a protobuf Struct come in an order that differs between runs."""
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(one) for one in value] if isinstance(value, list) else value


def measure(message: law_service_pb2.Measure) -> lawinfo.Measure:
    """Convert a measure, with the parts that were sent."""
    return lawinfo.Measure(
        id=message.id,
        title=message.title,
        authority=message.authority,
        direction=enum_name(common_pb2.Direction.Name(message.direction), "DIRECTION_"),
        modelled=message.modelled,
        announced=message.announced,
        confidence=confidence(message.confidence),
        citations=tuple(message.citations),
        note=message.note,
        destination=message.destination,
        switches=dict(message.switches),
        periods=tuple(
            lawinfo.Period(
                period.id,
                period.start_time,
                period.end_time,
                period.known_from,
                tuple(period.citations),
                confidence(period.confidence),
                tuple(
                    lawinfo.MeasureRow(
                        row.goods, row.charge, row.base, row.conditions, row.heading, row.known_from
                    )
                    for row in period.rows
                ),
                dict(period.switches),
            )
            for period in message.periods
        ),
        lists=tuple(lawinfo.NamedList(one.id, one.codes) for one in message.lists),
        events=tuple(
            lawinfo.MeasureEvent(
                event.op,
                event.start_time,
                event.end_time,
                event.known_from,
                tuple(event.citations),
                event.text,
                confidence(event.confidence),
                dict(event.switches),
                event.goods,
                event.conditions,
                event.heading,
            )
            for event in message.events
        ),
    )


def law_version(message: law_service_pb2.LawVersion) -> lawinfo.LawVersion:
    """Convert a law that calls may name."""
    values = {field.name: getattr(message, field.name) for field in fields(lawinfo.LawVersion)}
    state = law_service_pb2.LawState.Name(message.state).removeprefix("LAW_STATE_").lower()
    return lawinfo.LawVersion(**{**values, "state": state})


def law(message: law_service_pb2.Law) -> lawinfo.Law:
    """Convert the law's version, switches and claims."""
    return lawinfo.Law(
        version=message.version,
        as_of=message.as_of,
        read_to=message.read_to,
        coverage=(message.coverage_start_time, message.coverage_end_time),
        digest=message.digest,
        switches=tuple(
            lawinfo.Switch(
                one.id,
                one.default_value,
                tuple(one.values),
                one.text,
                tuple(one.citations),
                confidence(one.confidence),
            )
            for one in message.switches
        ),
        claims=tuple(lawinfo.ClaimKind(one.id, one.type, one.role, one.text) for one in message.claims),
    )


def _layer(message: duty_service_pb2.Layer) -> Layer:
    return Layer(
        measure=message.measure,
        authority=message.authority,
        heading=message.heading,
        state=_layer_state(message.state),
        rate=Decimal(message.rate) if message.HasField("rate") else None,
        base=Decimal(message.base),
        amount=Decimal(message.amount),
        min=Decimal(message.min),
        max=Decimal(message.max),
        citations=tuple(message.citations),
        why=dict(sorted(message.why.items())),
    )


@cache
def _layer_state(number: Any) -> str:
    return enum_name(duty_service_pb2.LayerState.Name(number), "LAYER_STATE_")


def _heading(message: duty_service_pb2.HeadingLine) -> HeadingLine:
    return HeadingLine(
        heading=message.heading,
        measures=tuple(message.measures),
        rate=Decimal(message.rate) if message.HasField("rate") else None,
        base=Decimal(message.base),
        amount=Decimal(message.amount),
    )


def _considered(message: duty_service_pb2.Considered) -> Considered:
    return Considered(
        measure=message.measure,
        authority=message.authority,
        heading=message.heading,
        outcome=message.outcome,
        rule=message.rule,
        text=message.text,
        citations=tuple(message.citations),
        operands=dict(sorted(message.operands.items())),
    )


def _charge(message: duty_service_pb2.Charge) -> Charge:
    return Charge(
        kind=enum_name(duty_service_pb2.ChargeKind.Name(message.kind), "CHARGE_KIND_"),
        label=message.label,
        base=Decimal(message.base) if message.HasField("base") else None,
        amount=Decimal(message.amount),
    )


def rows(batch: simulation_service_pb2.ResultBatch) -> pl.DataFrame:
    """Read the rows of one scenario and day, with both as first columns."""
    frame = from_arrow(batch.arrow)
    run = [pl.lit(batch.scenario).alias("scenario"), pl.lit(batch.on).alias("on")]
    return frame.select(*run, pl.all().exclude("scenario", "on"))


def _ranges(frames: Mapping[str, list[pl.DataFrame]]) -> Ranges | None:
    if not frames["total_ranges"]:
        return None
    return Ranges(_concat(frames["ranges"]), _concat(frames["total_ranges"]), _concat(frames["tornado"]))


def _concat(frames: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(frames, how="vertical_relaxed") if frames else pl.DataFrame()


def _undated(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Join frames of a timeline, whose rows have days of their own."""
    return _concat([frame.drop("on") for frame in frames])


def run_notes(done: simulation_service_pb2.Done) -> tuple[Note, ...]:
    """List the notes on the run as a whole, then the notes on single scenarios and days."""
    on_points = [
        Note(note.reason, note.message, point.scenario, point.on)
        for point in done.point_notes
        for note in point.notes
    ]
    known = {(note.reason, note.message) for note in on_points}
    on_all = (note for note in notes(done.notes) if (note.reason, note.message) not in known)
    return (*on_all, *on_points)


def notes(messages: Iterable[common_pb2.Note]) -> tuple[Note, ...]:
    """Convert notes, in order."""
    return tuple(_note(message) for message in messages)


def _note(message: common_pb2.Note) -> Note:
    return Note(message.reason, message.message)


def confidence(value: law_service_pb2.Confidence) -> str:
    """Convert a confidence into its letter; empty where there is none."""
    name = law_service_pb2.Confidence.Name(value).removeprefix("CONFIDENCE_")
    return "" if name == "UNSPECIFIED" else name


def enum_name(name: str, prefix: str) -> str:
    """Name of a value of an enum without its prefix, in lower case."""
    return name.removeprefix(prefix).lower()
