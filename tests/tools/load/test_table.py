"""The table compares measurements with their targets, and shows missing ones."""

from __future__ import annotations

import pytest

from tests.tools.load.rows import Measured, Target, joined, judge, missed, table, targets

LEAST = {"text": "more is better", "at_least": 0.4, "quick": 2}
MOST = {"text": "less is better", "at_most": 5, "quick": 3}


@pytest.mark.parametrize(
    ("given", "quick", "measured", "met"),
    [
        (MOST, False, 5.0, True),
        (MOST, False, 5.1, False),
        (MOST, True, 14.9, True),
        (MOST, True, 15.1, False),
        (LEAST, False, 0.4, True),
        (LEAST, False, 0.39, False),
        (LEAST, True, 0.21, True),
        (LEAST, True, 0.19, False),
        ({"text": "reported"}, False, 1e9, None),
    ],
)
def test_a_promise_is_kept_or_broken_at_its_bound(
    given: dict[str, object], quick: bool, measured: float, met: bool | None
) -> None:
    assert Target.read(given, quick).met(measured) is met


def test_the_median_of_the_rounds_counts() -> None:
    promised = {"a": Target.read(MOST, quick=False)}
    (row,) = judge([Measured("a", (1.0, 2.0, 99.0))], promised)
    assert (row.measured, row.met, row.spread) == (2.0, True, "1 to 99")


def test_a_row_without_its_scenario_is_broken_and_one_that_says_why_is_not() -> None:
    promised = {"a": Target.read(MOST, quick=False), "b": Target.read(MOST, quick=False)}
    first, second = judge([Measured("b", (), "nothing to measure with")], promised)
    assert (first.met, second.met) == (False, None)
    assert "nothing to measure with" in table([first, second], ["footer"])


def test_rounds_of_a_second_run_join_those_of_the_first() -> None:
    promised = {
        "a": Target.read(MOST, quick=False),
        "lost": Target.read({"text": "", "at_most": 0}, quick=False),
    }
    first, second = (
        [Measured("a", (slow, 2.0)), Measured("lost", (lost,))] for slow, lost in ((99.0, 1.0), (3.0, 0.0))
    )
    assert missed(first, promised)
    assert missed(None, promised)
    assert not missed(second, promised)
    slow_once, lost_once = judge(joined(first, second) or [], promised)
    assert (slow_once.measured, slow_once.met) == (2.5, True)
    assert lost_once.met is False
    assert joined(None, second) == second
    assert joined(first, None) is None


def test_quick_bounds_are_never_narrower() -> None:
    full, quick = targets(quick=False), targets(quick=True)
    assert list(full) == list(quick)
    for name, target in full.items():
        assert (quick[name].bound - target.bound) * target.sign >= 0
