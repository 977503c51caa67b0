"""Exact hat algebra in runs: sectors of products, thetas, prohibitions, and what it refuses."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client
from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.response import exact_hat, theta_parameters_for
from tariffs.engine.response.elasticities import thetas as thetas_module
from tariffs.engine.response.elasticities.thetas import theta_of_industry
from tariffs.engine.response.industries import industries
from tariffs.engine.runs.impact import Impact, Options, Point, impact
from tariffs.engine.runs.sweeps.sweep import sweep
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import Scenario, library, parse_scenario
from tests.economics.independent import quotas as slow_quotas
from tests.economics.independent.exact_hat import Good, slow_sector

DATA = Path(thetas_module.__file__).parents[1] / "data"
BASELINE, DAY = "2025-01-01", "2025-12-01"
TOYS, BALLS, STEEL, BARS, COFFEE, SCRAP = (
    "9503000073", "9506624080", "7208390030", "7214200000", "0901110025", "7204410020",
)  # fmt: skip
TABLE = pl.DataFrame(
    {
        "hts": [TOYS] * 3 + [BALLS] * 2 + [STEEL] * 3 + [BARS] * 2 + [COFFEE] * 2 + [SCRAP] * 2,
        "origin": ["CN", "VN", "MX", "CN", "IT", "CN", "JP", "CA", "JP", "TR", "BR", "CO", "CA", "GB"],
        "customs_value": [4e9, 2e9, 1e9, 2e9, 5e8, 2e9, 1e9, 3e9, 7e8, 4e8, 2e9, 1e9, 5e8, 2e8],
    }
)
SECTORS = {TOYS: "339930", BALLS: "339920", STEEL: "331110", BARS: "331110", COFFEE: "coffee", SCRAP: "scrap"}
PUBLISHED = {"339930": 3.98, "339920": 3.98, "331110": 3.28, "coffee": 9.11, "scrap": 4.49}
BANNED = """
schema: tariffs.scenario/v1
id: banned
title: {title}
basis: hypothesis
changes:
  - op: add
    measure:
      id: ban
      title: Ban
      authority: s301
      periods:
        - id: ban_2025
          from: 2025-10-01T00:01-04:00
          rows: [{rows}]
"""


def banned(rows: str) -> Scenario:
    return parse_scenario(
        BANNED.replace("{title}", "Goods that may not enter").replace("{rows}", rows), "test"
    )


def run_of(scenario: Scenario | None = None, table: pl.DataFrame | None = TABLE, **options: Any) -> Impact:
    given = {
        "baseline": BASELINE,
        "response": "exact_hat",
        "by": ("hts10",),
        "include_lines": table is not None,
        **options,
    }
    point = Point(scenario or library()["base"], DAY)
    return impact(table, [point], law=load_law(), options=Options(**given))


def lines_of(found: Impact) -> list[dict[str, Any]]:
    lines = found.scenarios[0].lines
    assert lines is not None
    return lines.to_dicts()


def rates_on(day: str) -> list[float]:
    options = Options(response="none", include_lines=True)
    found = impact(TABLE, [Point(library()["base"], day)], law=load_law(), options=options)
    return [row["duty"] / row["customs_value"] for row in lines_of(found)]


def shipments_of(code: str) -> float:
    """Domestic shipments per dollar of imports of a code's industry, from the tables alone."""
    rows = csv.DictReader((DATA / "industries.csv").read_text(encoding="utf-8").splitlines())
    found = [row for row in rows if row["industry"] == SECTORS[code]]
    if not found:
        return 0.0
    (row,) = found
    return float(row["domestic_sales_2024"]) / float(row["imports_2024"])


