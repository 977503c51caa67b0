"""The Go module is made from the contract where Debian's plugins are installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tariffs.service.server.server import SERVICES
from tests.node.test_node_client import stubs_module


def test_the_go_module_has_a_client_for_every_service(tmp_path: Path) -> None:
    pytest.importorskip("grpc_tools", reason="protoc is not installed")
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
