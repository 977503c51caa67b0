"""Costs of consumer prices by tenth of households: sums, an independent calculation, published deciles, and limits."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tariffs.client.cli.__main__ import run
from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.response.constants import DATA
from tariffs.engine.response.consumer_prices import ACCOUNTS, commodities, consumer_prices
from tariffs.engine.response.households import household_costs
from tariffs.engine.runs.impact import Options, Point, ScenarioImpact, impact
from tariffs.engine.scenario import library
from tariffs.engine.validation.published_deciles import compare_households
from tariffs.importers import households as importer

SOURCE = Path(__file__).parents[2].parent / "shared" / "data" / "outcomes"
BASE = [Point(library()["base"], "2026-08-15")]
WHOLE, ALL_GOODS = pl.col("decile").is_null(), pl.col("category").is_null()


@pytest.fixture(scope="module")
def found() -> ScenarioImpact:
    options = Options(response="none", consumer_prices="yale", by=("decile",))
    return impact(None, BASE, law=load_law(), options=options).scenarios[0]


@pytest.fixture(scope="module")
def costs(found: ScenarioImpact) -> pl.DataFrame:
    assert found.households is not None
    return found.households


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_tenths_and_categories_add_to_the_total_to_the_cent(
    found: ScenarioImpact, costs: pl.DataFrame
) -> None:
    total = costs.row(0, named=True)["cost"]
    assert found.consumer_prices is not None
    assert total == pytest.approx(found.consumer_prices["change"][0] * 18_822e9, abs=0.005)
    assert costs.filter(WHOLE, ~ALL_GOODS)["cost"].sum() == pytest.approx(total, abs=0.005)
    for category in costs["category"].unique():
        own = costs.filter(pl.col("category").eq_missing(pl.lit(category)))
        whole = own.filter(WHOLE)["cost"].item()
        assert own.filter(~WHOLE)["cost"].sum() == pytest.approx(whole, abs=0.005), category


def test_a_tenth_pays_its_share_of_each_line(found: ScenarioImpact, costs: pl.DataFrame) -> None:
    item_of = {row["line"]: row["item"] for row in rows("household_lines.csv") if row["accounts"] == "2017"}
    shares = {
        row["item"]: [float(row[f"d{tenth}"]) for tenth in range(1, 11)]
        for row in rows("household_items.csv")
    }
    assert found.consumer_prices is not None
    lines = found.consumer_prices.filter(pl.col("line").is_not_null())
    expected = 0.0
    for line, spending, change in lines.select("line", "spending", "change").iter_rows():
        of_item = shares[item_of[line]]
        expected += spending * change * of_item[2] / sum(of_item)
    expected *= 18_822e9 / float(lines["spending"].to_numpy().sum())
    third = costs.filter(ALL_GOODS, decile=3).row(0, named=True)
    assert third["cost"] == pytest.approx(expected, rel=1e-12)
    # Of 13,589 thousand units with 34,351 USD before and 34,879 USD after tax, BLS Table 1110 of 2023.
    assert third["per_household"] == pytest.approx(expected / 13_589e3, rel=1e-12)
    assert third["of_income_before_tax"] == pytest.approx(third["per_household"] / 34_351, rel=1e-12)
    assert third["of_income_after_tax"] == pytest.approx(third["per_household"] / 34_879, rel=1e-12)


def test_all_households_have_the_published_mean_incomes(costs: pl.DataFrame) -> None:
    whole = costs.row(0, named=True)
    # BLS prints 101,805 and 87,869 USD for all units.
    for name, income in (("before", 101_805), ("after", 87_869)):
        assert whole["per_household"] / whole[f"of_income_{name}_tax"] == pytest.approx(income, abs=2)


@pytest.mark.parametrize("accounts", ACCOUNTS)
def test_every_line_has_an_item_and_equal_prices_cost_all_tenths_the_same(accounts: str) -> None:
    lines = consumer_prices(np.zeros(len(commodities(accounts))), accounts=accounts)
    prices = pl.DataFrame({"line": lines.lines, "spending": lines.spending, "change": 0.01})
    found = household_costs(prices, accounts)
    assert found["change"].drop_nulls().to_list() == pytest.approx(
        [0.01] * found["change"].count(), rel=1e-12
    )
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


def test_deciles_group_no_goods_and_need_consumer_prices(found: ScenarioImpact) -> None:
    assert found.groups.height == 1
    assert "decile" not in found.groups.columns
    with pytest.raises(InputError, match="effect on consumer prices"):
        impact(None, BASE, law=load_law(), options=Options(response="none", by=("origin", "decile")))


def test_published_deciles_follow_from_their_factors_and_ours_lie_beside_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    compared = compare_households()
    theirs, ours = compared[:10], compared[10:]
    assert all(row.within for row in theirs)
    assert all(row.within or row.reason for row in ours)
    ratios = [row.ours for row in ours]
    assert ratios == sorted(ratios)
    assert 0.6 < ratios[0] < 0.8
    assert 1.1 < ratios[-1] < 1.25
    assert run(["validate", "households"]) == 0
    assert "the ranking" in capsys.readouterr().out


@pytest.mark.skipif(not SOURCE.is_dir(), reason="the folder of public sources is not here")
def test_the_importer_gives_the_embedded_tables(tmp_path: Path) -> None:
    importer.build(SOURCE, tmp_path)
    for path in tmp_path.rglob("*.csv"):
        embedded = DATA.parents[1] / path.relative_to(tmp_path)
        assert path.read_bytes() == embedded.read_bytes()
