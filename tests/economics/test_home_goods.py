"""Duties that only rise lower neither the price nor the output of domestic goods, at any age, in any draw."""

from __future__ import annotations

from datetime import date
from itertools import product
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffs.engine.law.loader import load_law
from tariffs.engine.response.elasticities.adjustment_profile import path_parameters_for
from tariffs.engine.response.sectors.sector_market import SectorMarket
from tariffs.engine.runs.impact import Impact, Options, Point, impact
from tariffs.engine.scenario import Scenario, library, parse_scenario
from tests.economics.drawn_runs import LEVELS, ranges_of

CODES = [
    "0901110015",
    "2204214005",
    "3004909244",
    "6109100012",
    "6203420711",
    "7208390030",
    "8802400040",
    "9503000073",
]
ORIGINS = ["CN", "VN", "DE"]
TABLE = pl.DataFrame(
    {
        "hts": [code for code, _ in product(CODES, ORIGINS)],
        "origin": [origin for _, origin in product(CODES, ORIGINS)],
        "customs_value": np.random.default_rng(3).uniform(1e6, 9e9, len(CODES) * len(ORIGINS)),
    }
)
KNOWN = "2025-01-01"
"""No duty that falls after the baseline is known yet."""
ROUNDING = 1e-12
HOME = ("domestic_price_hat", "domestic_quantity_hat")


def raised(first: str, second: str, rates: list[float]) -> Scenario:
    """Duties on each origin from one day, and on all from another."""
    measures = [
        (f"on_{origin.lower()}", first, f'origins: [{origin}], rate: "{rate:g}%"')
        for origin, rate in zip(ORIGINS, rates, strict=False)
    ]
    measures.append(("on_all", second, f'rate: "{rates[-1]:g}%"'))
    changes = "".join(
        f"""
  - op: add
    measure:
      id: {name}
      title: Duty
      authority: s301
      periods: [{{id: {name}_p, from: {day}T00:01-05:00, known_from: {KNOWN}, rows: [{{{row}}}]}}]"""
        for name, day, row in measures
    )
    text = (
        f"schema: tariffs.scenario/v1\nid: raised\ntitle: Duties rise\nbasis: hypothesis\nchanges:{changes}\n"
    )
    return parse_scenario(text)


def run_of(scenario: Scenario, on: str, **options: Any) -> Impact:
    given = Options(baseline=KNOWN, known_on=KNOWN, market="sector", by=("hts2",), **options)
    return impact(TABLE, [Point(scenario, on)], law=load_law(), options=given)


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
    scenario = raised(first.isoformat(), second.isoformat(), rates)
    found = run_of(scenario, "2026-11-20", horizon=horizon, draws=16)
    block, drawn = found.scenarios[0], ranges_of(found)
    for row in [*block.groups.to_dicts(), block.total]:
        assert all(row[name] is None or row[name] >= 1.0 - ROUNDING for name in HOME), row
    for name, level in product(HOME, LEVELS):
        hats = drawn.groups.filter(column=name)[level].drop_nulls()
        assert len(hats)
        assert hats.to_numpy().min() >= 1.0 - ROUNDING, (name, level)


@pytest.mark.parametrize("horizon", ["path", "impact", "short", "long"])
def test_the_duties_of_april_2025_lower_no_domestic_price_or_output(horizon: str) -> None:
    options = Options(horizon=horizon, market="sector")
    found = impact(None, [Point(library()["base"], "2025-04-15")], law=load_law(), options=options)
    row: dict[str, Any] = dict(found.scenarios[0].total)
    assert all(row[name] >= 1.0 - ROUNDING for name in HOME)
    assert row["producer_surplus"] >= 0.0
