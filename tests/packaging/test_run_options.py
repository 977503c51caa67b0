"""The list of run options is written once: a field added to it is found wherever options are taken."""

from __future__ import annotations

import json
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tariffs.run_spec.option import Kind
from tariffs.run_spec.spec import OPTIONS, taken
from tariffs.v1.simulation_service_pb2 import LinesConfig, SimulateRequest, SweepRequest, TimelineRequest
from tariffs.v1.sweep_service_pb2 import SeekRequest

ROOTS = ("proto", "clients/python", "service", "engine")
REQUESTS: dict[str, Any] = {"impact": SimulateRequest, "timeline": TimelineRequest, "sweep": SweepRequest}
REQUESTS |= {"seek": SeekRequest, "lines": LinesConfig}
GROUP = '    """Response of trade to duties."""\n'
FIELD = """
    inventory: float = option(
        0.0,
        Kind.NUMBER,
        "Months of inventory",
        "Months of sales that buyers hold in stock.",
        (IMPACT, TIMELINE),
    )
"""
PROBE = """
import json
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import get_type_hints

from tariffs.client import Client, ResponseOptions, RunOptions, TimelineOptions, TariffsError
from tariffs.client._verbs import replay
from tariffs.client._wire.requests import simulate_request
from tariffs.client._wire.run_options import read_spec
from tariffs.client.cli.app import run
from tariffs.client.desk.fields import more_run_fields
from tariffs.client.desk.question import Question
from tariffs.engine.runs.options import Options
from tariffs.service.rpc.run_options import options_of

given, found = [], {}
here = SimpleNamespace(impact=lambda *lines, **options: given.append(options), timeline=None, sweep=None)
spec = read_spec("impact", {"inventory": 2})
request = simulate_request(["base"], spec)
classes = (RunOptions, TimelineOptions, ResponseOptions)
found["typed"] = [get_type_hints(names).get("inventory") is float for names in classes]
found["help"] = RunOptions.__doc__
try:
    read_spec("sweep", {"inventory": 2})
except TariffsError as error:
    found["sweep"] = str(error)
found["wire"] = [request.inventory, request.DESCRIPTOR.fields_by_name["inventory"].number]
found["engine"] = options_of(request, "").inventory
call = replay.recorded_call("impact", None, ["base"], spec)
replay._run(here, call, None)
found["unused"] = replay.recorded_call("impact", None, ["base"], read_spec("impact", {}))["options"]
with redirect_stdout(StringIO()) as page:
    run(["impact", "--help"])
found["page"] = page.getvalue()
Client.impact = here.impact
try:
    run(["impact", "--local", "--inventory", "3"])
except AttributeError:
    pass  # The client gives no result.
fields = more_run_fields("impact")
found["form"] = [one.label for one in fields if one.name == "inventory"]
here.impact((), **Question.of("/compare", "inventory=4").options("impact"))
found["given"] = [options["inventory"] for options in given]
print(json.dumps(found))
"""


def test_an_option_added_to_the_list_is_found_everywhere(root: Path, tmp_path: Path) -> None:
    """The one other step is `make gen`, which writes fields of messages, keyword arguments and the page."""
    for name in (*ROOTS, "third_party"):
        shutil.copytree(root / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "docs").mkdir()
    page = Path(shutil.copy(root / "docs" / "options.md", tmp_path / "docs"))
    listed = tmp_path / "proto" / "tariffs" / "run_spec" / "spec.py"
    text = listed.read_text(encoding="utf-8")
    assert text.count(GROUP) == 1
    listed.write_text(text.replace(GROUP, GROUP + FIELD), encoding="utf-8")
    # What `make gen` runs.
    run(tmp_path, "proto/gen.py")
    run(tmp_path, "-m", "tariffs.reference_pages.run_options", "docs/options.md")
    found: dict[str, Any] = json.loads(run(tmp_path, "-c", PROBE).splitlines()[-1])
    assert found["typed"] == [True, True, False]
    assert "inventory: Months of sales that buyers hold in stock." in found["help"]
    assert "A sweep takes no inventory" in found["sweep"]
    highest = max(field.number for one in REQUESTS.values() for field in one.DESCRIPTOR.fields)
    assert found["wire"] == [2.0, highest + 1]
    assert found["engine"] == 2.0
    assert "--inventory" in found["page"]
    assert "Months of sales" in found["page"]
    assert found["form"] == ["Months of inventory"]
    assert found["given"] == [2.0, 3.0, 4], "by replay, from the command line, from the form"
    assert "inventory" not in found["unused"], "earlier releases can run the call"
    row = "| `inventory` | `--inventory` | 0.0 | yes | yes |  |  | Months of sales"
    assert row in page.read_text("utf-8")


def run(folder: Path, *words: str) -> str:
    """Run Python on a copy of the tree."""
    path = os.pathsep.join(str(folder / name) for name in ROOTS)
    environment = {**os.environ, "PYTHONPATH": path}
    command = [sys.executable, *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_keyword_arguments_are_those_of_the_list(root: Path) -> None:
    pytest.importorskip("grpc_tools")
    made = runpy.run_path(str(root / "proto" / "gen.py"))
    assert made["typed"]() == (root / "proto" / made["TYPED"]).read_text(encoding="utf-8"), "run `make gen`"


def test_requests_have_the_options_and_choices_of_the_list() -> None:
    for verb, message in REQUESTS.items():
        fields = message.DESCRIPTOR.fields_by_name
        missing = {one.name for one in taken(verb) if one.wire not in fields and one.name not in fields}
        assert missing <= {"on"}, verb
        for one in taken(verb):
            if one.kind is Kind.CHOICE:
                first, *others = fields[one.wire].enum_type.values
                prefix = first.name.removesuffix("UNSPECIFIED")
                words = {value.name.removeprefix(prefix).lower() for value in others}
                assert set(one.choices) <= words, one.name
                assert one.name == "direction" or set(one.choices) == words, one.name
    for one in OPTIONS.values():
        assert one.title, one.name
        assert one.text.endswith("."), one.name
        assert one.kind is not Kind.CHOICE or one.default in (*one.choices, ""), one.name
