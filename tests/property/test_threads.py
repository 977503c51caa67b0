"""Every verb at once, from eight threads over one loaded table, gives the answers of one thread, bit for bit."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client

THREADS = 8
CALLS = 1
"""Verbs that each thread calls, a unit of scale."""
DAY = "2026-12-01"
ENTRIES = pl.DataFrame(
    {
        "entry_id": ["a", "a", "b"],
        "hts": ["8471300100", "6110202079", "9503000073"],
        "origin": ["CN", "VN", "CN"],
        "customs_value": [10_000, 5_000, 800],
        "entry_date": ["2025-05-20", "2025-05-20", "2025-06-01"],
    }
)
VERBS: Mapping[str, Callable[[Client], Any]] = {
    "impact": lambda client: client.impact(None, ["base", "truce-lapses"], on=DAY),
    "lines": lambda client: client.impact(
        None, ["metals-at-25"], on=DAY, response="none", include_lines=True
    ),
    "uncertainty": lambda client: client.impact(None, ["base"], on=DAY, draws=16, seed=7, horizon="short"),
    "attribution": lambda client: client.impact(
        None, ["base", "metals-at-25"], on=DAY, response="none", attribute=True
    ),
    "timeline": lambda client: client.timeline(
        None, ["base", "usmca-lapses"], start="2026-11-01", end="2027-02-01", response="none"
    ),
    "sweep": lambda client: client.sweep(
        None, "rates-by-country", vary={"cn": ["5%", "10%", "35%"]}, on=DAY, response="none"
    ),
    "seek": lambda client: client.seek(
        None, "rates-by-country", vary=("cn", "0%", "60%"), target=("duty", 4e11), on=DAY, response="none"
    ),
    "refund": lambda client: client.refund(ENTRIES, paid_on="2026-10-01", interest_rate="7%"),
    "duties": lambda client: client.duties(ENTRIES),
    "law changes": lambda client: client.changes("2026-11-01", "2026-12-31", "embedded"),
}


def answers(client: Client, names: list[str]) -> dict[str, Any]:
    """The answers of verbs as plain data, lines of a table as their digest."""
    found = {}
    for name in names:
        result = VERBS[name](client)
        lines = result.lines if name == "lines" else None
        found[name] = result.to_json_dict(), None if lines is None else _digest(lines)
    return found


def _digest(frame: pl.DataFrame) -> str:
    buffer = frame.write_ipc(None, compression="uncompressed")
    return hashlib.sha256(buffer.getvalue()).hexdigest()


@pytest.mark.slow
def test_every_verb_at_once_gives_the_bits_of_one_thread(scale: int) -> None:
    names = list(VERBS)
    with Client.local() as client:
        alone = answers(client, names)

        def some(first: int) -> dict[str, Any]:
            order = [*names[first:], *names[:first]]
            return answers(client, order[: CALLS * scale])

        with ThreadPoolExecutor(THREADS) as pool:
            together = list(pool.map(some, range(0, len(names))))
    for found in together:
        assert found == {name: alone[name] for name in found}
