"""Convert the answers of sweeps and goal seeks into results."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, cast

import polars as pl

from tariffs.client._wire.answers import Report, notes, provenance
from tariffs.client._wire.frames import from_arrow
from tariffs.client.errors import InternalError
from tariffs.client.results.quote import Provenance
from tariffs.client.results.sweep import Seek, SeekJump, SeekRoot, Sweep
from tariffs.v1 import simulation_service_pb2, sweep_service_pb2


def sweep(messages: Iterable[simulation_service_pb2.SweepResponse], report: Report) -> Sweep:
    """Read a sweep from its stream of messages; reports progress.

    Raises:
        InternalError: ENGINE_INVARIANT if the stream ends before its last message.
    """
    frames, done = _gathered(messages, report)
    inputs = provenance(done.provenance)
    totals = _concat(frames["totals"])
    return Sweep(
        points=totals.select(_parameters(inputs)),
        groups=_concat(frames["groups"]),
        totals=totals,
        refused=_sorted(frames["refused"]),
        notes=notes(done.notes),
        provenance=inputs,
    )


def seek(messages: Iterable[sweep_service_pb2.SeekResponse], report: Report) -> Seek:
    """Read a goal seek from its stream of messages; reports progress.

    Raises:
        InternalError: ENGINE_INVARIANT if the stream ends before its last message.
    """
    frames, done = _gathered(messages, report)
    return Seek(
        roots=tuple(_root(root) for root in done.roots),
        jumps=tuple(_jump(jump) for jump in done.jumps),
        nearest=_root(done.nearest),
        monotone=done.monotone,
        path=from_arrow(done.path),
        refused=_sorted(frames["refused"]),
        notes=notes(done.notes),
        provenance=provenance(done.provenance),
    )


def _gathered(messages: Iterable[Any], report: Report) -> tuple[Mapping[str, list[pl.DataFrame]], Any]:
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
            frames[kind].append(from_arrow(getattr(message, kind).arrow))
    if done is None:
        raise InternalError("ENGINE_INVARIANT", "The run ended without its last message.", code="INTERNAL")
    return frames, done


def _parameters(inputs: Provenance) -> list[str]:
    details = cast("Mapping[str, Mapping[str, list[str]]]", inputs["details"])
    return details["sweep"]["parameters"]


def _concat(frames: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(frames) if frames else pl.DataFrame()


def _sorted(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Join refused rows; those that only valuing shows to be unusable come after the others."""
    return pl.concat(frames).sort("row", maintain_order=True) if frames else pl.DataFrame()


def _root(message: sweep_service_pb2.SeekRoot) -> SeekRoot:
    to = _value(message.to) if message.HasField("to") else None
    return SeekRoot(_value(message.value), message.achieved, to)


def _jump(message: sweep_service_pb2.SeekJump) -> SeekJump:
    return SeekJump(
        _value(message.value), message.achieved, _value(message.next_value), message.next_achieved
    )


def _value(message: sweep_service_pb2.ParameterValue) -> float | str:
    return message.text if message.WhichOneof("kind") == "text" else message.number
