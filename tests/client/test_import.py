"""The client and the command line load little, end at an interrupt, and have all verbs and names that are recorded."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
import subprocess
import sys
import threading
from decimal import Decimal
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import FunctionType
from typing import Any

import grpc
import polars as pl
import pytest
import typer

from tariffs import client as package
from tariffs.client import AsyncClient, Client, InvalidRequest
from tariffs.client._verbs.loaded_later import METHODS
from tariffs.client.cli.app import SUMMARIES, assemble
from tests.client.fakes import fake_server

EXTRAS = (
    *("altair", "vl_convert", "marimo", "tqdm", "xlsxwriter", "fastexcel", "pyarrow", "pandas"),
    *("typer", "rich", "numba", "numpy", "yaml", "pytest", "sqlalchemy", "pydantic", "structlog"),
)
IMPORTED = """
import json, sys, time
start = time.process_time()
import polars
middle = time.process_time()
import tariffs.client
from tariffs.client import AsyncClient, Client, Scenario, read_table
client = Client("localhost:1")
print(json.dumps({"polars": middle - start, "client": time.process_time() - middle, "loaded": [*sys.modules]}))
"""
SECONDS = 0.25
INTERRUPTING = """
import os, signal, sys
from importlib.abc import MetaPathFinder

class Interrupting(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGINT)
        return None

sys.meta_path.insert(0, Interrupting())
from tariffs.client.cli.__main__ import main
main(["duty", "--help"])
"""
LOST = """
import os, signal, sys, time, types, weakref

class Thing:
    pass

def work(*_):
    thing = Thing()
    watch = weakref.ref(thing, lambda _: os.kill(os.getpid(), signal.SIGINT))
    del thing  # the callback is interrupted, and Python discards what is raised in it
    time.sleep(600)