def test_trade_and_welfare_are_those_of_an_independent_slow_version() -> None:
    before, after = rates_on(BASELINE), rates_on(DAY)
    found = run_of()
    rows = lines_of(found)
    welfare = {group["hts10"]: group for group in found.scenarios[0].groups.to_dicts()}
    for sector, theta in PUBLISHED.items():
        mine = [k for k, code in enumerate(TABLE["hts"]) if SECTORS[code] == sector]
        goods = [
            Good(TABLE["hts"][k], TABLE["origin"][k], TABLE["customs_value"][k], before[k], after[k])
            for k in mine
        ]
        domestic = math.fsum(good.value * shipments_of(good.product) for good in goods)
        slow = slow_sector(goods, theta, domestic)
        for place, value in zip(mine, slow.values, strict=True):
            assert rows[place]["value_after"] == pytest.approx(value, rel=1e-9)
            assert rows[place]["duty_after"] == pytest.approx(value * after[place], rel=1e-9, abs=1e-6)
        for code in {good.product for good in goods}:
            of_code = [k for k, good in enumerate(goods) if good.product == code]
            surplus = math.fsum(slow.surplus[k] for k in of_code)
            revenue = math.fsum(
                slow.values[k] * (goods[k].after or 0) - goods[k].value * goods[k].before for k in of_code
            )
            assert welfare[code]["buyer_surplus"] == pytest.approx(surplus, rel=1e-9, abs=1e-3)
            assert welfare[code]["welfare"] == pytest.approx(surplus + revenue, rel=1e-9, abs=1e-3)
            if domestic:
                assert welfare[code]["domestic_quantity_hat"] == pytest.approx(slow.domestic, rel=1e-9)


def test_products_of_a_sector_respond_to_the_mean_duty_of_their_origin() -> None:
    rows = {(row["hts"], row["origin"]): row for row in lines_of(run_of())}
    assert rows[STEEL, "JP"]["quantity_hat"] == pytest.approx(rows[BARS, "JP"]["quantity_hat"], rel=1e-12)
    alone = run_of(table=TABLE.filter(pl.col("hts") != BARS))
    (japan,) = (row for row in lines_of(alone) if (row["hts"], row["origin"]) == (STEEL, "JP"))
    assert japan["quantity_hat"] != pytest.approx(rows[STEEL, "JP"]["quantity_hat"], rel=1e-6)


def test_claims_and_other_shares_of_a_line_have_its_mean_duty() -> None:
    """A line that claims the USMCA in part is one good here, beside others of Canada in its sector."""
    for share in (0.0, 0.4, 1.0):
        table = pl.DataFrame(
            {
                "hts": [TOYS] * 2,
                "origin": ["CA", "VN"],
                "customs_value": [3e9, 1e9],
                "usmca_share": [share, 0.0],
            }
        )
        rows = lines_of(run_of(table=table))
        rates = [row["duty"] / row["customs_value"] for row in rows]
        domestic = 4e9 * shipments_of(TOYS)
        expected = exact_hat([0, 0], [0, 1], [3e9, 1e9], 0.0, rates, 3.98, domestic=domestic)
        assert [row["value_after"] for row in rows] == pytest.approx(expected.value.tolist(), rel=1e-9)


def test_goods_that_may_not_enter_leave_their_spending_to_the_rest_of_the_sector() -> None:
    found = run_of(banned('{origins: [CN], products: ["9503"], kind: prohibition}'))
    rows = {(row["hts"], row["origin"]): row for row in lines_of(found)}
    assert rows[TOYS, "CN"]["value_after"] == rows[TOYS, "CN"]["duty_after"] == 0.0
    after = rates_on(DAY)
    goods = [
        Good(TOYS, origin, value, 0.0, rate)
        for origin, value, rate in zip(("CN", "VN", "MX"), (4e9, 2e9, 1e9), (None, *after[1:3]), strict=True)
    ]
    slow = slow_sector(goods, PUBLISHED["339930"], 7e9 * shipments_of(TOYS))
    assert [rows[TOYS, good.origin]["value_after"] for good in goods] == pytest.approx(slow.values, rel=1e-9)
    groups = {group["hts10"]: group for group in found.scenarios[0].groups.to_dicts()}
    assert groups[TOYS]["buyer_surplus"] == pytest.approx(sum(slow.surplus), rel=1e-9)
    assert rows[STEEL, "CN"]["value_after"] == lines_of(run_of())[5]["value_after"]


