"""What the start of a process costs beside the imports it needs: `pytest -m bench -s tests/tools/bench`."""

from __future__ import annotations

import statistics
import subprocess
import sys

import pytest

RUNS = 5
COMMAND = "from tariffs.client.cli.__main__ import main; main({!r}.split())"
QUOTE = "duty 9503.00.0073 --origin CN --date 2025-11-10 --value 10000"
TIMED = "import os, time, atexit; atexit.register(lambda: os.write(2, f'{time.process_time()}'.encode()));"
# (command line, packages that it imports, largest ratio of processor times)
STARTS = {
    "help": ("--help", "typer, typer.rich_utils, rich.markdown", 2.0),
    "quote": (QUOTE, "typer, rich.console, polars, pydantic, grpc, yaml", 4.5),
}


def _seconds(code: str) -> float:
    """Processor time of a new process."""
    done = subprocess.run([sys.executable, "-c", TIMED + code], capture_output=True, text=True, check=False)
    return float(done.stderr.split()[-1])


@pytest.mark.bench
@pytest.mark.parametrize("name", STARTS)
def test_a_command_starts_in_a_few_times_its_imports(name: str) -> None:
    arguments, packages, limit = STARTS[name]
    pairs = [(_seconds(COMMAND.format(arguments)), _seconds(f"import {packages}")) for _ in range(RUNS)]
    own, imports = (statistics.median(values) for values in zip(*pairs, strict=True))
    print(f"\n{name}: {own:.2f} s of processor time, its packages {imports:.2f} s, ratio {own / imports:.1f}")
    assert own <= limit * imports
