"""World models: identities, invariances, slow versions that share no code with them, and tariffs that are best."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.response import world as models
from tariffs.engine.response.world.newton import System, solve
from tariffs.engine.runs.world import WorldSpec, answered, world_of
from tariffs.engine.runs.world_games import best_tariff, nash
from tests.economics.independent import world as slow
from tests.economics.worlds import F64, into, small_sectors, small_world

CHANGES = [name for name in models.COLUMNS if name not in {"revenue", "gdp_before", "spending_before"}]


def one_sector(table: models.OneSectorTable, **parameters: Any) -> models.OneSectorWorld:
    return models.OneSectorWorld(table, models.OneSectorParameters(**parameters))


def rows_of(result: models.WorldResult, names: list[str] = CHANGES) -> F64:
    """Changes by country (rows) and column; what is not defined is 0."""
    return result.countries.select(names).fill_null(0.0).to_numpy()


def tariffs_like(table: models.OneSectorTable | models.SectorTable, seed: int) -> F64:
    """Draw tariffs between countries."""
    trade = table.trade if isinstance(table, models.OneSectorTable) else table.flows
    drawn = np.random.default_rng(seed).uniform(-0.05, 0.4, trade.shape)
    return np.where((trade > 0.0) & ~np.eye(trade.shape[-1], dtype=bool), drawn, 0.0)


@pytest.mark.parametrize("rebate", ["income_tax", "lump_sum"])
def test_one_sector_agrees_with_the_slow_version(rebate: str) -> None:
    table = small_world(3)
    world, tariffs = (
        one_sector(table, rebate=rebate, pass_through=0.4, elasticity=5.0),
        tariffs_like(table, 1),
    )
    state, model = world.run(tariffs).root.state, world.model
    found = slow.one_sector(table.trade, tariffs, model.kept, model.phi, world.parameters)
    for name in ("wage", "spending", "labour", "prices"):
        np.testing.assert_allclose(getattr(state, name), getattr(found, name), rtol=1e-9)


def test_closures_elasticities_and_answers_agree_with_the_slow_version() -> None:
    table = small_world(7)
    trade, home, rates = table.trade, table.home_index, tariffs_like(table, 3)
    plain, none = one_sector(table), np.zeros_like(rates)
    kept, phi, p = plain.model.kept, plain.model.phi, plain.parameters
    no_shares = no_transfers = np.zeros_like(kept)
    full_pass_through = np.ones_like(phi)

    def agree(world: models.OneSectorWorld, taxed: F64, welfare: F64) -> None:
        found = world.run(taxed)
        np.testing.assert_allclose(found.countries["welfare"].to_numpy(), welfare, atol=1e-9)
        assert found.residual <= 1e-10

    # Another trade elasticity alone: psi and phi stay those of 4.
    eight = one_sector(table, elasticity=8.0)
    assert (eight.model.phi == phi).all()
    agree(eight, rates, slow.one_sector(trade, rates, kept, phi, eight.parameters).welfare)
    full = models.EATON_KORTUM_KRUGMAN
    agree(
        models.OneSectorWorld(table, full),
        rates,
        slow.one_sector(trade, rates, no_shares, full_pass_through, full).welfare,
    )
    # Balanced trade with the home country: with tariffs less without, over the same transfers.
    transfers = slow.balanced_transfers(trade, kept, home)
    with_, without = (slow.one_sector(trade, each, kept, phi, p, transfers).welfare for each in (rates, none))
    agree(one_sector(table, deficits="balanced_with_us"), rates, with_ - without)
    # No deficits: from a world without them.
    before = slow.one_sector(trade, none, kept, phi, p, no_transfers).sold
    after = slow.one_sector(before, rates, kept, phi, p, no_transfers)
    agree(one_sector(table, deficits="zero"), rates, after.welfare)
    # The best answer of all partners, and of one alone.
    best = slow.optimal_answer(trade, kept, phi, home, p.elasticity)
    assert models.optimal_retaliation(plain.model) == pytest.approx(best, rel=1e-12)
    best_of_first = np.where(np.arange(len(best)) == 0, best, 0.0)
    for given in (best, best_of_first):
        answer = rates.copy()
        answer[home] = given
        agree(plain, answer, slow.one_sector(trade, answer, kept, phi, p).welfare)


@pytest.mark.parametrize("deficits", ["balanced_with_us", "zero", "transfers"])
def test_many_sectors_agree_with_the_slow_version(deficits: str) -> None:
    table = small_sectors(5)
    world, tariffs = models.SectorsWorld(table, deficits), tariffs_like(table, 2)
    for rates, state in ((table.tariffs, world.before.state), (tariffs, world.run(tariffs).root.state)):
        found = slow.sectors(table, rates, world.model.deficits)
        np.testing.assert_allclose(state.wage, found, rtol=1e-9)


def test_many_sectors_balanced_with_the_home_country_keep_what_others_owe_each_other() -> None:
    table = small_sectors(5)
    home, flows = table.home_index, table.flows.sum(axis=0)
    others = np.delete(np.delete(flows, home, 0), home, 1)
    kept = np.insert(others.sum(axis=0) - others.sum(axis=1), home, 0.0)
    found = models.SectorsWorld(table, "balanced_with_us").model.deficits
    np.testing.assert_allclose(found, kept, atol=1e-9 * flows.sum())


@pytest.mark.parametrize("deficits", models.DEFICITS)
def test_no_change_changes_nothing(deficits: str) -> None:
    for world in (
        one_sector(small_world(1), deficits=deficits),
        models.SectorsWorld(small_sectors(1), deficits),
    ):
        names = [name for name in CHANGES if name != "revenue_to_spending"]
        assert np.abs(rows_of(world.run(world.untaxed), names)).max() <= 1e-12


def test_order_and_units_of_countries_do_not_matter_and_neither_does_a_split_of_one() -> None:
    """The last country in two parts of 0.3 and 0.7, which trade with each other as it does with itself."""
    table, order = small_world(2), np.array([2, 3, 0, 1])
    tariffs = tariffs_like(table, 3)
    found = one_sector(table).run(tariffs)
    names = tuple(table.countries[place] for place in order)
    trade, shares = 7e3 * table.trade[np.ix_(order, order)], table.destination_share
    moved = replace(table, countries=names, trade=trade, destination_share=shares[order])
    again = one_sector(moved).run(tariffs[np.ix_(order, order)])
    np.testing.assert_allclose(rows_of(again), rows_of(found)[order], atol=1e-9)
    parts, of = np.array([1.0, 1.0, 1.0, 0.3, 0.7]), np.array([0, 1, 2, 3, 3])
    trade = table.trade[np.ix_(of, of)] * np.outer(parts, parts)
    split = models.OneSectorTable((*table.countries, "C4"), table.home, trade, shares[of], "")
    again = one_sector(split).run(tariffs[np.ix_(of, of)])
    same = ["welfare", "real_wage", "prices", "employment", "revenue_to_spending", "wage"]
    np.testing.assert_allclose(rows_of(again, same), rows_of(found, same)[of], atol=1e-9)


@pytest.mark.parametrize("deficits", ["zero", "transfers"])
def test_order_and_units_of_many_sectors_do_not_matter(deficits: str) -> None:
    table, order = small_sectors(2), np.array([2, 0, 1])
    rates = tariffs_like(table, 4)
    found = rows_of(models.SectorsWorld(table, deficits).run(rates))
    names = tuple(table.countries[place] for place in order)
    flows, tariffs = (each[:, order][:, :, order] for each in (0.03 * table.flows, table.tariffs))
    made = {"output": 0.03 * table.output[order], "value_added": table.value_added[order]}
    turned = replace(table, countries=names, flows=flows, tariffs=tariffs, inputs=table.inputs[order], **made)
    again = models.SectorsWorld(turned, deficits).run(rates[:, order][:, :, order])
    np.testing.assert_allclose(rows_of(again), found[order], atol=1e-9)


@pytest.mark.parametrize("deficits", ["zero", "transfers"])
def test_world_income_adds_up(deficits: str) -> None:
    one, many = small_world(6), small_sectors(6)
    world = one_sector(one, deficits=deficits)
    result = world.run(tariffs_like(one, 6))
    state = result.root.state
    spent = world.model.table.spending * state.spending
    assert spent.sum() == pytest.approx(state.income.sum() + state.revenue.sum(), rel=1e-12)
    sectors = models.SectorsWorld(many, deficits).run(tariffs_like(many, 6))
    state = sectors.root.state
    final = state.income + state.revenue
    used = (many.used * state.trade.sum(axis=2).T[:, None, :]).sum()
    assert state.spending.sum() == pytest.approx(final.sum() + used, rel=1e-12)
    assert state.income.sum() == pytest.approx(many.wages.sum(), rel=1e-12)
    assert max(result.residual, sectors.residual) <= 1e-10


def test_rates_of_a_frame_replace_the_base_where_they_are_named() -> None:
    many, one = small_sectors(9), small_world(9)
    columns = {"importer": ["C0", "C1"], "exporter": ["C1", "C2"], "rate": [0.5, 0.25], "sector": ["S1", "1"]}
    rates, expected = pl.DataFrame(columns), many.tariffs.copy()
    expected[1, 1, 0], expected[0, 2, 1] = 0.5, 0.25
    np.testing.assert_array_equal(models.with_rates(many, many.tariffs, rates), expected)
    assert (models.with_rates(many, many.tariffs, rates.drop("sector"))[:, 1, 0] == 0.5).all()
    plain, text = rates.drop("sector"), pl.lit("60%")
    unknown = plain.with_columns(importer=pl.lit("ZZ"))
    for bad in (rates, rates.drop("rate"), unknown, plain.with_columns(rate=text)):
        with pytest.raises(InputError, match=r"sector|no column rate|'ZZ' is not .* C0, C1|rate '60%'"):
            models.with_rates(one, np.zeros_like(one.trade), bad)


def test_parameters_outside_their_range_and_what_cannot_be_solved_are_refused() -> None:
    for given in ({"elasticity": 0.0}, {"rebate": "none"}, {"deficits": "none"}, {"destination_share": 1.0}):
        with pytest.raises(InputError):
            models.OneSectorParameters(**given)
    table = small_world(10)
    with pytest.raises(InputError) as refused:
        one_sector(table).run(np.full_like(table.trade, np.nan))
    assert refused.value.reason == "NO_EQUILIBRIUM"
    with pytest.raises(InputError, match="one_sector"):
        WorldSpec(model="sectors", elasticity=5.0)
    with pytest.raises(InputError, match="no country ZZ"):
        best_tariff(one_sector(table), ["ZZ"])


def test_a_step_is_too_short_to_meet_a_residual_that_fades_far_away() -> None:
    """Of x / (1 + x^2), which 0 alone solves, the first whole step leads to -7.7, and from there each goes on."""
    slopes = [lambda x: x, lambda x: x / (1 + x**2), lambda x: np.diag((1 - x**2) / (1 + x**2) ** 2)]
    fading = System[F64](*slopes)
    assert solve(fading, np.array([0.9])).unknowns == pytest.approx([0.0], abs=1e-9)


def test_the_best_tariff_is_better_than_its_neighbours() -> None:
    table = small_world(4)
    solved = one_sector(table)
    game = best_tariff(solved, [table.home])
    (rate,) = game.rates
    assert 0.01 < rate < 0.99
    best = game.result.of(table.home, "welfare")
    for other in (rate - 1e-3, rate + 1e-3, 0.0):
        assert solved.run(into(table, other)).of(table.home, "welfare") < best
    assert game.largest_gain <= 1e-10


def test_no_player_gains_by_departing_from_a_nash_point() -> None:
    solved, players = one_sector(small_world(12, count=3)), {"C0": [0], "C1 C2": [1, 2]}
    game = nash(solved, [names.split() for names in players])
    assert game.largest_gain <= 1e-10
    for rate, (names, places) in zip(game.rates, players.items(), strict=True):
        outside = [place for place in range(3) if place not in places]
        for other in np.linspace(0.0, 1.0, 21):
            tariffs = game.result.tariffs.copy()
            tariffs[np.ix_(outside, places)] = other
            welfare = solved.run(tariffs).mean(names.split(), "welfare")
            assert welfare <= game.result.mean(names.split(), "welfare") + 1e-9, (rate, other)


def test_answers_of_partners() -> None:
    solved = world_of(WorldSpec(), {})
    assert isinstance(solved, models.OneSectorWorld)
    rates, home = into(solved.table, 0.2), solved.table.home_index
    reciprocal = answered(solved, rates, WorldSpec(retaliation="reciprocal"))
    np.testing.assert_array_equal(reciprocal, rates + rates.T)
    half = answered(solved, rates, WorldSpec(reaction=0.5))
    np.testing.assert_array_equal(half, rates + rates.T / 2.0)
    optimal = answered(solved, rates, WorldSpec(retaliation="optimal"))
    np.testing.assert_array_equal(optimal[home], models.optimal_retaliation(solved.model))
    one = answered(solved, rates, WorldSpec(retaliation_rate=0.25))
    assert set(np.delete(one[home], home)) == {0.25}
    assert one[home, home] == 0.0


def test_the_optimal_answer_of_many_sectors_is_best_for_partners_together() -> None:
    solved = models.SectorsWorld(small_sectors(3), "zero")
    rates = solved.untaxed.copy()
    rates[:, 1:, 0] += 0.2 * (rates[:, 1:, 0] > 0.0)
    answer = answered(solved, rates, WorldSpec(model="sectors", retaliation="optimal"))
    (rate,) = set(answer[:, 0, 1:].ravel())
    partners, best = ["C1", "C2"], solved.run(answer).mean(["C1", "C2"], "welfare")
    for other in (rate - 0.01, rate + 0.01):
        tariffs = rates.copy()
        tariffs[:, 0, 1:] = other
        assert solved.run(tariffs).mean(partners, "welfare") < best
