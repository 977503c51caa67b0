"""Games of the world: tariffs that are best, answers of partners in runs, and ranges over elasticities."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.client import Client
from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.response.world import (
    OneSectorParameters,
    OneSectorWorld,
    SectorsWorld,
)
from tariffs.engine.response.world.elasticity_draws import elasticity_factors, log_spread
from tariffs.engine.runs.impact import impact
from tariffs.engine.runs.options import Options, Point
from tariffs.engine.runs.outcomes.table_run import RunContext, TableRun
from tariffs.engine.runs.sweeps.seek import Target, Vary, seek
from tariffs.engine.runs.sweeps.sweep import sweep
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.runs.world import WorldSpec, answered, world
from tariffs.engine.runs.world_games import best_tariff, nash
from tariffs.engine.scenario import library, parse_scenario
from tests.economics.worlds import ON, TABLE, USA_ON_CHINA, into, small_sectors, small_world


def test_the_best_tariff_is_better_than_its_neighbours() -> None:
    table = small_world(4)
    solved = OneSectorWorld(table, OneSectorParameters())
    game = best_tariff(solved, [table.home])
    (rate,) = game.rates
    assert 0.01 < rate < 0.99
    best = game.result.of(table.home, "welfare")
    for other in (rate - 1e-3, rate + 1e-3, 0.0):
        assert solved.run(into(table, other)).of(table.home, "welfare") < best
    assert game.largest_gain <= 1e-10


def test_no_player_gains_by_departing_from_a_nash_point() -> None:
    table = small_world(12, count=3)
    solved = OneSectorWorld(table, OneSectorParameters())
    players = [["C0"], ["C1", "C2"]]
    game = nash(solved, players)
    assert game.largest_gain <= 1e-10
    places = [[0], [1, 2]]
    for player, rate in enumerate(game.rates):
        for other in np.linspace(0.0, 1.0, 21):
            tariffs = game.result.tariffs.copy()
            outside = [place for place in range(3) if place not in places[player]]
            for importer in places[player]:
                tariffs[outside, importer] = other
            welfare = solved.run(tariffs).mean(players[player], "welfare")
            assert welfare <= game.result.mean(players[player], "welfare") + 1e-9, (rate, other)
    with pytest.raises(InputError, match="no country ZZ"):
        best_tariff(solved, ["ZZ"])


UNIFORM = parse_scenario(
    "schema: tariffs.scenario/v1\nid: uniform\ntitle: Uniform\nbasis: hypothesis\n"
    "parameters: {rate: {default: 10%, title: rate on all goods}}\nchanges:\n"
    "- {op: add, measure: {id: uniform, title: Uniform, authority: uniform, periods: [{id: uniform_1, "
    "from: 2026-01-01T00:00, rows: [{rate: $rate}]}]}, cite: [test]}\n",
    "uniform",
)
WORLD = Options(baseline="2025-01-01", response="world")


def welfare_at(rate: str, options: Options) -> float:
    point = Point(UNIFORM.with_parameters({"rate": rate}), ON)
    (block,) = impact(TABLE, [point], law=load_law(), options=options).scenarios
    assert block.world is not None
    return float(block.world.filter(country="USA")["welfare"].item())


def test_a_seek_finds_the_uniform_tariff_that_is_best_for_a_country() -> None:
    target = Target("welfare", math.inf, {"country": ["USA"]})
    found = seek(TABLE, UNIFORM, Vary("rate", "0%", "60%"), target, on=ON, law=load_law(), options=WORLD)
    (best,) = found.roots
    assert isinstance(best.value, float)
    assert best.achieved == pytest.approx(welfare_at(f"{best.value:.12f}", WORLD), rel=1e-9)
    for other in (best.value - 0.005, best.value + 0.005):
        assert welfare_at(f"{other:.6f}", WORLD) < best.achieved
    sought: Any = found.provenance["seek"]
    assert sought["target"] == ["welfare", "max"]
    for column, where, words in (
        ("duty", "USA", "no result of countries"),
        ("welfare", "ZZ", "no country ZZ"),
    ):
        with pytest.raises(InputError, match=words):
            seek(
                TABLE,
                UNIFORM,
                Vary("rate", "0%", "60%"),
                Target(column, math.inf, {"country": [where]}),
                law=load_law(),
                options=WORLD,
            )


def test_a_seek_finds_the_largest_of_any_result() -> None:
    options = Options(baseline="2025-01-01", horizon="long")
    with Client.local() as client:
        name = "rates-by-country"
        asked: Any = {
            "vary": ("cn", "0%", "400%"),
            "on": "2027-01-11",
            "baseline": "2025-01-01",
            "horizon": "long",
        }
        found = client.seek(TABLE, name, target=("duty_after", "max"), **asked)
        of_china: Any = {**asked, "where": {"origin": "CN"}}
        least = client.seek(TABLE, name, target=("value_after", "min"), **of_china)
    (best,) = found.roots
    assert isinstance(best.value, float)
    run = seek(
        TABLE,
        library()[name],
        Vary("cn", "0%", "400%"),
        Target("duty_after", best.achieved, {}),
        on="2027-01-11",
        law=load_law(),
        options=options,
    )
    assert run.nearest.achieved == pytest.approx(best.achieved, rel=1e-9)
    assert 0.0 < best.value < 4.0
    assert best.achieved == pytest.approx(found.path["achieved"].max(), rel=1e-11)
    assert [root.value for root in least.roots] == [pytest.approx(4.0, abs=1e-6)]
    assert "largest" in found.words()[0]


@pytest.mark.parametrize("retaliation", ["none", "law", "reciprocal", "optimal"])
def test_partners_answer_in_an_impact_as_in_the_world(retaliation: str) -> None:
    options = replace(WORLD, retaliation=retaliation)
    run = TableRun(None, load_law(), options, RunContext(None, None))
    (outcome,) = run.outcomes(library()["base"], ON)
    countries = run.countries([outcome])
    assert countries is not None
    expected = world(load_law(), WorldSpec(retaliation=retaliation), library()["base"], ON).countries
    for column in ("welfare", "wage", "exports"):
        # Prohibited goods keep their duty of the baseline here, and bear none there.
        np.testing.assert_allclose(countries[column], expected[column], atol=1e-5)


def test_a_change_of_a_partners_law_alone_moves_a_run_from_its_day() -> None:
    text = """schema: tariffs.scenario/v1
