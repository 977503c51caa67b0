"""The generated packages: TypeScript, used by Node over Connect, gRPC-Web and gRPC before a real server, and Go."""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tariffs.service.server.server import SERVICES
from tariffs.service.wire.frames import unpack
from tariffs.v1 import simulation_service_pb2 as pb
from tests.service.harness import Running, compute_in_process, running
from tests.service.stored import until
from tests.service.web_calls import Endless

pytest.importorskip("connectrpc", reason="the extra `web` is not installed")
pytest.importorskip("grpc_tools", reason="protoc is not installed")

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SECONDS = 90
# As in client.test.mjs.
ENDLESS_SEED = 4711


def stubs_module() -> Any:
    return SimpleNamespace(**runpy.run_path(str(ROOT / "proto" / "stubs.py")))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of Node that has the package and a client library installed."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed: apt-get install nodejs npm")
    stubs, folder = stubs_module(), tmp_path_factory.mktemp("node")
    try:
        package = stubs.typescript(folder / "package")
        installed = stubs.node_modules()
    except stubs.MissingError as error:
        pytest.skip(str(error))
    modules = folder / "node_modules"
    modules.mkdir()
    for one in installed.iterdir():
        (modules / one.name).symlink_to(one)
    (package / "node_modules").symlink_to(installed)
    (modules / "tariffs-stubs").symlink_to(package)
    return folder


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    endless = Endless()

    def compute(task: str, payload: bytes, sink: Any, cancel_token: Any) -> None:
        if task == "simulate" and pb.SimulateRequest.FromString(unpack(payload)[1]).seed == ENDLESS_SEED:
            return endless(None, lambda one: sink.result(one.SerializeToString()), cancel_token.is_set)
        return compute_in_process(task, payload, sink, cancel_token)

    with running(compute=compute, http_port=0) as started:
        yield started


def printed(folder: Path, *command: str, **environment: str) -> str:
    told = {**os.environ, **environment}
    done = subprocess.run(command, cwd=folder, env=told, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_node_calls_the_server_by_every_protocol(project: Path, server: Running) -> None:
    shutil.copy(HERE / "client.test.mjs", project)
    ports = {"HTTP": server.server.http_port, "GRPC": server.port}
    addresses = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    assert "fail 0" in printed(project, "node", "--test", "client.test.mjs", **addresses)
    # Runs that Node gave up do not go on.
    until(lambda: server.server._admission.limit.held == 0, 30)


def test_the_types_of_the_package_are_those_that_a_program_needs(project: Path) -> None:
    shutil.copy(HERE / "types.ts", project)
    options = ["--strict", "--noEmit", "--skipLibCheck", "--target", "es2022", "--module", "nodenext"]
    printed(project, str(project / "node_modules" / ".bin" / "tsc"), *options, "types.ts")


def test_the_package_has_the_version_of_the_project_and_names_no_host(project: Path) -> None:
    text = (project / "package" / "package.json").read_text(encoding="utf-8")
    assert f'"version": "{stubs_module().version()}"' in text
    lock = (ROOT / "clients" / "typescript" / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert "://registry" not in text + lock


def test_the_go_module_has_a_client_for_every_service(tmp_path: Path) -> None:
    stubs = stubs_module()
    try:
        module = stubs.go(tmp_path / "go")
    except stubs.MissingError as error:
        pytest.skip(str(error))
    code = "".join(path.read_text(encoding="utf-8") for path in (module / "tariffsv1").glob("*_grpc.pb.go"))
    own = [name.rpartition(".")[2] for name in SERVICES if name.startswith("tariffs.v1.")]
    assert all(f"func New{name}Client(" in code for name in own)
    assert (module / "go.mod").read_text(encoding="utf-8").startswith("module tariffs.internal/stubs")
    if (gofmt := shutil.which("gofmt")) is not None:
        found = subprocess.run([gofmt, "-l", module], capture_output=True, text=True, timeout=300, check=True)
        assert found.stdout == ""
