"""Limits on quantities: premiums against a slow solver, limits of the model as identities, and rents in runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law.loader import load_law
from tariffs.engine.response import ArmingtonResponse, armington, theta_parameters_for
from tariffs.engine.response.elasticities.parameters import parameters_for
from tariffs.engine.response.kernels.quota_premiums import hold_to_limits
from tariffs.engine.response.limits import quotas
from tariffs.engine.response.limits.limited_response import LimitedResponse
from tariffs.engine.response.limits.quotas import JointLimit, QuotaProblem, QuotaSolution, solve_quotas
from tariffs.engine.runs.impact import Impact, Options
from tariffs.engine.runs.outcomes.table_run import RunContext, TableRun
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import Scenario, apply_scenario
from tests.economics import runs
from tests.economics.independent.quotas import Goods, Limit, equilibrium
from tests.economics.runs import BASELINE, TOYS, lines_of, run_of, scenario_of, table_of, total_of
from tests.economics.test_balance import MODELS


@dataclass(frozen=True)
class Solved:
    """Quantity hats from the baseline, the solution, and the problem it is of."""

    quantities: Any
    found: QuotaSolution
    problem: QuotaProblem


def random_goods(seed: int, products: int = 1, origins: int = 4) -> Goods:
    """Draw trade with elasticities on both sides of 1 and of each other."""
    rng = np.random.default_rng(seed)
    size = products * origins
    return Goods(
        np.repeat(np.arange(products), origins),
        np.exp(rng.normal(0.0, 1.0, size)) * 1e6,
        rng.uniform(0.0, 0.2, size),
        rng.uniform(0.0, 0.8, size),
        np.exp(rng.normal(1.0, 0.6, products)),
        np.exp(rng.normal(0.2, 0.6, products)),
        np.where(rng.random(products) < 0.3, np.inf, np.exp(rng.normal(1.5, 1.0, products))),
    )


def unlimited(goods: Goods) -> ArmingtonResponse:
    columns = (goods.product, goods.value, goods.before, goods.after, goods.sigma, goods.eta)
    return armington(*columns, supply=goods.supply[goods.product])


def solve(goods: Goods, caps: Any = np.inf, joint: Sequence[Limit] = ()) -> Solved:
    """Solve duties by `armington`, then the limits; every variety is a class of its own.

    `caps` are shares of the baseline, infinite without a limit.
    """
    free = unlimited(goods)
    amounts, limits = goods.value * free.quantity_hat, []
    for limit in joint:
        own = np.zeros(len(amounts))
        own[limit.places] = amounts[limit.places]
        limits.append(JointLimit(quotas.FLOOR if limit.floor else quotas.CEILING, own, limit.wanted))
    problem = QuotaProblem(
        offsets=np.searchsorted(goods.product, np.arange(len(goods.sigma) + 1)).astype(np.int64),
        landed=free.value * (1.0 + goods.after),
        caps=np.log(caps) - np.log(free.quantity_hat),
        wedges=np.zeros(len(amounts)),
        joint=limits,
        sigma=goods.sigma,
        eta=goods.eta,
        supply=goods.supply,
    )
    found = solve_quotas(problem)
    return Solved(free.quantity_hat * np.exp(found.quantity), found, problem)


@pytest.mark.parametrize("seed", range(8))
def test_premiums_and_quantities_are_those_of_the_slow_solver(seed: int) -> None:
    goods = random_goods(seed, products=1 + seed % 2)
    places = np.arange(len(goods.value))
    caps = np.select([places % 4 == 0, places % 4 == 2], [0.4, 0.7], np.inf)
    solved, held = solve(goods, caps), np.flatnonzero(caps < np.inf).tolist()
    quantities, premiums = equilibrium(goods, [Limit([k], caps[k] * goods.value[k]) for k in held])
    np.testing.assert_allclose(solved.quantities, quantities, rtol=1e-9)
    np.testing.assert_allclose(np.expm1(solved.found.premium[held]), premiums, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_joint_limits_and_floors_over_products_are_those_of_the_slow_solver(seed: int) -> None:
    goods = random_goods(seed, products=2, origins=3)
    free = unlimited(goods).quantity_hat * goods.value
    wanted = [
        ([0, 3], 0.6, False),
        ([1, 4], 1.3, True),
        ([0, 2], 0.8, False),
        ([0, 5], 9.0, False),
        ([2], 0.1, True),
    ]
    joint = [Limit(own, float(part * free[own].sum()), floor) for own, part, floor in wanted]
    solved = solve(goods, joint=joint)
    quantities, premiums = equilibrium(goods, joint)
    np.testing.assert_allclose(solved.quantities, quantities, rtol=1e-9)
    np.testing.assert_allclose(np.expm1(solved.found.joint), premiums, rtol=1e-9, atol=1e-9)
    assert (solved.found.joint[3:] == 0.0).all()


@pytest.mark.parametrize("seed", range(5))
def test_a_limit_is_a_duty_at_its_premium(seed: int) -> None:
    goods, caps = random_goods(seed, products=3, origins=5), np.where(np.arange(15) % 3 == 0, 0.3, np.inf)
    solved = solve(goods, caps)
    premium, power = solved.found.premium, (1.0 + goods.after) * np.exp(solved.found.premium)
    duty = unlimited(replace(goods, after=power - 1.0))
    np.testing.assert_allclose(solved.quantities, duty.quantity_hat, rtol=1e-11)
    assert (solved.quantities <= caps * (1.0 + 1e-12)).all()
    assert (premium >= 0.0).all()
    np.testing.assert_allclose(solved.quantities[premium > 0.0], 0.3, rtol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_a_tighter_limit_never_lowers_the_price(seed: int) -> None:
    tighter = [np.where(np.arange(4) == 0, cap, np.inf) for cap in np.linspace(0.8, 0.05, 16)]
    found = [solve(random_goods(seed), caps).found for caps in tighter]
    rises = np.diff([(one.premium[0], one.index[0]) for one in found], axis=0)
    assert (rises >= 0.0).all()
    assert (rises[-1] > 0.0).all()


# Three origins of one good at the set `long`: two at 12.5 percent, one at 8.4387.
THREE = Goods(
    np.zeros(3, dtype=np.int64), np.array([4e6, 2e6, 1e6]), np.zeros(3), np.array([0.125, 0.125, 0.084387]),
    np.array([4.58]), np.array([2.0]), np.array([10.0]),
)  # fmt: skip
HALVED = np.array([0.5, np.inf, np.inf])


def test_halving_toys_of_the_largest_origin() -> None:
    np.testing.assert_allclose(unlimited(THREE).quantity_hat, [0.815, 0.815, 0.915], atol=5e-4)
    half = solve(THREE, HALVED)
    assert np.expm1(half.found.premium[0]) == pytest.approx(0.226, abs=5e-4)
    np.testing.assert_allclose(half.quantities, [0.5, 0.948, 1.064], atol=5e-4)


def test_limits_at_the_ends_of_the_elasticities() -> None:
    """No substitution, perfect substitutes, and inelastic and elastic demand, where no duty changes."""
    still = replace(THREE, after=np.zeros(3))
    flat = replace(still, supply=np.array([np.inf]))
    together = solve(replace(still, sigma=np.zeros(1)), HALVED)
    np.testing.assert_allclose(together.quantities, 0.5, rtol=1e-6)
    replaced = solve(replace(flat, sigma=np.array([1e7])), HALVED)
    assert replaced.found.premium[0] == pytest.approx(0.0, abs=1e-6)
    assert (replaced.quantities * flat.value).sum() == pytest.approx(flat.value.sum(), rel=1e-6)
    fixed = solve(replace(still, eta=np.zeros(1)), HALVED)
    shares, power = still.value / still.value.sum(), 1.0 - 1.0 / 4.58
    assert (shares * fixed.quantities**power).sum() == pytest.approx(1.0, rel=1e-12)
    elastic = solve(replace(flat, eta=np.array([1e8])), HALVED)
    assert elastic.found.index[0] == pytest.approx(0.0, abs=1e-7)


def test_a_limit_that_no_price_keeps_is_unknown() -> None:
    one, none = np.ones(1), np.zeros(1)
    alone = Goods(np.zeros(1, dtype=np.int64), 1e6 * one, none, none, 3.0 * one, none, np.inf * one)
    assert np.isnan(solve(alone, 0.5 * one).found.index[0])
    assert np.isnan(solve(alone, joint=[Limit([0], 5e5)]).found.joint[0])


def test_the_kernel_has_the_same_bits_as_plain_python() -> None:
    problem = solve(random_goods(5), np.array([0.4, np.inf, 0.7, 0.2])).problem
    shares = problem.landed / problem.landed.sum()
    parameters = np.column_stack([problem.sigma, problem.eta, 1.0 / problem.supply])
    compiled, plain = ([np.empty(4), np.empty(4), np.empty(1)] for _ in range(2))
    arguments = (0, 1, problem.offsets, shares, problem.wedges, problem.caps, parameters)
    hold_to_limits(*arguments, *compiled)
    hold_to_limits.py_func(*arguments, *plain)  # type: ignore[attr-defined]
    for one, other in zip(compiled, plain, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-14)


def test_products_have_the_same_bits_whatever_is_solved_with_them() -> None:
    goods, caps = random_goods(7, products=3), np.where(np.arange(12) % 2 == 0, 0.5, np.inf)
    first = Goods(
        product=goods.product[:4], value=goods.value[:4], before=goods.before[:4], after=goods.after[:4],
        sigma=goods.sigma[:1], eta=goods.eta[:1], supply=goods.supply[:1],
    )  # fmt: skip
    assert (solve(first, caps[:4]).found.premium == solve(goods, caps).found.premium[:4]).all()


DAY = "2026-11-20"
TABLE = table_of(
    {
        TOYS: {"CN": 4e9, "VN": 2e9, "MX": 1e9},
        runs.STEEL: {"CN": 2e9, "JP": 1e9, "DE": 3e9},
        runs.BALLS: {"CN": 1e9, "TW": 1e9},
    }
).with_columns(freight=pl.lit(1e8))


def limited(body: str, day: str = "2026-02-01") -> Scenario:
    return scenario_of(f"changes:\n  - {{op: shock_quantity, from: {day}, {body}}}\n", "limited")


HALF = limited("origins: [CN], share: 50%")


def run(*scenarios: str | Scenario, **options: Any) -> Impact:
    return run_of(TABLE, *scenarios, on=DAY, **{"by": ("hts10",), "horizon": "long", **options})


LINEAR = [{"horizon": "long", "response": name} for name in ("smart", "gsim")]


@pytest.mark.parametrize("options", [*MODELS, *LINEAR])
def test_a_limit_of_nine_times_the_baseline_is_none(options: dict[str, str]) -> None:
    found = run("base", limited("origins: [CN], limit: 900000000000"), **options)
    free, held = (block.groups for block in found.scenarios)
    for name, kind in held.schema.items():
        if kind.is_float() and not name.endswith("_vs"):
            one, other = held[name].fill_null(0.0), free[name].fill_null(0.0)
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-4, err_msg=name)
    assert total_of(found, 1)["rent_importer"] == 0.0


@pytest.mark.parametrize("market", ["product", "sector"])
@pytest.mark.parametrize("size", ["share: 0%", "limit: 0"])
def test_a_limit_of_nothing_is_autarky_from_that_origin(market: str, size: str) -> None:
    toys = "origins: [CN], products: ['9503'], "
    held = run(limited(f"{toys}{size}"), by=("hts10", "origin"), market=market)
    rows = {row["origin"]: row for row in held.scenarios[0].groups.filter(hts10=TOYS).to_dicts()}
    row = rows.pop("CN")
    assert (row["quantity_hat"], row["value_after"], row["rent_importer"]) == (0.0, 0.0, 0.0)
    # Other origins grow together, as they would without the closed one.
    assert all(other["quantity_hat"] > 1.0 for other in rows.values())
    near = total_of(run(limited(f"{toys}share: 0.0001%"), market=market))
    assert total_of(held)["welfare"] == pytest.approx(near["welfare"], rel=1e-3)


def test_joint_limits_on_different_products_hold_each_by_itself() -> None:
    toys, steel = (
        f"  - {{op: shock_quantity, from: 2026-02-01, products: ['{code}'], limit: 3000000000}}\n"
        for code in ("9503", "7208")
    )
    found = run(
        *(
            scenario_of("changes:\n" + text, f"s{place}")
            for place, text in enumerate((toys, steel, toys + steel))
        )
    )
    one, other, both = (block.groups["rent_importer"].to_numpy() for block in found.scenarios)
    assert np.count_nonzero(one) == np.count_nonzero(other) == 1
    np.testing.assert_allclose(both, one + other, rtol=1e-9)


def test_rents_go_to_their_holder() -> None:
    body = "origins: [CN], products: ['9503'], share: 50%"
    holders = ("importer", "exporter", "government")
    found = run(*(limited(f"{body}, rents: {name}") for name in holders), by=("origin",))
    importer, exporter, government = (total_of(found, place) for place in range(3))
    assert importer["rent_importer"] == government["rent_government"] > 0.0
    assert importer["welfare"] == government["welfare"]
    assert importer["quantity_hat"] == exporter["quantity_hat"]
    assert importer["quota_premium"] == pytest.approx(exporter["quota_premium"], rel=1e-12)
    # An exporter's premium is in its price: duty is on it, and the rest of it leaves the country.
    assert exporter["duty_after"] > importer["duty_after"]
    leaves = importer["welfare"] - exporter["welfare"]
    assert leaves == pytest.approx(exporter["rent_exporter"], rel=1e-9)
    price = pl.col("value_after") / pl.col("customs_value") / pl.col("quantity_hat")
    of_china = [found.scenarios[k].groups.filter(origin="CN").select(price).item() for k in (0, 1)]
    assert of_china[1] > of_china[0]


def held_by(options: Options) -> tuple[Any, Any, Any, Any]:
    """Response, rates, the response under the limit of one half, and 1 + the rate at its premium."""
    run = TableRun(TABLE, load_law(), options, RunContext(None, None), [HALF])
    law = apply_scenario(load_law(), HALF)
    outcome = run.outcome(law, run.dated_alike(law, DAY))
    response, rates = run.response, outcome.variety_rates
    assert response is not None
    assert outcome.constraints is not None
    p = response.parameters
    held = LimitedResponse(response, rates, outcome.constraints)(response.solver(rates)(p), p)
    assert held.rents is not None
    cost, paid = held.rents.amounts[3:]
    premium = np.divide(paid, cost, out=np.zeros(len(held.value)), where=cost > 0)
    return response, rates, held, (1.0 + rates.rate) * (1.0 + premium)


@pytest.mark.parametrize("market", ["product", "sector"])
def test_a_limit_is_a_duty_at_its_premium_in_a_run(market: str) -> None:
    response, rates, held, power = held_by(Options(baseline=BASELINE, horizon="long", market=market))
    duty = response.duty_solver(power - 1.0, rates)(response.parameters)
    for name in ("quantity_hat", "value", "buyer_surplus"):
        np.testing.assert_allclose(getattr(held, name), getattr(duty, name), rtol=1e-9)
    np.testing.assert_allclose(held.welfare, duty.welfare, rtol=1e-9, atol=1.0)


def test_products_with_domestic_goods_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("hts,sigma,eta,kappa,domestic_ratio\n7208,4,1,2,3\n9503,4,2,,\n9506,4,2,,\n")
    response, _, held, power = held_by(Options(baseline=BASELINE, horizon="long", parameter_set=str(path)))
    v, p, before = response.varieties, response.parameters, response.base_rate
    domestic = p.domestic_ratio * np.bincount(v.product, v.value * (1.0 + before))
    duty = armington(
        v.product, v.value, before, power - 1.0, p.sigma, p.eta, supply=p.supply[v.product],
        kappa=np.where(np.isnan(p.kappa), p.eta, p.kappa), domestic=domestic,
    )  # fmt: skip
    np.testing.assert_allclose(held.quantity_hat, duty.quantity_hat, rtol=1e-9)
    np.testing.assert_allclose(held.buyer_surplus, duty.buyer_surplus, rtol=1e-9)
    with pytest.raises(InputError, match="domestic_ratio"):
        run(HALF, horizon="path", parameter_set=str(path))


def test_a_horizon_of_path_has_the_elasticities_of_the_age_of_the_limit() -> None:
    ages = (limited("origins: [CN], share: 50%", day=day) for day in ("2026-11-20", "2025-01-02"))
    young, old = (total_of(run(one, horizon="path"))["quota_premium"] for one in ages)
    assert young > 1.2 * old


def test_a_timeline_has_the_limit_from_its_day_and_no_rents_before() -> None:
    """Days before it are solved together."""
    options = Options(baseline=BASELINE, horizon="short", by=("origin",))
    held = timeline(TABLE, [HALF], "2025-03-01", "2026-02-01", law=load_law(), options=options).scenarios[0]
    runs.assert_balance(held.totals.to_dicts())
    *before, after = held.totals["rent_importer"].to_list()
    assert len(before) > 3
    assert before == [0.0] * len(before)
    single = total_of(run_of(TABLE, HALF, on="2026-02-01", horizon="short"))
    assert after == pytest.approx(single["rent_importer"], rel=1e-12)
    assert after > 0.0


@pytest.mark.parametrize("response", ["smart", "gsim", "exact_hat"])
def test_other_models_give_the_trade_that_a_limit_then_cuts(response: str) -> None:
    """The step of the limit is the slow equilibrium on their trade, product by product, at their elasticities."""
    given = {"response": response, "parameter_set": "central" if response == "smart" else ""}
    found = run("base", HALF, include_lines=True, **given)
    free, held = lines_of(found), lines_of(found, 1)
    codes, compared = TABLE["hts"].unique(maintain_order=True).to_list(), 0
    p = parameters_for(codes, horizon="long")
    columns = np.stack([p.sigma, p.eta, p.supply], axis=1)
    if response == "exact_hat":
        columns = np.array([[1.0 + theta, 1.0, np.inf] for theta in theta_parameters_for(codes).theta])
    for code, elasticities in zip(codes, columns, strict=True):
        before, after = (lines.filter(hts=code) for lines in (free, held))
        value, cut = before["value_after"].to_numpy(), (before["origin"] == "CN").to_numpy()
        if not value.all():
            continue  # linear demand has no trade left at the duty
        compared += 1
        rate, sigma, (eta, supply) = (
            before["duty_after"].to_numpy() / value,
            elasticities[:1],
            elasticities[1:],
        )
        goods = Goods(np.zeros(len(value), dtype=int), value, rate, rate, sigma, [eta], [supply])
        places = np.flatnonzero(cut).tolist()
        wanted = 0.5 * (value / before["quantity_hat"].to_numpy())[places].sum()
        hats, _ = equilibrium(goods, [Limit(places, wanted)] if places else [])
        np.testing.assert_allclose(
            after["quantity_hat"], before["quantity_hat"] * hats, rtol=1e-9, err_msg=code
        )
    assert compared
    assert held["rent_importer"].sum() > 0.0


def test_a_commitment_without_an_assumption_gives_no_columns_of_limits() -> None:
    beans = table_of({"1201.90": {"US": 1e10}}).with_columns(destination=pl.lit("CN"))
    block = run_of(beans, on="2027-02-01", horizon="short", direction="export").scenarios[0]
    assert "QUANTITY_FLOOR" in {note.reason for note in block.notes}
    assert "quota_premium" not in {*block.total, *block.groups.columns}