id: answer
title: Test
basis: hypothesis
parameters: {cn: {default: 25%}}
changes: [{op: set_rate, measures: {id: cn.s301}, from: 2026-12-10, rate: $cn}]
"""
    law, scenario, options = load_law(), parse_scenario(text), replace(WORLD, retaliation="law")
    found = timeline(TABLE, [scenario], "2026-12-09", "2026-12-12", law=law, options=options)
    totals = found.scenarios[0].totals
    assert totals["start"].cast(pl.String).to_list() == ["2026-12-09", "2026-12-10"]
    for start, imports in totals.select(pl.col("start").cast(pl.String), "value_after").iter_rows():
        alone = impact(TABLE, [Point(scenario, start)], law=law, options=options)
        assert alone.scenarios[0].total["value_after"] == pytest.approx(imports, rel=1e-12)
    before, after = totals["value_after"]
    assert before != pytest.approx(after, rel=1e-6)
    points = [{"cn": "25%"}, {"cn": "60%"}]
    swept = sweep(TABLE, scenario, points, on="2026-12-12", law=law, options=options).totals["value_after"]
    assert swept[0] == pytest.approx(after, rel=1e-12)
    assert swept[1] != pytest.approx(after, rel=1e-6)


def test_answers_of_partners_need_the_world() -> None:
    for options, words in (
        (replace(WORLD, retaliation="vengeful"), "not vengeful"),
        (replace(WORLD, retaliation="law", response="armington"), "Only the world"),
        (replace(WORLD, retaliation="optimal", response="armington"), "Only the world"),
    ):
        with pytest.raises(InputError, match=words):
            impact(TABLE, [Point(library()["base"], ON)], law=load_law(), options=options)


def test_draws_give_ranges_around_the_answer() -> None:
    law, spec = load_law(), WorldSpec()
    plain, drawn = (world(law, replace(spec, draws=draws), tariffs=USA_ON_CHINA) for draws in (0, 16))
    assert drawn.countries.select(plain.countries.columns).equals(plain.countries)
    factors = elasticity_factors(16)
    assert np.prod(factors) == pytest.approx(1.0)
    assert log_spread() == pytest.approx(np.log(factors).std(), rel=0.1)
    ends = [WorldSpec(elasticity=4.0 * factors[place]) for place in (0, 1, -2, -1)]
    first, second, third, last = (
        chinese(world(law, end, tariffs=USA_ON_CHINA).countries, "welfare") for end in ends
    )
    low, high = (chinese(drawn.countries, f"welfare_{end}") for end in ("p5", "p95"))
    # Between 16 equally likely elasticities the fifth percent lies three quarters of a step from the last.
    expected = sorted((first + 0.75 * (second - first), last + 0.75 * (third - last)))
    assert [low, high] == pytest.approx(expected, rel=1e-9)
    assert low < chinese(plain.countries, "welfare") < high
    assert drawn.countries["welfare_first_order_p5"].null_count() == len(drawn.countries)
    with pytest.raises(InputError, match="power of two"):
        world(law, replace(spec, draws=20), tariffs=USA_ON_CHINA)
    with pytest.raises(InputError, match="players"):
        world(law, replace(spec, draws=16), tariffs=USA_ON_CHINA, players=["USA"])


def chinese(countries: pl.DataFrame, column: str) -> float:
    return float(countries.filter(country="CHN")[column].item())


def test_the_optimal_answer_of_many_sectors_is_best_for_partners_together() -> None:
    solved = SectorsWorld(small_sectors(3), "zero")
    spec = WorldSpec(model="sectors", retaliation="optimal")
    rates = solved.untaxed.copy()
    rates[:, 1:, 0] += 0.2 * (rates[:, 1:, 0] > 0.0)
    answer = answered(solved, rates, spec)
    (rate,) = set(answer[:, 0, 1:].ravel())
    partners, best = ["C1", "C2"], solved.run(answer).mean(["C1", "C2"], "welfare")
    for other in (rate - 0.01, rate + 0.01):
        tariffs = rates.copy()
        tariffs[:, 0, 1:] = other
        assert solved.run(tariffs).mean(partners, "welfare") < best
