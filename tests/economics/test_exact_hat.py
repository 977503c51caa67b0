"""Exact hat algebra: a slow version, limits as identities, and runs with sectors, thetas and prohibitions."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.client import Client
from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.response import exact_hat, theta_parameters_for
from tariffs.engine.response.constants import table
from tariffs.engine.response.elasticities.thetas import theta_of_industry
from tariffs.engine.response.industries import industries
from tariffs.engine.runs.impact import Impact, Options
from tariffs.engine.runs.sweeps.sweep import sweep
from tariffs.engine.scenario import Scenario, library
from tests.economics import runs
from tests.economics.independent.exact_hat import Good, slow_sector
from tests.economics.runs import BASELINE, TOYS, lines_of, rates_on, run_of, scenario_of, table_of, total_of

THETA, DOMESTIC = np.array([0.4, 4.49, 12.9, 64.85]), np.array([0.0, 300.0, 2_000.0, 50.0])
SECTOR_COUNT, ORIGINS, LINES = 4, 6, 90


def drawn_lines(seed: int) -> dict[str, Any]:
    """Draw lines of four sectors, some without value, some prohibited."""
    rng = np.random.default_rng(seed)
    base = rng.uniform(0.0, 0.2, LINES)
    return {
        "sector": rng.integers(0, SECTOR_COUNT, LINES),
        "origin": rng.integers(0, ORIGINS, LINES),
        "v0": np.where(rng.random(LINES) < 0.1, 0.0, rng.uniform(1.0, 100.0, LINES)),
        "t0": base,
        "t1": base + rng.uniform(-0.15, 0.8, LINES),
        "theta": THETA,
        "domestic": DOMESTIC,
        "prohibited": rng.random(LINES) < 0.1,
    }


@pytest.mark.parametrize("seed", range(5))
def test_values_surplus_and_price_are_those_of_the_slow_version(seed: int) -> None:
    lines = drawn_lines(seed)
    found = exact_hat(**lines)
    for sector in range(SECTOR_COUNT):
        mine = np.flatnonzero(lines["sector"] == sector)
        columns = (lines[name][mine] for name in ("origin", "v0", "t0", "t1", "prohibited"))
        goods = [
            Good(str(origin), value, before, None if out else after)
            for origin, value, before, after, out in zip(*columns, strict=True)
        ]
        slow = slow_sector(goods, THETA[sector], DOMESTIC[sector])
        np.testing.assert_allclose(found.value[mine], slow.values, rtol=1e-9)
        np.testing.assert_allclose(found.buyer_surplus[mine], slow.surplus, rtol=1e-9, atol=1e-9)
        assert found.price_hat[sector] == pytest.approx(slow.price, rel=1e-12)
        shares = found.share_base[mine].sum(), found.share[mine].sum()
        home = found.domestic_share[sector]
        assert shares == pytest.approx((1.0 - home, 1.0 - home * found.domestic_hat[sector]), rel=1e-12)
        if DOMESTIC[sector]:
            assert found.domestic_hat[sector] == pytest.approx(slow.domestic, rel=1e-9)
        paid = sum(v * (g.after or 0.0) - g.value * g.before for v, g in zip(slow.values, goods, strict=True))
        assert found.welfare[sector] == pytest.approx(sum(slow.surplus) + paid, rel=1e-9)


def test_no_change_of_duty_changes_no_bit() -> None:
    lines = {**drawn_lines(1), "prohibited": False}
    found = exact_hat(**{**lines, "t1": lines["t0"]})
    for hats in (found.quantity_hat, found.price_hat, found.domestic_hat):
        assert (hats == 1.0).all()
    assert (found.value == lines["v0"]).all()
    assert (found.buyer_surplus == 0.0).all()
    assert (found.welfare == 0.0).all()


def test_as_theta_grows_only_the_cheapest_origin_is_left() -> None:
    found = exact_hat([0] * 3, [0, 1, 2], [1.0, 50.0, 900.0], 0.0, [0.01, 0.02, 0.5], 1e5)
    np.testing.assert_allclose(found.share, [1.0, 0.0, 0.0], atol=1e-12)
    assert found.price_hat[0] == pytest.approx(1.01, rel=1e-3)
    at_home = exact_hat([0], [0], [900.0], 0.0, 0.1, 1e6, domestic=1.0)
    assert (at_home.value[0], at_home.domestic_hat[0]) == (0.0, pytest.approx(901.0))


def test_a_sector_of_which_nothing_is_left_has_no_finite_loss() -> None:
    out = exact_hat([0, 1], [0, 0], [5.0, 5.0], 0.0, 0.1, 4.0, prohibited=[True, False])
    assert out.price_hat.tolist() == [np.inf, pytest.approx(1.1)]
    assert np.isnan([out.welfare[0], out.buyer_surplus[0]]).all()


def test_the_order_of_lines_changes_no_bit_and_a_split_no_answer() -> None:
    lines = drawn_lines(0)
    order = np.random.default_rng(0).permutation(LINES)
    names = ("sector", "origin", "v0", "t0", "t1", "prohibited")
    moved = exact_hat(**{**lines, **{name: lines[name][order] for name in names}})
    found = exact_hat(**lines)
    assert np.array_equal(moved.value, found.value[order])
    assert np.array_equal(moved.price_hat, found.price_hat)
    halves = {name: np.repeat(lines[name], 2) for name in names}
    split = exact_hat(**{**lines, **halves, "v0": halves["v0"] / 2})
    np.testing.assert_allclose(split.value[::2] * 2, found.value, rtol=1e-13)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("theta", 0.0, "theta is 0"),
        ("theta", np.nan, "theta is nan"),
        ("v0", [-1.0, 2.0], "line 0: v0"),
        ("t1", [0.0, -1.0], "line 1: t1"),
        ("domestic", -5.0, "domestic is -5"),
        ("origin", [0, -1], "origin"),
        ("origin", [0.5, 1.0], "origin"),
    ],
)
def test_bad_values_are_refused(name: str, value: object, words: str) -> None:
    good: dict[str, Any] = {
        "sector": [0, 0], "origin": [0, 1], "v0": [1.0, 2.0], "t0": 0.0, "t1": 0.1, "theta": 4.0,
    }  # fmt: skip
    with pytest.raises(InputError, match=words):
        exact_hat(**{**good, name: value})


DAY = "2025-12-01"
BARS, COFFEE, SCRAP = "7214200000", "0901110025", "7204410020"
TABLE = table_of(
    {
        TOYS: {"CN": 4e9, "VN": 2e9, "MX": 1e9},
        runs.BALLS: {"CN": 2e9, "IT": 5e8},
        runs.STEEL: {"CN": 2e9, "JP": 1e9, "CA": 3e9},
        BARS: {"JP": 7e8, "TR": 4e8},
        COFFEE: {"BR": 2e9, "CO": 1e9},
        SCRAP: {"CA": 5e8, "GB": 2e8},
    }
)
VALUES = TABLE["customs_value"].to_list()
SECTORS = {
    TOYS: "339930",
    runs.BALLS: "339920",
    runs.STEEL: "331110",
    BARS: "331110",
    COFFEE: "coffee",
    SCRAP: "scrap",
}
PUBLISHED = {"339930": 3.98, "339920": 3.98, "331110": 3.28, "coffee": 9.11, "scrap": 4.49}


def banned(row: str) -> Scenario:
    return scenario_of(f"changes:\n{runs.banned(row)}")


def run(*scenarios: Scenario, goods: pl.DataFrame | None = TABLE, **options: Any) -> Impact:
    given = {"on": DAY, "response": "exact_hat", "by": ("hts10",), "include_lines": goods is not None}
    return run_of(goods, *scenarios, **{**given, **options})


def rows_of(found: Impact) -> list[dict[str, Any]]:
    return lines_of(found).to_dicts()


def products_of(found: Impact) -> dict[str, dict[str, Any]]:
    return {group["hts10"]: group for group in found.scenarios[0].groups.to_dicts()}


def shipments_of(code: str) -> float:
    """Domestic shipments per dollar of imports of a code's industry, from the tables alone."""
    found = [row for row in table("industries.csv") if row["industry"] == SECTORS[code]]
    return float(found[0]["domestic_sales_2024"]) / float(found[0]["imports_2024"]) if found else 0.0


