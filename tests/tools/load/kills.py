"""Workers and servers are killed under load, and callers with the shipped client do not notice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import polars as pl

from tariffs.client import Client
from tariffs.client._verbs.run_handle import Run
from tariffs.v1 import simulation_service_pb2 as pb
from tariffs.v1 import simulation_service_pb2_grpc
from tests.tools.load.callers import Tally, calling
from tests.tools.load.plan import Plan
from tests.tools.load.readers import read_to_lines
from tests.tools.load.rows import Measured
from tests.tools.load.servers import Server, free_port, serving, starting
from tests.tools.load.sweeps import OPTIONS, request
from tests.tools.load.threads import beside

SCENARIOS = ("base", "truce-lapses")
DAY = "2026-12-01"
KILLS = 2
RUN_SECONDS = 120.0


def one_worker(plan: Plan) -> list[Measured]:
    """Rows on a worker that is killed: failed calls, and what was lost of a table and of long runs."""
    tally, kept = Tally(), Tally()
    with serving(plan.folder / "worker", workers=2) as server, Client(server.target) as client:
        handle = client.upload(_table())
        wanted = _totals(client.impact(handle, SCENARIOS, on=DAY, response="none"))
        with calling(server.target, tally, quotes=2, sweeps=2):
            runs = []
            for _ in range(KILLS):
                runs.append(client.start(handle, SCENARIOS, on=DAY, response="none"))
                time.sleep(plan.kill_seconds / (KILLS + 1))
                max(server.workers, key=lambda worker: float(worker.cpu_times().user)).kill()
            time.sleep(plan.kill_seconds / (KILLS + 1))
        lost = int(handle.name not in {table.name for table in client.tables()})
        for run in runs:
            kept.make("long runs", partial(_expect, run, wanted))
    lost += len(runs) - kept.answered["long runs"]
    return [
        Measured("worker_kill_failed", (float(len(tally.failed)),), tally.told()),
        Measured("worker_kill_lost", (float(lost),), f"1 table, {kept.told()}"),
    ]


def _totals(result: Any) -> Any:
    return [one["total"] for one in result.to_json_dict()["scenarios"]]


def _expect(run: Run, wanted: Any) -> None:
    if _totals(run.result(timeout=RUN_SECONDS)) != wanted:
        raise RuntimeError("a run that was taken up again has another result")


def _table() -> pl.DataFrame:
    rows = 300_000
    numbers = pl.int_range(rows, eager=True)
    return pl.DataFrame(
        {
            "hts": pl.Series(["9503000073", "8471300100", "7208101500", "8504909650"] * (rows // 4)),
            "origin": pl.Series(["CN", "MX", "CA", "DE", "JP"] * (rows // 5)),
            "customs_value": (numbers % 9_973 + 1).cast(pl.Float64),
        }
    )


def one_server(plan: Plan) -> list[Measured]:
    """The row on the mix: two servers behind the client's own balancer, one killed and started again."""
    tally = Tally()
    ports = free_port(), free_port()
    shared = {"state_dir": plan.folder / "mix" / "state", "workers": 2}
    with ExitStack() as stack:
        one = _starting(stack, plan.folder / "mix" / "left", ports[0], shared)
        other = _starting(stack, plan.folder / "mix" / "right", ports[1], shared)
        left, right = one(), other()
        target = f"{left.target},{right.target}"
        begun = time.monotonic()
        with calling(target, tally, quotes=2, sweeps=1), _difficult_readers(right):
            time.sleep(plan.mix_seconds / 4)
            left.process.kill()
            time.sleep(1.0)
            _starting(stack, plan.folder / "mix" / "left", ports[0], shared)()
            time.sleep(max(0.0, plan.mix_seconds - (time.monotonic() - begun)))
    seen = f"{plan.mix_seconds:.0f} s, one reader that stalled, others that vanished: {tally.told()}"
    return [Measured("mix_failed", (float(len(tally.failed)),), seen)]


def _starting(stack: ExitStack, folder: Path, port: int, shared: dict[str, Any]) -> Callable[[], Server]:
    return stack.enter_context(starting(folder, port=port, **shared))


@contextmanager
def _difficult_readers(server: Server) -> Iterator[None]:
    """One reader who stalls, and one after the other who vanishes in the middle of the lines."""
    over = threading.Event()
    threads = [threading.Thread(target=behave, args=(server, over)) for behave in (_stall, _vanish)]
    with beside(threads, over, RUN_SECONDS):
        yield


def _stall(server: Server, over: threading.Event) -> None:
    with grpc.insecure_channel(server.target, options=OPTIONS) as channel, suppress(grpc.RpcError):
        call = _begun(channel)
        read_to_lines(call)
        over.wait()
        call.cancel()


def _vanish(server: Server, over: threading.Event) -> None:
    while not over.is_set():
        # A channel that is closed tells the server no more than that nobody is there.
        with grpc.insecure_channel(server.target, options=OPTIONS) as channel, suppress(grpc.RpcError):
            read_to_lines(_begun(channel))
        over.wait(1.0)


def _begun(channel: grpc.Channel) -> Any:
    wanted = request(2, include_lines=True, response=pb.RESPONSE_MODEL_NONE)
    return simulation_service_pb2_grpc.SimulationServiceStub(channel).Simulate(wanted, timeout=600)
