"""Send calls at a rate by `tariffs replay-traffic`, and record those of a program by `tariffs record`.

Both are run as a user's own CI runs them: whatever the server does, a call is sent when it is due and timed from then.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.tools.load.plan import QUOTE, RATE
from tests.tools.load.servers import ROOT, Server, environment, free_port

COMMAND = (sys.executable, "-m", "tariffs.client.cli")
LIMIT = 120.0
CALL_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Sent:
    """Figures of calls that were sent again: how many failed, the 99th percentile in ms, and budgets missed.

    `by_method` has calls and the 99th percentile in words.
    """

    failed: int
    p99: float
    missed: tuple[str, ...]
    by_method: str


def send_again(calls: Path, server: Server, rate: float, seconds: float, budget: float) -> Sent:
    """Send a file of calls at a rate, against a budget of `budget` ms for the 99th percentile and of no errors."""
    options = {
        "target": server.target, "rate": rate, "seconds": seconds, "timeout": CALL_SECONDS, "p99": budget, "errors": 0,
    }  # fmt: skip
    done = subprocess.run(
        [*COMMAND, "replay-traffic", str(calls), "--json", *(f"--{name}={value}" for name, value in options.items())],
        cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True, timeout=seconds + LIMIT, check=False,
    )  # fmt: skip
    found = json.loads(done.stdout)
    if done.returncode != bool(found["missed"]):
        raise RuntimeError(f"replay-traffic ended with {done.returncode}: {done.stdout}")
    every, *methods = found["methods"]
    words = (f"{_calls(one)} {one['method'].rpartition('/')[2]} {_p99(one):.1f} ms" for one in methods)
    return Sent(sum(every["errors"].values()), _p99(every), tuple(found["missed"]), ", ".join(words))


def quotes_at_rate(folder: Path, server: Server, seconds: float) -> Sent:
    """Send the quote of the run again and again at the rate of the run."""
    calls = folder / "quote.jsonl"
    call = {"at": 0, "method": "/tariffs.v1.DutyService/CalculateDuty", "request": QUOTE}
    calls.write_text(json.dumps(call) + "\n", encoding="utf-8")
    return send_again(calls, server, RATE, seconds, 1e3 * CALL_SECONDS)


@contextmanager
def recording(calls: Path, server: Server) -> Iterator[str]:
    """Let `tariffs record` write the calls to a server; yields the target for them.

    It is ended by SIGTERM: who starts a load in the background has its programs ignore Ctrl-C.
    """
    port = free_port()
    recorder = subprocess.Popen(
        [*COMMAND, "record", "-o", str(calls), f"--port={port}", f"--target={server.target}"],
        cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert recorder.stderr is not None
        if "listening" not in recorder.stderr.readline():
            raise RuntimeError("tariffs record does not listen")
        yield f"127.0.0.1:{port}"
    finally:
        recorder.terminate()
        recorder.communicate(timeout=LIMIT)


def _calls(figures: Mapping[str, Any]) -> str:
    return f"{figures['calls']:,}"


def _p99(figures: Mapping[str, Any]) -> float:
    return float(figures["milliseconds"].get("p99", float("inf")))