def test_trade_and_welfare_are_those_of_an_independent_slow_version() -> None:
    before, after = rates_on(TABLE, BASELINE), rates_on(TABLE, DAY)
    found = run()
    rows, welfare, codes = rows_of(found), products_of(found), TABLE["hts"].to_list()
    for sector, theta in PUBLISHED.items():
        mine = [k for k, code in enumerate(codes) if SECTORS[code] == sector]
        goods = [Good(TABLE["origin"][k], VALUES[k], before[k], after[k]) for k in mine]
        domestic = math.fsum(VALUES[k] * shipments_of(codes[k]) for k in mine)
        slow = slow_sector(goods, theta, domestic)
        values, surplus = (dict(zip(mine, each, strict=True)) for each in (slow.values, slow.surplus))
        for k, value in values.items():
            assert rows[k]["value_after"] == pytest.approx(value, rel=1e-9)
            assert rows[k]["duty_after"] == pytest.approx(value * after[k], rel=1e-9, abs=1e-6)
        for code in {codes[k] for k in mine}:
            own = [k for k in mine if codes[k] == code]
            loss = math.fsum(surplus[k] for k in own)
            revenue = math.fsum(values[k] * after[k] - VALUES[k] * before[k] for k in own)
            assert welfare[code]["buyer_surplus"] == pytest.approx(loss, rel=1e-9, abs=1e-3)
            assert welfare[code]["welfare"] == pytest.approx(loss + revenue, rel=1e-9, abs=1e-3)
            if domestic:
                assert welfare[code]["domestic_quantity_hat"] == pytest.approx(slow.domestic, rel=1e-9)


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_claims_and_other_shares_of_a_line_have_its_mean_duty(share: float) -> None:
    """A line that claims the USMCA in part is one good here, beside others of Canada in its sector."""
    goods = table_of({TOYS: {"CA": 3e9, "VN": 1e9}}).with_columns(usmca_share=pl.Series([share, 0.0]))
    rows = rows_of(run(goods=goods))
    rates = [row["duty"] / row["customs_value"] for row in rows]
    expected = exact_hat(
        [0, 0], [0, 1], [3e9, 1e9], 0.0, rates, 3.98, domestic=4e9 * shipments_of(TOYS)
    ).value
    assert [row["value_after"] for row in rows] == pytest.approx(expected.tolist(), rel=1e-9)


