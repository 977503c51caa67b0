"""Caches keep a bounded number of tables, masks and laws, and brief ones nothing while their process waits."""

from __future__ import annotations

import gc
import weakref
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
from tariffs.engine.runs.sweeps.sweep import SweepRun
from tariffs.engine.scenario import library, parse_scenario
from tariffs.engine.schedule.reference_data import reference_table
from tariffs.engine.table_duty.cells import ValueCells
from tariffs.engine.tables.line_arrays import MASKS_KEPT
from tariffs.engine.tables.prepare import prepare_table
from tests.unit.scenario_tables import HEAD, TABLE

TABLES_AT_MOST = 2
CELLS_AT_MOST = 8


def alive(references: list[weakref.ref[Any]]) -> int:
    gc.collect()
    return sum(reference() is not None for reference in references)


def test_the_embedded_table_is_kept_under_few_settings() -> None:
    law = load_law()
    switches = sorted({reference.switch for reference in law.references.values() if reference.switch})
    switch = max(switches, key=lambda name: len(law.switches[name].values))
    values = law.switches[switch].values
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
    days = pl.date_range(date(2025, 2, 1), date(2026, 11, 1), "4d", eager=True)
    shipments = pl.DataFrame({"hts": "8703230190", "origin": "JP", "customs_value": 1e6, "entry_date": days})
    scenario = parse_scenario(
        HEAD.format(id="moved") + "parameters:\n  japan: {default: 12.5%}\n"
        "changes:\n  - {op: set_rate, measures: {id: fl301, origins: [JP]}, from: 2026-09-01, rate: $japan}\n"
    )
    points = [{"japan": "20%"}, {"japan": "30%"}]
    options = Options(response="none", by=("origin",))
    run = SweepRun(shipments, scenario, points, law=load_law(), options=options)
    block = run.value(0)
    assert block.totals.height == len(points)
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
        impact(TABLE, [Point(parse_scenario(HEAD.format(id="plain")), day)], law=law, options=options)
    gc.collect()
    families = [one for one in gc.get_objects() if isinstance(one, Family)]
    assert sum(one.atoms is table.lines.cache["atoms"] for one in families) == 1


def test_a_law_that_nobody_holds_is_collected_after_its_switches_were_compared() -> None:
    def compared() -> weakref.ref[Law]:
        law = load_law().with_min_conf("C")
        switches_behind(law, law.coverage[0], law.as_of, lambda scope: True)
        return weakref.ref(law)

    assert alive([compared()]) == 0


class Owner:
    """Can be referred to weakly."""


def test_values_are_kept_for_the_last_living_owners() -> None:
    kept: BoundedCache[weakref.ref[Owner], int] = BoundedCache(2)
    owners = [Owner() for _ in range(3)]
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