import tariffs.client.demo.founding_question as demo
import tariffs.client.cli.app as app
demo.run = app.run = work
"""
ENTRY_POINTS = {
    "demo": "from tariffs.client.demo.__main__ import main; sys.exit(main())",
    "command line": "from tariffs.client.cli.__main__ import main; main(['duty'])",
}
LIGHT = {
    "the entry point": ("import tariffs.client.cli.__main__", "grpc polars typer"),
    "help": (
        "from tariffs.client.cli.app import run; run(['--help'])",
        "grpc google polars numpy numba pydantic yaml",
    ),
    "one quote": (
        "from contextlib import suppress\nfrom tariffs.client.cli.__main__ import main\n"
        "with suppress(SystemExit): main('duty 9503.00.0073 --origin CN --date 2025-11-10 --value 10 --json'.split())",
        "numba numpy polars.dataframe grpc._cython yaml tariffs.engine.scenario.schema",
    ),
    "a client": (
        "from tariffs.client._deferred import defer; defer('polars'); from tariffs.client.client import Client",
        " ".join(["polars._utils", *(f"tariffs.client._verbs.{place.split('.')[0]}" for place in METHODS)]),
    ),
}
VERBS = [name for name, _ in inspect.getmembers(Client, inspect.isfunction) if not name.startswith("_")]


def python(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def test_the_client_loads_nothing_of_the_extras() -> None:
    loaded = json.loads(python(IMPORTED).stdout)["loaded"]
    packages = {name.partition(".")[0] for name in loaded}
    assert {"polars", "grpc", "tariffs"} <= packages
    assert packages & set(EXTRAS) == set()
    assert [name for name in loaded if name.startswith(("tariffs.engine", "tariffs.service"))] == []


@pytest.mark.slow
def test_the_client_costs_little_beyond_polars() -> None:
    runs = [json.loads(python(IMPORTED).stdout) for _ in range(5)]
    best = {name: min(float(run[name]) for run in runs) for name in ("polars", "client")}
    # Processor time of the quickest of five runs; on a slow machine Polars is the yardstick.
    assert best["client"] < max(SECONDS, 3 * best["polars"]), best


@pytest.mark.parametrize("what", LIGHT)
def test_what_takes_long_is_not_loaded_before_it_is_needed(what: str) -> None:
    program, heavy = LIGHT[what]
    program = f"import sys\n{program}\nprint(sorted({{*{heavy.split()!r}}} & {{*sys.modules}}))"
    if what == "one quote":
        python(program)  # which may make the snapshots
    done = python(program)
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["[]"]), done.stderr


def test_modules_that_the_client_imports_by_name_exist(root: Path) -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (root / "clients").rglob("*.py"))
    named = set(re.findall(r'"(tariffs\.(?:engine|service|bench)\.[a-z_.]+)"', source))
    named |= {f"tariffs.engine.{name}" for name in re.findall(r'_engine\("([a-z_.]+)"\)', source)}
    assert len(named) > 8
    assert [name for name in sorted(named) if find_spec(name) is None] == []


@pytest.mark.parametrize("place", METHODS)
def test_methods_that_are_loaded_later_are_those_of_their_class(place: str) -> None:
    module, name = place.split(".")
    found = vars(getattr(import_module(f"tariffs.client._verbs.{module}"), name))
    methods = [method for method, one in found.items() if isinstance(one, FunctionType)]
    assert sorted(methods) == sorted(METHODS[place])
    assert [getattr(Client, method) for method in methods] == [found[method] for method in methods]


def test_the_public_names_are_there_and_no_others() -> None:
    assert {*package.__all__} <= {*dir(package)}
    assert not hasattr(package, "nothing")


@pytest.mark.parametrize(
    ("program", "argument"),
    [
        *((INTERRUPTING, module) for module in ("grpc", "polars", "typer", "tariffs.client.cli.app")),
        *((LOST + program, "in a finalizer") for program in ENTRY_POINTS.values()),
    ],
)
def test_an_interrupt_at_any_time_is_one_word(program: str, argument: str) -> None:
    done = python(program, argument)
    assert (done.returncode, done.stderr, done.stdout) == (130, "Interrupted.\n", "")


@pytest.mark.parametrize("name", SUMMARIES)
def test_a_command_is_summarized_in_the_words_of_its_own_help(name: str) -> None:
    command = typer.main.get_group(assemble(name)).commands[name]
    assert " ".join((command.help or "").split("\n\n")[0].split()) == SUMMARIES[name]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_awaited_with_the_same_arguments(verb: str) -> None:
    awaited = getattr(AsyncClient, verb)
    assert inspect.iscoroutinefunction(awaited)
    assert inspect.signature(awaited) == inspect.signature(getattr(Client, verb))
    assert inspect.getdoc(awaited) == inspect.getdoc(getattr(Client, verb))


@pytest.mark.asyncio
async def test_calls_at_the_same_time_have_the_same_answers_as_one_by_one(client: Client) -> None:
    lines = pl.DataFrame({"hts": ["9503.00.0073"], "origin": ["CN"], "customs_value": [10.0]})
    days = ["2025-05-14", "2025-11-10", "2026-03-01"]
    async with AsyncClient.local() as awaited:
        quotes = await asyncio.gather(*(awaited.duty("9503.00.0073", "CN", day, 10000) for day in days))
        plain = [client.duty("9503.00.0073", "CN", day, 10000) for day in days]
        assert [one.assessed for one in quotes] == [one.assessed for one in plain]
        assert quotes[0].assessed == Decimal("3000.00")
        assert (await awaited.call(quotes[0].why)).considered
        assert (await awaited.impact(lines, response="none")).total.height == 1
        found = await awaited.find("toys", origin="CN", entry_date=days[0])
        assert found == client.find("toys", origin="CN", entry_date=days[0])
        with pytest.raises(InvalidRequest):
            await awaited.duty("9503.00.0073", "XX", "2025-05-14", 1)


@pytest.mark.asyncio
@pytest.mark.parametrize("name", ["CalculateDuty", "Simulate"])
async def test_a_cancelled_task_ends_the_call_on_the_server(name: str) -> None:
    begun, ended = threading.Event(), threading.Event()

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        context.add_callback(ended.set)
        begun.set()
        ended.wait(20)
        return []

    with fake_server() as server:
        server.answers[name] = answer
        async with AsyncClient(server.target) as client:
            call = client.impact() if name == "Simulate" else client.duty("9503.00.0073", "CN", value=1)
            task = asyncio.ensure_future(call)
            assert await asyncio.to_thread(begun.wait, 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await asyncio.to_thread(ended.wait, 5)
        assert len(server.requests) == 1
