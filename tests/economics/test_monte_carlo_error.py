"""The Monte Carlo error of quantiles over draws."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tariffs.engine.response.elasticities.draws import REPLICATES
from tariffs.engine.runs.draws.ranges import _errors


def test_the_monte_carlo_error_of_a_quantile_is_its_spread_over_the_root_of_the_replicates() -> None:
    # Eight replicates of constant draws 0 to 7: every quantile is the replicate's number. Their sample standard
    # deviation is the root of (sum of squares 140 - 8 x 3.5^2) / 7 = 6, and the error of their mean a root of 8 less.
    assert REPLICATES == 8
    drawn = np.repeat(np.arange(8.0), 16)[:, None]
    found = _errors(drawn)
    assert set(found) == {"p5_error", "p50_error", "p95_error"}
    for values in found.values():
        assert values[0] == pytest.approx(math.sqrt(6.0 / 8.0), rel=1e-12)


def test_the_monte_carlo_error_is_that_of_repeated_independent_runs() -> None:
    # The median of n normal draws has a standard error of sqrt(pi / 2 / n); 200 columns give it to some 2 percent.
    random = np.random.default_rng(3)
    draws, columns = 4096, 200
    found = _errors(random.normal(size=(draws, columns)))["p50_error"]
    expected = math.sqrt(math.pi / 2.0 / draws)
    assert math.sqrt(float(np.mean(found**2))) == pytest.approx(expected, rel=0.08)
