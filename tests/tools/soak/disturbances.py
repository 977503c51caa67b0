"""Disturb the servers of a soak, one disturbance after the other, each undone before the next begins."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import psutil

from tariffs.v1 import simulation_service_pb2 as pb
from tariffs.v1 import simulation_service_pb2_grpc
from tests.law.packs import drop, newer_pack
from tests.tools.load.readers import read_to_lines
from tests.tools.load.sweeps import OPTIONS, request
from tests.tools.load.threads import beside
from tests.tools.soak.servers import NO_OFFSET, Soaked, SoakServer, restart_postgresql

PAUSE_SECONDS = 6.0
FULL_SECONDS, STEP_SECONDS = 4.0, 6.0
STALL_SECONDS = 20.0
SWAP_SECONDS = 60.0
LAWS_KEPT = 2
CLOCK_STEPS = ("+7200", "-7200")
_CHUNK = bytes(1 << 20)
Act = Callable[[int], str]


@dataclass
class Disturber:
    """Repeats a list of disturbances.

    Attributes:
        done: how often each was made.
        lasted: name, begin and end of each.
        errors: what did not come back by itself, such as a server that did not start again.
    """

    soaked: Soaked
    done: Counter[str] = field(default_factory=Counter)
    lasted: list[tuple[str, float, float]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def acts(self) -> Sequence[tuple[str, Act]]:
        """The list; what this machine does not allow is left out."""
        first, second = self.soaked.rolled
        acts: list[tuple[str, Act]] = [
            ("server restarted", lambda _: _restart(first)),
            ("worker killed", lambda _: _kill_worker(self.soaked.steady)),
            ("PostgreSQL restarted", lambda _: self._restart_database()),
            ("server restarted", lambda _: _restart(second)),
            ("worker killed", lambda _: _kill_worker(first)),
            ("server killed", lambda _: _crash(second)),
        ]
        if self.soaked.disk is not None:
            acts.insert(2, ("disk full", lambda _: self._fill_disk()))
        if first.clock is not None:
            acts.insert(5, ("clock stepped", lambda turn: _step_clock(first, turn)))
        return acts

    def run(self, over: threading.Event) -> None:
        """Disturb until the event is set; a disturbance that has begun is ended."""
        acts, turn = self.acts(), 0
        while not over.wait(PAUSE_SECONDS):
            name, act = acts[turn % len(acts)]
            self._make(name, act, turn // len(acts))
            turn += 1

    def swap_laws(self, over: threading.Event) -> None:
        """Drop a new law every minute until the event is set, whatever else disturbs the servers."""
        turn = 0
        while not over.wait(SWAP_SECONDS):
            self._make("law swapped", self._swap_law, turn)
            turn += 1

    def _make(self, name: str, act: Act, turn: int) -> None:
        begun = time.monotonic()
        try:
            act(turn)
        except Exception as error:
            self.errors.append(f"{name}: {error}")
        self.done[name] += 1
        self.lasted.append((name, begun, time.monotonic()))

    def _fill_disk(self) -> str:
        ballast = self.soaked.state / "ballast"
        with suppress(OSError), ballast.open("wb", buffering=0) as full:
            while True:
                full.write(_CHUNK)
        time.sleep(FULL_SECONDS)
        ballast.unlink(missing_ok=True)
        return "disk full"

    def _swap_law(self, turn: int) -> str:
        """Drop a signed pack with a newer version, and take the one before the last away."""
        laws, made = self.soaked.laws, self.soaked.state.parent / "packs"
        made.mkdir(exist_ok=True)
        version = f"2027.01.01.{turn + 1}"
        drop(newer_pack(made, version, key=self.soaked.law_key), laws, f"law-{version}.tar.zst")
        for old in sorted(laws.glob("*.tar.zst"), key=lambda path: path.stat().st_mtime)[:-LAWS_KEPT]:
            old.unlink()
        return "swapped"

    def _restart_database(self) -> str:
        restart_postgresql(self.soaked.database)
        return "restarted"


def _restart(server: SoakServer) -> str:
    server.terminate()
    server.start()
    server.wait_serving()
    return "restarted"


def _crash(server: SoakServer) -> str:
    server.kill()
    server.start()
    server.wait_serving()
    return "killed"


def _kill_worker(server: SoakServer) -> str:
    busy = [worker for worker in server.workers() if worker.is_running()]
    with suppress(ValueError, psutil.NoSuchProcess):
        max(busy, key=lambda worker: float(worker.cpu_times().user)).kill()
    return "killed"


def _step_clock(server: SoakServer, turn: int) -> str:
    assert server.clock is not None
    _write(server.clock, CLOCK_STEPS[turn % len(CLOCK_STEPS)])
    time.sleep(STEP_SECONDS)
    _write(server.clock, NO_OFFSET)
    return "stepped"


def _write(clock: Path, offset: str) -> None:
    draft = clock.with_suffix(".draft")
    draft.write_text(offset, encoding="utf-8")
    draft.replace(clock)


@contextmanager
def disturbed(soaked: Soaked) -> Iterator[Disturber]:
    """Disturb the servers, and stall readers of the steady one, until the end of the block."""
    over = threading.Event()
    disturber = Disturber(soaked)
    threads = [
        threading.Thread(target=disturber.run, args=(over,)),
        threading.Thread(target=disturber.swap_laws, args=(over,)),
        threading.Thread(target=_stall, args=(soaked.steady, disturber, over)),
    ]
    with beside(threads, over):
        yield disturber


def _stall(server: SoakServer, disturber: Disturber, over: threading.Event) -> None:
    """Readers of a million lines who stop at the first batch of them, one after the other."""
    wanted: Any = request(1, include_lines=True, response=pb.RESPONSE_MODEL_NONE)
    while not over.wait(STALL_SECONDS / 2):
        with grpc.insecure_channel(server.target, options=OPTIONS) as channel, suppress(grpc.RpcError):
            stub = simulation_service_pb2_grpc.SimulationServiceStub(channel)
            call: Any = stub.Simulate(wanted, timeout=600)
            read_to_lines(call)
            over.wait(STALL_SECONDS)
            call.cancel()
            disturber.done["reader stalled"] += 1
