"""A million lines as an Arrow stream, against one message a line and against Arrow Flight."""

from __future__ import annotations

import importlib
import importlib.util
import statistics
import subprocess
import sys
import time
from typing import Any

from tests.tools.load import lines
from tests.tools.load.plan import Plan
from tests.tools.load.rows import Measured
from tests.tools.load.servers import ROOT, echoing, stop

ARROW_TIMES = 5


def measure(plan: Plan) -> list[Measured]:
    """Rows on streams of lines."""
    canned = plan.folder / "nothing.bin"
    canned.write_bytes(b"")
    with echoing(canned) as server:
        return [
            _against_messages(server.port, plan.rounds),
            _flown(server.port, plan.rounds),
        ]


def _against_messages(port: int, rounds: int) -> Measured:
    lines.arrow_seconds(port, lines.NARROW)
    found = [(_usual_seconds(port), lines.messages_seconds(port)) for _ in range(rounds)]
    arrow, messages = found[-1]
    seen = f"Arrow {arrow * 1e3:.0f} ms, messages {messages * 1e3:.0f} ms"
    return Measured("arrow_messages", tuple(many / arrow for arrow, many in found), seen)


def _usual_seconds(port: int) -> float:
    """The median of some: it is soon over, so that a single one tells little."""
    return statistics.median(lines.arrow_seconds(port, lines.NARROW) for _ in range(ARROW_TIMES))


def _flown(port: int, rounds: int) -> Measured:
    if importlib.util.find_spec("pyarrow") is None:
        return Measured("arrow_flight", (), "pyarrow is not installed")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.tools.load.flight"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        flight_port = int(process.stdout.readline())
        _fly(flight_port)
        found = [(lines.arrow_seconds(port, lines.WHOLE), _fly(flight_port)) for _ in range(rounds)]
    finally:
        stop(process)
        if process.stdout is not None:
            process.stdout.close()
    seen = f"Flight {found[-1][1] * 1e3:.0f} ms from a table that is ready, Arrow stream encodes anew"
    return Measured("arrow_flight", tuple(flight / arrow for arrow, flight in found), seen)


def _fly(port: int) -> float:
    flight: Any = importlib.import_module("pyarrow.flight")
    with flight.connect(f"grpc://127.0.0.1:{port}") as client:
        begun = time.perf_counter()
        if client.do_get(flight.Ticket(b"")).read_all().num_rows != lines.ROWS:
            raise RuntimeError("lines were lost")
        return time.perf_counter() - begun
