"""What a warm quote costs: `pytest -m bench -s tests/bench/test_quote.py`."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial

import pytest

from tariffs.service.rpc import duty
from tariffs.v1 import common_pb2
from tariffs.v1 import duty_service_pb2 as pb

GOODS = {
    "toys": ("9503.00.0073", "CN", "2025-05-20"),
    "laptops": ("8471.30.0100", "CN", "2025-05-20"),
    "bolts": ("7318.15.2065", "CN", "2025-10-01"),
    "furniture": ("9403.20.0050", "CN", "2026-03-01"),
}
MASK = ("assessed", "layers.measure", "layers.amount")
ROUNDS, CALLS = 40, 25
INLINE_LIMIT = 2e-3
"""Seconds an answer may hold the event loop."""


def _request(
    goods: tuple[str, str, str], *, explain: bool = False, mask: Sequence[str] = ()
) -> pb.CalculateDutyRequest:
    hts, origin, entry = goods
    line = pb.EntryLine(
        hts=hts, origin=origin, entry=entry, customs_value="12500.00", freight="900", insurance="40"
    )
    line.mode = common_pb2.TRANSPORT_MODE_OCEAN
    asked = pb.CalculateDutyRequest(line=line, explain=explain)
    asked.read_mask.paths.extend(mask)
    return asked


def _medians(works: Sequence[Callable[[], object]]) -> list[float]:
    """Seconds per call of each, measured by turns, so that a busy machine slows all alike."""
    spent: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for work, times in zip(works, spent, strict=True):
            start = time.perf_counter()
            for _ in range(CALLS):
                work()
            times.append((time.perf_counter() - start) / CALLS)
    return [statistics.median(times) for times in spent]


@pytest.mark.bench
@pytest.mark.parametrize("name", GOODS)
def test_a_warm_quote_costs_tens_of_microseconds(name: str) -> None:
    goods = GOODS[name]
    asked = (_request(goods), _request(goods, explain=True), _request(goods, mask=MASK))
    answers = [duty.calculate_duty(one) for one in asked]
    data = asked[0].SerializeToString()

    def messages_alone() -> None:
        pb.CalculateDutyRequest.FromString(data)
        answers[0].SerializeToString()

    works: list[Callable[[], object]] = [messages_alone]
    works += [partial(duty.duty_from_memory, one) for one in asked]
    codec, *quotes = _medians(works)
    plain, explained, trimmed = (f"{seconds * 1e6:.0f}" for seconds in quotes)
    print(
        f"\n{name}: {len(answers[0].layers)} layers; microseconds: bare {plain}, explained {explained}, "
        f"masked {trimmed}; bare is {quotes[0] / codec:.0f} times its messages ({codec * 1e6:.1f})"
    )
    assert max(quotes) < INLINE_LIMIT
