"""Duties that only rise lower neither the price nor the output of domestic goods, at any age, in any draw."""

from __future__ import annotations

from datetime import date
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffs.engine.response.elasticities.adjustment_profile import path_parameters_for
from tariffs.engine.response.sectors.sector_market import SectorMarket
from tests.economics.drawn_runs import LEVELS, ranges_of
from tests.economics.runs import BASELINE, run_of, scenario_of, table_of, total_of

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
