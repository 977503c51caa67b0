"""No bytes make a call of the contract raise what no caller may get, or take longer than its deadline."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.conftest import SCALE
from tests.tools.fuzz import in_process
from tests.tools.fuzz.requests import bodies_from, choices

_LONG = {"SimulationService/CompareTrade"}
"""Methods that compute for longer than the deadline of these calls, which ends them."""
_NAMES = in_process.names()
_SHARE = (in_process.CALLS - sum(in_process.SLOW.values())) // (len(_NAMES) - len(in_process.SLOW))


@pytest.mark.slow
@pytest.mark.parametrize("name", _NAMES)
def test_hostile_calls_are_answered_or_refused_by_the_catalogue(name: str) -> None:
    seen: Counter[str] = Counter()
    for seed in range(in_process.SLOW.get(name, _SHARE) * SCALE):
        try:
            seen[in_process.outcome(name, bodies_from(name, choices(seed)))] += 1
        except Exception as error:
            error.add_note(f"bodies_from({name!r}, choices({seed}))")
            raise
    # Calls that are all refused at the door would prove little.
    assert seen["DEADLINE" if name in _LONG else "OK"], seen


def test_the_plainest_choices_make_the_request_in_good_faith() -> None:
    assert (
        in_process.outcome("DutyService/CalculateDuty", bodies_from("DutyService/CalculateDuty", b"")) == "OK"
    )


def test_the_same_bytes_make_the_same_call() -> None:
    for name in _NAMES:
        assert bodies_from(name, choices(7)) == bodies_from(name, choices(7))
