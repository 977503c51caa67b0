"""Record the calls of a program with the shipped client, and send them again against a budget of latency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from tariffs.client import Client
from tariffs.client.errors import TariffsError
from tests.tools.load.plan import Plan
from tests.tools.load.replay import recording, send_again
from tests.tools.load.rows import Measured, targets
from tests.tools.load.servers import Server
from tests.tools.load.trade_draws import drawn_requests

TAIL = "replay_tail"
RATE = 100
SECONDS = 5
"""Rounds are so many times longer than others: fewer calls are sent."""
QUOTES_A_RUN = 25
"""Quotes between two runs over the embedded table."""
Line = Mapping[str, Any]


def measure(plan: Plan, server: Server) -> list[Measured]:
    """Rows on the slowest of the recorded calls, and on those that fail."""
    calls, budget = plan.folder / "calls.jsonl", targets(plan.is_quick)[TAIL].bound
    with Client(server.target) as client:
        lines = [line for line in islice(_drawn(), plan.recorded) if _has_a_rate(client, line)]
    with recording(calls, server) as target, Client(target) as client:
        _work(client, lines)
    rounds = [send_again(calls, server, RATE, SECONDS * plan.seconds, budget) for _ in range(plan.rounds)]
    missed = "; ".join(text for one in rounds for text in one.missed)
    return [
        Measured(TAIL, tuple(one.p99 for one in rounds), rounds[-1].by_method),
        Measured("replay_failed", (float(sum(one.failed for one in rounds)),), missed),
    ]


def _drawn() -> Any:
    return (one["line"] for one in drawn_requests(4))


def _has_a_rate(client: Client, line: Line) -> bool:
    """Ask for a quote; a line without a rate that can be computed would be refused again."""
    try:
        _quote(client, line)
    except TariffsError:
        return False
    return True


def _quote(client: Client, line: Line) -> None:
    client.duty(
        line["hts"],
        origin=line["origin"],
        entry_date=line["entry"],
        value=line["customs_value"],
        quantity=line["quantity"],
    )


def _work(client: Client, lines: Sequence[Line]) -> None:
    """Make the calls of a program: quotes of goods drawn from trade, and now and then a run and what changed."""
    for number, line in enumerate(lines):
        _quote(client, line)
        if number % QUOTES_A_RUN == 0:
            client.impact(
                scenarios=["base", "truce-lapses"], on=line["entry"], response="none", by=["origin"]
            )
            client.changes(line["entry"], "2026-12-31")
