"""Measure quotes while a large sweep, uploads, cancels and a run that lost its worker go on beside them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from tariffs.client import Client
from tariffs.engine.schedule.reference_data import reference_table
from tests.tools.load.plan import Plan
from tests.tools.load.replay import quotes_at_rate
from tests.tools.load.rows import Measured
from tests.tools.load.servers import Server, wait_until

SCENARIO, DAY = "rates-by-country", "2026-12-01"
SIDE = 100
"""Rates on each of two countries: 10,000 points."""
JOIN_SECONDS = 120.0
CANCEL_AFTER_SECONDS = 0.3
Work = Callable[[Client, Server], None]


def _rates(count: int) -> dict[str, list[str]]:
    return {name: [f"{rate}%" for rate in range(count)] for name in ("cn", "vn")}


def _sweep(client: Client, _server: Server) -> None:
    """Compute 10,000 points and read them all."""
    found = client.sweep(None, SCENARIO, vary=_rates(SIDE), on=DAY, response="none")
    if found.totals.height != SIDE**2:
        raise RuntimeError(f"{found.totals.height:,} points came back")


def _upload(client: Client, _server: Server) -> None:
    """Upload a table as large as the embedded one, and delete it."""
    client.delete_table(client.upload(reference_table().select("hts", "origin", "customs_value")))


def _cancel(client: Client, _server: Server) -> None:
    """Begin a long run, cancel it, and delete it once it has ended."""
    run = client.start_sweep(None, SCENARIO, vary=_rates(SIDE), on=DAY, response="none")
    time.sleep(CANCEL_AFTER_SECONDS)
    run.cancel()
    wait_until(lambda: run.status().done)
    run.delete()


def _resume(client: Client, server: Server) -> None:
    """Begin a long run, kill its worker, and wait until another one has ended it from where it was."""
    run = client.start_sweep(None, SCENARIO, vary=_rates(SIDE), on=DAY, response="none")
    wait_until(lambda: run.status().finished_parts > 0)
    max(server.workers, key=lambda worker: float(worker.cpu_percent(0.1))).kill()
    run.wait(timeout=JOIN_SECONDS)
    run.delete()


WORKS: Mapping[str, Work] = {
    "quote_tail_point_sweep": _sweep,
    "quote_tail_upload": _upload,
    "quote_tail_cancel": _cancel,
    "quote_tail_resume": _resume,
}


def measure(plan: Plan, server: Server) -> list[Measured]:
    """Rows on the slowest quotes beside other work, over those of the idle server in the same round."""
    idle: list[float] = []
    tails: dict[str, list[float]] = {name: [] for name in WORKS}
    for _ in range(plan.rounds):
        idle.append(quotes_at_rate(plan.folder, server, plan.seconds).p99)
        for name, work in WORKS.items():
            with _going_on(server, work):
                tails[name].append(quotes_at_rate(plan.folder, server, plan.seconds).p99)
            server.settle()
    told = f"idle p99 {min(idle):.2f} to {max(idle):.2f} ms"
    return [
        Measured(name, tuple(tail / base for tail, base in zip(found, idle, strict=True)), told)
        for name, found in tails.items()
    ]


@contextmanager
def _going_on(server: Server, work: Work) -> Iterator[None]:
    """Do some work again and again for the length of the block; an error in it is raised at the end."""
    over, failed = threading.Event(), list[Exception]()

    def repeat() -> None:
        try:
            with Client(server.target) as client:
                while not over.is_set():
                    work(client, server)
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(JOIN_SECONDS)
    if failed or thread.is_alive():
        raise RuntimeError("the work beside quotes failed") from next(iter(failed), None)
