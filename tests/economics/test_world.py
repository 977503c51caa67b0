"""World models: identities, invariances, and slow versions that share no code with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.response.world import (
    COLUMNS,
    DEFICITS,
    EATON_KORTUM_KRUGMAN,
    OneSectorParameters,
    OneSectorTable,
    OneSectorWorld,
    SectorsWorld,
    SectorTable,
    WorldResult,
    optimal_retaliation,
    with_rates,
)
from tests.economics.independent import world as slow
from tests.economics.worlds import F64, into, small_sectors, small_world

CHANGES = [name for name in COLUMNS if name not in {"revenue", "gdp_before", "spending_before"}]


def rows_of(result: WorldResult, names: list[str] = CHANGES) -> F64:
    """Changes by country (rows) and column; what is not defined is 0."""
    return result.countries.select(names).fill_null(0.0).to_numpy()


def tariffs_like(table: OneSectorTable | SectorTable, seed: int) -> F64:
    """Draw tariffs between countries."""
    trade = table.trade if isinstance(table, OneSectorTable) else table.flows
    drawn = np.random.default_rng(seed).uniform(-0.05, 0.4, trade.shape)
    return np.where((trade > 0.0) & ~np.eye(trade.shape[-1], dtype=bool), drawn, 0.0)


@pytest.mark.parametrize("rebate", ["income_tax", "lump_sum"])
def test_one_sector_agrees_with_the_slow_version(rebate: str) -> None:
    table = small_world(3)
    world = OneSectorWorld(table, OneSectorParameters(rebate=rebate, pass_through=0.4, elasticity=5.0))
    tariffs = tariffs_like(table, 1)
    state = world.run(tariffs).root.state
    kept, phi = world.model.kept.tolist(), world.model.phi.tolist()
    found = slow.one_sector(table.trade.tolist(), tariffs.tolist(), kept, phi, world.parameters)
    for name in ("wage", "spending", "labour", "prices"):
        np.testing.assert_allclose(getattr(state, name), getattr(found, name), rtol=1e-9)


def test_closures_elasticities_and_answers_agree_with_the_slow_version() -> None:
    table = small_world(7)
    trade, home, tariffs = table.trade.tolist(), table.home_index, tariffs_like(table, 3)
    plain, none = OneSectorWorld(table, OneSectorParameters()), np.zeros_like(tariffs).tolist()
    kept, phi, p = plain.model.kept.tolist(), plain.model.phi.tolist(), plain.parameters
    # Another trade elasticity alone: psi and phi stay those of 4.
    eight = OneSectorWorld(table, OneSectorParameters(elasticity=8.0))
    assert eight.model.phi.tolist() == phi
    agree(eight, tariffs, slow.one_sector(trade, tariffs.tolist(), kept, phi, eight.parameters).welfare)
    full = EATON_KORTUM_KRUGMAN
    variant = slow.one_sector(trade, tariffs.tolist(), [0.0] * 4, [1.0] * 4, full)
    agree(OneSectorWorld(table, full), tariffs, variant.welfare)
    # Balanced trade with the home country: with tariffs less without, over the same transfers.
    transfers = slow.balanced_transfers(trade, kept, home)
    with_, without = (
        slow.one_sector(trade, rates, kept, phi, p, transfers).welfare for rates in (tariffs.tolist(), none)
    )
    balanced = OneSectorWorld(table, OneSectorParameters(deficits="balanced_with_us"))
    agree(balanced, tariffs, [one - other for one, other in zip(with_, without, strict=True)])
    # No deficits: from a world without them.
    zeros = [0.0 for _ in trade]
    before = slow.one_sector(trade, none, kept, phi, p, zeros).sold
    after = slow.one_sector(before, tariffs.tolist(), kept, phi, p, zeros)
    agree(OneSectorWorld(table, OneSectorParameters(deficits="zero")), tariffs, after.welfare)
    # The best answer of all partners, and of one alone.
    rates = slow.optimal_answer(trade, kept, phi, home, p.elasticity)
    assert optimal_retaliation(plain.model) == pytest.approx(rates, rel=1e-12)
    for place in (None, 0):
        answer = tariffs.copy()
        answer[home] = [rate if place in (None, i) else 0.0 for i, rate in enumerate(rates)]
        agree(plain, answer, slow.one_sector(trade, answer.tolist(), kept, phi, p).welfare)


def agree(world: OneSectorWorld, tariffs: F64, welfare: list[float]) -> None:
    found = world.run(tariffs)
    np.testing.assert_allclose(found.countries["welfare"].to_numpy(), welfare, atol=1e-9)
    assert found.residual <= 1e-10


@pytest.mark.parametrize("deficits", ["balanced_with_us", "zero", "transfers"])
def test_many_sectors_agree_with_the_slow_version(deficits: str) -> None:
    table = small_sectors(5)
    world, tariffs = SectorsWorld(table, deficits), tariffs_like(table, 2)
    for rates, state in ((table.tariffs, world.before.state), (tariffs, world.run(tariffs).root.state)):
        found = slow.sectors(table, rates, world.model.deficits.tolist())
        np.testing.assert_allclose(state.wage, found, rtol=1e-9)


@pytest.mark.parametrize("deficits", DEFICITS)
def test_no_change_changes_nothing(deficits: str) -> None:
    one, many = small_world(1), small_sectors(1)
    worlds = (OneSectorWorld(one, OneSectorParameters(deficits=deficits)), SectorsWorld(many, deficits))
    for world in worlds:
        names = [name for name in CHANGES if name != "revenue_to_spending"]
        assert np.abs(rows_of(world.run(world.untaxed), names)).max() <= 1e-12


def test_order_and_units_do_not_matter() -> None:
    one, many, order = small_world(2), small_sectors(2), np.array([2, 0, 1])
    more = np.array([2, 3, 0, 1])
    tariffs = tariffs_like(one, 3)
    found = rows_of(OneSectorWorld(one, OneSectorParameters()).run(tariffs))
    names = tuple(one.countries[place] for place in more)
    moved = replace(
        one,
        countries=names,
        trade=7e3 * one.trade[np.ix_(more, more)],
        destination_share=one.destination_share[more],
    )
    again = OneSectorWorld(moved, OneSectorParameters()).run(tariffs[np.ix_(more, more)])
    np.testing.assert_allclose(rows_of(again), found[more], atol=1e-9)
    rates = tariffs_like(many, 4)
    for deficits in ("zero", "transfers"):
        found = rows_of(SectorsWorld(many, deficits).run(rates))
        turned = replace(
            many,
            countries=tuple(many.countries[place] for place in order),
            flows=0.03 * many.flows[:, order][:, :, order],
            tariffs=many.tariffs[:, order][:, :, order],
            output=0.03 * many.output[order],
            value_added=many.value_added[order],
            inputs=many.inputs[order],
        )
        again = SectorsWorld(turned, deficits).run(rates[:, order][:, :, order])
        np.testing.assert_allclose(rows_of(again), found[order], atol=1e-9)


def test_a_split_country_changes_nothing() -> None:
    """The last country in two parts of 0.3 and 0.7, which trade with each other as it does with itself."""
    parts, of = np.array([1.0, 1.0, 1.0, 0.3, 0.7]), np.array([0, 1, 2, 3, 3])
    shares = np.outer(parts, parts)
    one = small_world(4)
    tariffs = tariffs_like(one, 5)
    found = OneSectorWorld(one, OneSectorParameters()).run(tariffs)
    split = OneSectorTable(
        (*one.countries, "C4"), one.home, one.trade[np.ix_(of, of)] * shares, one.destination_share[of], ""
    )
    again = OneSectorWorld(split, OneSectorParameters()).run(tariffs[np.ix_(of, of)])
    names = ["welfare", "real_wage", "prices", "employment", "revenue_to_spending", "wage"]
    np.testing.assert_allclose(rows_of(again, names), rows_of(found, names)[of], atol=1e-9)


@pytest.mark.parametrize("deficits", ["zero", "transfers"])
def test_world_income_adds_up(deficits: str) -> None:
    one, many = small_world(6), small_sectors(6)
    world = OneSectorWorld(one, OneSectorParameters(deficits=deficits))
    result = world.run(tariffs_like(one, 6))
    state = result.root.state
    spent = world.model.table.spending * state.spending
    assert spent.sum() == pytest.approx(state.income.sum() + state.revenue.sum(), rel=1e-12)
    sectors = SectorsWorld(many, deficits).run(tariffs_like(many, 6))
    state = sectors.root.state
    final = state.income + state.revenue
    used = (many.used * state.trade.sum(axis=2).T[:, None, :]).sum()
    assert state.spending.sum() == pytest.approx(final.sum() + used, rel=1e-12)
    assert state.income.sum() == pytest.approx(many.wages.sum(), rel=1e-12)
    assert max(result.residual, sectors.residual) <= 1e-10


def test_free_trade_between_two_equal_countries_gives_equal_wages() -> None:
    table = small_sectors(7, count=2)
    same = np.array([0, 0])
    mean = (table.flows + table.flows.transpose(0, 2, 1)) / 2.0
    equal = replace(
        table,
        flows=mean,
        tariffs=np.where(mean > 0.0, 0.15, 0.0) * np.array([[0.0, 1.0], [0.4, 0.0]]),
        output=table.output[same],
        value_added=table.value_added[same],
        inputs=table.inputs[same],
    )
    # The base has unequal tariffs, so demand is taken of free trade.
    equal = replace(equal, tariffs=np.zeros_like(mean))
    wages = SectorsWorld(equal, "zero").run(np.zeros_like(mean)).root.state.wage
    assert wages[0] == pytest.approx(wages[1], rel=1e-12)
    flows = np.array([[0.0, 40.0], [40.0, 0.0]])
    one = OneSectorTable(("A", "B"), "B", flows + np.diag([500.0, 500.0]), np.array([0.1, 0.1]), "")
    state = OneSectorWorld(one, OneSectorParameters()).run(np.where(flows > 0.0, 0.3, 0.0)).root.state
    assert state.wage[0] == pytest.approx(state.wage[1], rel=1e-12)


def test_a_near_result_leads_to_the_same_solution_sooner() -> None:
    table = small_world(8)
    world = OneSectorWorld(table, OneSectorParameters())
    first, tariffs = world.run(into(table, 0.10)), into(table, 0.11)
    near, fresh = world.run(tariffs, first), world.run(tariffs)
    np.testing.assert_allclose(rows_of(near), rows_of(fresh), atol=1e-12)


def test_rates_of_a_frame_replace_the_base_where_they_are_named() -> None:
    many = small_sectors(9)
    rates = pl.DataFrame(
        {"importer": ["C0", "C1"], "exporter": ["C1", "C2"], "rate": [0.5, 0.25], "sector": ["S1", "1"]}
    )
    found = with_rates(many, many.tariffs, rates)
    expected = many.tariffs.copy()
    expected[1, 1, 0], expected[0, 2, 1] = 0.5, 0.25
    np.testing.assert_array_equal(found, expected)
    assert (with_rates(many, many.tariffs, rates.drop("sector"))[:, 1, 0] == 0.5).all()
    one = small_world(9)
    for bad in (rates, rates.drop("rate"), rates.with_columns(importer=pl.lit("ZZ")).drop("sector")):
        with pytest.raises(InputError, match=r"sector|rate|ZZ"):
            with_rates(one, np.zeros_like(one.trade), bad)


def test_parameters_outside_their_range_are_refused() -> None:
    for given in ({"elasticity": 0.0}, {"rebate": "none"}, {"deficits": "none"}, {"destination_share": 1.0}):
        with pytest.raises(InputError):
            OneSectorParameters(**given)


def test_what_cannot_be_solved_is_an_error_and_no_answer() -> None:
    table = small_world(10)
    with pytest.raises(InputError) as refused:
        OneSectorWorld(table, OneSectorParameters()).run(np.full_like(table.trade, np.nan))
    assert refused.value.reason == "NO_EQUILIBRIUM"
