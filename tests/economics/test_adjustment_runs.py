"""Runs with the horizon `path`: on real days of the law, against the slow version and the named horizons."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.engine.law.loader import load_law
from tariffs.engine.response.elasticities.parameters import parameters_for
from tariffs.engine.response.lanes.adjustment import DutyStep, RateMoves
from tariffs.engine.response.trade.trade_response import PROHIBITIVE
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.runs.outcomes.duty_steps import with_prohibitions_apart
from tariffs.engine.runs.outcomes.table_run import RunContext, TableRun
from tariffs.engine.runs.sweeps.sweep import sweep
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import apply_scenario, library, parse_scenario
from tests.economics.independent import adjustment as slow

BASELINE = "2025-01-01"
CODE = "9503000073"
VALUES = {"CN": 60.0, "VN": 25.0, "DE": 10.0, "BR": 5.0}
TOYS = pl.DataFrame({"hts": CODE, "origin": list(VALUES), "customs_value": list(VALUES.values())})
BASE = library()["base"]
VARIED = """
schema: tariffs.scenario/v1
id: toys
title: A duty on toys from China is varied
basis: hypothesis
parameters:
  cn: {default: "20%", title: China}
changes:
  - {op: set_rate, measures: {id: fent_cn}, rate: $cn, from: 2025-10-01}
