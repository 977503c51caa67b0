"""Goods that are prohibited are replaced at once: at elasticities of a year or more, whatever the horizon."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffs.engine.law.loader import load_law
from tariffs.engine.response.elasticities.parameters import parameters_for
from tariffs.engine.response.lanes.adjustment import DutyPath, DutyStep, PathTrade, RateMoves
from tariffs.engine.response.trade.trade_response import PROHIBITIVE
from tariffs.engine.runs.impact import Impact, Options, Point, impact
from tariffs.engine.runs.lanes.rate_paths import word_of
from tariffs.engine.runs.outcomes.duty_steps import prohibitions_apart, with_prohibitions_apart
from tariffs.engine.runs.sweeps.sweep import sweep
from tariffs.engine.scenario import Scenario, library, parse_scenario
from tariffs.engine.table_duty.rate_classes import bits
from tests.economics.independent import adjustment as slow
from tests.economics.lane_volumes import at_one_horizon, lane_volumes

DAY = "2026-11-20"
MOST_LOST = 0.7
"""Most that buyers may lose on a dollar of trade that is prohibited on DAY."""
HORIZONS = ["path", "impact", "short", "long"]
NOT_BANNED = parse_scenario(
    "schema: tariffs.scenario/v1\nid: void\ntitle: The bans are void\nbasis: hypothesis\nchanges:\n"
    "  - {op: set_switch, name: s338_bans, value: void}\n"
)
KNOWN = "2025-01-01"
CODES = ["9503000073", "7208390030", "6109100012"]
ORIGINS = ["CN", "VN", "DE"]
TABLE = pl.DataFrame(
    {
        "hts": [code for code in CODES for _ in ORIGINS],
        "origin": ORIGINS * len(CODES),
        "customs_value": [5e9, 2e9, 1e9, 1e8, 3e9, 4e9, 9e9, 1e9, 1e7],
    }
)


def banned(origins: list[str], products: list[str], on: str, duty: float = 0.0) -> Scenario:
    """A duty on all goods from February 2025 on, and a ban of some from a day on."""
    rows = f"origins: [{', '.join(origins)}], products: [{', '.join(products)}], kind: prohibition"
    return parse_scenario(f"""
schema: tariffs.scenario/v1
id: banned
title: Some goods may not enter
basis: hypothesis
parameters:
  all: {{default: "{duty:g}%", title: All}}
changes:
  - op: add
    measure:
      id: duty
      title: Duty
      authority: s301
      periods: [{{id: duty_p, from: 2025-02-01T00:01-05:00, known_from: {KNOWN}, rows: [{{rate: $all}}]}}]
  - op: add
    measure:
      id: ban
      title: Ban
      authority: s301
      periods: [{{id: ban_p, from: {on}T00:01-04:00, known_from: {KNOWN}, rows: [{{{rows}}}]}}]
