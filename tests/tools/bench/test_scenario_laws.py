"""What the law of a scenario costs beside a law that shares nothing: `pytest -m bench -s tests/tools/bench`."""

from __future__ import annotations

import statistics
import time
from dataclasses import replace
from datetime import datetime

import pytest

from tariffs.engine.law import load_law
from tariffs.engine.scenario import apply_scenario, library

INSTANT = datetime.fromisoformat("2026-11-24T12:00-05:00")
SCENARIOS = [scenario for scenario in library().values() if not scenario.mixture]
LIMIT = 0.25
"""Time to apply a scenario and to find its law of a day, over that to find the law of a day from the start."""


@pytest.mark.bench
def test_the_law_of_a_scenario_costs_what_the_scenario_changes() -> None:
    law = load_law()
    law.in_force(INSTANT)
    shared, afresh = [], []
    for scenario in SCENARIOS:
        start = time.perf_counter()
        derived = apply_scenario(law, scenario)
        derived.in_force(INSTANT)
        middle = time.perf_counter()
        replace(derived).in_force(INSTANT)
        shared.append(middle - start)
        afresh.append(time.perf_counter() - middle)
    one, other = statistics.median(shared), statistics.median(afresh)
    print(f"\n{one * 1e3:.2f} ms beside {other * 1e3:.2f} ms, ratio {one / other:.2f}")
    assert one <= LIMIT * other
