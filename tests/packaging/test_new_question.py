"""The page *How to add a question*: its two files, put into a copy of the tree, work on every way in."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

ROOTS = ("engine", "service", "clients/python", "proto")
MOST_LINES = 120
PROBE = """
import asyncio, io, json, os, sys, urllib.request
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from tariffs.client import AsyncClient, Client, DayRatesResult
from tariffs.client._wire.server_process import server_process
from tariffs.client.cli.__main__ import run
from tariffs.client.mcp.question_tools import tools

LINE = ("9503.00.0073", "CN", "2025-01-01", "2025-03-31")
ASKED = dict(zip(("hts", "origin", "start", "end"), LINE, strict=True))


def command(*words):
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = run(["day-rates", *words])
        except SystemExit as ended:
            code = ended.code
    return [code, out.getvalue(), err.getvalue()]


async def waited(target):
    async with AsyncClient(target) as client:
        return await client.day_rates("9503.00.0073", "CN", start=LINE[2], end=LINE[3])


def connect(port):
    body = {"line": {"hts": "9503000073", "origin": "CN"}, "start": LINE[2], "end": LINE[3]}
    address = f"http://127.0.0.1:{port}/tariffs.v1.DutyService/ListDayRates"
    request = urllib.request.Request(address, json.dumps(body).encode(), {"content-type": "application/json"})
    return json.load(urllib.request.urlopen(request, timeout=60))


os.environ["TARIFFS_HTTP_PORT"] = port = sys.argv[1]
words = ["9503.00.0073", "--origin", "CN", "--from", LINE[2], "--to", LINE[3]]
with server_process(Path("server.log"), 120.0, lambda _: None) as target, Client(target) as client:
    remote = client.day_rates("9503.00.0073", "CN", start=LINE[2], end=LINE[3])
    try:
        client.day_rates("9503.00.0073", "CN", start="soon", end=LINE[3])
    except Exception as error:
        refused = [type(error).__name__, error.reason]
    found = {
        "remote": remote.to_json_dict(), "waited": asyncio.run(waited(target)).to_json_dict(), "connect": connect(port),
        "frame": remote.frame.to_dicts(), "notebook": remote._repr_html_(), "refused": refused,
    }
    page = f"http://127.0.0.1:{port}/day_rates?hts=9503.00.0073&origin=CN&start={LINE[2]}&end={LINE[3]}"
    found["page"] = urllib.request.urlopen(page, timeout=60).read().decode()
    tool = next(one for one in tools(client) if one.__name__ == "day_rates")
    found["tool"] = [tool.__doc__, str(tool(**ASKED))]
with Client.local() as client:
    local = client.day_rates("9503.00.0073", "CN", start=LINE[2], end=LINE[3])
    found |= {"local": local.to_json_dict(), "is_result": isinstance(local, DayRatesResult)}
found |= {"text": command(*words), "json": command(*words, "--json"), "help": command("--help"),
          "missing": command("9503.00.0073", "--origin", "XX", "--from", LINE[2], "--to", LINE[3])}
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def files(root: Path) -> dict[str, str]:
    """Files of the page by their path."""
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition("## How to add a question\n")[2].partition("\n## ")[0]
    found = re.findall(r"^   `([\w/.]+)`\n   ```python\n(.*?)^   ```$", section, re.MULTILINE | re.DOTALL)
    return {path: dedent(code) for path, code in found}


@pytest.fixture(scope="module")
def tried(root: Path, files: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Answers of a copy of the tree with the files of the page, on every way in."""
    pytest.importorskip("grpc_tools")
    copy = tmp_path_factory.mktemp("tree")
    for name in (*ROOTS, "third_party", "docs"):
        shutil.copytree(root / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path, code in files.items():
        assert not (copy / path).exists()
        (copy / path).write_text(code, encoding="utf-8")
    run(copy, "proto/gen.py")
    found: dict[str, Any] = json.loads(run(copy, "-c", PROBE, free_port()).splitlines()[-1])
    found["docs"] = (copy / "docs" / "questions.md").read_text(encoding="utf-8")
    return found


def free_port() -> str:
    """Find a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


def run(folder: Path, *words: str) -> str:
    """Run Python on a copy of the tree."""
    path = os.pathsep.join(str(folder / name) for name in ROOTS)
    environment = {**os.environ, "PYTHONPATH": path, "NO_COLOR": "1", "COLUMNS": "110"}
    environment.pop("TARIFFS_TARGET", None)
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_has_two_files_that_are_read_at_one_sitting(files: dict[str, str]) -> None:
    assert len(files) == 2
    assert sum(code.count("\n") for code in files.values()) <= MOST_LINES


def test_python_grpc_and_connect_give_one_answer(tried: dict[str, Any]) -> None:
    local = tried["local"]
    assert tried["is_result"]
    # 301 of list 4A is suspended on toys: the fentanyl duty of 10 percent from February 4, 20 from March 4, 2025.
    assert [(one["day"], one["rate"]) for one in local["rates"]] == [
        ("2025-01-01", "0"), ("2025-02-04", "0.1"), ("2025-03-04", "0.2"),
    ]  # fmt: skip
    assert tried["remote"]["rates"] == tried["waited"]["rates"] == local["rates"]
    assert tried["remote"]["provenance"]["run_digest"] == local["provenance"]["run_digest"]
    assert [one["rate"] for one in tried["connect"]["rates"]] == ["0", "0.1", "0.2"]
    assert tried["frame"] == [{"day": one["day"], "rate": float(one["rate"])} for one in local["rates"]]
    assert tried["refused"][0] == "InvalidRequest"


def test_command_line_says_prints_and_refuses(tried: dict[str, Any]) -> None:
    code, out, _ = tried["text"]
    assert code == 0
    assert "20.00 % on goods from China from 2025-03-04 on." in out
    code, out, _ = tried["json"]
    assert code == 0
    assert json.loads(out)["rates"] == tried["local"]["rates"]
    code, out, _ = tried["help"]
    assert "List the rates of duty on a line through a period" in out
    options = out.partition("Question")[2].partition("\nOutput")[0]
    assert all(flag in options for flag in ("--origin", "--from", "--to", "--known-on"))
    code, _, err = tried["missing"]
    assert code == 1 or code == 2
    assert "ORIGIN_UNKNOWN" in err


def test_desk_notebook_tool_and_page_of_reference_show_it(tried: dict[str, Any]) -> None:
    for shown in (tried["page"], tried["notebook"]):
        assert "20.00 % on goods from China" in shown
        assert "2025-02-04" in shown
    text, answer = tried["tool"]
    assert "First day of the period." in text
    assert "2025-03-04" in answer
    assert "## day_rates" in tried["docs"]
    assert (
        "`Client.day_rates`, `tariffs day-rates`, `DutyService/ListDayRates`, page `/day_rates`"
        in tried["docs"]
    )
