"""A Dask scheduler that is lost: an error with its reason for a caller, a pause for a long run of a server."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dask
import pytest
import yaml
from distributed import Client as DaskClient
from distributed import KilledWorker
from distributed.client import CancelledFuturesGroup, FutureCancelledError, FuturesCancelledError

from tariffs.client import Client, ImpactResult
from tariffs.client.errors import TariffsError
from tariffs.engine.errors import InputError, ServiceError
from tariffs.engine.errors import TariffsError as EngineError
from tariffs.engine.tables import partitions
from tariffs.service.server import run_scheduler
from tariffs.service.workers import dask_tasks
from tariffs.service.workers.dask_tasks import WORKER_KEY, DaskTasks
from tests.service.certificates import TestAuthority
from tests.service.harness import running
from tests.service.spread import BASELINE, trade, write_files
from tests.service.stored import until

LOST = FutureCancelledError("key", "scheduler-connection-lost")
SCENARIOS = [
    "base",
    "truce-lapses",
    "truce-extended",
    "usmca-lapses",
    "metals-at-25",
    "list-4b-on",
    "soybeans-freed",
]
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


class Future:
    """A task that is not done, or is done with an error."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    def done(self) -> bool:
        return self._error is not None

    def result(self) -> bytes:
        assert self._error is not None
        raise self._error


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> tuple[DaskTasks, Any]:
    """Tasks on a scheduler, and their client, whose connection tests cut."""
    comm = SimpleNamespace(comm=SimpleNamespace(closed=lambda: False))
    client = SimpleNamespace(status="running", scheduler_comm=comm)
    client.as_current = ExitStack
    tasks = DaskTasks.__new__(DaskTasks)
    tasks._client, tasks._address = client, "tcp://scheduler:8786"
    return tasks, client


