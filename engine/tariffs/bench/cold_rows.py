"""Measure commands in processes of their own, by processor time, with the caches on disk filled."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from functools import cache, partial

from tariffs.bench.measure import Deadline, Sample, sample_of
from tariffs.bench.quote_rows import Draws
from tariffs.bench.workbench import Measure, Workbench
from tariffs.engine.schedule import reference_data

_SECONDS = 300
_DAY = "2025-05-14"
_SCENARIO = ("--scenario", "forced-labor-zero-on-china")
COMMANDS: dict[str, tuple[str, ...]] = {
    "help": ("--help",),
    "quote": ("duty", "--value", "10000", "--date", _DAY),
    "static": ("impact", *_SCENARIO, "--response", "none"),
    "impact": ("impact", *_SCENARIO),
}
_RIVAL = (sys.executable, "-c", "import polars")


def cold_command(name: str) -> Measure:
    """Make the measurement of a command beside a process that imports Polars, both by processor time."""
    goods = _drawn_goods() if name == "quote" else ()
    work = partial(_run, (sys.executable, "-m", "tariffs.client.cli", *COMMANDS[name], *goods))
    return lambda bench, deadline: _beside_import(work)


def _drawn_goods() -> tuple[str, ...]:
    """Arguments of goods drawn from trade, which state the quantity that a specific rate needs."""
    (line,) = Draws(reference_data.reference_table(), date.fromisoformat(_DAY)).take(1)
    quantity = ("--quantity", line.quantity or "", "--unit", line.unit or "") if line.unit else ()
    return line.hts, "--origin", line.origin, *quantity


def cold_server(bench: Workbench, deadline: Deadline) -> Sample:
    """Measure a server, its workers included, from its start until it serves, and stopped then."""
    return _beside_import(_serve)


def _beside_import(work: Callable[[], None]) -> Sample:
    _fill_caches(work)
    before, taken, after = (_processor_seconds(one) for one in (_import, work, _import))
    return sample_of(taken, (before + after) / 2)


@cache
def _fill_caches(work: Callable[[], None]) -> None:
    """Run once what is measured: kernels are compiled, snapshots and bytecode written."""
    work()


def _import() -> None:
    _run(_RIVAL)


def _run(command: tuple[str, ...]) -> None:
    subprocess.run(command, check=True, timeout=_SECONDS, capture_output=True, env=_environment())


def _environment() -> dict[str, str]:
    """Variables of a process that keeps its bytecode, as those of users do."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _serve() -> None:
    command = (sys.executable, "-m", "tariffs.service", "--host", "127.0.0.1", "--port", "0")
    settings = {"TARIFFS_LOG_FORMAT": "json", "TARIFFS_LOG_LEVEL": "info", "TARIFFS_DRAIN_SECONDS": "0"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=_environment() | settings
    ) as server:
        assert server.stdout is not None
        for line in server.stdout:
            if json.loads(line).get("event") == "serving":
                server.send_signal(signal.SIGTERM)


def _processor_seconds(work: Callable[[], None]) -> float:
    """Processor time, of user and system, of the processes that a call starts and waits for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
