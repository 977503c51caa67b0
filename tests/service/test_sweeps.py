"""Sweeps and seeks over the wire: the engine's own results, in blocks that can be taken up again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import polars as pl
import pytest

from tariffs.engine.law import load_law
from tariffs.engine.law.notes import Note
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.sweeps import sweep as sweep_module
from tariffs.engine.runs.sweeps.point_sums import PointEvaluator
from tariffs.engine.runs.sweeps.sweep import sweep
from tariffs.engine.runs.sweeps.sweep_points import grid
from tariffs.engine.scenario import parse_scenario
from tariffs.service.wire.arrow import MESSAGE_LIMIT, read_table
from tariffs.v1 import simulation_service_pb2 as pb
from tariffs.v1 import sweep_service_pb2
from tests.service.callers import ask
from tests.service.harness import TIMEOUT, Running, fails, no_warm_up, running
from tests.service.stored import (
    Failing,
    arrow,
    bad_rows,
    metadata_of,
    read,
    results,
    rows,
    start,
    until,
    wait,
)

DAY = "2027-01-11"
FAMILY = (
    "schema: tariffs.scenario/v1\nid: family\ntitle: Mine\nbasis: hypothesis\n"
    "parameters: {cn: {default: 12.5%}, vietnam: {default: 12.5%}}\n"
    "changes:\n"
    "  - {op: set_rate, measures: {id: fl301, origins: [CN]}, from: 2026-09-01, rate: $cn}\n"
    "  - {op: set_rate, measures: {id: fl301, origins: [VN]}, from: 2026-09-01, rate: $vietnam}\n"
)
COMMON: dict[str, Any] = {
    "scenario": {"yaml": FAMILY}, "on": DAY, "response": pb.RESPONSE_MODEL_NONE,
}  # fmt: skip
RATES = ("0%", "10%", "33%", "50%", "70%")


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_module, "BLOCK_POINTS", 2)


def sweeping(frame: pl.DataFrame, rates: Sequence[str] = RATES, **more: Any) -> pb.SweepRequest:
    given = {**COMMON, "grid": {"axes": [{"name": "cn", "values": rates}]}, "by": ["origin", "hts2"]}
    return pb.SweepRequest(**(given | {"arrow": arrow(frame)} | more))


def seeking(frame: pl.DataFrame, **more: Any) -> sweep_service_pb2.SeekRequest:
    given = {**COMMON, "parameter": "cn", "low": "0%", "high": "80%", "column": "duty"}
    given["where"] = [{"key": "origin", "values": ["CN"]}]
    return sweep_service_pb2.SeekRequest(**(given | {"arrow": arrow(frame)} | more))


def swept(server: Running, request: pb.SweepRequest) -> list[Any]:
    return list(server.sweeps.Sweep(request, timeout=TIMEOUT))


def frame_of(messages: Sequence[Any], kind: str) -> pl.DataFrame:
    return pl.concat(read_table(getattr(m, kind).arrow) for m in messages if m.HasField(kind))


@pytest.mark.usefixtures("small_blocks")
def test_a_sweep_has_the_rows_of_the_engine(server: Running) -> None:
    frame = bad_rows(rows(40))
    messages = swept(server, sweeping(frame, scenario_parameters={"vietnam": "5%"}))
    points = grid({"cn": RATES})
    options = Options(response="none", by=("origin", "hts2"))
    expected = sweep(
        frame, parse_scenario(FAMILY), points, parameters={"vietnam": "5%"}, on=DAY, law=load_law(), options=options
    )  # fmt: skip
    assert frame_of(messages, "groups").equals(expected.groups)
    assert frame_of(messages, "totals").equals(expected.totals)
    assert frame_of(messages, "refused").equals(expected.refused)
    kinds = [m.WhichOneof("content") for m in messages if not m.HasField("progress")]
    assert kinds == ["refused", *(["groups", "totals"] * 3), "done"]
    assert [m.groups.block for m in messages if m.HasField("groups")] == [0, 1, 2]
    assert all(m.ByteSize() <= MESSAGE_LIMIT for m in messages)
    done = messages[-1].done
    assert done.provenance.details["sweep"]["points"] == 5
    assert list(done.provenance.details["sweep"]["parameters"]) == ["cn"]
    fractions = [m.progress.fraction for m in messages if m.HasField("progress")]
    assert fractions == sorted(fractions)
    assert len(fractions) >= 5


@pytest.mark.usefixtures("small_blocks")
def test_a_sweep_is_taken_up_from_the_first_missing_block(monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[int] = []
    value = sweep_module.SweepRun.value

    def counted(run: sweep_module.SweepRun, index: int) -> Any:
        computed.append(index)
        note = Note("QUANTITY_LIMIT", f"block {index}")
        return replace(value(run, index), notes=(note,))

    monkeypatch.setattr(sweep_module.SweepRun, "value", counted)
    stopping = Failing("run", RuntimeError("the worker died"), after=2)
    with running(stopping, warm=no_warm_up) as server:
        request = sweeping(rows(30))
        operation = wait(server, start(server, request).name)
        assert stopping.failures == 1
        assert computed == [0, 1, 2]
        assert metadata_of(operation).attempts == 2
        messages = read(server, operation.name)
        assert results(messages) == results(swept(server, request))
        notes = [note.message for note in messages[-1].done.notes if note.reason == "QUANTITY_LIMIT"]
        assert notes == ["block 0", "block 1", "block 2"]


def waiting_points(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """List the points computed; the third waits for the cancellation, which its step raises."""
    seen: list[int] = []
    evaluate = PointEvaluator.__call__

    def slow(evaluator: PointEvaluator, points: Any, step: Callable[[int], None]) -> Any:
        for place in range(len(points)):
            seen.append(place)
            step(place)
            deadline = time.monotonic() + TIMEOUT
            while len(seen) >= 3:
                assert time.monotonic() < deadline, "nothing was cancelled"
                time.sleep(0.02)
                step(place)
        return evaluate(evaluator, points, step)

    monkeypatch.setattr(PointEvaluator, "__call__", slow)
    return seen


@pytest.mark.parametrize("is_long", [False, True], ids=["call", "run"])
def test_what_is_cancelled_stops_computing(
    server: Running, monkeypatch: pytest.MonkeyPatch, is_long: bool
) -> None:
    seen, request = waiting_points(monkeypatch), sweeping(rows(20), ["0%:50%:1%"])
    if is_long:
        name = start(server, request).name
        until(lambda: len(seen) >= 3)
        ask(server, "CancelOperation", name=name)
        assert metadata_of(wait(server, name)).state == pb.RUN_STATE_CANCELLED
    else:
        call = server.sweeps.Sweep(request, timeout=TIMEOUT)
        until(lambda: next(call).HasField("progress") and len(seen) >= 3)
        call.cancel()
        until(lambda: not server.server._task_queue.sweeps.active)
        until(lambda: not server.server._task_queue.sweeps.computing)
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("request_of", "reason"),
    [
        (partial(sweeping, grid=None), "REQUEST_INVALID"),
        (partial(sweeping, grid={"axes": []}), "PARAMETER_INVALID"),
        (partial(sweeping, grid={"axes": [{"values": ["1%"]}]}), "REQUEST_INVALID"),
        (partial(sweeping, grid={"axes": [{"name": "cn", "values": ["1%"]}] * 2}), "REQUEST_INVALID"),
        (partial(sweeping, grid={"axes": [{"name": "cm", "values": ["1%"]}]}), "PARAMETER_UNKNOWN"),
        (partial(sweeping, grid=None, list={"arrow": []}), "PARAMETER_INVALID"),
        (partial(sweeping, grid=None, list={"arrow": [b"no arrow"]}), "ARROW_MALFORMED"),
        (partial(sweeping, scenario_parameters={"cn": "1%"}), "PARAMETER_INVALID"),
        (partial(sweeping, by=["planet"]), "GROUP_UNKNOWN"),
        (partial(seeking, column="revenue"), "PARAMETER_INVALID"),
        (partial(seeking, low=""), "REQUEST_INVALID"),
        (partial(seeking, where=[{"key": "origin"}]), "REQUEST_INVALID"),
        (partial(seeking, where=[{"key": "origin", "values": ["CN"]}] * 2), "REQUEST_INVALID"),
        (partial(seeking, where=[{"key": "origin", "values": ["XK"]}]), "PARAMETER_INVALID"),
    ],
)
def test_requests_that_cannot_be_answered_are_refused(
    server: Running, request_of: Callable[..., Any], reason: str
) -> None:
    request = request_of(rows(10))
    ask = server.sweeps.Sweep if isinstance(request, pb.SweepRequest) else server.sweeps.Seek
    fault = fails(lambda: list(ask(request, timeout=TIMEOUT)))
    assert fault.reason == reason
    if isinstance(request, pb.SweepRequest) and reason not in {"GROUP_UNKNOWN"}:
        assert fails(lambda: start(server, request)).reason == reason