@pytest.mark.parametrize(
    "error",
    [
        LOST,
        FuturesCancelledError([CancelledFuturesGroup([LOST], "lost")]),
        RuntimeError("Cannot change state of expiring Timeout"),
        OSError("closed"),
        ValueError("a comm"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_waiting_for_a_task_raises_is_a_lost_scheduler(
    lost: tuple[DaskTasks, Any], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    tasks, _ = lost

    def wait(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr("distributed.wait", wait)
    with pytest.raises(ServiceError, match=f"the scheduler was lost .{type(error).__name__}") as caught:
        tasks.result(Future(), lambda: False)
    assert caught.value.reason == "CLUSTER_UNAVAILABLE"
    assert WORKER_KEY not in caught.value.metadata


@pytest.mark.parametrize("state", ["closed", "connecting", "no comm", "comm closed"])
def test_a_connection_that_is_gone_is_a_lost_scheduler(
    lost: tuple[DaskTasks, Any], monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    tasks, client = lost
    monkeypatch.setattr("distributed.wait", lambda *_, **__: None)
    if state == "no comm":
        client.scheduler_comm = None
    elif state == "comm closed":
        client.scheduler_comm.comm.closed = lambda: True
    else:
        client.status = state
    for future in (Future(), Future(RuntimeError("Cannot change state of expiring Timeout"))):
        with pytest.raises(ServiceError) as caught:
            tasks.result(future, lambda: False)
        assert caught.value.reason == "CLUSTER_UNAVAILABLE"


def test_errors_of_tasks_are_theirs(lost: tuple[DaskTasks, Any]) -> None:
    tasks, _ = lost
    refused = InputError("GROUP_UNKNOWN", "There is no such key.")
    for error in (refused, RuntimeError("a fault of ours")):
        with pytest.raises(type(error)) as caught:
            tasks.result(Future(error), lambda: False)
        assert caught.value is error
    killed = KilledWorker("task", "tcp://worker:1", 3)  # type: ignore[arg-type] # its name is enough
    with pytest.raises(EngineError, match="ended 3 workers") as found:
        tasks.result(Future(killed), lambda: False)
    assert WORKER_KEY in found.value.metadata


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@contextmanager
def started(*arguments: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, **variables}
    process = subprocess.Popen([sys.executable, "-m", *arguments], stderr=subprocess.DEVNULL, env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait(30)


def scheduler(port: int) -> Any:
    return started(
        "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port),
        "--dashboard-address", "127.0.0.1:0",
    )  # fmt: skip


def worker(port: int) -> Any:
    return started(
        "distributed.cli.dask_worker", f"tcp://127.0.0.1:{port}", "--host", "127.0.0.1", "--nworkers", "1",
        "--nthreads", "1", "--dashboard-address", "127.0.0.1:0", "--death-timeout", "120",
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.kill
@pytest.mark.parametrize(("sent", "stage"), [(signal.SIGKILL, "computing"), (signal.SIGTERM, "reading")])
def test_a_lost_scheduler_is_an_error_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: signal.Signals, stage: str
) -> None:
    monkeypatch.setattr(dask_tasks, "CONNECT_SECONDS", 2.0)
    monkeypatch.setattr(partitions, "ROWS_PER_BUCKET", 300)
    monkeypatch.setattr(partitions, "ROWS_PER_SLICE", 250)
    folder, port = write_files(trade(2_400), tmp_path / "table", [600, 1_200, 1_800]), free_port()
    with scheduler(port) as lost, worker(port):
        join(f"tcp://127.0.0.1:{port}")

        def end(now: str, fraction: float) -> None:
            if now.startswith(stage):
                lost.send_signal(sent)

        with pytest.raises(TariffsError, match="The cluster at") as caught:
            Client.local().impact(
                folder, ["base"], on="2025-08-15", baseline=BASELINE, horizon="short",
                cluster=f"tcp://127.0.0.1:{port}", progress=end,
            )  # fmt: skip
    assert caught.value.reason == "CLUSTER_UNAVAILABLE"


def join(address: str) -> None:
    """Wait for a scheduler and its worker."""
    with DaskClient(address, timeout=60, set_as_default=False) as observer:
        observer.wait_for_workers(1, timeout=60)


def reachable(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.slow
@pytest.mark.kill
def test_a_long_run_waits_for_its_scheduler_and_goes_on_with_the_first_missing_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_tasks, "CONNECT_SECONDS", 2.0)
    monkeypatch.setattr(run_scheduler, "_FIRST_PAUSE", 0.1)
    port = free_port()
    options: dict[str, Any] = {"on": "2027-01-11", "baseline": BASELINE, "horizon": "short"}
    table = trade(400)
    with ExitStack() as held:
        first = held.enter_context(scheduler(port))
        held.enter_context(worker(port))
        server = held.enter_context(running(cluster=f"tcp://127.0.0.1:{port}", state_dir=tmp_path))
        remote = held.enter_context(Client(f"127.0.0.1:{server.port}"))
        run = remote.start(table, SCENARIOS, **options)
        until(lambda: len(finished(tmp_path)) >= 2, 120)
        first.kill()
        first.wait(30)
        before = finished(tmp_path)
        until(lambda: run.status().stage == "waiting for the cluster", 120)
        # Time for two more attempts, each of some two seconds.
        time.sleep(6)
        assert not run.status().done
        assert len(before) < len(SCENARIOS)
        held.enter_context(scheduler(port))
        held.enter_context(worker(port))
        run.wait(timeout=300)
        after = finished(tmp_path)
        assert {name: after[name] for name in before} == before
        result = run.result()
        assert isinstance(result, ImpactResult)
    wanted = Client.local().impact(table, SCENARIOS, **options)
    assert result.groups.equals(wanted.groups)


def finished(state: Path) -> dict[str, int]:
    """The parts that are written, with the time of each."""
    found = (state / "runs").glob("*/*.parquet")
    return {path.name: path.stat().st_mtime_ns for path in found}


@pytest.mark.slow
@pytest.mark.kill
def test_a_cluster_as_deployed_is_encrypted_and_answers_those_with_a_certificate_alone(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scheduler and worker of deploy/kubernetes/dask.yaml, with its variables, on the loopback."""
    monkeypatch.setattr(dask_tasks, "CONNECT_SECONDS", 5.0)
    authority = TestAuthority("ours")
    certificate, key = authority.issue("dask").write(tmp_path, "dask")
    (tmp_path / "ca.pem").write_bytes(authority.certificate)
    files = {"ca.crt": tmp_path / "ca.pem", "tls.crt": certificate, "tls.key": key}
    secret, port = "/run/secrets/tariffs-dask-tls/", str(free_port())
    text = (root / "deploy" / "kubernetes" / "dask.yaml").read_text(encoding="utf-8")
    places = {
        "0.0.0.0": "127.0.0.1",
        "tariffs-dask:8786": f"127.0.0.1:{port}",
        "8786": port,
        "/spill": str(tmp_path),
    }
    places |= {secret + name: str(path) for name, path in files.items()}
    for old, new in places.items():
        text = (
            text.replace(f'"{old}"', f'"{new}"')
            .replace(f"//{old}", f"//{new}")
            .replace(f": {old}", f": {new}")
        )
    deployments = [one for one in yaml.safe_load_all(text) if one["kind"] == "Deployment"]
    containers = [one["spec"]["template"]["spec"]["containers"][0] for one in deployments]
    table = trade(40)
    options: dict[str, Any] = {"on": "2025-08-15", "baseline": BASELINE, "horizon": "short"}
    with ExitStack() as held:
        for one in containers:
            command: list[str] = [*one["command"], *one["args"]]
            variables = {entry["name"]: entry["value"] for entry in one["env"]}
            held.enter_context(started(f"distributed.cli.dask_{command[1]}", *command[2:], **variables))
        until(lambda: reachable(int(port)), 60)
        time.sleep(5)
        address = f"tls://127.0.0.1:{port}"
        with pytest.raises(TariffsError) as caught:
            Client.local().impact(table, ["base"], **options, cluster=address)
        assert caught.value.reason == "CLUSTER_UNAVAILABLE"
        own = {
            "distributed.comm.require-encryption": True,
            "distributed.comm.tls.ca-file": str(files["ca.crt"]),
            "distributed.comm.tls.client.cert": str(certificate),
            "distributed.comm.tls.client.key": str(key),
        }
        with dask.config.set(own):
            found = Client.local().impact(table, ["base"], **options, cluster=address)
    assert found.groups.equals(Client.local().impact(table, ["base"], **options).groups)