def test_goods_that_may_not_enter_leave_their_spending_to_the_rest_of_the_sector() -> None:
    found, after = run(banned('origins: [CN], products: ["9503"]')), rates_on(TABLE, DAY)
    rows = rows_of(found)
    assert rows[0]["value_after"] == rows[0]["duty_after"] == 0.0
    rates = zip(("CN", "VN", "MX"), VALUES, (None, *after[1:3]), strict=False)
    goods = [Good(origin, value, 0.0, rate) for origin, value, rate in rates]
    slow = slow_sector(goods, PUBLISHED["339930"], 7e9 * shipments_of(TOYS))
    assert [row["value_after"] for row in rows[:3]] == pytest.approx(slow.values, rel=1e-9)
    assert products_of(found)[TOYS]["buyer_surplus"] == pytest.approx(sum(slow.surplus), rel=1e-9)
    assert rows[5]["value_after"] == rows_of(run())[5]["value_after"]


def test_the_loss_without_any_scrap_is_unknown_and_not_zero() -> None:
    found = run(banned('origins: [CA, GB], products: ["7204"]'))
    groups = products_of(found)
    assert groups[SCRAP]["value_after"] == 0.0
    assert (groups[SCRAP]["buyer_surplus"], groups[SCRAP]["welfare"]) == (None, None)
    assert total_of(found)["welfare"] is None
    assert groups[runs.STEEL]["welfare"] is not None


