"""Measure scenarios, sweeps and timelines over a table beside ready rates."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from tariffs.bench.measure import (
    Deadline,
    RowSkippedError,
    Sample,
    against,
    run_to_deadline,
    sample_of,
    seconds_of,
)
from tariffs.bench.shipments import grown
from tariffs.bench.workbench import BY_BOTH, BY_ORIGIN, Measure, Workbench, scenario_named
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.sweeps.sweep import SweepRun
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import library

STATIC, RESPONSE = (
    Options(response="none", by=BY_ORIGIN),
    Options(response="armington", horizon="short", by=BY_ORIGIN),
)
TIMELINE_SCENARIOS = ("base", "no-kuala-lumpur-deal")
FIRST_LAW_SECONDS = 60.0
SLOPE_POINTS = 64
TOGETHER = 4
"""Points that are solved together: what they have in common is kept for the next sweep of the scenario."""
Points = list[Mapping[str, str]]


def static_beside(rival: str) -> Measure:
    """Make the measurement of one new scenario beside a rival of the panel: `join`, `expression` or `duckdb`."""

    def measure(bench: Workbench, deadline: Deadline) -> Sample:
        scenario, beside = bench.moved(), getattr(bench.panel, rival)
        return against(beside, lambda: bench.impact(scenario, STATIC))

    return measure


def armington(bench: Workbench, deadline: Deadline) -> Sample:
    """Measure one new scenario with its trade response."""
    bench.shared("response", lambda: bench.impact(bench.moved(), RESPONSE))
    scenario = bench.moved()
    return against(bench.join, lambda: bench.impact(scenario, RESPONSE))


def first_law(bench: Workbench, deadline: Deadline) -> Sample:
    """Measure the first law of a process of its own, after its table is prepared."""
    rival = seconds_of(bench.join)
    done = subprocess.run(
        [sys.executable, "-m", "tariffs.bench.first_law"],
        check=True,
        capture_output=True,
        text=True,
        timeout=FIRST_LAW_SECONDS,
    )
    taken = float(json.loads(done.stdout)["seconds"])
    return sample_of(taken, (rival + seconds_of(bench.join)) / 2)


def sweep_rates(bench: Workbench, deadline: Deadline) -> Sample:
    """Measure scenarios that move rates beside a matrix product on ready coefficients, both with a result frame."""
    product = bench.coefficients
    points = bench.rate_points(scenario_named("rates"), bench.counts.scenarios)
    subject = _sweep(bench, "rates", points, Options(response="none", by=BY_BOTH), deadline)
    return against(lambda: product.frame(points), subject)


def sweep_patterns(bench: Workbench, deadline: Deadline) -> Sample:
    """Measure scenarios that suspend, end or exempt."""
    _compile(bench, "patterns", bench.pattern_points(bench.counts.patterns), STATIC)
    points = bench.pattern_points(bench.counts.scenarios)
    return against(bench.join, _sweep(bench, "patterns", points, STATIC, deadline))


def sweep_response(name: str, points_of: Callable[[Workbench, int], Points]) -> Measure:
    """Make the measurement of scenarios with a trade response at points of a scenario."""

    def measure(bench: Workbench, deadline: Deadline) -> Sample:
        _compile(bench, name, points_of(bench, 2), RESPONSE)
        points = points_of(bench, bench.counts.scenarios)
        return against(bench.join, _sweep(bench, name, points, RESPONSE, deadline))

    return measure


def sweep_beside_short(**changed: Any) -> Measure:
    """Make the measurement of scenarios that move the rate of one country, under other options of the response, beside
    as many at the horizon short, by product; both are measured as the second sweep of the scenario.
    """
    options = replace(RESPONSE, **changed)

    def measure(bench: Workbench, deadline: Deadline) -> Sample:
        scenario, count = scenario_named("rates"), bench.counts.scenarios
        for each in (options, RESPONSE):
            bench.sweep(scenario, bench.one_country_points(TOGETHER), each)
        points = bench.one_country_points(count)
        return against(
            lambda: bench.sweep(scenario, bench.one_country_points(count), RESPONSE),
            _sweep(bench, "rates", points, options, deadline),
        )

    return measure


def timeline_beside_join(options: Options) -> Measure:
    """Make the measurement of a timeline of three scenarios."""

    def measure(bench: Workbench, deadline: Deadline) -> Sample:
        scenarios = [*(library()[name] for name in TIMELINE_SCENARIOS), bench.moved()]

        def subject() -> object:
            return timeline(
                bench.table,
                scenarios,
                *bench.counts.period,
                law=bench.law,
                options=bench.dated(options),
                cancelled=deadline.passed,
            )

        return against(bench.join, subject)

    return measure


def two_threads(bench: Workbench, deadline: Deadline) -> Sample:
    """Measure one thread over two on a sweep with a trade response.

    Raises:
        RowSkippedError: the machine has one core.
    """
    if (os.cpu_count() or 1) < 2:
        raise RowSkippedError("two threads need two cores")
    _compile(bench, "all_rates", bench.step_points(2), RESPONSE)
    count = max(2, bench.counts.scenarios // 4)
    runs = []
    for threads in (1, 2):
        part = Deadline(bench.counts.seconds / 2)
        with _threads(threads):
            runs.append(run_to_deadline(_sweep(bench, "all_rates", bench.step_points(count), RESPONSE, part)))
    (one, one_stopped), (two, two_stopped) = runs
    return Sample(one / two, two * 1e3, one * 1e3, stopped=one_stopped or two_stopped)


def slope_of_scenarios(bench: Workbench, deadline: Deadline) -> Sample:
    """Measure the log-log slope of cost over the number of scenarios."""
    _compile(bench, "all_rates", bench.step_points(2), RESPONSE)
    counts = bench.counts.scenario_counts
    runs = [
        run_to_deadline(_sweep(bench, "all_rates", bench.step_points(count), RESPONSE, deadline))
        for count in counts
    ]
    return slope_sample(counts, runs)


def slope_of_lines(bench: Workbench, deadline: Deadline) -> Sample:
    """Measure the log-log slope of the cost of a sweep over the number of lines, once they are loaded."""
    sizes = bench.counts.table_sizes
    return slope_sample(sizes, [run_to_deadline(_sweep_of_copies(bench, size, deadline)) for size in sizes])


def slope_sample(sizes: Sequence[int], runs: Sequence[tuple[float, bool]]) -> Sample:
    """Make the sample of a slope: that of the straight line that fits the logarithms of sizes and seconds best."""
    seconds = [taken for taken, _ in runs]
    slope = float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])
    return Sample(slope, seconds[-1] * 1e3, stopped=any(stopped for _, stopped in runs))


def _compile(bench: Workbench, name: str, points: Points, options: Options) -> None:
    """Compute a few points of a scenario once, since the rows measure what comes after the first compile."""
    bench.shared(
        f"{name}, {options.response}",
        lambda: bench.sweep(scenario_named(name), points, options).totals.height,
    )


def _sweep(
    bench: Workbench, name: str, points: Points, options: Options, deadline: Deadline
) -> Callable[[], object]:
    scenario = scenario_named(name)
    return lambda: bench.sweep(scenario, points, options, deadline.passed)


def _sweep_of_copies(bench: Workbench, copies: int, deadline: Deadline) -> Callable[[], object]:
    """Load so many copies of the table as shipments; the call gives the blocks of a sweep over them."""
    run = SweepRun(
        grown(bench.frame, copies * bench.frame.height, *bench.counts.period),
        scenario_named("rates"),
        bench.rate_points(scenario_named("rates"), SLOPE_POINTS),
        law=bench.law,
        options=bench.dated(STATIC),
        cancelled=deadline.passed,
    )
    return lambda: [run.value(index) for index in range(run.parts)]


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Set the number of threads of kernels."""
    before = os.environ.get("TARIFFS_THREADS")
    os.environ["TARIFFS_THREADS"] = str(count)
    try:
        yield
    finally:
        if before is None:
            del os.environ["TARIFFS_THREADS"]
        else:
            os.environ["TARIFFS_THREADS"] = before
