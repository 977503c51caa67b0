"""What a quote costs the engine and the service: `pytest -m bench -s tests/tools/bench/test_quote.py`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import TypeVar

import pytest
from google.protobuf.json_format import ParseDict

from tariffs.engine.errors import TariffsError
from tariffs.engine.law import load_law
from tariffs.engine.line_duty.class_profile import profile_of
from tariffs.engine.line_duty.coarse_codes import resolve_coarse_line
from tariffs.engine.line_duty.quote import EntryLine, price
from tariffs.engine.line_duty.why_not import why_not
from tariffs.engine.schedule.lines import load_schedule
from tariffs.service.rpc import duty
from tariffs.v1 import duty_service_pb2 as pb
from tests.tools.load.trade_draws import drawn_requests

DRAWS = 20_000
LAYERS_AT_MOST, WHY_AT_MOST = 150e-6, 400e-6
"""CPU seconds of a quote of goods never asked before, after as many others."""
INLINE_LIMIT = 2e-3
"""Seconds that an answer may hold the event loop."""
Asked = TypeVar("Asked")


def _drawn(seed: int, count: int, *, explain: bool = False) -> list[pb.CalculateDutyRequest]:
    draws = drawn_requests(seed, explain=explain)
    return [ParseDict(dict(one), pb.CalculateDutyRequest()) for one in islice(draws, count)]


def _cost(work: Callable[[Asked], object], asked: Sequence[Asked]) -> float:
    """CPU seconds of each call; lines that are refused count too."""
    begun = time.process_time()
    for one in asked:
        with suppress(TariffsError):
            work(one)
    return (time.process_time() - begun) / len(asked)


def _layers(line: EntryLine) -> None:
    law = load_law()
    reading = resolve_coarse_line(law, line, None, load_schedule())
    price(law, reading, profile_of(law, reading))


def _with_reasons(line: EntryLine) -> None:
    law = load_law()
    reading = resolve_coarse_line(law, line, None, load_schedule())
    profile = profile_of(law, reading)
    assert all(layer.why for layer in price(law, reading, profile).layers)
    why_not(law, reading, profile)


@pytest.mark.bench
@pytest.mark.parametrize(("work", "at_most"), [(_layers, LAYERS_AT_MOST), (_with_reasons, WHY_AT_MOST)])
def test_goods_never_asked_before_cost_the_engine_fractions_of_a_millisecond(
    work: Callable[[EntryLine], None], at_most: float
) -> None:
    first, second = ([duty.read_line(one.line) for one in _drawn(seed, DRAWS)] for seed in (1, 2))
    _cost(work, first)
    found = _cost(work, second)
    print(f"\n{work.__name__}: {found * 1e6:.0f} us a quote of new goods, at most {at_most * 1e6:.0f}")
    assert found <= at_most


@pytest.mark.bench
@pytest.mark.parametrize("explain", [False, True])
def test_an_answer_on_the_event_loop_does_not_hold_it(explain: bool) -> None:
    (asked,) = _drawn(3, 1, explain=explain)
    duty.calculate_duty(asked)
    found = _cost(lambda call: call(), [partial(duty.duty_from_memory, asked)] * 1000)
    print(f"\none request again and again, reasons {explain}: {found * 1e6:.0f} us")
    assert found < INLINE_LIMIT
