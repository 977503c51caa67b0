"""Measure scenarios, sweeps and timelines over a table beside ready rates."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

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
from tariffs.bench.workbench import BY_BOTH, BY_ORIGIN, Workbench, scenario_named
from tariffs.engine.response.elasticities.parameters import PATH
from tariffs.engine.response.sectors.sector_market import SECTOR
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


def static_beside_join(bench: Workbench, deadline: Deadline) -> Sample:
    """Measure one new scenario beside a join with a ready rate panel."""
    scenario = bench.moved()
    return against(bench.join, lambda: bench.impact(scenario, STATIC))


def static_beside_expression(bench: Workbench, deadline: Deadline) -> Sample:
    """Measure one new scenario beside an expression over rates that are joined already."""
    scenario, rival = bench.moved(), bench.panel.expression
    return against(rival, lambda: bench.impact(scenario, STATIC))


def static_beside_duckdb(bench: Workbench, deadline: Deadline) -> Sample:
    """Measure one new scenario beside a join in DuckDB."""
    scenario, rival = bench.moved(), bench.panel.duckdb
    return against(rival, lambda: bench.impact(scenario, STATIC))


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


def sweep_response_one(bench: Workbench, deadline: Deadline) -> Sample:
    """Measure scenarios with a trade response that move the rate of one country."""
    _compile(bench, "rates", bench.one_country_points(2), RESPONSE)
    points = bench.one_country_points(bench.counts.scenarios)
    return against(bench.join, _sweep(bench, "rates", points, RESPONSE, deadline))


def sweep_response_all(bench: Workbench, deadline: Deadline) -> Sample:
    """Measure scenarios with a trade response that move all rates."""
    _compile(bench, "all_rates", bench.step_points(2), RESPONSE)
    points = bench.step_points(bench.counts.scenarios)
    return against(bench.join, _sweep(bench, "all_rates", points, RESPONSE, deadline))


def sweep_on_path(bench: Workbench, deadline: Deadline) -> Sample:
    """Measure scenarios that respond on the adjustment path beside as many at the horizon short."""
    return _beside_short(bench, replace(RESPONSE, horizon=PATH), deadline)


def sweep_of_sectors(bench: Workbench, deadline: Deadline) -> Sample:
    """Measure scenarios under a market of sectors beside as many under demand by product."""
    return _beside_short(bench, replace(RESPONSE, market=SECTOR), deadline)


def timeline_static(bench: Workbench, deadline: Deadline) -> Sample:
    """Measure a timeline of three scenarios, by authority and origin."""
    return _timeline(bench, Options(response="none", by=BY_BOTH), deadline)


def timeline_response(bench: Workbench, deadline: Deadline) -> Sample:
    """Measure the same timeline with a trade response."""
    return _timeline(bench, Options(response="armington", horizon="short", by=BY_BOTH), deadline)


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


def _beside_short(bench: Workbench, options: Options, deadline: Deadline) -> Sample:
    """Measure scenarios that move the rate of one country beside others at the horizon short, by product.

    Both are measured as the second sweep of the scenario.
    """
    scenario, count = scenario_named("rates"), bench.counts.scenarios
    for each in (options, RESPONSE):
        bench.sweep(scenario, bench.one_country_points(TOGETHER), each)

    points = bench.one_country_points(count)
    return against(
        lambda: bench.sweep(scenario, bench.one_country_points(count), RESPONSE),
        _sweep(bench, "rates", points, options, deadline),
    )


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


def _timeline(bench: Workbench, options: Options, deadline: Deadline) -> Sample:
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
