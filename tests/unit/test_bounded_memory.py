"""Memory: caches keep a bounded number of things, and runs leave no objects that refer to each other in a circle."""

from __future__ import annotations

import gc
import weakref
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.engine.base.bounded_cache import BoundedCache, brief, clear_brief
from tariffs.engine.law import load_law
from tariffs.engine.law.law import Law
from tariffs.engine.law.switch_sensitivity import switches_behind
from tariffs.engine.rating.families import Family
from tariffs.engine.runs.impact import Point, impact
from tariffs.engine.runs.lanes.table_lanes import TableLanes
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.outcomes import rated_table
from tariffs.engine.runs.sweeps.sweep import SweepRun, sweep
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import library
from tariffs.engine.schedule.reference_data import reference_table
from tariffs.engine.table_duty.cells import ValueCells
from tariffs.engine.tables.line_arrays import MASKS_KEPT
from tariffs.engine.tables.prepare import prepare_table
from tests.unit.scenario_tables import TABLE, written

TABLES_AT_MOST = 2
CELLS_AT_MOST = 8
CHANGED = "{op: set_rate, measures: {id: fl301, origins: [JP, CN]}, from: 2026-11-05, rate: $cn}"
MOVED = written(CHANGED, head="parameters: {cn: {default: 12.5%}}\n")


def alive(references: list[weakref.ref[Any]]) -> int:
    gc.collect()
    return sum(reference() is not None for reference in references)


def test_the_embedded_table_is_kept_under_few_settings() -> None:
    law = load_law()
    switches = sorted({reference.switch for reference in law.references.values() if reference.switch})
    switch = max(switches, key=lambda name: len(law.switches[name].values))
    values = law.switches[switch].values[: TABLES_AT_MOST + 1]
    assert len(values) > TABLES_AT_MOST
    tables = [weakref.ref(prepare_table(None, law.with_switches({switch: value}))) for value in values]
    assert alive(tables) <= TABLES_AT_MOST


def test_masks_of_codes_that_scenarios_name_are_evicted_and_found_again() -> None:
    lines = replace(prepare_table(TABLE, load_law()).lines, cache={})
    prefix, codes = lines.codes[0][:4], [f"{code:05}" for code in range(2 * MASKS_KEPT)]
    first = lines.one_code_mask(prefix).copy()
    masks = [weakref.ref(lines.one_code_mask(code)) for code in codes]
    masks += [weakref.ref(lines.code_mask((code,))) for code in codes]
    assert alive(masks) <= MASKS_KEPT
    expected = [code.startswith(prefix) for code in lines.codes]
    assert first.tolist() == lines.one_code_mask(prefix).tolist() == expected
    assert np.array_equal(lines.code_mask((prefix, "99")), lines.one_code_mask(prefix))


def test_a_sweep_over_many_days_keeps_the_cells_of_few() -> None:
    days = pl.date_range(date(2025, 2, 1), date(2026, 11, 20), "4d", eager=True)
    shipments = pl.DataFrame({"hts": "8703230190", "origin": "JP", "customs_value": 1e6, "entry_date": days})
    options = Options(response="none", by=("origin",))
    run = SweepRun(shipments, MOVED, [{"cn": "20%"}, {"cn": "30%"}], law=load_law(), options=options)
    assert run.value(0).totals.height == 2
    gc.collect()
    cells = [one for one in gc.get_objects() if type(one) is ValueCells]
    assert sum(one.lines.count == shipments.height for one in cells) <= CELLS_AT_MOST


def test_a_process_that_waits_lets_go_of_the_lanes_of_sweeps() -> None:
    scenario = library()["rates-by-country"]
    points = [{"cn": f"{rate}%"} for rate in (5, 10, 20)]
    options = Options(baseline="2026-01-01", response="armington", by=("origin",), horizon="path")
    run = SweepRun(reference_table().head(100), scenario, points, law=load_law(), options=options)
    totals = run.value(0).totals
    lanes = [weakref.ref(one) for one in gc.get_objects() if type(one) is TableLanes]
    assert lanes
    clear_brief()
    assert alive(lanes) == 0
    assert run.value(0).totals.equals(totals)


def test_runs_over_many_days_keep_one_family_of_laws(monkeypatch: pytest.MonkeyPatch) -> None:
    law = load_law()
    table = prepare_table(TABLE, law)
    monkeypatch.setattr(rated_table, "prepared_for", lambda *_: table)
    options = Options(baseline="2025-01-01", by=("origin",))
    for day in ("2025-03-10", "2025-04-20", "2025-09-01", "2026-03-01", "2026-09-01"):
        impact(TABLE, [Point(written(), day)], law=law, options=options)
    gc.collect()
    families = [one for one in gc.get_objects() if isinstance(one, Family)]
    assert sum(one.atoms is table.lines.cache["atoms"] for one in families) == 1


def test_a_law_that_nobody_holds_is_collected_after_its_switches_were_compared() -> None:
    def compared() -> weakref.ref[Law]:
        law = load_law().with_min_conf("C")
        switches_behind(law, law.coverage[0], law.as_of, lambda scope: True)
        return weakref.ref(law)

    assert alive([compared()]) == 0


def test_values_are_kept_for_the_last_living_owners() -> None:
    owners = [type("Owner", (), {})() for _ in range(3)]
    kept: BoundedCache[weakref.ref[Any], int] = BoundedCache(2)
    made: list[int] = []

    def make(index: int) -> int:
        made.append(index)
        return index

    def value(index: int) -> int:
        return kept.get(kept.weak_key(owners[index]), lambda: make(index))

    assert [value(index) for index in (0, 1, 0, 2, 0, 1)] == [0, 1, 0, 2, 0, 1]
    assert made == [0, 1, 2, 1]
    del owners[0]
    gc.collect()
    assert len(kept) == 1


def test_only_brief_caches_are_emptied() -> None:
    lasting: BoundedCache[str, int] = BoundedCache(2)
    short: BoundedCache[str, int] = brief(BoundedCache(2))
    for cache in (lasting, short):
        cache.keep("a", 1)
    clear_brief()
    assert (lasting.find("a"), short.find("a")) == (1, None)
    assert short.get("a", lambda: 2) == 2


BASELINE = "2026-11-01"
POINTS = [Point(library()["base"], "2026-11-09"), Point(library()["truce-lapses"], "2026-11-20")]


def an_impact(**options: object) -> Callable[[], object]:
    given = Options(**{"baseline": BASELINE, "by": ("origin",), **options})  # type: ignore[arg-type]
    return lambda: impact(TABLE, POINTS, law=load_law(), options=given)


def a_sweep(horizon: str) -> Callable[[], object]:
    points = [{"cn": f"{rate}%"} for rate in (10, 20, 30)]
    options = Options(baseline=BASELINE, by=("origin",), horizon=horizon)
    return lambda: sweep(TABLE, MOVED, points, on="2026-11-20", law=load_law(), options=options)


def a_timeline() -> object:
    options = Options(baseline=BASELINE)
    return timeline(TABLE, [MOVED], start="2026-11-02", end="2026-11-20", law=load_law(), options=options)


RUNS: dict[str, Callable[[], object]] = {
    "static": an_impact(response="none", include_lines=True),
    "short": an_impact(horizon="short"),
    "sector": an_impact(horizon="path", market="sector"),
    "ahead": an_impact(horizon="path", ahead="2026-11-05"),
    "draws": an_impact(horizon="path", draws=16),
    "responding claims": an_impact(switches={"usmca_basis": "responding"}),
    "sweep": a_sweep("short"),
    "sweep on the path": a_sweep("path"),
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
