"""Domestic goods: the embedded industries beside published totals, and duties that lower none of them."""

from __future__ import annotations

from datetime import date
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffs.engine.response.constants import table
from tariffs.engine.response.elasticities.adjustment_profile import path_parameters_for
from tariffs.engine.response.industries import NO_INDUSTRY, domestic_ratio, industries, industry_of
from tariffs.engine.response.sectors.sector_market import SectorMarket
from tariffs.importers.industries import domestic_sales_2024, industry_rows, shortest_prefixes
from tests.economics.drawn_runs import LEVELS, ranges_of
from tests.economics.markets import import_share
from tests.economics.runs import BASELINE, run_of, scenario_of, table_of, total_of

DATA = Path(__file__).parents[2] / "engine" / "tariffs" / "engine" / "schedule" / "data"


@pytest.fixture(scope="module")
def trade() -> pl.DataFrame:
    frame = pl.read_parquet(DATA / "trade_2024.parquet")
    return frame.group_by("hts").agg(pl.col("customs_value").sum()).sort("hts")


def total(column: str) -> float:
    return sum(float(row[column] or 0) for row in table("industries.csv"))


def test_totals_are_those_that_the_bea_publishes() -> None:
    assert len(table("industries.csv")) == 402
    # Gross output of 2017: 34.468 trillion dollars. Of 2023: 48.387, of which 0.3 percent have no detailed series.
    assert total("output_2017") / 1e6 == pytest.approx(34.468, abs=5e-4)
    assert total("industry_output_2023") / 1e6 == pytest.approx(48.387, rel=3e-3)
    # Output by commodity and by industry differ by scrap and used goods.
    assert total("industry_output_2017") == pytest.approx(total("output_2017"), rel=4e-3)


def test_imports_by_industry_are_those_of_the_trade_table(trade: pl.DataFrame) -> None:
    found = industries()
    index = industry_of(trade["hts"].to_list())
    value = trade["customs_value"].to_numpy().astype(float)
    sums = np.bincount(index[index >= 0], weights=value[index >= 0], minlength=len(found.codes)) / 1e6
    # The crosswalk of the trade table carries a few codes to successors by prefix.
    np.testing.assert_allclose(sums, found.imports, rtol=1e-3, atol=5.0)
    without = value[index == NO_INDUSTRY].sum()
    assert without / value.sum() < 0.01


@pytest.mark.parametrize(
    ("industry", "estimate", "in_2017"),
    # Import shares of cars with light trucks, drugs, steel mills, apparel.
    [("336112", 0.442, 0.496), ("325412", 0.405, 0.392), ("331110", 0.210, 0.272), ("315000", 0.894, 0.913)],
)
def test_import_shares_of_industries(industry: str, estimate: float, in_2017: float) -> None:
    assert import_share(industry, 2024) == pytest.approx(estimate, abs=5e-4)
    assert import_share(industry, 2017) == pytest.approx(in_2017, abs=5e-4)


def test_a_ratio_is_sales_over_imports_and_pooled_industries_are_one() -> None:
    found = industries()
    assert not {"336111", "325411"} & set(found.codes)
    cars, trucks, scrap = industry_of(["8703230100", "8704310020", "7204490000"])
    assert cars == trucks == found.codes.index("336112")
    assert scrap == NO_INDUSTRY
    steel, share = found.codes.index("331110"), import_share("331110", 2024)
    expected = [pytest.approx((1.0 - share) / share, rel=1e-12), 0.0]
    assert domestic_ratio(np.array([steel, NO_INDUSTRY])).tolist() == expected


def test_prefixes_give_back_every_code() -> None:
    codes = {
        "0101210010": "a", "0101210020": "a", "0101290010": "b", "0102000000": "", "0201000000": "c",
        "0201000010": "c", "0201100000": "a",
    }  # fmt: skip
    kept = shortest_prefixes(codes)
    found = {code: next(kept[code[:n]] for n in (10, 8, 6, 4, 2) if code[:n] in kept) for code in codes}
    assert found == codes
    assert kept["01"] == "a"
    assert len(kept) < len(codes)


