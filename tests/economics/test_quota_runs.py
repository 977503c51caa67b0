"""Limits on quantities in runs over a table: balance of rents, holders, horizons, markets, draws and sweeps."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law.loader import load_law
from tariffs.engine.response import armington
from tariffs.engine.response.elasticities.draws import Spreads
from tariffs.engine.response.elasticities.parameters import parameters_for
from tariffs.engine.response.limits.limited_response import LimitedResponse
from tariffs.engine.runs.impact import Impact, Options, Point, impact
from tariffs.engine.runs.outcomes.table_run import RunContext, TableRun
from tariffs.engine.runs.sweeps.sweep import sweep
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import Scenario, apply_scenario, library, parse_scenario
from tests.economics.independent import quotas as slow

DAY = "2026-11-20"
QUIET = Spreads(0.0, 0.0, 0.0, 0.0)
TABLE = pl.DataFrame(
    {
        "hts": ["9503000073"] * 3 + ["7208390030"] * 3 + ["9506624080"] * 2,
        "origin": ["CN", "VN", "MX", "CN", "JP", "DE", "CN", "TW"],
        "customs_value": [4e9, 2e9, 1e9, 2e9, 1e9, 3e9, 1e9, 1e9],
        "freight": [1e8] * 8,
    }
)
MODELS = [
    {"horizon": "short"},
    {"horizon": "long"},
    {"horizon": "path"},
    {"horizon": "long", "market": "sector"},
    {"horizon": "path", "market": "sector"},
    {"horizon": "long", "response": "passthrough"},
]
LINEAR = [{"horizon": "long", "response": name} for name in ("smart", "gsim")]


def limited(body: str, head: str = "") -> Scenario:
    text = "schema: tariffs.scenario/v1\nid: limited\ntitle: Limited\nbasis: hypothesis\n"
    return parse_scenario(f"{text}{head}changes:\n  - {{op: shock_quantity, from: 2026-02-01, {body}}}\n")


def amount(row: Mapping[str, float | None], name: str) -> float:
    value = row[name]
    assert value is not None
    return value


HALF = limited("origins: [CN], share: 50%")
TOGETHER = limited("origins: [CN], products: ['95'], limit: 2000000000, rents: government")
BOUGHT = limited("origins: [JP, TW], floor: 3000000000, rents: exporter")


def run_of(*scenarios: Scenario, **options: Any) -> Impact:
    given = Options(**{"baseline": "2025-01-01", "response": "armington", "by": ("hts10",), **options})
    return impact(TABLE, [Point(each, DAY) for each in scenarios], law=load_law(), options=given)


@pytest.mark.parametrize("options", MODELS)
@pytest.mark.parametrize("scenario", [HALF, TOGETHER, BOUGHT], ids=["half", "together", "bought"])
def test_duty_rents_and_surpluses_add_up_to_welfare(options: dict[str, str], scenario: Scenario) -> None:
    block = run_of(scenario, **options).scenarios[0]
    for row in [*block.groups.to_dicts(), block.total]:
        # Nothing is prohibited, so landed cost before the response changes by duty alone.
        before = row["duty"] - row["landed_change"]
        parts = (
            row["buyer_surplus"]
            + row.get("producer_surplus", 0.0)
            + row["duty_after"]
            - before
            + row["rent_importer"]
            + row["rent_government"]
        )
        assert row["welfare"] == pytest.approx(parts, abs=1.0)
    rents = sum(amount(block.total, f"rent_{name}") for name in ("importer", "exporter", "government"))
    assert rents < 0.0 if scenario is BOUGHT else rents > 0.0


@pytest.mark.parametrize("options", [*MODELS, *LINEAR])
def test_a_limit_of_nine_times_the_baseline_is_none(options: dict[str, str]) -> None:
    slack = limited("origins: [CN], limit: 900000000000")
    free, held = run_of(library()["base"], slack, **options).scenarios
    columns = [name for name in held.groups.columns if not name.endswith("_vs")]
    for name in columns:
        if held.groups[name].dtype.is_float():
            np.testing.assert_allclose(
                held.groups[name].fill_null(0.0), free.groups[name].fill_null(0.0), rtol=1e-12, atol=1e-4
            )
    assert held.total["rent_importer"] == 0.0


@pytest.mark.parametrize("options", [{"horizon": "long"}, {"horizon": "long", "market": "sector"}])
@pytest.mark.parametrize("size", ["share: 0%", "limit: 0"])
def test_a_limit_of_nothing_is_autarky_from_that_origin(options: dict[str, str], size: str) -> None:
    (held,) = run_of(
        limited(f"origins: [CN], products: ['9503'], {size}"), by=("hts10", "origin"), **options
    ).scenarios
    row = held.groups.filter(hts10="9503000073", origin="CN").to_dicts()[0]
    assert (row["quantity_hat"], row["value_after"], row["rent_importer"]) == (0.0, 0.0, 0.0)
    # Other origins grow together, as they would without the closed one.
    others = held.groups.filter(hts10="9503000073").filter(pl.col("origin") != "CN")
    assert all(hat > 1.0 for hat in others["quantity_hat"])
    near = run_of(limited("origins: [CN], products: ['9503'], share: 0.0001%"), **options).scenarios[0].total
    assert held.total["welfare"] == pytest.approx(near["welfare"], rel=1e-3)


def test_rents_go_to_their_holder() -> None:
    body = "origins: [CN], products: ['9503'], share: 50%"
    importer, exporter, government = (
        run_of(limited(f"{body}, rents: {name}"), by=("origin",), horizon="long").scenarios[0]
        for name in ("importer", "exporter", "government")
    )
    assert amount(importer.total, "rent_importer") == amount(government.total, "rent_government") > 0.0
    assert importer.total["welfare"] == government.total["welfare"]
    assert importer.total["quantity_hat"] == exporter.total["quantity_hat"]
    assert importer.total["quota_premium"] == pytest.approx(exporter.total["quota_premium"], rel=1e-12)
    # An exporter's premium is in its price: duty is on it, and the rest of it leaves the country.
    assert amount(exporter.total, "duty_after") > amount(importer.total, "duty_after")
    leaves = amount(importer.total, "welfare") - amount(exporter.total, "welfare")
    assert leaves == pytest.approx(exporter.total["rent_exporter"], rel=1e-9)
    prices = [
        block.groups.filter(origin="CN")
        .select(pl.col("value_after") / pl.col("customs_value") / pl.col("quantity_hat"))
        .item()
        for block in (importer, exporter)
    ]
    assert prices[1] > prices[0]


@pytest.mark.parametrize("market", ["product", "sector"])
def test_a_limit_is_a_duty_at_its_premium_in_a_run(market: str) -> None:
    options = Options(baseline="2025-01-01", response="armington", horizon="long", market=market)
    run = TableRun(TABLE, load_law(), options, RunContext(None, None))
    law = apply_scenario(load_law(), HALF)
    outcome = run.outcome(law, run.dated_alike(law, DAY))
    response, rates, limits = run.response, outcome.variety_rates, outcome.constraints
    assert response is not None
    assert limits is not None
    p = response.parameters
    held = LimitedResponse(response, rates, limits)(response.solver(rates)(p), p)
    assert held.rents is not None
    limited_cost, paid = held.rents.amounts[3:]
    premium = np.divide(paid, limited_cost, out=np.zeros(len(held.value)), where=limited_cost > 0)
    drawn = response.duty_solver((1.0 + rates.rate) * (1.0 + premium) - 1.0, rates)(p)
    for name in ("quantity_hat", "value", "buyer_surplus"):
        np.testing.assert_allclose(getattr(held, name), getattr(drawn, name), rtol=1e-9)
    np.testing.assert_allclose(held.welfare, drawn.welfare, rtol=1e-9, atol=1.0)


def test_draws_at_the_centre_are_the_plain_run() -> None:
    found = run_of(HALF, by=("origin",), horizon="long", draws=16, spreads=QUIET)
    ranges = found.scenarios[0].ranges
    assert ranges is not None
    for row in ranges.total.to_dicts():
        assert row["p50"] == pytest.approx(found.scenarios[0].total[row["column"]], rel=1e-12, abs=1e-3)


def test_points_of_a_sweep_are_single_runs() -> None:
    scenario = limited("origins: [CN], share: $share", "parameters:\n  share: {default: 50%}\n")
    options = Options(baseline="2025-01-01", response="armington", by=("origin",), horizon="long")
    values = ["20%", "50%", "90%", "100%"]
    found = sweep(
        TABLE, scenario, [{"share": each} for each in values], on=DAY, law=load_law(), options=options
    )
    for place, value in enumerate(values):
        single = run_of(limited(f"origins: [CN], share: {value}"), by=("origin",), horizon="long").scenarios[
            0
        ]
        row = found.totals.row(place, named=True)
        for name in ("value_after", "welfare", "rent_importer", "quota_premium"):
            assert row[name] == single.total[name], name
    assert found.totals["rent_importer"].is_not_null().all()


SWITCHED = limited(
    "origins: [CN], share: $share, rents: exporter, when: $cut",
    "parameters:\n  share: {default: 50%}\n  cut: {default: off}\n",
)


def test_points_that_switch_a_limit_on_have_its_rents() -> None:
    options = Options(baseline="2025-01-01", response="armington", by=("origin",), horizon="long")
    points = [{"cut": "off"}, {"cut": "on"}]
    found = sweep(TABLE, SWITCHED, points, on=DAY, law=load_law(), options=options).totals
    always = limited("origins: [CN], share: 50%, rents: exporter")
    single = run_of(always, by=("origin",), horizon="long").scenarios[0].total
    assert found["rent_exporter"].to_list() == [0.0, single["rent_exporter"]]
    assert found["quota_premium"][1] == single["quota_premium"]


def test_a_horizon_of_path_has_the_elasticities_of_the_age_of_the_limit() -> None:
    young, old = (
        parse_scenario(HALF.text.replace("2026-02-01", day).replace("id: limited", f"id: from-{day}"))
        for day in ("2026-11-20", "2025-01-02")
    )
    blocks = run_of(young, old, horizon="path").scenarios
    assert amount(blocks[0].total, "quota_premium") > 1.2 * amount(blocks[1].total, "quota_premium")


def test_products_with_domestic_goods_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("hts,sigma,eta,kappa,domestic_ratio\n7208,4,1,2,3\n9503,4,2,,\n9506,4,2,,\n")
    options = Options(
        baseline="2025-01-01", response="armington", horizon="long", by=("hts10",), parameter_set=str(path)
    )
    run = TableRun(TABLE, load_law(), options, RunContext(None, None), [HALF])
    law = apply_scenario(load_law(), HALF)
    outcome = run.outcome(law, run.dated_alike(law, DAY))
    response, rates, p = run.response, outcome.variety_rates, run.parameters
    assert response is not None
    assert p is not None
    assert outcome.constraints is not None
    v = response.varieties
    held = LimitedResponse(response, rates, outcome.constraints)(response.solver(rates)(p), p)
    assert held.rents is not None
    limited_cost, paid = held.rents.amounts[3:]
    premium = np.divide(paid, limited_cost, out=np.zeros(v.count), where=limited_cost > 0)
    domestic = p.domestic_ratio * np.bincount(v.product, v.value * (1.0 + response.base_rate))
    duty = armington(
        v.product, v.value, response.base_rate, (1.0 + rates.rate) * (1.0 + premium) - 1.0, p.sigma, p.eta,
        supply=p.supply[v.product], kappa=np.where(np.isnan(p.kappa), p.eta, p.kappa), domestic=domestic,
    )  # fmt: skip
    np.testing.assert_allclose(held.quantity_hat, duty.quantity_hat, rtol=1e-9)
    np.testing.assert_allclose(held.buyer_surplus, duty.buyer_surplus, rtol=1e-9)
    with pytest.raises(InputError, match="domestic_ratio"):
        run_of(HALF, horizon="path", parameter_set=str(path))


def test_a_timeline_has_the_limit_from_its_day() -> None:
    options = Options(baseline="2025-01-01", response="armington", horizon="short", by=("origin",))
    base, held = timeline(
        TABLE, [library()["base"], HALF], "2026-01-31", "2026-02-01", law=load_law(), options=options
    ).scenarios
    assert base.totals["rent_importer"].to_list() == [0.0] * base.totals.height
    before, after = held.totals["rent_importer"].to_list()
    assert (before, after > 0.0) == (0.0, True)
    single = impact(TABLE, [Point(HALF, "2026-02-01")], law=load_law(), options=options).scenarios[0].total
    assert after == pytest.approx(amount(single, "rent_importer"), rel=1e-12)


def test_days_before_a_limit_that_are_solved_together_have_no_rents() -> None:
    options = Options(baseline="2025-01-01", response="armington", horizon="short", by=("origin",))
    held = timeline(TABLE, [HALF], "2025-03-01", "2026-02-01", law=load_law(), options=options).scenarios[0]
    *before, after = held.totals["rent_importer"].to_list()
    assert len(before) > 3
    assert before == [0.0] * len(before)
    assert after > 0.0
    assert held.segments.columns[3:] == ["origin", *held.totals.columns[3:]]


@pytest.mark.parametrize("response", ["smart", "gsim"])
def test_linear_models_give_the_trade_that_a_limit_then_cuts(response: str) -> None:
    """The step of the limit is the slow equilibrium on their trade, at their elasticities."""
    parameters = "central" if response == "smart" else ""
    options = {
        "horizon": "long",
        "response": response,
        "by": ("hts10", "origin"),
        "parameter_set": parameters,
    }
    free, held = (
        run_of(each, include_lines=True, **options).scenarios[0].lines for each in (library()["base"], HALF)
    )
    assert free is not None
    assert held is not None
    p, compared = parameters_for(TABLE["hts"].unique(maintain_order=True).to_list(), horizon="long"), 0
    for place, code in enumerate(TABLE["hts"].unique(maintain_order=True)):
        before, after = (lines.filter(hts=code).to_dicts() for lines in (free, held))
        if not all(row["value_after"] for row in before):
            continue  # linear demand has no trade left at the duty
        compared += 1
        cuts = [row["origin"] == "CN" for row in before]
        rates = [row["duty_after"] / row["value_after"] for row in before]
        goods = [
            slow.Good(0, row["value_after"], rate, rate, (0,) if cut else ())
            for row, cut, rate in zip(before, cuts, rates, strict=True)
        ]
        wanted = sum(
            0.5 * row["value_after"] / row["quantity_hat"]
            for row, cut in zip(before, cuts, strict=True)
            if cut
        )
        demand = slow.Demand(float(p.sigma[place]), float(p.eta[place]), 1.0 / float(p.supply[place]))
        expected = slow.equilibrium(goods, [demand], [slow.Limit(wanted)])
        for row, other, hat in zip(after, before, expected.quantities, strict=True):
            assert row["quantity_hat"] == pytest.approx(other["quantity_hat"] * hat, rel=1e-9), code
    assert compared
    assert held["rent_importer"].sum() > 0.0


def test_a_commitment_without_an_assumption_gives_no_columns_of_limits() -> None:
    beans = pl.DataFrame(
        {"hts": ["1201.90"], "origin": ["US"], "customs_value": [1e10], "destination": ["CN"]}
    )
    options = Options(baseline="2025-01-01", horizon="short", direction="export", by=("origin",))
    point = Point(library()["base"], "2027-02-01")
    block = impact(beans, [point], law=load_law(), options=options).scenarios[0]
    assert "QUANTITY_FLOOR" in {note.reason for note in block.notes}
    assert "quota_premium" not in {*block.total, *block.groups.columns}
