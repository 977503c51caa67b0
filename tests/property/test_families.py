"""Laws compiled together give the bits of laws compiled alone, and sums by group those of the lines."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tariffs.engine.law import Law, load_law
from tariffs.engine.law.law import IMPORT
from tariffs.engine.line_duty.entry_dates import entry_instant
from tariffs.engine.runs.impact import impact
from tariffs.engine.runs.options import Options, Point
from tariffs.engine.scenario import apply_scenario, library
from tariffs.engine.schedule.reference_data import reference_table
from tariffs.engine.table_duty.duties import Dated, Duties, duties_of
from tariffs.engine.table_duty.rated_lines import share_compile
from tariffs.engine.tables.line_arrays import LineArrays
from tariffs.engine.tables.prepare import prepare_table

DAYS = ("2025-02-20", "2025-05-20", "2025-09-15", "2026-01-10", "2026-04-20", "2026-11-24", "2027-02-01")
PAIRS = 8
"""Pairs of laws a unit of scale."""


def lines() -> LineArrays:
    return prepare_table(reference_table().gather_every(150), load_law()).lines


def dated(law: Law, day: str) -> Dated:
    return Dated([entry_instant(law, day, IMPORT)], [law.as_of], None)


def rated(law: Law, day: str, table: LineArrays) -> Duties:
    return duties_of(law, table, dated(law, day), lambda: None)


def test_duties_of_laws_compiled_together_have_the_bits_of_each_alone(scale: int) -> None:
    dice, law, table = random.Random(14), load_law(), lines()
    names = [name for name, scenario in library().items() if not scenario.mixture]
    for _ in range(PAIRS * scale):
        pair = [(apply_scenario(law, library()[dice.choice(names)]), dice.choice(DAYS)) for _ in range(2)]
        alone = [rated(one, day, replace(table, cache={})) for one, day in pair]
        both = replace(table, cache={})
        share_compile([(one, dated(one, day)) for one, day in pair], both)
        for (one, day), single in zip(pair, alone, strict=True):
            together = rated(one, day, both)
            for name in ("duty", "owed", "prohibited", "by_authority"):
                np.testing.assert_array_equal(getattr(together, name), getattr(single, name), name)
            assert together.notes == single.notes


@pytest.mark.parametrize("day", DAYS[::3])
def test_sums_by_group_are_those_of_the_lines(day: str) -> None:
    law = load_law()
    frame = reference_table().gather_every(40)
    options = Options(baseline="2025-01-01", response="none", by=("origin", "authority"), include_lines=True)
    block = impact(frame, [Point(library()["base"], day)], law=law, options=options).scenarios[0]
    lines = block.lines
    assert lines is not None
    wanted, found = (
        {name: duty for name, duty in table.group_by("origin").agg(pl.col("duty").sum()).iter_rows() if duty}
        for table in (lines, block.groups)
    )
    assert found == pytest.approx(wanted, rel=1e-12)
    for name in ("duty", "duty_owed", "landed", "landed_change", "prohibited_value"):
        assert block.total[name] == pytest.approx(lines[name].sum(), rel=1e-12, abs=1e-6)


def test_threads_over_one_table_get_the_bits_of_one_thread() -> None:
    law, shared = load_law(), replace(lines(), cache={})
    frame = reference_table().gather_every(100)
    names = ("base", "metals-at-25", "truce-lapses", "usmca-lapses", "exclusions-lapse")
    laws = {name: apply_scenario(law, library()[name]) for name in names}
    options = Options(response="none", by=("origin", "authority"))

    def answer(name: str, table: LineArrays) -> tuple[bytes, pl.DataFrame]:
        point = Point(library()[name], "2026-11-24")
        groups = impact(frame, [point], law=law, options=options).scenarios[0].groups
        return rated(laws[name], "2026-11-24", table).duty.tobytes(), groups

    alone = {name: answer(name, replace(shared, cache={})) for name in names}
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda name: answer(name, shared), names * 2))
    for name, (duty, groups) in zip(names * 2, together, strict=True):
        assert duty == alone[name][0], name
        assert groups.equals(alone[name][1]), name