def test_the_estimate_moves_sales_by_output() -> None:
    detail = {
        "bea_code": "336111", "summary_code": "S", "commodity_output_2017": "100", "exports_2017": "20",
        "imports_2017": "7", "industry_output_2017": "50", "industry_output_2023": "75",
        "industry_output_2017_afterredef": "51", "industry_variable_cost_2017": "",
    }  # fmt: skip
    summary = {"bea_code": "S", "industry_output_2023": "10", "industry_output_2024_basic": "11"}
    assert domestic_sales_2024(detail, summary) == pytest.approx(80 * 1.5 * 1.1)
    row = industry_rows([detail], [summary], {"336111": 3e6})[0]
    assert row == ("336111", "336112", "S", "100", "20", "7", "50", "75", "132", "3", "51", "")


def test_the_tables_of_the_models_are_small() -> None:
    folder = DATA.parents[1] / "response" / "data"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 800_000


CODES = (
    "0901110015", "2204214005", "3004909244", "6109100012", "6203420711", "7208390030", "8802400040", "9503000073",
)  # fmt: skip
ORIGINS = ("CN", "VN", "DE")
RANDOM = np.random.default_rng(3)
TABLE = table_of({code: {origin: RANDOM.uniform(1e6, 9e9) for origin in ORIGINS} for code in CODES})
ROUNDING = 1e-12
HOME = ("domestic_price_hat", "domestic_quantity_hat")


@given(
    years=st.floats(0.0, 12.0),
    factor=st.floats(0.2, 4.0),
    supply=st.floats(0.3, 3.0),
    rises=st.lists(st.floats(0.0, 2.0), min_size=len(CODES), max_size=len(CODES)),
)
def test_dearer_imports_lower_no_domestic_price_or_output_at_any_age_in_any_draw(
    years: float, factor: float, supply: float, rises: list[float]
) -> None:
    parameters = path_parameters_for(CODES).at(years)
    market = SectorMarket.of(CODES, parameters)
    imports = np.arange(1.0, len(CODES) + 1)
    columns = parameters.sigma, factor * parameters.eta, 1.0 / (supply * parameters.supply)
    stages = np.stack(columns, axis=1)[:, None, :, None]
    _, nests = market(imports, 1.1 * imports, stages, np.ones((3, 1)), np.array(rises)[:, None])
    (found,) = market.domestic(imports, nests)
    assert market.inside.any()
    assert (found.price_hat >= 1.0 - ROUNDING).all()
    assert (found.quantity_hat >= 1.0 - ROUNDING).all()
    assert (found.surplus >= -ROUNDING * found.shipments).all()


@given(
    first=st.dates(date(2025, 2, 1), date(2025, 12, 1)),
    second=st.dates(date(2026, 1, 1), date(2026, 11, 1)),
    horizon=st.sampled_from(["path", "path", "impact", "short", "long"]),
    rates=st.lists(st.floats(0.0, 150.0).map(round), min_size=4, max_size=4),
)
def test_laws_that_only_raise_duties_lower_no_domestic_price_or_output(
    first: date, second: date, horizon: str, rates: list[float]
) -> None:
    """Duties on each origin from one day, and on all from another; none that falls is known on the baseline."""
    rows = [f"{{origins: [{origin}], rate: {rate}%}}" for origin, rate in zip(ORIGINS, rates, strict=False)]
    changes = "".join(
        f"""
  - op: add
    measure:
      id: {name}
      title: Duty
      authority: s301
      periods: [{{id: {name}_p, from: {day}T00:01-05:00, known_from: {BASELINE}, rows: [{row}]}}]"""
        for name, day, row in (
            ("on_some", first, ", ".join(rows)),
            ("on_all", second, f"{{rate: {rates[-1]}%}}"),
        )
    )
    found = run_of(
        TABLE, scenario_of(f"changes:{changes}\n"), on="2026-11-20", known_on=BASELINE, market="sector",
        by=("hts2",), horizon=horizon, draws=16,
    )  # fmt: skip
    for row in [*found.scenarios[0].groups.to_dicts(), total_of(found)]:
        assert all(row[name] is None or row[name] >= 1.0 - ROUNDING for name in HOME), row
    for name, level in product(HOME, LEVELS):
        hats = ranges_of(found).groups.filter(column=name)[level].drop_nulls()
        assert len(hats)
        assert hats.to_numpy().min() >= 1.0 - ROUNDING, (name, level)


@pytest.mark.parametrize("horizon", ["path", "impact", "short", "long"])
def test_the_duties_of_april_2025_lower_no_domestic_price_or_output(horizon: str) -> None:
    total = total_of(run_of(None, on="2025-04-15", baseline="", horizon=horizon, market="sector"))
    assert all(total[name] >= 1.0 - ROUNDING for name in HOME)
    assert total["producer_surplus"] >= 0.0
