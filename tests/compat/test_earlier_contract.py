"""Callers of an earlier contract are served as before, breaking edits of it are seen, answers are those recorded."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message_factory import GetMessageClass

from tests.compat import old_client
from tests.compat.answers.__main__ import BLOCKS, differences
from tests.service.harness import Running, running

pytestmark = pytest.mark.slow

HERE = Path(__file__).resolve().parent
# The one with a client of its own.
BASELINE = HERE / "v1_0"
MERELY_PROGRESS = {"progress"}


@pytest.mark.parametrize(
    ("source", "before", "after", "told"),
    [
        ("duty_service", "string assessed = 1;", "string assessed = 99;", "assessed"),
        ("duty_service", "string quantity = 6;", "double quantity = 6;", "quantity"),
        (
            "law_service",
            "  rpc ListChanges(ListChangesRequest) returns (ListChangesResponse);\n",
            "",
            "ListChanges",
        ),
        ("common", "TRANSPORT_MODE_AIR = 2", "TRANSPORT_MODE_AIR = 9", "TransportMode"),
    ],
)
def test_an_edit_that_breaks_callers_is_seen(
    root: Path, tmp_path: Path, source: str, before: str, after: str, told: str
) -> None:
    for name in ("proto", "third_party"):
        shutil.copytree(root / name, tmp_path / name)
    shutil.copy(root / "buf.yaml", tmp_path)
    edited = tmp_path / "proto" / "tariffs" / "v1" / f"{source}.proto"
    text = edited.read_text(encoding="utf-8")
    assert before in text
    edited.write_text(text.replace(before, after, 1), encoding="utf-8")
    # `make lint` runs the same on the checkout.
    command = [str(Path(sys.executable).parent / "buf"), "breaking", "--against", str(BASELINE)]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert found.returncode != 0
    assert told in found.stdout


@pytest.fixture(scope="module")
def server() -> Any:
    with running() as started:
        yield started


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory, server: Running) -> dict[str, list[dict[str, Any]]]:
    """The answers as a client of the earlier contract reads them."""
    code = tmp_path_factory.mktemp("earlier")
    generate(code)
    # -S keeps the path of today's generated code out of the process.
    paths = [str(code), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}
    command = [sys.executable, "-S", old_client.__file__, str(BASELINE), f"127.0.0.1:{server.port}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[dict[str, Any]]] = json.loads(done.stdout)
    return found


def generate(out: Path) -> None:
    """Generate the client code of the earlier contract."""
    pytest.importorskip("grpc_tools")
    includes = [f"--proto_path={path}" for path in (BASELINE, files("grpc_tools") / "_proto")]
    sources = [str(path.relative_to(BASELINE)) for path in BASELINE.glob("tariffs/v1/*.proto")]
    command = [sys.executable, "-m", "grpc_tools.protoc", *includes]
    command += [f"--python_out={out}", f"--grpc_python_out={out}", *sources]
    subprocess.run(command, check=True, timeout=300)


CALLS: dict[str, Any] = json.loads((BASELINE / "calls.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(CALLS))
def test_a_client_of_the_earlier_contract_reads_the_same_as_one_of_today(
    name: str, earlier: dict[str, list[dict[str, Any]]], server: Running
) -> None:
    service, method_name = name.split("/")
    descriptor, stub = old_client.services(BASELINE)[service]
    method = descriptor.methods_by_name[method_name]
    request = ParseDict(CALLS[name], GetMessageClass(method.input_type)())
    answer = getattr(stub(server.channel), method_name)(request, timeout=old_client.TIMEOUT)
    today = [MessageToDict(message) for message in (answer if method.server_streaming else [answer])]
    assert set(earlier) == set(CALLS)
    told = without_progress(earlier[name])
    assert told
    assert holds(without_progress(today), told)


def without_progress(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [message for message in messages if set(message) != MERELY_PROGRESS]


def holds(whole: Any, part: Any) -> bool:
    """Whether all of `part` stands in `whole`, which may say more."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(name in whole and holds(whole[name], part[name]) for name in part)
    if isinstance(part, list) and isinstance(whole, list):
        return len(whole) == len(part) and all(map(holds, whole, part))
    return bool(whole == part)


def test_answers_are_those_recorded(scale: int) -> None:
    assert differences(range(0, BLOCKS, BLOCKS // min(4 * scale, BLOCKS))) == []
