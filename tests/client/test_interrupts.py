"""Ctrl-C ends the command line with one word, also while it is loading."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer

from tariffs.client.cli.app import SUMMARIES, assemble

PROGRAM = """
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
INTERRUPTED = 130


@pytest.mark.parametrize("module", ["grpc", "polars", "typer", "tariffs.client.cli.app"])
def test_an_interrupt_while_a_module_is_loaded_shows_no_traceback(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, module], capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.returncode, done.stderr, done.stdout) == (INTERRUPTED, "Interrupted.\n", "")


@pytest.mark.parametrize("program", ENTRY_POINTS.values(), ids=ENTRY_POINTS)
def test_an_interrupt_within_a_finalizer_is_not_lost(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOST + program], capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.returncode, done.stderr, done.stdout) == (INTERRUPTED, "Interrupted.\n", "")


def test_the_entry_point_is_loaded_without_what_takes_long() -> None:
    text = (
        "import sys, tariffs.client.cli.__main__; print(sorted({'grpc', 'polars', 'typer'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_help_is_shown_without_what_takes_long() -> None:
    heavy = {"grpc", "google", "polars", "numpy", "numba", "pydantic", "yaml"}
    text = f"""
import sys
from tariffs.client.cli.app import run
run(["--help"])
print(sorted({heavy} & {{*sys.modules}}))
"""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert "Compute the duty on one entry line" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_one_line_is_quoted_without_kernels_arrays_tables_or_channels() -> None:
    text = """
import sys
from tariffs.client.cli.__main__ import main
try:
    main("duty 9503.00.0073 --origin CN --date 2025-11-10 --value 10000 --json".split())
finally:
    heavy = ("numba", "numpy", "polars.dataframe", "grpc._cython", "yaml", "tariffs.engine.scenario.schema")
    print(sorted({*heavy} & {*sys.modules}))
"""
    for _ in range(2):  # the first may make the snapshots
        done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "[]")


@pytest.mark.parametrize("name", SUMMARIES)
def test_a_command_is_summarized_in_the_words_of_its_own_help(name: str) -> None:
    command = typer.main.get_group(assemble(name)).commands[name]
    assert " ".join((command.help or "").split("\n\n")[0].split()) == SUMMARIES[name]


def test_the_public_names_are_there_and_no_others() -> None:
    text = (
        "from tariffs.client import *\n"
        "import tariffs.client as client\n"
        "assert Client is client.Client and replay is client.replay and callable(replay)\n"
        "assert {*client.__all__} <= {*dir(client)}\n"
        "assert not hasattr(client, 'nothing')\n"
    )
    subprocess.run([sys.executable, "-c", text], check=True)
