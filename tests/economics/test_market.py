"""Domestic goods and the market above products: an independent solver, limits, industries, and duties."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffs.engine.errors import InputError
from tariffs.engine.response import MarketResponse, armington, market
from tariffs.engine.response.constants import table
from tariffs.engine.response.elasticities.adjustment_profile import path_parameters_for
from tariffs.engine.response.industries import NO_INDUSTRY, domestic_ratio, industries, industry_of
from tariffs.engine.response.sectors.sector_market import SectorMarket
from tariffs.importers.industries import domestic_sales_2024, industry_rows, shortest_prefixes
from tests.economics.independent.market import Sector, equilibrium
from tests.economics.independent.plain import root
from tests.economics.markets import import_share
from tests.economics.runs import BASELINE, LEVELS, added, ranges_of, run_of, scenario_of, table_of, total_of


def landed_of(one: Sector) -> Any:
    """Landed imports of each product at the baseline."""
    return np.bincount(one.product, one.v0 * (1.0 + one.t0))


def solve(one: Sector) -> tuple[Any, Any, MarketResponse]:
    """Solve products and market: quantity and exporter's price hats of varieties, and the market."""
    supply = one.supply[one.product]
    own = armington(one.product, one.v0, one.t0, one.t1, one.sigma, one.eta, supply=supply)
    above = market(
        np.zeros(one.sigma.size, dtype=int), landed_of(one), own.import_price_hat, one.eta, domestic=one.domestic,
        kappa=one.kappa, top=one.top, supply=one.supply, supply_domestic=one.supply_domestic,
    )  # fmt: skip
    quantity = own.quantity_hat * above.quantity_hat[one.product]
    return quantity, own.exporter_price_hat * above.exporter_price_hat[one.product], above


elasticity = st.floats(0.3, 6.0)
supplies = st.one_of(st.just(np.inf), st.floats(0.5, 50.0))


@st.composite
def sectors(draw: st.DrawFn) -> Sector:
    """Draw a sector of one to three products with one to three origins each."""
    origins = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    place = np.repeat(np.arange(len(origins)), origins)
    size, count = place.size, len(origins)

    def many(values: st.SearchStrategy[float], length: int) -> Any:
        return np.array(draw(st.lists(values, min_size=length, max_size=length)))

    return Sector(
        place,
        many(st.floats(1.0, 1e3), size),
        many(st.floats(0.0, 0.3), size),
        many(st.floats(0.0, 1.5), size),
        many(elasticity, count),
        many(supplies, count),
        draw(elasticity),
        draw(elasticity),
        draw(st.floats(0.3, 3.0)),
        many(st.floats(0.0, 5e3), count),
        draw(supplies),
    )


@given(sectors())
def test_the_market_is_that_of_an_independent_solver(one: Sector) -> None:
    quantity, exporter, above = solve(one)
    expected = equilibrium(one)
    np.testing.assert_allclose(quantity, expected.quantities, rtol=1e-9)
    np.testing.assert_allclose(exporter, expected.exporters, rtol=1e-9)
    np.testing.assert_allclose(above.domestic_price_hat, expected.domestic_price, rtol=1e-9)
    np.testing.assert_allclose(above.domestic_quantity_hat, expected.domestic_quantity, rtol=1e-9)
    np.testing.assert_allclose(above.price_hat, expected.price, rtol=1e-9)


@given(sectors())
def test_at_equal_elasticities_and_without_domestic_goods_products_respond_alone(one: Sector) -> None:
    _, _, above = solve(replace(one, kappa=one.eta, top=one.eta))
    assert (above.quantity_hat == 1.0).all()
    assert (above.exporter_price_hat == 1.0).all()
    np.testing.assert_allclose(above.domestic_quantity_hat, 1.0, rtol=1e-12)
    _, _, above = solve(replace(one, domestic=np.zeros(one.sigma.size), top=one.eta))
    np.testing.assert_allclose(above.quantity_hat, 1.0, rtol=1e-11)
    assert (above.domestic_supplier_surplus == 0.0).all()