def test_a_limit_is_a_step_after_the_sectors_product_by_product() -> None:
    text = "schema: tariffs.scenario/v1\nid: half\ntitle: Half\nbasis: hypothesis\nchanges:\n"
    half = parse_scenario(
        f"{text}  - {{op: shock_quantity, from: 2025-06-01, origins: [CN], products: ['9503'], share: 20%}}\n",
        "t",
    )
    free, held = (lines_of(run_of(each)) for each in (None, half))
    mine = [k for k, code in enumerate(TABLE["hts"]) if code == TOYS]
    rates = [free[k]["duty_after"] / free[k]["value_after"] for k in mine]
    goods = [
        slow_quotas.Good(0, free[k]["value_after"], rate, rate, (0,) if free[k]["origin"] == "CN" else ())
        for k, rate in zip(mine, rates, strict=True)
    ]
    demand = slow_quotas.Demand(1.0 + PUBLISHED["339930"], 1.0, 0.0)
    expected = slow_quotas.equilibrium(goods, [demand], [slow_quotas.Limit(0.2 * 4e9)])
    assert held[0]["quantity_hat"] == pytest.approx(0.2, rel=1e-9)
    for k, hat in zip(mine, expected.quantities, strict=True):
        assert held[k]["quantity_hat"] == pytest.approx(free[k]["quantity_hat"] * hat, rel=1e-9)
    assert held[5]["value_after"] == free[5]["value_after"]


def test_the_loss_without_any_scrap_is_unknown_and_not_zero() -> None:
    found = run_of(banned('{origins: [CA, GB], products: ["7204"], kind: prohibition}'))
    groups = {group["hts10"]: group for group in found.scenarios[0].groups.to_dicts()}
    assert groups[SCRAP]["value_after"] == 0.0
    assert (groups[SCRAP]["buyer_surplus"], groups[SCRAP]["welfare"]) == (None, None)
    assert found.scenarios[0].total["welfare"] is None
    assert groups[STEEL]["welfare"] is not None


def test_without_a_change_of_law_nothing_moves() -> None:
    options = Options(baseline=DAY, response="exact_hat", include_lines=True)
    found = impact(TABLE, [Point(library()["base"], DAY)], law=load_law(), options=options)
    assert [row["quantity_hat"] for row in lines_of(found)] == [1.0] * TABLE.height
    total = found.scenarios[0].total
    assert (total["welfare"], total["domestic_quantity_hat"], total["borne_abroad"]) == (0.0, 1.0, 0.0)


def test_timelines_and_sweeps_have_the_bits_of_impacts() -> None:
    options, law = Options(baseline=BASELINE, response="exact_hat"), load_law()
    series = timeline(TABLE, [library()["base"]], DAY, DAY, law=law, options=options)
    total = run_of(include_lines=False).scenarios[0].total
    assert series.scenarios[0].totals["welfare"][0] == total["welfare"]
    scenario = library()["rates-by-country"]
    swept = sweep(TABLE, scenario, [{"cn": "0%"}, {"cn": "20%"}], on="2027-01-11", law=law, options=options)
    for rate, row in zip(("0%", "20%"), swept.totals.to_dicts(), strict=True):
        point = Point(scenario.with_parameters({"cn": rate}), "2027-01-11")
        (alone,) = impact(TABLE, [point], law=law, options=options).scenarios
        for name in ("value_after", "welfare", "domestic_quantity_hat"):
            assert row[name] == alone.total[name]


def test_a_factor_on_theta_is_that_of_a_file(tmp_path: Path) -> None:
    options, law = Options(baseline=BASELINE, response="exact_hat"), load_law()
    scenario = library()["rates-by-country"]
    points = [{"elasticity.theta": "x1"}, {"elasticity.theta": "x2"}]
    swept = sweep(TABLE, scenario, points, on=DAY, law=law, options=options).totals["value_after"]
    path = tmp_path / "twice.csv"
    rows = [f"{code},{2 * PUBLISHED[sector]}" for code, sector in SECTORS.items()]
    path.write_text("\n".join(["hts,theta", *rows]) + "\n", encoding="utf-8")
    given = run_of(scenario, include_lines=False, parameter_set=str(path))
    assert given.scenarios[0].total["value_after"] == pytest.approx(swept[1], rel=1e-12)
    assert swept[1] < swept[0]
    assert given.provenance["parameters"] == "twice.csv"
    for response, name in (("exact_hat", "sigma"), ("armington", "theta"), ("gsim", "theta")):
        with pytest.raises(InputError, match=name):
            sweep(
                TABLE, scenario, [{f"elasticity.{name}": "x2"}], on=DAY, law=law,
                options=Options(baseline=BASELINE, response=response),
            )  # fmt: skip