"""


def run(on: str, horizon: str = "path", table: pl.DataFrame = TOYS, **options: Any) -> pl.DataFrame:
    found = impact(
        table, [Point(BASE, on)], law=load_law(),
        options=Options(baseline=BASELINE, horizon=horizon, include_lines=True, **options),
    )  # fmt: skip
    lines = found.scenarios[0].lines
    assert lines is not None
    return lines


def rates_by_day(end: str) -> list[tuple[date, list[float]]]:
    """Rates of the origins from each day on which they differ from the day before."""
    options = Options(baseline=BASELINE, response="none", by=("origin",))
    found = timeline(TOYS, [BASE], BASELINE, end, law=load_law(), options=options).scenarios[0].segments
    days: list[tuple[date, list[float]]] = []
    for (day,), rows in found.group_by("start", maintain_order=True):
        of_origin = dict(rows.select("origin", "effective_rate").iter_rows())
        rates = [of_origin[origin] for origin in VALUES]
        if not days or rates != days[-1][1]:
            days.append((date.fromisoformat(str(day)), rates))
    return days


def elasticities(horizon: str) -> slow.Elasticities:
    p = parameters_for([CODE], horizon=horizon)
    return slow.Elasticities(float(p.sigma[0]), float(p.eta[0]), float(p.supply[0]))


@pytest.mark.parametrize("on", ["2025-12-01", "2026-11-20"])
def test_the_path_on_a_day_composes_the_rates_of_all_days_before(on: str) -> None:
    (_, start), *steps = rates_by_day(on)
    stages = [elasticities(horizon) for horizon in ("impact", "short", "long")]
    ages = [(date.fromisoformat(on) - day).days / 365 for day, _ in steps]
    market = slow.composed(
        list(VALUES.values()), start,
        [(slow.elasticities_at(age, *stages), rates) for age, (_, rates) in zip(ages, steps, strict=True)],
    )  # fmt: skip
    found = run(on)
    assert len(steps) >= 8
    np.testing.assert_allclose(found["value_after"], market.value, rtol=1e-9)
    np.testing.assert_allclose(found["quantity_hat"], market.quantity, rtol=1e-9)
    np.testing.assert_allclose(
        found["creation"], slow.creation(market, list(VALUES.values())), rtol=1e-9, atol=1e-9
    )


def test_on_the_day_of_the_first_change_the_path_is_the_impact() -> None:
    assert run("2025-02-04")["value_after"].to_list() == pytest.approx(
        run("2025-02-04", "impact")["value_after"].to_list(), rel=1e-12
    )
    assert run("2025-02-04")["value_after"].sum() < 100.0
    assert run("2025-02-03")["value_after"].to_list() == list(VALUES.values())


@pytest.mark.parametrize(("response", "limit"), [("armington", 0.02), ("passthrough", 0.02), ("smart", 0.05)])
def test_a_timeline_has_no_jump_on_a_day_without_an_act(response: str, limit: float) -> None:
    """In shares of the trade at the baseline: a month adds 0.06 to eta, times a duty of up to 91 % in linear demand."""
    options = Options(baseline=BASELINE, horizon="path", response=response)
    totals = (
        timeline(TOYS, [BASE], BASELINE, "2027-12-31", law=load_law(), options=options).scenarios[0].totals
    )
    rows = totals.select("effective_rate", "value_after", "days").rows()
    assert max(days for _, _, days in rows) <= 30
    quiet = [
        abs(after - before) / sum(VALUES.values())
        for (rate, before, _), (next_rate, after, _) in itertools.pairwise(rows)
        if rate == next_rate
    ]
    assert len(quiet) >= 30
    assert max(quiet) < limit
    assert sum(quiet) > 0.01


@pytest.mark.parametrize("on", ["2025-12-01", "2026-11-20"])
def test_the_default_answer_hardly_moves_on_a_day_without_an_act(on: str) -> None:
    """A few goods of every kind; a day adds 1/365 of the way from impact to short."""
    codes, origins = (CODE, "7208100010", "8703230190", "0901110015"), ("CN", "DE", "MX")
    goods = pl.DataFrame(
        [(hts, origin, 1e6) for hts in codes for origin in origins],
        schema={"hts": pl.String, "origin": pl.String, "customs_value": pl.Float64}, orient="row",
    )  # fmt: skip
    next_day = (date.fromisoformat(on) + timedelta(days=1)).isoformat()
    options = Options(baseline=BASELINE)
    points = [Point(BASE, day) for day in (on, next_day)]
    today, tomorrow = (
        block.total for block in impact(goods, points, law=load_law(), options=options).scenarios
    )
    assert options.horizon == "path"
    assert today["duty"] == tomorrow["duty"]
    for name in ("value_after", "duty_after", "buyer_surplus"):
        assert today[name] is not None
        assert today[name] != tomorrow[name]
        assert today[name] == pytest.approx(tomorrow[name], rel=0.002), name


def test_a_row_of_a_timeline_is_the_impact_of_its_day() -> None:
    options = Options(baseline=BASELINE, horizon="path", by=("origin",))
    found = timeline(TOYS, [BASE], "2025-06-01", "2025-09-30", law=load_law(), options=options)
    rows = found.scenarios[0].segments.filter(pl.col("origin") == "CN")
    for start, value in rows.select("start", "value_after").iter_rows():
        expected = run(start).filter(pl.col("origin") == "CN")["value_after"][0]
        assert value == pytest.approx(expected, rel=1e-12)


def test_laws_that_differ_in_what_is_owed_alone_have_their_moves_in_common() -> None:
    context = RunContext(None, None)
    run = TableRun(TOYS, load_law(), Options(baseline=BASELINE, by=("origin",)), context)
    laws = [apply_scenario(run.law, library()[name]) for name in ("base", "ieepa-upheld-truce-kept")]
    dated = [run.dated(law, "2025-12-01") for law in laws]
    assert run.steps is not None
    void, upheld = map(run.steps.until, laws, dated)
    assert len(void) >= 8
    assert all(one.moves is other.moves for one, other in zip(void, upheld, strict=True))
    owed = [run.outcome(*each).duties.owed.sum() for each in zip(laws, dated, strict=True)]
    assert owed[0] < owed[1]
    assert run.steps.history(laws[0], dated[0]) != run.steps.history(laws[1], dated[1])


def test_with_known_on_entry_each_step_counts_from_the_day_it_was_known() -> None:
    known = run("2025-12-01", known_on="entry")["value_after"].to_list()
    assert known == pytest.approx(run("2025-12-01")["value_after"].to_list(), rel=0.02)


def test_factors_on_elasticities_scale_every_age() -> None:
    scenario = parse_scenario(VARIED)
    options = Options(baseline=BASELINE, horizon="path", by=())
    points = [{"cn": "20%", "elasticity.sigma": factor} for factor in ("x0.5", "x1", "x2")]
    found = sweep(TOYS, scenario, points, on="2025-12-01", law=load_law(), options=options)
    plain = sweep(TOYS, scenario, [{"cn": "20%"}], on="2025-12-01", law=load_law(), options=options)
    assert found.totals["value_after"].n_unique() == 3
    assert found.totals["value_after"][1] == plain.totals["value_after"][0]


def test_draws_without_spread_are_the_plain_run() -> None:
    from tariffs.engine.response.elasticities.draws import Spreads

    options = Options(
        baseline=BASELINE,
        horizon="path",
        draws=16,
        by=("origin",),
        spreads=Spreads(sigma=0.0, eta=0.0, supply=0.0),
    )
    block = impact(TOYS, [Point(BASE, "2025-12-01")], law=load_law(), options=options).scenarios[0]
    assert block.ranges is not None
    row = block.ranges.total.filter(pl.col("column") == "value_after")
    assert row["p5"][0] == pytest.approx(block.total["value_after"], rel=1e-12)
    assert row["p95"][0] == pytest.approx(block.total["value_after"], rel=1e-12)


def test_draws_of_the_path_are_those_of_a_horizon_at_its_age() -> None:
    named, path = (
        impact(
            TOYS, [Point(BASE, "2025-02-04")], law=load_law(),
            options=Options(baseline=BASELINE, horizon=horizon, draws=64, seed=5),
        ).scenarios[0].ranges
        for horizon in ("impact", "path")
    )  # fmt: skip
    assert named is not None
    assert path is not None
    for name in ("p5", "p50", "p95"):
        np.testing.assert_allclose(path.total[name], named.total[name], rtol=1e-9, atol=1e-9)


def test_a_prohibition_that_ended_leaves_no_trace() -> None:
    def step(years: float, *moves: tuple[int, float, float]) -> DutyStep:
        variety, before, after = (np.array(column) for column in zip(*moves, strict=True))
        return DutyStep(years, RateMoves.of(variety, before.astype(float), after.astype(float)))

    steps = [
        step(3.0, (0, 0.0, 9e9), (1, 0.0, PROHIBITIVE), (2, 0.0, PROHIBITIVE), (3, 0.0, PROHIBITIVE)),
        step(2.0, (0, 9e9, 0.1), (1, PROHIBITIVE, 0.2), (2, PROHIBITIVE, 0.0)),
        step(1.0, (2, 0.0, PROHIBITIVE)),
    ]
    found = [
        list(zip(one.moves.variety.tolist(), one.moves.before, one.moves.after, strict=True))
        for one in with_prohibitions_apart(steps)
    ]
    assert found == [
        # A duty is none, however high.
        [(0, 0.0, 9e9)],
        [(3, 0.0, PROHIBITIVE)],
        [(0, 9e9, 0.1), (1, 0.0, 0.2)],
        [],
        [(2, 0.0, PROHIBITIVE)],
    ]


def test_the_provenance_names_the_path_and_digests_every_horizon() -> None:
    found = impact(
        TOYS, [Point(BASE, "2025-12-01")], law=load_law(), options=Options(baseline=BASELINE, horizon="path")
    )
    assert found.provenance["horizon"] == "path"
    assert found.provenance["parameters"] == "path"
    digests = {parameters_for([CODE], horizon=each).digest for each in ("impact", "short", "long")}
    assert found.provenance["parameter_digest"] not in digests