@given(sectors())
def test_a_sector_of_one_product_has_three_tiers(one: Sector) -> None:
    first = one.product == 0
    lines: Any = {name: getattr(one, name)[first] for name in ("product", "v0", "t0", "t1")}
    one = replace(one, **lines, **{name: getattr(one, name)[:1] for name in ("sigma", "supply", "domestic")})
    quantity, exporter, above = solve(one)
    tiers = armington(
        one.product, one.v0, one.t0, one.t1, one.sigma, one.top, supply=one.supply[one.product], kappa=one.kappa,
        domestic=one.domestic, supply_domestic=one.supply_domestic,
    )  # fmt: skip
    np.testing.assert_allclose(quantity, tiers.quantity_hat, rtol=1e-10)
    np.testing.assert_allclose(exporter, tiers.exporter_price_hat, rtol=1e-10)
    scale = landed_of(one).sum() + one.domestic.sum()
    for name in ("buyer_surplus", "domestic_supplier_surplus"):
        np.testing.assert_allclose(getattr(above, name), getattr(tiers, name), rtol=1e-9, atol=1e-11 * scale)


@given(sectors())
def test_parts_of_products_add_up_to_the_loss_of_the_sector_and_small_ones_are_of_first_order(
    one: Sector,
) -> None:
    _, _, above = solve(one)
    spent, price = landed_of(one).sum() + one.domestic.sum(), above.price_hat[0]
    loss = np.log(price) if one.top == 1.0 else (price ** (1.0 - one.top) - 1.0) / (1.0 - one.top)
    np.testing.assert_allclose(above.buyer_surplus.sum(), -spent * loss, rtol=1e-8, atol=1e-9 * spent)
    small = replace(
        one, t1=one.t0 + 1e-6 * one.t1, supply=np.full(one.sigma.size, np.inf), supply_domestic=np.inf
    )
    own = armington(small.product, small.v0, small.t0, small.t1, small.sigma, small.eta)
    landed = landed_of(small)
    cost, (_, _, above) = -landed * np.log(own.import_price_hat), solve(small)
    np.testing.assert_allclose(above.buyer_surplus, cost, rtol=1e-3, atol=1e-9 * landed.sum())


def test_the_order_of_products_changes_no_bit() -> None:
    rng = np.random.default_rng(7)
    size = 60
    nest, landed, price = rng.integers(0, 9, size), rng.uniform(1, 9, size), rng.uniform(0.9, 1.6, size)
    domestic = rng.uniform(0, 20, size)

    def found(order: Any, threads: int) -> MarketResponse:
        return market(
            nest[order], landed[order], price[order], 1.53, domestic=domestic[order], kappa=1.19, top=1.0,
            supply=10.0, supply_domestic=1.3, threads=threads,
        )  # fmt: skip

    order = rng.permutation(size)
    first, second = found(np.arange(size), 1), found(order, 2)
    for name in ("quantity_hat", "exporter_price_hat", "buyer_surplus", "domestic_price_hat"):
        np.testing.assert_array_equal(getattr(first, name)[order], getattr(second, name))


def test_products_of_a_nest_share_their_eta_and_one_without_imports_does_not_move() -> None:
    for price, eta, field in ([1.1, 1.1], [1.5, 2.0], "eta"), ([1.1, 0.0], 1.5, "import_price_hat"):
        with pytest.raises(InputError) as raised:
            market([1, 1], [1.0, 1.0], price, eta, domestic=1.0, kappa=1.2, top=1.0)
        assert (raised.value.reason, raised.value.field) == ("PARAMETER_INVALID", field)
    above = market([3], [0.0], [1.2], 1.5, domestic=7.0, kappa=1.2, top=1.0)
    assert above.quantity_hat[0] == above.domestic_price_hat[0] == 1.0
    assert above.buyer_surplus[0] == 0.0


def steel(kappa: float) -> MarketResponse:
    """Respond to the rise of import prices that takes 24 % of the imports of steel, at the import share of 2017."""
    share = import_share("331110", 2017)

    def at(price: float) -> MarketResponse:
        return market(
            [0], [share], [price], 3.0, domestic=1.0 - share, kappa=kappa, top=1.0, supply_domestic=1.3
        )

    return at(float(root(lambda p: 0.76 - p**-3.0 * float(at(float(p)).quantity_hat[0]), 1.0, 2.0)))


def test_steel_of_2018_rises_as_published_at_the_substitution_of_gtap() -> None:
    # USITC Publication 5405: imports -24 %, price +2.4 %, output +1.9 %. GTAP's substitution of iron and steel is 2.95.
    above = steel(2.95)
    assert above.domestic_price_hat[0] - 1.0 == pytest.approx(0.024, abs=0.003)
    assert above.domestic_quantity_hat[0] - 1.0 == pytest.approx(0.019, abs=0.011)
    assert steel(1.19).domestic_price_hat[0] - 1.0 == pytest.approx(0.005, abs=0.001)