def test_a_file_gives_theta_and_domestic_goods_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("hts,theta,domestic_ratio,kappa\n7204,2.5,3,1\n72,6,,\n", encoding="utf-8")
    found = theta_parameters_for([SCRAP, STEEL, TOYS], set=path)
    assert found.theta.tolist() == [2.5, 6.0, 3.98]
    assert [found.sources[place] for place in found.source[:2]] == ["given for 7204", "given for 72"]
    assert found.domestic_ratio.tolist() == [3.0, 0.0, 0.0]
    rows = lines_of(run_of(parameter_set=str(path)))
    rates = rates_on(DAY)
    expected = exact_hat([0, 0], [0, 1], [5e8, 2e8], 0.0, rates[-2:], 2.5, domestic=3 * 7e8)
    assert [row["value_after"] for row in rows[-2:]] == pytest.approx(expected.value.tolist(), rel=1e-12)


def test_thetas_are_the_published_ones_in_the_order_of_the_authors_codes() -> None:
    """Data and codes of Caliendo and Parro (2015), T.txt, whose two rows of vehicles are 8.22 in place of estimates."""
    codes = [
        9.11,
        13.53,
        2.62,
        8.1,
        11.5,
        16.52,
        64.85,
        3.13,
        1.67,
        2.41,
        3.28,
        6.99,
        1.45,
        12.95,
        12.91,
        3.95,
        8.71,
    ]
    rows = list(csv.DictReader((DATA / "thetas.csv").read_text(encoding="utf-8").splitlines()))
    assert [float(row["theta"]) for row in rows[:17]] == codes
    assert {row["sector"]: float(row["theta"]) for row in rows[17:]} == {
        "Auto": 1.84, "Other transport": 0.39, "Other": 3.98, "Aggregate": 4.49,
    }  # fmt: skip


def test_every_industry_with_imports_has_a_sector_and_goods_without_one_the_theta_of_all() -> None:
    table = industries()
    traded = [place for place, imports in enumerate(table.imports) if imports > 0.0]
    assert len(traded) > 200
    assert {theta_of_industry(place).sector for place in traded} == {
        row["sector"] for row in csv.DictReader((DATA / "thetas.csv").read_text().splitlines())
    } - {"Aggregate"}
    named = {table.codes[place]: theta_of_industry(place).sector for place in traded}
    expected = {
        "336112": "Auto", "336320": "Electrical", "336411": "Other transport", "334413": "Communication",
        "334111": "Office", "335220": "Machinery n.e.c.", "339112": "Medical", "339930": "Other",
        "325412": "Chemicals", "211000": "Mining", "324110": "Petroleum", "323110": "Paper",
    }  # fmt: skip
    assert {code: named[code] for code in expected} == expected
    assert theta_of_industry(-1).theta == 4.49


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"horizon": "short"}, "no horizon short"),
        ({"horizon": "impact"}, "no horizon impact"),
        ({"draws": 16}, "not drawn"),
        ({"market": "sector"}, "armington"),
        ({"parameter_set": "low"}, "low has no thetas"),
        ({"direction": "export", "to": "cn"}, "United States"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], words: str) -> None:
    table = None if "direction" in options else TABLE
    with pytest.raises(InputError, match=words) as refused:
        run_of(table=table, **options)
    assert refused.value.reason == "PARAMETER_INVALID"


@pytest.mark.parametrize("horizon", ["path", "long"])
def test_the_client_takes_the_model_by_name_and_the_result_says_what_it_is(horizon: str) -> None:
    with Client.local() as client:
        found = client.impact(TABLE, on=DAY, baseline=BASELINE, response="exact_hat", horizon=horizon)
    details: Any = found.provenance["details"]
    assert (details["response"], details["horizon"], details["parameters"]) == (
        "exact_hat", "long", "caliendo_parro",
    )  # fmt: skip
    model = details["model"]
    assert "Caliendo-Parro" in model["title"]
    assert "wages and the balance of trade" in model["ignores"]
    assert any("Review of Economic Studies" in source for source in model["thetas"])
    assert "BEA" in model["domestic_goods"]
    expected = run_of(include_lines=False).scenarios[0].total
    assert found.total["welfare"].item() == expected["welfare"]
