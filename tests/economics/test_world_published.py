"""World models: published figures to their last printed digit, and certificates of solutions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest

from tariffs.engine.response.world import (
    OneSectorParameters,
    OneSectorWorld,
    SectorsWorld,
    WorldResult,
    baseline,
    optimal_retaliation,
    optimal_tariff,
    sector_table,
    uniform_retaliation,
)
from tests.economics.worlds import F64, SHARED, into, published

COLUMNS = {
    "welfare_pct": "welfare",
    "deficit_pct": "deficit",
    "exports_over_gdp_pct": "exports_to_gdp",
    "imports_over_gdp_pct": "imports_to_gdp",
    "employment_pct": "employment",
    "prices_pct": "prices",
}
WORLD = OneSectorWorld(baseline(), OneSectorParameters())
RATES = published("tariffs_2025_04_02")
TARIFFS = into(WORLD.table, dict(zip(RATES["country"], RATES["rate"], strict=True)))
GROUPS: dict[str, Sequence[str]] = {
    "USA": ["USA"],
    "CHN": ["CHN"],
    "EU": RATES.filter(pl.col("is_eu") == 1)["country"].to_list(),
    "non-US (average)": [name for name in WORLD.table.countries if name != WORLD.table.home],
}


def answer() -> F64:
    """Optimal retaliation of all importers on goods of the home country."""
    rates = np.zeros_like(TARIFFS)
    rates[WORLD.table.home_index] = optimal_retaliation(WORLD.model)
    return rates


@pytest.fixture(scope="module")
def cases() -> dict[str, WorldResult]:
    lump_sum = OneSectorWorld(WORLD.table, OneSectorParameters(rebate="lump_sum"))
    best = into(WORLD.table, optimal_tariff(WORLD.model))
    by_income = into(WORLD.table, optimal_tariff(WORLD.model, "income"))
    return {
        "table_1/1": WORLD.run(TARIFFS),
        "table_1/2": lump_sum.run(TARIFFS),
        "table_1/3": WORLD.run(best),
        "table_2/1": WORLD.run(TARIFFS + TARIFFS.T),
        "table_2/3": WORLD.run(TARIFFS + answer()),
        "table_2/4": WORLD.run(by_income + answer()),
    }


@pytest.mark.parametrize("table", ["table_1", "table_2"])
def test_published_tables_come_out_to_the_printed_digit(table: str, cases: dict[str, WorldResult]) -> None:
    rows = published(table)
    for row in rows.iter_rows(named=True):
        result = cases[f"{table}/{row['case'][0]}"]
        for printed, column in COLUMNS.items():
            if printed in rows.columns:
                digits = 1 if printed != "welfare_pct" and printed != "employment_pct" else 2
                found = 100.0 * result.mean(GROUPS[row["country"]], column)
                assert found == pytest.approx(row[printed], abs=0.5001 * 10.0**-digits), (row, column)
    assert all(result.residual <= 1e-10 for result in cases.values())


def test_revenue_is_that_of_table_3(cases: dict[str, WorldResult]) -> None:
    of_gdp, of_budget = published("table_3").drop("measure").rows()
    names = ("table_1/1", "table_1/3", "table_2/3", "table_2/1")
    for name, gdp, budget in zip(names, of_gdp, of_budget, strict=True):
        found = 100.0 * cases[name].of("USA", "revenue_to_spending")
        assert (round(found, 2), round(found / 0.23, 2)) == pytest.approx((gdp, budget), abs=0.0051)


def test_every_country_of_the_first_case_agrees(cases: dict[str, WorldResult]) -> None:
    rows = published("case_1_by_country")
    found = cases["table_1/1"].countries
    assert found["country"].to_list() == rows["iso3"].to_list()
    for printed, column in COLUMNS.items():
        gap = 100.0 * found[column].to_numpy() - rows[printed].to_numpy()
        assert np.abs(gap).max() <= 1e-6 * max(1.0, np.abs(rows[printed].to_numpy()).max()), column


def test_formulas_of_tariffs_are_the_published_ones() -> None:
    rates = [
        optimal_tariff(WORLD.model),
        optimal_tariff(WORLD.model, "income"),
        float(optimal_retaliation(WORLD.model)[0]),
    ]
    assert [round(100.0 * rate, 2) for rate in rates] == [21.80, 18.54, 22.74]
    full = OneSectorWorld(WORLD.table, OneSectorParameters(destination_share=0.0, price_elasticity=1.0))
    assert uniform_retaliation(full.model) == pytest.approx(0.25)


def test_nafta_is_that_of_caliendo_and_parro() -> None:
    if not SHARED.exists():
        pytest.skip("the table of Caliendo and Parro has no stated licence and is not shipped")
    table = sector_table({path.name: path.read_bytes() for path in SHARED.iterdir()})
    later = pl.read_parquet(SHARED / "cp_trade_tariffs.parquet")
    members = ("CAN", "MEX", "USA")
    tariffs, place = table.tariffs.copy(), {name: number for number, name in enumerate(table.countries)}
    for sector, importer, exporter, rate in later.select(
        "sector_no", "importer", "exporter", "tariff_2005_pct"
    ).iter_rows():
        if importer in members and exporter in members:
            tariffs[sector - 1, place[exporter], place[importer]] = rate / 100.0
    result = SectorsWorld(table, "zero").run(tariffs)
    found = [round(100.0 * result.of(country, "welfare_first_order"), 2) for country in members]
    assert found == [-0.06, 1.31, 0.08]
    mexico = {
        name: round(100.0 * result.of("MEX", name), 2)
        for name in ("terms_of_trade", "volume_of_trade", "real_wage")
    }
    assert mexico == {"terms_of_trade": -0.41, "volume_of_trade": 1.72, "real_wage": 1.72}
    assert 100.0 * result.of("MEX", "welfare") == pytest.approx(0.007, abs=5e-4)
    bloc = [place["CAN"], place["USA"]]
    bought = [trade[:, bloc, place["MEX"]].sum() for trade in (result.trade_before, result.trade_after)]
    assert round(100.0 * (bought[1] / bought[0] - 1.0)) == 118
    assert result.residual <= 1e-10
