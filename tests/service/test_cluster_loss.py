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
from unittest.mock import Mock

import dask
import pytest
import yaml
from distributed import Client as DaskClient
from distributed import KilledWorker
from distributed.client import CancelledFuturesGroup, FutureCancelledError, FuturesCancelledError

from tariffs.client import Client
from tariffs.client.errors import TariffsError
from tariffs.engine.errors import InputError, ServiceError
from tariffs.engine.errors import TariffsError as EngineError
from tariffs.service.server import run_scheduler
from tariffs.service.workers import dask_tasks
from tariffs.service.workers.dask_tasks import WORKER_KEY, DaskTasks
from tests.service.certificates import TestAuthority
from tests.service.harness import running
from tests.service.spread import BASELINE, ON, trade
from tests.service.stored import until

OPTIONS: dict[str, Any] = {"on": ON, "baseline": BASELINE, "horizon": "short"}
SCENARIOS = ["base", "truce-lapses", "truce-extended", "usmca-lapses", "metals-at-25", "list-4b-on"]
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


def future(error: Exception | None = None) -> Any:
    """A task that is not done, or is done with an error."""
    return SimpleNamespace(done=lambda: error is not None, result=Mock(side_effect=error))


@pytest.fixture
def connection() -> Any:
    """The connection of tasks to their scheduler, which tests cut."""
    comm = SimpleNamespace(comm=SimpleNamespace(closed=lambda: False))
    return SimpleNamespace(status="running", scheduler_comm=comm, as_current=ExitStack)


def tasks_over(connection: Any) -> DaskTasks:
    tasks = DaskTasks.__new__(DaskTasks)
    tasks._client, tasks._address = connection, "tcp://scheduler:8786"
    return tasks


CLOSED = SimpleNamespace(comm=SimpleNamespace(closed=lambda: True))
EXPIRING = RuntimeError("Cannot change state of expiring Timeout")
LOST = FutureCancelledError("key", "scheduler-connection-lost")
LOST_GROUP = FuturesCancelledError([CancelledFuturesGroup([LOST], "lost")])


def lost_scheduler(connection: Any, error: Exception | None = None) -> ServiceError:
    """The error of a task, done with an error or not, whose scheduler is lost."""
    with pytest.raises(ServiceError) as caught:
        tasks_over(connection).result(future(error), lambda: False)
    assert caught.value.reason == "CLUSTER_UNAVAILABLE"
    assert WORKER_KEY not in caught.value.metadata
    return caught.value


@pytest.mark.parametrize("raised", [LOST, LOST_GROUP, EXPIRING, OSError("closed"), ValueError("a comm")])
def test_whatever_waiting_for_a_task_raises_is_a_lost_scheduler(
    connection: Any, monkeypatch: pytest.MonkeyPatch, raised: Exception
) -> None:
    monkeypatch.setattr("distributed.wait", Mock(side_effect=raised))
    assert f"the scheduler was lost ({type(raised).__name__}" in str(lost_scheduler(connection))


@pytest.mark.parametrize("error", [None, EXPIRING])
@pytest.mark.parametrize(
    ("name", "value"),
    [("status", "closed"), ("status", "connecting"), ("scheduler_comm", None), ("scheduler_comm", CLOSED)],
)
def test_a_connection_that_is_gone_is_a_lost_scheduler(
    connection: Any, monkeypatch: pytest.MonkeyPatch, error: Exception | None, name: str, value: Any
) -> None:
    monkeypatch.setattr("distributed.wait", Mock())
    setattr(connection, name, value)
    lost_scheduler(connection, error)


