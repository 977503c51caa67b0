"""Rows as a stream: in order, a few batches at a time, an invalid row or batch named by its index."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from typing import Any

import grpc
import polars as pl
import pytest

from tariffs.engine.law import load_law
from tariffs.service.rpc import lines as rpc_lines
from tariffs.service.wire.arrow import read_table
from tariffs.service.wire.frames import pack
from tariffs.service.workers.tasks import CancelToken, ResultSink
from tariffs.v1 import simulation_service_pb2 as pb
from tests.service.harness import TIMEOUT, Running, compute_in_process, fails, no_warm_up, points, running
from tests.service.stored import arrow, bad_rows, rows, simulation, until

ASKED = (("base", "2026-11-20"), ("truce-lapses", "2027-01-11"))


def stream(*frames: pl.DataFrame, asked: Any = ASKED, **config: Any) -> Iterator[pb.SimulateLinesRequest]:
    yield pb.SimulateLinesRequest(config=pb.LinesConfig(points=points(*asked), **config))
    for frame in frames:
        yield pb.SimulateLinesRequest(arrow=arrow(frame))


def answers(server: Running, requests: Any) -> list[Any]:
    return list(server.simulation.SimulateLines(requests, timeout=TIMEOUT))


def lines_of(messages: Any, scenario: str) -> pl.DataFrame:
    return pl.concat(read_table(m.lines.arrow) for m in messages if m.lines.scenario == scenario)


def test_rows_in_batches_are_valued_as_the_table_is(served: Running) -> None:
    frame = rows(700)
    messages = answers(served, stream(*(frame.slice(start, 150) for start in range(0, 700, 150))))
    whole = list(served.simulation.Simulate(simulation(frame, asked=ASKED, by=[]), timeout=TIMEOUT))
    for scenario, on in ASKED:
        valued = lines_of(messages, scenario)
        assert valued.equals(lines_of(whole, scenario))
        assert {m.lines.on for m in messages if m.lines.scenario == scenario} == {on}
    assert messages[-1].HasField("done")
    assert messages[-1].done.provenance.law_digest == whole[-1].done.provenance.law_digest


def test_a_bad_row_is_refused_by_its_place_in_its_batch_and_fails_nothing(served: Running) -> None:
    messages = answers(served, stream(rows(4), bad_rows(rows(4)), asked=ASKED[:1]))
    (refused,) = [m.refused for m in messages if m.HasField("refused")]
    assert refused.batch == 1
    assert read_table(refused.arrow).select("row", "column", "reason").rows() == [
        (1, "hts", "HTS_CODE_MALFORMED")
    ]
    assert [pl.read_ipc_stream(m.lines.arrow).height for m in messages if m.HasField("lines")] == [4, 3]


def test_days_of_a_batch_that_may_be_two_are_refused_until_their_order_is_named(served: Running) -> None:
    toy = {"hts": "9503000073", "origin": "CN", "customs_value": 10_000.0}
    # The first batch shows the order, the second does not.
    shown, ambiguous = (
        pl.DataFrame([{**toy, "entry_date": day} for day in days])
        for days in (["5/14/2025", "5/6/2025"], ["5/6/2025", "2025-06-05"])
    )
    on = [("base", "2025-06-01")]
    messages = answers(served, stream(shown, ambiguous, asked=on))
    assert lines_of(messages, "base")["duty"].to_list() == pytest.approx([3000, 14500, 3000])
    (refused,) = [m.refused for m in messages if m.HasField("refused")]
    (row,) = read_table(refused.arrow).to_dicts()
    assert (refused.batch, row["row"], row["reason"]) == (1, 0, "ENTRY_DATE_INVALID")
    assert "2025-05-06 or 2025-06-05" in row["message"]
    assert "date_format" in row["message"]
    for order, duty in (("m/d/Y", 14500), ("%d/%m/%Y", 3000)):
        named = answers(served, stream(ambiguous, asked=on, date_format=order))
        assert lines_of(named, "base")["duty"].to_list() == pytest.approx([duty, 3000])
        assert not any(m.HasField("refused") for m in named)


def test_a_stream_without_rows_is_done_at_once(served: Running) -> None:
    (done,) = answers(served, stream())
    (again,) = answers(served, stream())
    law = load_law()
    assert (done.done.provenance.law_version, done.done.provenance.law_digest) == (law.version, law.digest)
    assert done.done.provenance.run_digest == again.done.provenance.run_digest
    with_rows = answers(served, stream(rows(3)))[-1].done.provenance.run_digest
    assert len(with_rows) == 64
    assert with_rows != done.done.provenance.run_digest


@pytest.mark.parametrize(
    ("requests", "reason", "batch"),
    [
        pytest.param([], "REQUEST_INVALID", None, id="nothing"),
        ([pb.SimulateLinesRequest(arrow=arrow(rows(3)))], "REQUEST_INVALID", None),
        ([*stream(asked=())], "REQUEST_INVALID", None),
        ([*stream(date_format="Y-d-m")], "REQUEST_INVALID", None),
        ([*stream(rows(3), asked=[("no-such-scenario", "")])], "SCENARIO_NOT_FOUND", None),
        ([*stream(rows(3)), *stream()], "REQUEST_INVALID", "1"),
        ([*stream(rows(3)), pb.SimulateLinesRequest(arrow=b"no arrow")], "ARROW_MALFORMED", "1"),
        ([*stream(rows(3), rows(3), rows(3).drop("hts"))], "COLUMN_MISSING", "2"),
        ([*stream(rows(3), rows(40_000))], "BATCH_TOO_LARGE", "1"),
    ],
)
def test_what_is_wrong_ends_the_stream_with_its_place(
    served: Running, requests: list[Any], reason: str, batch: str | None
) -> None:
    fault = fails(lambda: answers(served, iter(requests)))
    assert (fault.reason, fault.metadata.get("batch")) == (reason, batch)


def test_batches_before_a_bad_one_are_answered(served: Running) -> None:
    requests = [*stream(rows(3), rows(3)), pb.SimulateLinesRequest(arrow=b"no arrow")]
    call = served.simulation.SimulateLines(iter(requests), timeout=TIMEOUT)
    seen: list[int] = []
    with pytest.raises(grpc.RpcError):
        seen.extend(message.lines.batch for message in call)
    assert seen == [0, 0, 1, 1]


def test_who_waits_for_an_answer_before_sending_on_gets_it(served: Running) -> None:
    sending: queue.Queue[Any] = queue.Queue()
    call = served.simulation.SimulateLines(iter(sending.get, None), timeout=TIMEOUT)
    for request in stream(rows(3), asked=ASKED[:1]):
        sending.put(request)
    assert next(call).lines.batch == 0
    sending.put(pb.SimulateLinesRequest(arrow=arrow(rows(3))))
    assert next(call).lines.batch == 1
    sending.put(None)
    assert next(call).HasField("done")


def test_a_reader_that_does_not_read_holds_up_the_computing() -> None:
    begun = 0
    made = [pb.SimulateLinesResponse(lines=pb.LinesBatch(arrow=b"x" * (1 << 20))).SerializeToString()] * 8

    def compute(task: str, payload: bytes, sink: ResultSink, cancel_token: CancelToken) -> None:
        nonlocal begun
        begun += 1
        for message in made:
            sink.result(message)
        sink.result(pack({"digest": "", "switches": {}, "bases": {}, "notes": []}))

    with running(compute, no_warm_up) as server:
        call = server.simulation.SimulateLines(stream(*[rows(1)] * 200, asked=ASKED[:1]), timeout=TIMEOUT)
        next(call)
        time.sleep(1.0)
        assert begun < 100
        call.cancel()


def test_two_batches_are_in_hand_while_their_sender_is_held_and_leaving_ends_them() -> None:
    begun, sent, large = 0, 0, pb.SimulateLinesRequest(arrow=arrow(rows(15_000)))

    def compute(task: str, payload: bytes, sink: ResultSink, cancel_token: CancelToken) -> None:
        nonlocal begun
        begun += 1
        while True:
            cancel_token.check()
            time.sleep(0.01)

    def requests() -> Iterator[Any]:
        nonlocal sent
        yield from stream(asked=ASKED[:1])
        while sent < 200:
            sent += 1
            yield large

    with running(compute, no_warm_up, workers=4, admitted_runs=8, caller_share=1) as server:
        call = server.simulation.SimulateLines(requests(), timeout=TIMEOUT)
        until(lambda: begun >= 2)
        # Time for batches that nothing holds to begin.
        time.sleep(1.0)
        assert begun == 2
        assert sent < 40
        call.cancel()
        until(lambda: not server.server._task_queue.sweeps.active)


def test_a_full_server_makes_a_stream_wait_and_not_fail() -> None:
    with running(warm=no_warm_up, admitted_runs=1, workers=1) as small:
        messages = answers(small, stream(*(rows(5, seed) for seed in range(4))))
    places = [m.lines.batch for m in messages if m.HasField("lines")]
    assert places == [0, 0, 1, 1, 2, 2, 3, 3]


def test_a_batch_with_more_lines_than_can_be_held_is_refused_with_what_would_fit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rpc_lines, "LINES_LIMIT", 10)
    with running(compute_in_process, no_warm_up) as server:
        fault = fails(lambda: answers(server, stream(rows(3), rows(6))))
    assert (fault.reason, fault.metadata["batch"]) == ("BATCH_TOO_LARGE", "1")
    assert "at most 5 rows" in fault.metadata["fix"]