def test_a_factor_on_theta_is_that_of_a_file(tmp_path: Path) -> None:
    scenario, law = library()["rates-by-country"], load_law()

    def swept(response: str, name: str) -> list[float]:
        options = Options(baseline=BASELINE, response=response)
        points = [{f"elasticity.{name}": factor} for factor in ("x1", "x2")]
        found = sweep(TABLE, scenario, points, on=DAY, law=law, options=options)
        return found.totals["value_after"].to_list()

    path = tmp_path / "twice.csv"
    rows = [f"{code},{2 * PUBLISHED[sector]}" for code, sector in SECTORS.items()]
    path.write_text("\n".join(["hts,theta", *rows]) + "\n", encoding="utf-8")
    given = run(scenario, include_lines=False, parameter_set=str(path))
    once, twice = swept("exact_hat", "theta")
    assert total_of(given)["value_after"] == pytest.approx(twice, rel=1e-12)
    assert twice < once
    assert given.provenance["parameters"] == "twice.csv"
    for response, name in (("exact_hat", "sigma"), ("armington", "theta"), ("gsim", "theta")):
        with pytest.raises(InputError, match=name):
            swept(response, name)


def test_a_file_gives_theta_and_domestic_goods_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("hts,theta,domestic_ratio,kappa\n7204,2.5,3,1\n72,6,,\n", encoding="utf-8")
    found = theta_parameters_for([SCRAP, runs.STEEL, TOYS], set=path)
    assert found.theta.tolist() == [2.5, 6.0, 3.98]
    assert [found.sources[place] for place in found.source[:2]] == ["given for 7204", "given for 72"]
    assert found.domestic_ratio.tolist() == [3.0, 0.0, 0.0]
    rows, rates = rows_of(run(parameter_set=str(path))), rates_on(TABLE, DAY)
    expected = exact_hat([0, 0], [0, 1], [5e8, 2e8], 0.0, rates[-2:], 2.5, domestic=3 * 7e8)
    assert [row["value_after"] for row in rows[-2:]] == pytest.approx(expected.value.tolist(), rel=1e-12)


def test_thetas_are_the_published_ones_in_the_order_of_the_authors_codes() -> None:
    """Data and codes of Caliendo and Parro (2015), T.txt, whose two rows of vehicles are 8.22 in place of estimates."""
    codes = [
        9.11, 13.53, 2.62, 8.1, 11.5, 16.52, 64.85, 3.13, 1.67, 2.41, 3.28, 6.99, 1.45, 12.95, 12.91, 3.95, 8.71,
    ]  # fmt: skip
    rows = table("thetas.csv")
    assert [float(row["theta"]) for row in rows[:17]] == codes
    rest = {"Auto": 1.84, "Other transport": 0.39, "Other": 3.98, "Aggregate": 4.49}
    assert {row["sector"]: float(row["theta"]) for row in rows[17:]} == rest


def test_every_industry_with_imports_has_a_sector_and_goods_without_one_the_theta_of_all() -> None:
    found = industries()
    traded = [place for place, imports in enumerate(found.imports) if imports > 0.0]
    named = {found.codes[place]: theta_of_industry(place).sector for place in traded}
    assert len(traded) > 200
    assert set(named.values()) == {row["sector"] for row in table("thetas.csv")} - {"Aggregate"}
    expected = {
        "336112": "Auto", "336320": "Electrical", "336411": "Other transport", "334413": "Communication",
        "334111": "Office", "335220": "Machinery n.e.c.", "339112": "Medical", "339930": "Other",
        "325412": "Chemicals", "211000": "Mining", "324110": "Petroleum", "323110": "Paper",
    }  # fmt: skip
    assert {code: named[code] for code in expected} == expected
    assert theta_of_industry(-1).theta == 4.49


@pytest.mark.parametrize("horizon", ["path", "long"])
def test_the_client_takes_the_model_by_name_and_the_result_says_what_it_is(horizon: str) -> None:
    with Client.local() as client:
        found = client.impact(TABLE, on=DAY, baseline=BASELINE, response="exact_hat", horizon=horizon)
        other: Any = client.impact(TABLE, on=DAY, baseline=BASELINE, horizon="short").provenance["details"]
    details: Any = found.provenance["details"]
    asked = (details["response"], details["horizon"], details["parameters"])
    assert asked == ("exact_hat", "long", "caliendo_parro")
    model = details["model"]
    assert "Caliendo-Parro" in model["title"]
    assert "wages and the balance of trade" in model["ignores"]
    assert any("Review of Economic Studies" in source for source in model["thetas"])
    assert "thetas" not in other["model"]
    assert "BEA" in model["domestic_goods"]
    assert found.total["welfare"].item() == total_of(run(include_lines=False))["welfare"]