""")


def run_of(scenario: Scenario, day: str = DAY, **given: Any) -> Impact:
    options = Options(**{"baseline": KNOWN, "known_on": KNOWN, "by": ("hts10",), **given})
    return impact(TABLE, [Point(scenario, day)], law=load_law(), options=options)


@pytest.mark.parametrize("horizon", HORIZONS)
def test_the_bans_of_2026_cost_buyers_at_most_seven_tenths_of_the_trade(horizon: str) -> None:
    options = Options(horizon=horizon, by=("hts2",))
    points = [Point(library()["base"], DAY), Point(NOT_BANNED, DAY)]
    found = impact(None, points, law=load_law(), options=options).scenarios
    bans, void = (dict[str, Any](block.total) for block in found)
    assert None not in (bans["buyer_surplus"], bans["welfare"])
    value = bans["prohibited_value"]
    assert value == pytest.approx(0.99e9, rel=0.01)
    assert 0.0 < void["buyer_surplus"] - bans["buyer_surplus"] <= MOST_LOST * value
    with_bans, without = (block.groups.sort("hts2") for block in found)
    touched = (with_bans["prohibited_value"] > 0.0).to_numpy()
    assert touched.any()
    # Where the bans are void their goods pay a duty of 50 percent.
    assert (with_bans["quantity_hat"].to_numpy() <= without["quantity_hat"].to_numpy())[touched].all()
    spirits = (pl.col("hts2") == "22",)
    assert with_bans.filter(spirits)["value_after"].item() < without.filter(spirits)["value_after"].item()


@given(
    origins=st.sets(st.sampled_from(ORIGINS), min_size=1),
    products=st.sets(st.sampled_from([code[:4] for code in CODES]), min_size=1),
    on=st.dates(date(2025, 2, 1), date(2026, 11, 19)),
    horizon=st.sampled_from(["path", *HORIZONS]),
    duty=st.sampled_from([0.0, 10.0, 25.0]),
)
def test_a_ban_raises_no_imports_of_its_product_and_every_total_is_known(
    origins: set[str], products: set[str], on: date, horizon: str, duty: float
) -> None:
    scenario = banned(sorted(origins), sorted(products), on.isoformat(), duty)
    block = run_of(scenario, horizon=horizon).scenarios[0]
    free = run_of(banned(["AD"], ["9503"], on.isoformat(), duty), horizon=horizon).scenarios[0]
    ours, theirs = block.groups.sort("hts10"), free.groups.sort("hts10")
    for name in ("value_after", "quantity_hat"):
        assert (ours[name].to_numpy() <= theirs[name].to_numpy() * (1.0 + 1e-9)).all(), name
    total: dict[str, Any] = dict(block.total)
    assert None not in (total["buyer_surplus"], total["welfare"])
    assert total["prohibited_value"] > 0.0


def test_a_ban_on_the_path_leaves_no_trace_of_the_duty_before_it() -> None:
    """Its age is at least a year, so that a ban of last month and one of last year differ by what prices did."""
    late = run_of(banned(["CN"], ["9503"], "2026-11-01", 25.0), horizon="path").scenarios[0]
    early = run_of(banned(["CN"], ["9503"], "2026-10-01", 25.0), horizon="path").scenarios[0]
    for name in ("buyer_surplus", "value_after", "welfare"):
        assert late.groups[name].to_list() == pytest.approx(early.groups[name].to_list(), rel=1e-12)


def test_duties_and_then_bans_at_once_are_those_of_the_slow_version() -> None:
    v0, t0, t1 = np.array([5.0, 2.0, 1.0]), np.array([0.0, 0.05, 0.1]), np.array([PROHIBITIVE, 0.3, 0.1])
    own, short = slow.Elasticities(1.3, 0.8, 20.0), parameters_for([CODES[0]], horizon="short")
    trade = PathTrade(np.array([0, 3]), np.zeros(3, dtype=np.int64), v0, t0)
    path = DutyPath.with_prohibitions(t0, t1, t1 == PROHIBITIVE, short.columns[0])
    (found,) = lane_volumes(trade, path, t1, [at_one_horizon(own.sigma, own.eta, own.supply)])
    least = slow.Elasticities(float(short.sigma[0]), float(short.eta[0]), float(short.supply[0]))
    duties = [float(t0[0]), *map(float, t1[1:])]
    expected = slow.composed(v0.tolist(), t0.tolist(), [(own, duties), (least, t1.tolist())])
    np.testing.assert_allclose(found["quantity_hat"], expected.quantity, rtol=1e-9)
    np.testing.assert_allclose(found["value"], expected.value, rtol=1e-9)
    assert found["buyer_surplus"][0] == pytest.approx(expected.surplus, rel=1e-9)


@pytest.mark.parametrize("horizon", ["path", "impact"])
def test_points_of_a_sweep_have_the_bans_of_single_runs(horizon: str) -> None:
    scenario = banned(["CN", "DE"], ["9503", "7208"], "2026-09-01")
    options = Options(baseline=KNOWN, known_on=KNOWN, by=("hts10",), horizon=horizon)
    points = [{"all": rate} for rate in ("0%", "10%", "30%")]
    found = sweep(TABLE, scenario, points, on=DAY, law=load_law(), options=options)
    for rate in (0.0, 0.1, 0.3):
        alone = run_of(banned(["CN", "DE"], ["9503", "7208"], "2026-09-01", 100 * rate), horizon=horizon)
        for name in ("buyer_surplus", "value_after", "welfare"):
            swept = found.groups.filter(all=rate).sort("hts10")[name].to_numpy()
            np.testing.assert_allclose(
                swept, alone.scenarios[0].groups.sort("hts10")[name].to_numpy(), rtol=1e-11
            )


def step(years: float, *moves: tuple[int, float, float]) -> DutyStep:
    variety, before, after = (np.array(column) for column in zip(*moves, strict=True))
    return DutyStep(years, RateMoves.of(variety, before.astype(float), after.astype(float)))


def test_prohibitions_are_steps_of_their_own_from_the_rate_of_the_baseline() -> None:
    steps = [step(2.0, (0, 0.1, 0.3), (1, 0.0, 0.2)), step(0.3, (0, 0.3, PROHIBITIVE), (1, 0.2, 0.4))]
    found = [
        (one.years, list(zip(one.moves.variety.tolist(), one.moves.before, one.moves.after, strict=True)))
        for one in with_prohibitions_apart(steps)
    ]
    assert found == [(2.0, [(1, 0.0, 0.2)]), (0.3, [(1, 0.2, 0.4)]), (1.0, [(0, 0.1, PROHIBITIVE)])]
    assert with_prohibitions_apart(steps[:1]) == steps[:1]


def test_paths_of_a_sweep_are_taken_apart_alike() -> None:
    rates = np.array([[0.1, 0.0], [0.3, 0.2], [PROHIBITIVE, 0.4]])
    words = bits(rates).view(np.uint64)
    found, years = prohibitions_apart(words, [2.0, 0.3], word_of(PROHIBITIVE))
    assert years == [2.0, 0.3, 1.0]
    assert found.view(np.float64).tolist() == [[0.1, 0.0], [0.1, 0.2], [0.1, 0.4], [PROHIBITIVE, 0.4]]


@pytest.mark.parametrize("horizon", HORIZONS)
def test_the_loss_by_prohibitions_is_that_of_a_run_without_them(horizon: str) -> None:
    scenario = banned(["CN"], ["9503", "7208"], "2025-02-01", 0.0)
    ours = run_of(scenario, horizon=horizon).scenarios[0]
    free = run_of(banned(["AD"], ["9503"], "2025-02-01", 0.0), horizon=horizon).scenarios[0]
    # Nothing but the ban moves these goods, so all of the difference is its own.
    expected = ours.groups["buyer_surplus"] - free.groups["buyer_surplus"]
    found = ours.groups["prohibited_surplus"].to_list()
    assert found == pytest.approx(expected.to_list(), rel=1e-9, abs=1e-3)
    assert ours.total["prohibited_surplus"] == pytest.approx(sum(found), rel=1e-9)
    assert free.total["prohibited_surplus"] == 0.0
