"""Mean age of duty in many scenarios: that of the steps of each scenario, whatever the others are."""

from __future__ import annotations

import numpy as np
import pytest

from tariffs.engine.base.array_utils import F64, I64
from tariffs.engine.response.elasticities.adjustment_profile import adjustment_profile
from tariffs.engine.response.lanes.adjustment import (
    DutyStep,
    PathTrade,
    RateMoves,
    StageElasticities,
    mean_weights,
)
from tariffs.engine.response.lanes.lane_rates import RatePaths
from tariffs.engine.response.lanes.mean_ages import MeanAges

YEARS = [4.5, 1.2, 0.4, 0.0]
STAGES = StageElasticities(np.ones((3, 3, 1)), adjustment_profile())


def weights_of_steps(form: I64, rates: F64, value: F64) -> F64:
    """Weights of one scenario from its steps, each path being a variety."""
    of_day = rates[form].T
    steps = [
        DutyStep(years, RateMoves.between(before, after))
        for years, before, after in zip(YEARS, of_day, of_day[1:], strict=False)
    ]
    one = np.zeros(len(form), dtype=np.int64)
    trade = PathTrade(np.arange(len(form) + 1), np.arange(len(form)), value, of_day[0])
    return mean_weights(trade, steps, adjustment_profile(), one, 1)[:, :, 0]


@pytest.mark.parametrize("moved", [[], [3], [2, 5, 7, 8]])
@pytest.mark.parametrize("seed", range(3))
def test_weights_are_those_of_the_steps(seed: int, moved: list[int]) -> None:
    rng = np.random.default_rng(seed)
    rates = rng.choice([0.0, 0.1, 0.1 + 1e-15, 0.25, 1e6], 10)
    form = rng.integers(0, 10, (30, 1 + len(YEARS)))
    form[:, 0] = 0
    value = np.exp(rng.normal(8.0, 2.0, 30))
    marks = np.isin(np.arange(10), moved)
    ages = MeanAges(RatePaths(YEARS, form, np.where(marks, 9.9, rates), marks), value, STAGES)
    given = rng.choice([0.0, 0.1, 0.3, 1.45], (len(moved), 7))
    found = ages(given)
    for scenario in range(7):
        every = rates.copy()
        every[moved] = given[:, scenario]
        np.testing.assert_allclose(
            found[:, :, scenario], weights_of_steps(form, every, value), rtol=1e-12, atol=1e-15
        )
        assert np.array_equal(ages(given[:, scenario : scenario + 1])[:, :, 0], found[:, :, scenario])


def test_without_a_change_duty_has_age_0() -> None:
    forms = RatePaths(YEARS, np.zeros((2, 5), dtype=np.int64), np.array([0.1]), np.array([False]))
    found = MeanAges(forms, np.array([1.0, 2.0]), STAGES)(np.zeros((0, 1)))
    assert np.array_equal(found[:, :, 0], adjustment_profile().at(0.0))
