"""Runs with a market of sectors: beside the independent solver, without domestic goods, in sums, sweeps and draws."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.engine.law import Law, load_law
from tariffs.engine.response.industries import industries, industry_of
from tariffs.engine.response.sectors.sector_market import kappa_of, market_elasticities
from tariffs.engine.runs.column_names import DOMESTIC_COLUMNS
from tariffs.engine.runs.impact import Impact, Options, Point, impact
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
    products = []
    for code in ("6109100012", "6203420711"):
        rows = apparel.filter(hts10=code)
        rates = before.filter(hts10=code)["effective_rate"].to_list()
        products.append(
            [
                slow.Variety(value, t0, t1, 0.1)
                for value, t0, t1 in zip(rows["customs_value"], rates, rows["effective_rate"], strict=True)
            ]
        )
    sector = slow.Sector(
        [4.24, 4.24], 2.0, elasticities["kappa"], elasticities["top"],
        ratio * apparel["customs_value"].sum(), 1.0 / elasticities["supply_domestic"],
    )  # fmt: skip
    return slow.equilibrium(sector, products)


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
    assert hats == pytest.approx([hat for row in expected.quantities for hat in row], rel=1e-9)
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