def test_errors_of_tasks_are_theirs(connection: Any) -> None:
    tasks = tasks_over(connection)
    for error in (InputError("GROUP_UNKNOWN", "There is no such key."), RuntimeError("a fault of ours")):
        with pytest.raises(type(error)) as caught:
            tasks.result(future(error), lambda: False)
        assert caught.value is error
    killed = KilledWorker("task", "tcp://worker:1", 3)  # type: ignore[arg-type] # its name is enough
    with pytest.raises(EngineError, match="ended 3 workers") as found:
        tasks.result(future(killed), lambda: False)
    assert WORKER_KEY in found.value.metadata


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@contextmanager
def started(*arguments: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", f"distributed.cli.dask_{arguments[0]}", *arguments[1:]]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env={**os.environ, **variables})
    try:
        yield process
    finally:
        process.kill()
        process.wait(30)


LOCAL = ("--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0")


def scheduler(port: int) -> Any:
    return started("scheduler", "--port", str(port), *LOCAL)


def worker(port: int) -> Any:
    counts = ("--nworkers", "1", "--nthreads", "1", "--death-timeout", "120")
    return started("worker", f"tcp://127.0.0.1:{port}", *counts, *LOCAL)


@pytest.mark.slow
@pytest.mark.kill
@pytest.mark.parametrize(("sent", "stage"), [(signal.SIGKILL, "computing"), (signal.SIGTERM, "reading")])
def test_a_lost_scheduler_is_an_error_with_its_reason(
    client: Client, small_files: Path, monkeypatch: pytest.MonkeyPatch, sent: signal.Signals, stage: str
) -> None:
    monkeypatch.setattr(dask_tasks, "CONNECT_SECONDS", 2.0)
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    with scheduler(port) as lost, worker(port):
        with DaskClient(address, timeout=60, set_as_default=False) as observer:
            observer.wait_for_workers(1, timeout=60)

        def end(now: str, fraction: float) -> None:
            if now.startswith(stage):
                lost.send_signal(sent)

        with pytest.raises(TariffsError, match="The cluster at") as caught:
            client.impact(small_files, **OPTIONS, cluster=address, progress=end)
    assert caught.value.reason == "CLUSTER_UNAVAILABLE"


@pytest.mark.slow
@pytest.mark.kill
def test_a_long_run_waits_for_its_scheduler_and_goes_on_with_the_first_missing_part(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_tasks, "CONNECT_SECONDS", 2.0)
    monkeypatch.setattr(run_scheduler, "_FIRST_PAUSE", 0.1)
    port, table, options = free_port(), trade(400), OPTIONS | {"on": "2027-01-11"}

    def finished() -> dict[str, int]:
        """The parts that are written, with the time of each."""
        return {path.name: path.stat().st_mtime_ns for path in (tmp_path / "runs").glob("*/*.parquet")}

    with ExitStack() as held:
        first = held.enter_context(scheduler(port))
        held.enter_context(worker(port))
        server = held.enter_context(running(cluster=f"tcp://127.0.0.1:{port}", state_dir=tmp_path))
        remote = held.enter_context(Client(f"127.0.0.1:{server.port}"))
        run = remote.start(table, SCENARIOS, **options)
        until(lambda: len(finished()) >= 2, 120)
        first.kill()
        first.wait(30)
        before = finished()
        until(lambda: run.status().stage == "waiting for the cluster", 120)
        # Time for two more attempts, each of some two seconds.
        time.sleep(6)
        assert not run.status().done
        assert len(before) < len(SCENARIOS)
        held.enter_context(scheduler(port))
        held.enter_context(worker(port))
        run.wait(timeout=300)
        after = finished()
        assert {name: after[name] for name in before} == before
        result: Any = run.result()
    assert result.groups.equals(client.impact(table, SCENARIOS, **options).groups)


@pytest.mark.slow
@pytest.mark.kill
def test_a_cluster_as_deployed_is_encrypted_and_answers_those_with_a_certificate_alone(
    client: Client, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scheduler and worker of deploy/kubernetes/dask.yaml, with its variables, on the loopback."""
    monkeypatch.setattr(dask_tasks, "CONNECT_SECONDS", 5.0)
    authority, secret, port = TestAuthority("ours"), "/run/secrets/tariffs-dask-tls/", free_port()
    certificate, key = authority.issue("dask").write(tmp_path, "dask")
    (tmp_path / "ca.pem").write_bytes(authority.certificate)
    places = {
        "0.0.0.0": "127.0.0.1",
        "tariffs-dask:8786": f"127.0.0.1:{port}",
        "8786": str(port),
        "/spill": str(tmp_path),
        f"{secret}ca.crt": str(tmp_path / "ca.pem"),
        f"{secret}tls.crt": str(certificate),
        f"{secret}tls.key": str(key),
    }
    text = (root / "deploy" / "kubernetes" / "dask.yaml").read_text(encoding="utf-8")
    for old, new in places.items():
        for form in ('"{}"', "//{}", ": {}"):
            text = text.replace(form.format(old), form.format(new))
    deployments = [one for one in yaml.safe_load_all(text) if one["kind"] == "Deployment"]
    own = {
        "distributed.comm.require-encryption": True,
        "distributed.comm.tls.ca-file": str(tmp_path / "ca.pem"),
        "distributed.comm.tls.client.cert": str(certificate),
        "distributed.comm.tls.client.key": str(key),
    }
    table, address = trade(40), f"tls://127.0.0.1:{port}"
    with ExitStack() as held:
        for one in deployments:
            (container, *_) = one["spec"]["template"]["spec"]["containers"]
            command: list[str] = [*container["command"], *container["args"]]
            variables = {entry["name"]: entry["value"] for entry in container["env"]}
            held.enter_context(started(*command[1:], **variables))
        until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, 60)
        time.sleep(5)
        with pytest.raises(TariffsError) as caught:
            client.impact(table, **OPTIONS, cluster=address)
        assert caught.value.reason == "CLUSTER_UNAVAILABLE"
        with dask.config.set(own):
            found = client.impact(table, **OPTIONS, cluster=address)
    assert found.groups.equals(client.impact(table, **OPTIONS).groups)
