"""Consumer prices: beside an independent calculation, published values, totals of the accounts, and limits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.response.consumer_prices import (
    ACCOUNTS,
    DETAIL,
    DOLLAR,
    MARGINS,
    PERCENT,
    SUMMARY,
    YALE_MULTIPLIER,
    commodities,
    consumer_prices,
)
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.scenario import library
from tariffs.importers import input_output
from tests.economics.independent.consumer_prices import price_of_consumption, rows

SOURCE = Path(__file__).parents[2].parent / "shared" / "data" / "economics"
needs_source = pytest.mark.skipif(not SOURCE.is_dir(), reason="the folder of public sources is not here")
GOODS = ("11", "21", "31", "32", "33")


def uniform(rate: float, accounts: str = DETAIL) -> np.ndarray:
    """One added duty on all goods, by commodity."""
    return np.array([rate if code.startswith(GOODS) else 0.0 for code in commodities(accounts)])


@pytest.mark.parametrize("accounts", ACCOUNTS)
@pytest.mark.parametrize("margins", MARGINS)
def test_prices_are_those_of_an_independent_calculation(margins: str, accounts: str) -> None:
    goods = uniform(1.0, accounts)
    duty = np.random.default_rng(11).uniform(0.0, 0.5, goods.size) * goods
    rates = dict(zip(commodities(accounts), duty.tolist(), strict=True))
    expected = price_of_consumption(rates, margins, accounts)
    found = consumer_prices(duty, margins=margins, accounts=accounts)
    assert found.total == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("margins", "published"),
    # Percent of consumption for one point on all goods, by the method of the Budget Lab at Yale (July 2026) on the
    # accounts of 2017 with the unrounded requirements of the BEA.
    [(DOLLAR, 0.07978), (PERCENT, 0.17261)],
)
def test_a_point_on_all_goods(margins: str, published: float) -> None:
    assert 100.0 * consumer_prices(uniform(0.01), margins=margins).total == pytest.approx(published, rel=5e-3)


def test_consumption_is_that_of_the_national_accounts() -> None:
    # Personal consumption of 2017 in the national accounts: 13,290.6 billion dollars.
    found = consumer_prices(uniform(0.01))
    assert found.spending.sum() / 1e3 == pytest.approx(13_290.6, abs=0.1)
    assert len(found.lines) == 212
    assert (len(rows("pce_bridge_2017.csv")), found.margins) == (703, DOLLAR)
    # Of 2024: 19,896.0 billion dollars.
    latest = consumer_prices(uniform(0.01, SUMMARY), accounts=SUMMARY)
    assert latest.spending.sum() / 1e3 == pytest.approx(19_896.0, abs=0.1)
    assert len(latest.lines) == 76


def test_lines_add_up_to_the_total() -> None:
    found = consumer_prices(uniform(0.25), margins=PERCENT)
    mean = float((found.change * found.spending).sum() / found.spending.sum())
    assert found.total == pytest.approx(mean, rel=1e-12)


def test_prices_are_linear_in_duties_and_the_multiplier() -> None:
    one, many = consumer_prices(uniform(0.01)), consumer_prices(uniform(0.2), multiplier=YALE_MULTIPLIER)
    assert many.total == pytest.approx(20.0 * YALE_MULTIPLIER * one.total, rel=1e-12)
    assert consumer_prices(uniform(0.0)).total == 0.0


def test_a_duty_on_clothes_is_mostly_direct_and_one_on_steel_is_all_indirect() -> None:
    clothes, steel = (
        consumer_prices(np.array([0.1 if code == one else 0.0 for code in commodities()]))
        for one in ("315000", "331110")
    )
    assert clothes.direct.sum() > 20.0 * clothes.indirect.sum()
    assert (steel.direct == 0.0).all()
    assert steel.indirect.sum() > 0.0


def test_bad_arguments_are_refused() -> None:
    for margins, multiplier, accounts in (
        ("none", 1.0, DETAIL),
        (DOLLAR, -1.0, DETAIL),
        (DOLLAR, 1.0, "1929"),
    ):
        with pytest.raises(InputError):
            consumer_prices(uniform(0.1), margins=margins, multiplier=multiplier, accounts=accounts)
    with pytest.raises(InputError):
        consumer_prices(np.zeros(3))


def test_the_importer_merges_smelting_and_rounds_requirements(tmp_path: Path) -> None:
    path = tmp_path / "source.parquet"
    pl.DataFrame(
        {
            "industry": ["331313", "331314", "a"],
            "commodity": ["c", "c", "c"],
            "coef_e7": [1_000_000, 500_000, 200],
        }
    ).write_parquet(path)
    found = input_output.requirements(path).sort("industry")
    assert found.rows() == [("c", "331313", 3_000)]


@needs_source
@pytest.mark.parametrize(("margins", "published"), [(DOLLAR, 0.7481), (PERCENT, 1.6875)])
def test_the_rise_of_collected_rates_to_december_2025(margins: str, published: float) -> None:
    trade = pl.read_parquet(SOURCE / "trade2025" / "us_imports_naics6_month_2020_2025.parquet")
    shares = pl.read_csv(SOURCE / "crosswalk" / "census_naics6_to_bea.csv", infer_schema=False)
    shares = shares.with_columns(pl.col("share").cast(pl.Float64))
    sums = [pl.col(name) * pl.col("share") for name in ("customs_value_usd", "calculated_duty_usd")]
    joined = trade.join(shares, on="naics").with_columns(sums)

    def rates(rows: pl.DataFrame) -> dict[str, float]:
        rate = pl.col("calculated_duty_usd").sum() / pl.col("customs_value_usd").sum()
        return dict(rows.group_by("bea_detail").agg(rate).iter_rows())

    december = rates(joined.filter(pl.col("year") == 2025, pl.col("month") == 12))
    before = rates(joined.filter(pl.col("year") == 2024))
    added = np.nan_to_num([december.get(code, 0.0) - before.get(code, 0.0) for code in commodities()])
    assert 100.0 * consumer_prices(added, margins=margins).total == pytest.approx(published, rel=2e-3)


@pytest.mark.parametrize("margins", ["dollar", "percent"])
def test_the_offset_takes_the_published_part_off_the_effect(margins: str) -> None:
    point, law = [Point(library()["base"], "2025-11-17")], load_law()
    plain, offset = (
        impact(None, point, law=law, options=Options(response="none", consumer_prices=name)).scenarios[0]
        for name in (margins, f"{margins}_offset")
    )
    assert plain.consumer_prices is not None
    assert offset.consumer_prices is not None
    expected = plain.consumer_prices["change"].to_numpy() * (1 - 0.174)
    assert offset.consumer_prices["change"].to_numpy() == pytest.approx(expected, rel=1e-12)
