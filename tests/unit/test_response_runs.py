"""Runs with a response: markets of sectors beside the independent solver, and incidence of added duty to the dollar."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.engine.law import Law, load_law
from tariffs.engine.response.industries import industries, industry_of
from tariffs.engine.response.sectors.sector_market import kappa_of, market_elasticities
from tariffs.engine.runs.column_names import DOMESTIC_COLUMNS, INCIDENCE_COLUMNS
from tariffs.engine.runs.impact import Impact, Options, Point, ScenarioImpact, impact
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import library
from tests.economics.independent import market as slow

BASELINE = "2025-01-01"
# Two apparel codes and a coffee code.
TABLE = pl.DataFrame(
    {
        "hts": ["6109100012", "6109100012", "6203420711", "6203420711", "0901110015"],
        "origin": ["CN", "VN", "CN", "BD", "BR"],
        "customs_value": [4e6, 9e6, 3e6, 2e6, 5e6],
    }
)


@pytest.fixture(scope="module")
def law() -> Law:
    return load_law()


def run(law: Law, table: pl.DataFrame = TABLE, **options: Any) -> Impact:
    given = Options(**{"baseline": BASELINE, "market": "sector", **options})
    return impact(table, [Point(library()["base"], "2025-12-01")], law=law, options=given)


def total(law: Law, table: pl.DataFrame = TABLE, **options: Any) -> dict[str, Any]:
    return dict(run(law, table, **options).scenarios[0].total)


def equilibrium(apparel: pl.DataFrame, before: pl.DataFrame) -> slow.Equilibrium:
    """Solve the sector of apparel by the independent solver at the rates of a run."""
    found = industries()
    place = int(industry_of(["6109100012"])[0])
    ratio = found.domestic_sales[place] / found.imports[place]
    elasticities = {name: value for name, (value, _) in market_elasticities().items()}
    rows = [apparel.filter(hts10=code) for code in ("6109100012", "6203420711")]
    lines = pl.concat(rows)
    places, imports = np.repeat([0, 1], [len(one) for one in rows]), lines["customs_value"].to_numpy()
    rates = lines.join(before, on=("hts10", "origin"), how="left", maintain_order="left")[
        "effective_rate_right"
    ]
    return slow.equilibrium(
        slow.Sector(
            places, imports, rates.to_numpy(), lines["effective_rate"].to_numpy(), np.full(2, 4.24), np.full(2, 10.0),
            2.0, elasticities["kappa"], elasticities["top"], ratio * np.bincount(places, imports),
            elasticities["supply_domestic"],
        )
    )  # fmt: skip


def test_a_run_is_the_equilibrium_of_the_independent_solver(law: Law, tmp_path: Path) -> None:
    path = tmp_path / "set.csv"
    path.write_text("hts,sigma,eta,supply\n61,4.24,2,10\n62,4.24,2,10\n")
    options: dict[str, Any] = {"by": ("hts10", "origin"), "horizon": "long", "parameter_set": str(path)}
    # Without partial claims every line has one rate.
    table = TABLE.with_columns(usmca_share=0.0, fta_share=0.0)
    found = run(law, table, **options).scenarios[0].groups
    at_base = Options(baseline=BASELINE, response="none", by=("hts10", "origin"))
    before = impact(table, [Point(library()["base"], BASELINE)], law=law, options=at_base).scenarios[0].groups
    expected = equilibrium(found.filter(pl.col("hts10") != "0901110015"), before)
    hats = found.filter(pl.col("hts10") != "0901110015")["quantity_hat"].to_list()
    assert hats == pytest.approx(expected.quantities.tolist(), rel=1e-9)
    sector = run(law, table, **{**options, "by": ("hts2",)}).scenarios[0].groups.filter(hts2="61")
    assert sector["domestic_price_hat"].item() == pytest.approx(expected.domestic_price, rel=1e-9)
    assert sector["domestic_quantity_hat"].item() == pytest.approx(expected.domestic_quantity, rel=1e-9)


def test_goods_without_domestic_production_respond_by_themselves(law: Law) -> None:
    coffee = TABLE.filter(hts="0901110015")
    sector, product = (total(law, coffee, market=name, horizon="short") for name in ("sector", "product"))
    assert {name: value for name, value in sector.items() if name not in DOMESTIC_COLUMNS} == product
    assert sector["domestic_shipments"] == 0.0
    assert sector["domestic_price_hat"] is None


def test_a_duty_on_a_sector_moves_it_less_and_domestic_goods_more(law: Law) -> None:
    sector, product = (total(law, market=name) for name in ("sector", "product"))
    assert product["quantity_hat"] < sector["quantity_hat"] < 1.0
    assert sector["domestic_price_hat"] > 1.0
    assert sector["domestic_quantity_hat"] > 1.0
    assert not set(DOMESTIC_COLUMNS) & set(product)


def test_groups_add_up_and_are_null_where_they_cut_products(law: Law) -> None:
    found = run(law, by=("hts2",)).scenarios[0]
    for name in ("buyer_surplus", "welfare", "domestic_shipments", "producer_surplus"):
        assert found.groups[name].sum() == pytest.approx(found.total[name], rel=1e-12)
    assert run(law, by=("origin",)).scenarios[0].groups["domestic_shipments"].null_count() == 4


def test_revenue_and_surplus_make_welfare(law: Law) -> None:
    after = total(law)
    at_base = Options(baseline=BASELINE, response="none")
    before: Any = impact(TABLE, [Point(library()["base"], BASELINE)], law=law, options=at_base)
    revenue = after["duty_after"] - before.scenarios[0].total["duty"]
    parts = after["buyer_surplus"] + after["producer_surplus"] + revenue
    assert after["welfare"] == pytest.approx(parts, rel=1e-12)


def test_a_draw_of_eta_moves_the_excess_of_the_default_of_kappa_over_top_in_proportion() -> None:
    central = np.array([0.5, 1.5, 2.0, 1.5])
    given = np.array([np.nan, np.nan, np.nan, 2.5])
    np.testing.assert_allclose(kappa_of(given, central, central), [1.0, 1.19, 1.19, 2.5], rtol=1e-15)
    for factor in (0.5, 1.7):
        drawn = kappa_of(given, factor * central, central)
        np.testing.assert_allclose(drawn[:3], 1.0 + factor * np.array([0.0, 0.19, 0.19]), rtol=1e-15)
        assert drawn[3] == 2.5


FREIGHTED = pl.DataFrame(
    {
        "hts": ["9503000073", "9503000073", "6109100012", "6109100012"],
        "origin": ["CN", "VN", "CN", "VN"],
        "customs_value": [4e6, 9e6, 3e6, 2e6],
        "freight": [1e5, 2e5, 0.0, 1e4],
        # Without partial claims every line has one rate.
        "fta_share": 0.0,
        "exclusion_share": 0.0,
    }
)


def incidence_of(law: Law, **options: Any) -> ScenarioImpact:
    given = Options(**{"baseline": BASELINE, **options})
    return impact(FREIGHTED, [Point(library()["base"], "2025-12-01")], law=law, options=given).scenarios[0]


@pytest.mark.parametrize("response", ["armington", "passthrough", "smart"])
def test_value_is_quantity_times_the_price_of_exporters_and_welfare_surplus_and_revenue(
    law: Law, response: str
) -> None:
    found = incidence_of(law, horizon="long", response=response, by=("hts10",))
    for row in (*found.groups.to_dicts(), dict(found.total)):
        after = row["customs_value"] * row["quantity_hat"] * row["exporter_price_hat"]
        assert after == pytest.approx(row["value_after"], rel=1e-12)
        if response == "armington":
            assert row["buyer_surplus"] + row["revenue_change"] == pytest.approx(row["welfare"], rel=1e-9)


def test_added_duty_is_borne_at_home_and_abroad_to_the_dollar(law: Law) -> None:
    found = incidence_of(law, horizon="long", market="sector", by=("hts10", "origin"))
    at_base = Options(baseline=BASELINE, response="none", by=("hts10", "origin"))
    base = (
        impact(FREIGHTED, [Point(library()["base"], BASELINE)], law=law, options=at_base).scenarios[0].groups
    )
    for row, before in zip(found.groups.to_dicts(), base.to_dicts(), strict=True):
        paid = row["duty_after"] - before["duty"] * row["quantity_hat"]
        assert row["added_duty"] == pytest.approx(paid, rel=1e-9)
        assert row["borne_at_home"] + row["borne_abroad"] == pytest.approx(row["added_duty"], rel=1e-12)
        landed = row["landed_after"] - before["landed"] * row["quantity_hat"]
        assert row["borne_at_home"] == pytest.approx(landed, abs=1e-6)
        assert row["landed_price_hat"] == pytest.approx(
            row["landed_after"] / (before["landed"] * row["quantity_hat"]), rel=1e-12
        )
    for name in ("added_duty", "borne_abroad", "borne_at_home"):
        assert found.groups[name].sum() == pytest.approx(found.total[name], rel=1e-12)


def test_flat_supply_leaves_all_to_importers(law: Law, tmp_path: Any) -> None:
    path = tmp_path / "flat.csv"
    path.write_text("hts,supply\n95,inf\n61,inf\n")
    flat: Any = incidence_of(law, parameter_set=str(path)).total
    assert flat["importer_share"] == pytest.approx(1.0, abs=1e-12)
    assert flat["borne_abroad"] == pytest.approx(0.0, abs=1e-6)
    assert 0.5 < (incidence_of(law, horizon="long").total["importer_share"] or 0.0) < 1.0


def test_runs_without_a_response_and_rows_by_authority_stay_as_they_are(law: Law) -> None:
    assert not set(INCIDENCE_COLUMNS) & set(incidence_of(law, response="none").groups.columns)
    found = incidence_of(law, by=("authority",))
    assert not set(INCIDENCE_COLUMNS) & set(found.groups.columns)
    assert set(INCIDENCE_COLUMNS) <= set(found.total)
    at_base = [Point(library()["base"], BASELINE)]
    unmoved = impact(FREIGHTED, at_base, law=law, options=Options(baseline=BASELINE)).scenarios[0].total
    assert unmoved["importer_share"] is None
    assert unmoved["added_duty"] == pytest.approx(0.0, abs=1e-6)


def test_averages_of_a_timeline_keep_the_identities(law: Law) -> None:
    options = Options(baseline=BASELINE, horizon="long")
    found = timeline(
        FREIGHTED, [library()["base"]], "2025-03-01", "2025-06-01", law=law, options=options
    ).scenarios[0]
    for row in (*found.averages.to_dicts(), *found.average_total.to_dicts()):
        after = row["customs_value"] * row["quantity_hat"] * row["exporter_price_hat"]
        assert after == pytest.approx(row["value_after"], rel=1e-12)
        assert row["borne_at_home"] + row["borne_abroad"] == pytest.approx(row["added_duty"], rel=1e-12)
        assert row["importer_share"] == pytest.approx(row["borne_at_home"] / row["added_duty"], rel=1e-12)
