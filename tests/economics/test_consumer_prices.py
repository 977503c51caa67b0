"""Consumer prices and their cost by tenth of households: slow versions, published values, totals, and limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.client.cli.__main__ import run
from tariffs.engine.errors import InputError
from tariffs.engine.response.constants import DATA, table
from tariffs.engine.response.consumer_prices import (
    MARGINS,
    YALE_MULTIPLIER,
    commodities,
    consumer_prices,
    household_costs,
)
from tariffs.engine.runs.impact import ScenarioImpact
from tariffs.engine.validation.published_deciles import compare_households
from tariffs.importers import households as importer
from tariffs.importers import input_output
from tests.economics.independent.consumer_prices import price_of_consumption, rows
from tests.economics.runs import run_of

SOURCE = Path(__file__).parents[2].parent / "shared" / "data"
needs_source = pytest.mark.skipif(not SOURCE.is_dir(), reason="the folder of public sources is not here")
GOODS = ("11", "21", "31", "32", "33")
WHOLE, ALL_GOODS = pl.col("decile").is_null(), pl.col("category").is_null()


def uniform(rate: float, accounts: str = "2017") -> np.ndarray:
    """One added duty on all goods, by commodity."""
    return np.array([rate if code.startswith(GOODS) else 0.0 for code in commodities(accounts)])


@pytest.mark.parametrize("accounts", ["2017", "2024"])
@pytest.mark.parametrize("margins", MARGINS)
def test_prices_are_those_of_an_independent_calculation(margins: str, accounts: str) -> None:
    goods = uniform(1.0, accounts)
    duty = np.random.default_rng(11).uniform(0.0, 0.5, goods.size) * goods
    rates = dict(zip(commodities(accounts), duty.tolist(), strict=True))
    found = consumer_prices(duty, margins=margins, accounts=accounts)
    assert found.total == pytest.approx(price_of_consumption(rates, margins, accounts), rel=1e-9)
    mean = float((found.change * found.spending).sum() / found.spending.sum())
    assert found.total == pytest.approx(mean, rel=1e-12)


# Percent of consumption for one point on all goods, by the method of the Budget Lab at Yale (July 2026) on the
# accounts of 2017 with the unrounded requirements of the BEA.
@pytest.mark.parametrize(("margins", "published"), [("dollar", 0.07978), ("percent", 0.17261)])
def test_a_point_on_all_goods(margins: str, published: float) -> None:
    assert 100.0 * consumer_prices(uniform(0.01), margins=margins).total == pytest.approx(published, rel=5e-3)


@pytest.mark.parametrize(("accounts", "spent", "lines"), [("2017", 13_290.6, 212), ("2024", 19_896.0, 76)])
def test_consumption_is_that_of_the_national_accounts(accounts: str, spent: float, lines: int) -> None:
    """Billions of dollars of 2017 and 2024."""
    found = consumer_prices(uniform(0.01, accounts), accounts=accounts)
    assert found.spending.sum() / 1e3 == pytest.approx(spent, abs=0.1)
    assert len(found.lines) == lines
    assert (len(rows("pce_bridge_2017.csv")), found.margins) == (703, "dollar")


def test_the_multiplier_multiplies_and_a_duty_on_steel_is_all_indirect() -> None:
    one, many = consumer_prices(uniform(0.01)), consumer_prices(uniform(0.2), multiplier=YALE_MULTIPLIER)
    assert many.total == pytest.approx(20.0 * YALE_MULTIPLIER * one.total, rel=1e-12)
    clothes, steel = (
        consumer_prices(np.array([0.1 if code == industry else 0.0 for code in commodities()]))
        for industry in ("315000", "331110")
    )
    assert clothes.direct.sum() > 20.0 * clothes.indirect.sum()
    assert (steel.direct == 0.0).all()
    assert steel.indirect.sum() > 0.0


def test_bad_arguments_are_refused() -> None:
    bad: list[dict[str, Any]] = [{"margins": "none"}, {"multiplier": -1.0}, {"accounts": "1929"}, {}]
    for given in bad:
        with pytest.raises(InputError):
            consumer_prices(uniform(0.1) if given else np.zeros(3), **given)


def test_the_importer_merges_smelting_and_rounds_requirements(tmp_path: Path) -> None:
    path = tmp_path / "source.parquet"
    cells = [("331313", "c", 1_000_000), ("331314", "c", 500_000), ("a", "c", 200)]
    pl.DataFrame(cells, ["industry", "commodity", "coef_e7"], orient="row").write_parquet(path)
    assert input_output.requirements(path).sort("industry").rows() == [("c", "331313", 3_000)]


@needs_source
@pytest.mark.parametrize(("margins", "published"), [("dollar", 0.7481), ("percent", 1.6875)])
def test_the_rise_of_collected_rates_to_december_2025(margins: str, published: float) -> None:
    folder, names = SOURCE / "economics", ("customs_value_usd", "calculated_duty_usd")
    trade = pl.read_parquet(folder / "trade2025" / "us_imports_naics6_month_2020_2025.parquet")
    shares = pl.read_csv(folder / "crosswalk" / "census_naics6_to_bea.csv", infer_schema=False)
    joined = trade.join(shares.with_columns(pl.col("share").cast(pl.Float64)), on="naics")
    joined = joined.with_columns(pl.col(name) * pl.col("share") for name in names)

    def rates(some: pl.DataFrame) -> dict[str, float]:
        rate = pl.col(names[1]).sum() / pl.col(names[0]).sum()
        return dict(some.group_by("bea_detail").agg(rate).iter_rows())

    december = rates(joined.filter(pl.col("year") == 2025, pl.col("month") == 12))
    before = rates(joined.filter(pl.col("year") == 2024))
    added = np.nan_to_num([december.get(code, 0.0) - before.get(code, 0.0) for code in commodities()])
    assert 100.0 * consumer_prices(added, margins=margins).total == pytest.approx(published, rel=2e-3)


@pytest.mark.parametrize("margins", ["dollar", "percent"])
def test_the_offset_takes_the_published_part_off_the_effect(margins: str) -> None:
    given: Any = {"on": "2025-11-17", "response": "none"}
    plain, offset = (
        run_of(None, consumer_prices=name, **given).scenarios[0].consumer_prices
        for name in (margins, f"{margins}_offset")
    )
    assert plain is not None
    assert offset is not None
    np.testing.assert_allclose(offset["change"], plain["change"] * (1 - 0.174), rtol=1e-12)


@pytest.fixture(scope="module")
def found() -> ScenarioImpact:
    options = {"response": "none", "consumer_prices": "yale", "by": ("decile",)}
    return run_of(None, on="2026-08-15", baseline="", **options).scenarios[0]


@pytest.fixture(scope="module")
def costs(found: ScenarioImpact) -> pl.DataFrame:
    assert found.households is not None
    assert found.groups.height == 1
    assert "decile" not in found.groups.columns
    return found.households


def test_tenths_and_categories_add_to_the_total_to_the_cent(
    found: ScenarioImpact, costs: pl.DataFrame
) -> None:
    whole = costs.row(0, named=True)
    assert found.consumer_prices is not None
    assert whole["cost"] == pytest.approx(found.consumer_prices["change"][0] * 18_822e9, abs=0.005)
    assert costs.filter(WHOLE, ~ALL_GOODS)["cost"].sum() == pytest.approx(whole["cost"], abs=0.005)
    for category in costs["category"].unique():
        own = costs.filter(pl.col("category").eq_missing(pl.lit(category)))
        tenths = own.filter(~WHOLE)["cost"].sum()
        assert tenths == pytest.approx(own.filter(WHOLE)["cost"].item(), abs=0.005), category
    # BLS prints mean incomes of 101,805 and 87,869 USD for all units.
    for name, income in (("before", 101_805), ("after", 87_869)):
        assert whole["per_household"] / whole[f"of_income_{name}_tax"] == pytest.approx(income, abs=2)


def test_a_tenth_pays_its_share_of_each_line(found: ScenarioImpact, costs: pl.DataFrame) -> None:
    item_of = {row["line"]: row["item"] for row in table("household_lines.csv") if row["accounts"] == "2017"}
    shares = {
        row["item"]: float(row["d3"]) / sum(float(row[f"d{tenth}"]) for tenth in range(1, 11))
        for row in table("household_items.csv")
    }
    assert found.consumer_prices is not None
    lines = found.consumer_prices.filter(pl.col("line").is_not_null())
    paid = [
        spending * change * shares[item_of[line]]
        for line, spending, change in lines.select("line", "spending", "change").iter_rows()
    ]
    expected = sum(paid) * 18_822e9 / float(lines["spending"].to_numpy().sum())
    third = costs.filter(ALL_GOODS, decile=3).row(0, named=True)
    # Of 13,589 thousand units with 34,351 USD before and 34,879 USD after tax, BLS Table 1110 of 2023.
    names, each = (
        ("cost", "per_household", "of_income_before_tax", "of_income_after_tax"),
        expected / 13_589e3,
    )
    wanted = (expected, each, each / 34_351, each / 34_879)
    assert tuple(third[name] for name in names) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("accounts", ["2017", "2024"])
def test_every_line_has_an_item_and_equal_prices_cost_all_tenths_the_same(accounts: str) -> None:
    lines = consumer_prices(np.zeros(len(commodities(accounts))), accounts=accounts)
    prices = pl.DataFrame({"line": lines.lines, "spending": lines.spending, "change": 0.01})
    found = household_costs(prices, accounts)
    changes = found["change"].drop_nulls().to_list()
    assert changes == pytest.approx([0.01] * len(changes), rel=1e-12)
    assert found.height == 11 * 21
    nothing = household_costs(prices.with_columns(change=0.0), accounts)
    assert (nothing["cost"] == 0.0).all()
    assert nothing["proxy_share"].null_count() == nothing.height


def test_goods_without_a_fit_are_named_with_their_share(found: ScenarioImpact, costs: pl.DataFrame) -> None:
    whole = costs.row(0, named=True)
    assert 0.08 < whole["proxy_share"] < 0.14
    health = costs.filter(WHOLE, category="Health care").row(0, named=True)
    assert health["proxy_share"] == pytest.approx(1.0)
    (note,) = (one for one in found.notes if one.reason == "HOUSEHOLD_FIT")
    assert f"{whole['proxy_share']:.1%} of the cost is of goods without an item" in note.message
    assert f"Health care {health['cost'] / whole['cost']:.1%}" in note.message


def test_published_deciles_follow_from_their_factors_and_ours_lie_beside_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    compared = compare_households()
    assert all(row.within for row in compared[:10])
    assert all(row.within or row.reason for row in compared[10:])
    ratios = [row.ours for row in compared[10:]]
    assert ratios == sorted(ratios)
    assert 0.6 < ratios[0] < 0.8
    assert 1.1 < ratios[-1] < 1.25
    assert run(["validate", "households"]) == 0
    assert "the ranking" in capsys.readouterr().out


@needs_source
def test_the_importer_gives_the_embedded_tables(tmp_path: Path) -> None:
    importer.build(SOURCE / "outcomes", tmp_path)
    for path in tmp_path.rglob("*.csv"):
        assert path.read_bytes() == (DATA.parents[1] / path.relative_to(tmp_path)).read_bytes()