DATA = Path(__file__).parents[2] / "engine" / "tariffs" / "engine" / "schedule" / "data"


def total(column: str) -> float:
    return sum(float(row[column] or 0) for row in table("industries.csv"))


def test_totals_are_those_that_the_bea_publishes() -> None:
    assert len(table("industries.csv")) == 402
    # Gross output of 2017: 34.468 trillion dollars. Of 2023: 48.387, of which 0.3 percent have no detailed series.
    assert total("output_2017") / 1e6 == pytest.approx(34.468, abs=5e-4)
    assert total("industry_output_2023") / 1e6 == pytest.approx(48.387, rel=3e-3)
    # Output by commodity and by industry differ by scrap and used goods.
    assert total("industry_output_2017") == pytest.approx(total("output_2017"), rel=4e-3)


def test_imports_by_industry_are_those_of_the_trade_table() -> None:
    trade = pl.read_parquet(DATA / "trade_2024.parquet").group_by("hts").agg(pl.col("customs_value").sum())
    index, value = industry_of(trade["hts"].to_list()), trade["customs_value"].to_numpy().astype(float)
    known, found = index >= 0, industries()
    sums = np.bincount(index[known], weights=value[known], minlength=len(found.codes)) / 1e6
    # The crosswalk of the trade table carries a few codes to successors by prefix.
    np.testing.assert_allclose(sums, found.imports, rtol=1e-3, atol=5.0)
    assert value[index == NO_INDUSTRY].sum() / value.sum() < 0.01


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
    place, share = found.codes.index("331110"), import_share("331110", 2024)
    expected = [pytest.approx((1.0 - share) / share, rel=1e-12), 0.0]
    assert domestic_ratio(np.array([place, NO_INDUSTRY])).tolist() == expected


def test_prefixes_give_back_every_code() -> None:
    codes = {
        "0101210010": "a", "0101210020": "a", "0101290010": "b", "0102000000": "", "0201000000": "c",
        "0201000010": "b", "0201100000": "a",
    }  # fmt: skip
    kept = shortest_prefixes(codes)
    found = {code: next(kept[code[:n]] for n in (10, 8, 6, 4, 2) if code[:n] in kept) for code in codes}
    assert (found, kept["01"]) == (codes, "a")
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
    of_sectors = SectorMarket.of(CODES, parameters)
    imports = np.arange(1.0, len(CODES) + 1)
    columns = parameters.sigma, factor * parameters.eta, 1.0 / (supply * parameters.supply)
    stages = np.stack(columns, axis=1)[:, None, :, None]
    _, nests = of_sectors(imports, 1.1 * imports, stages, np.ones((3, 1)), np.array(rises)[:, None])
    (found,) = of_sectors.domestic(imports, nests)
    assert of_sectors.inside.any()
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
    rows = [f"origins: [{origin}], rate: {rate}%" for origin, rate in zip(ORIGINS, rates, strict=False)]
    known = f"known_from: {BASELINE}, "
    changes = [
        added(name, f"{day}T00:01-05:00", row, period=known)
        for name, day, row in (
            ("on_some", first, "}, {".join(rows)),
            ("on_all", second, f"rate: {rates[-1]}%"),
        )
    ]
    found = run_of(
        TABLE, scenario_of(f"changes:\n{''.join(changes)}"), on="2026-11-20", known_on=BASELINE, market="sector",
        by=("hts2",), horizon=horizon, draws=16,
    )  # fmt: skip
    for row in [*found.scenarios[0].groups.to_dicts(), total_of(found)]:
        assert all(row[name] is None or row[name] >= 1.0 - ROUNDING for name in HOME), row
    for name, level in product(HOME, LEVELS):
        hats = ranges_of(found).groups.filter(column=name)[level].drop_nulls()
        assert len(hats)
        assert hats.to_numpy().min() >= 1.0 - ROUNDING, (name, level)


@pytest.mark.parametrize("horizon", ["path", "impact"])
def test_the_duties_of_april_2025_lower_no_domestic_price_or_output(horizon: str) -> None:
    total = total_of(run_of(None, on="2025-04-15", baseline="", horizon=horizon, market="sector"))
    assert all(total[name] >= 1.0 - ROUNDING for name in HOME)
    assert total["producer_surplus"] >= 0.0
