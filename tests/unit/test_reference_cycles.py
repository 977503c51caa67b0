"""A run leaves no objects that refer to each other in a circle: its table would stay in memory for longer."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable

import polars as pl
import pytest

from tariffs.engine.law import load_law
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.runs.sweeps.sweep import sweep
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import library, parse_scenario

TABLE = pl.DataFrame(
    {
        "hts": ["9503000073", "7208390030", "8471300100", "8703230190"] * 5,
        "origin": ["CN", "MX", "VN", "DE", "CA"] * 4,
        "customs_value": [float(1000 + place) for place in range(20)],
    }
)
SCENARIO = parse_scenario("""\
schema: tariffs.scenario/v1
id: mine
title: Mine
basis: hypothesis
parameters:
  cn: {default: 20%}
changes:
  - {op: set_rate, measures: {id: fl301, origins: [CN]}, from: 2026-11-05, rate: $cn}
""")
BASELINE = "2026-11-01"
POINTS = [Point(library()["base"], "2026-11-09"), Point(library()["truce-lapses"], "2026-11-20")]


def an_impact(**options: object) -> Callable[[], object]:
    given = Options(**{"baseline": BASELINE, "by": ("origin",), **options})  # type: ignore[arg-type]
    return lambda: impact(TABLE, POINTS, law=load_law(), options=given)


def a_sweep(horizon: str) -> object:
    points = [{"cn": f"{rate}%"} for rate in (10, 20, 30)]
    options = Options(baseline=BASELINE, by=("origin",), horizon=horizon)
    return sweep(TABLE, SCENARIO, points, on="2026-11-20", law=load_law(), options=options)


def a_timeline() -> object:
    options = Options(baseline=BASELINE)
    return timeline(TABLE, [SCENARIO], start="2026-11-02", end="2026-11-20", law=load_law(), options=options)


RUNS: dict[str, Callable[[], object]] = {
    "static": an_impact(response="none", include_lines=True),
    "short": an_impact(horizon="short"),
    "path": an_impact(horizon="path"),
    "sector": an_impact(horizon="path", market="sector"),
    "ahead": an_impact(horizon="path", ahead="2026-11-05"),
    "draws": an_impact(horizon="path", draws=16),
    "responding claims": an_impact(switches={"usmca_basis": "responding"}),
    "sweep": lambda: a_sweep("short"),
    "sweep on the path": lambda: a_sweep("path"),
    "timeline": a_timeline,
}


@pytest.mark.parametrize("name", list(RUNS))
def test_a_run_leaves_nothing_to_the_collector(name: str) -> None:
    RUNS[name]()
    gc.disable()
    gc.freeze()  # what stands already need not be looked through again
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        RUNS[name]()
        gc.collect()
        left = Counter(
            kind.__name__ for kind in map(type, gc.garbage) if kind.__module__.startswith("tariffs.engine")
        )
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.unfreeze()
        gc.enable()
    assert not left
