"""The offset of the exchange rate: an independent slow version, and its limits as identities."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.response import parameters_for
from tariffs.engine.response.exchange_rate import DollarPrices, published_offset
from tests.economics import runs
from tests.economics.independent.armington import Demand, solve
from tests.economics.runs import COFFEE, TOYS, lines_of, rates_on, run_of, table_of, total_of

DAY, SHOES, OFFSET = "2025-12-01", "6403996075", 0.174
TABLE = table_of(
    {TOYS: {"CN": 1e4, "VN": 2e4, "TH": 5e3}, SHOES: {"IT": 9e4, "VN": 8e3}, COFFEE: {"BR": 5e3}}
)
VALUES, CODES = TABLE["customs_value"].to_list(), TABLE["hts"].to_list()
BAN = runs.banned('origins: [IT], products: ["6403"]')
PROHIBITION = runs.scenario_of(f"changes:\n{BAN}")
OTHERS: list[dict[str, Any]] = [
    {},
    {"market": "sector", "horizon": "short"},
    {"response": "gsim", "horizon": "impact"},
    {"response": "smart", "horizon": "short"},
    {"response": "exact_hat"},
    {"horizon": "long"},
]


def dollar(before: list[float], after: list[float]) -> float:
    """Price of the exporters' currency in dollars, after over before."""
    paid = sum(v * (1 + t) for v, t in zip(VALUES, before, strict=True))
    added = sum(v * (t - s) for v, s, t in zip(VALUES, before, after, strict=True))
    return 1 - OFFSET * float(added / paid)


@pytest.mark.parametrize("model", ["armington", "passthrough"])
def test_trade_and_welfare_are_those_of_an_independent_slow_version(model: str) -> None:
    found = run_of(
        TABLE, on=DAY, fx_offset=OFFSET, response=model, horizon="short", by=("hts10",), include_lines=True
    )
    before, after = rates_on(TABLE, runs.BASELINE), rates_on(TABLE, DAY)
    currency, p = dollar(before, after), parameters_for(CODES, horizon="short")
    assert currency < 0.99
    lines, groups = lines_of(found), found.scenarios[0].groups.to_dicts()
    # A dearer currency of the exporters raises landed prices as a duty does.
    v0, t0, rates = np.array(VALUES), np.array(before), np.array(after)
    for group in groups:
        own = np.flatnonzero(np.array(CODES) == group["hts10"])
        eta, supply = p.eta[own[0]], p.supply[own[0]]
        sigma = eta if model == "passthrough" else p.sigma[own[0]]
        powers = (1 + rates[own]) * currency
        solved = solve(v0[own], t0[own], powers - 1, supply, 0.0, Demand(sigma, eta, eta))
        loss = -(v0 * (1 + t0))[own].sum() * (solved.imports ** (1 - eta) - 1) / (1 - eta)
        value = v0[own] * solved.quantities * solved.exporters * currency
        np.testing.assert_allclose(lines["value_after"].to_numpy()[own], value, rtol=1e-9)
        np.testing.assert_allclose(lines["duty_after"].to_numpy()[own], value * rates[own], rtol=1e-9)
        revenue = (value * rates[own] - (v0 * t0)[own]).sum()
        assert group["buyer_surplus"] == pytest.approx(loss, rel=1e-9)
        assert group["welfare"] == pytest.approx(loss + revenue, rel=1e-9)


def test_smart_has_the_linear_formulas_at_the_price_in_dollars() -> None:
    before, after = rates_on(TABLE, runs.BASELINE), rates_on(TABLE, DAY)
    currency, coffee = dollar(before, after), CODES.index(COFFEE)
    options: dict[str, Any] = {"response": "smart", "horizon": "short", "parameter_set": "central"}
    moved = lines_of(run_of(TABLE, on=DAY, fx_offset=OFFSET, include_lines=True, **options))
    p, v0 = parameters_for([COFFEE], horizon="short"), VALUES[coffee]
    eta, supply = p.eta[0], p.supply[0]
    rise = ((1 + after[coffee]) * currency - 1 - before[coffee]) / (1 + before[coffee])
    creation = -v0 * eta * rise / (1 + eta / supply)
    price = -eta * rise / (supply + eta)
    expected = (v0 + creation) * currency + v0 * price * currency
    assert moved["value_after"][coffee] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("options", OTHERS)
def test_without_an_offset_or_an_added_duty_results_are_those_of_no_offset(options: dict[str, Any]) -> None:
    plain, named = (run_of(TABLE, on=DAY, **given) for given in (options, {**options, "fx_offset": 0.0}))
    assert plain.scenarios[0].total == named.scenarios[0].total
    assert plain.provenance["run_digest"] == named.provenance["run_digest"]
    still, moved = (
        total_of(run_of(TABLE, on=runs.BASELINE, fx_offset=fx, **options)) for fx in (0.0, OFFSET)
    )
    assert moved == still


def test_trade_without_value_leaves_the_dollar_where_it_is() -> None:
    nothing = np.zeros(2)
    found = DollarPrices.of(OFFSET, nothing, nothing, nothing + 0.5, nothing > 0.0)
    assert (found.rise, *found.factor) == (0.0, 1.0, 1.0)


def test_the_dollar_s_move_on_the_day_of_a_duty_has_the_horizon_impact() -> None:
    table = TABLE.filter(pl.col("origin") == "VN")
    path, at_once = (
        lines_of(run_of(table, on="2025-04-05", fx_offset=OFFSET, horizon=name, include_lines=True))
        for name in ("path", "impact")
    )
    assert (path["duty"] > 0.0).all()
    assert path["value_after"].to_list() == pytest.approx(at_once["value_after"].to_list(), rel=1e-12)


@pytest.mark.parametrize("options", [{}, {"market": "sector"}, {"response": "smart"}])
def test_prohibited_goods_move_no_dollar(options: dict[str, Any]) -> None:
    given: dict[str, Any] = {"on": DAY, "fx_offset": OFFSET, "horizon": "short", **options}
    without, with_them = (
        run_of(table, PROHIBITION, **given) for table in (TABLE.filter(pl.col("origin") != "IT"), TABLE)
    )
    notes = [
        [note.message for note in found.scenarios[0].notes if note.reason == "FX_OFFSET"]
        for found in (without, with_them)
    ]
    assert notes[0] == notes[1] != []
    if "response" not in options:
        runs.assert_balance([total_of(with_them)])


def test_every_draw_has_the_dollar_of_the_duties() -> None:
    found, plain = (run_of(TABLE, on=DAY, fx_offset=fx, draws=16, horizon="short") for fx in (OFFSET, 0.0))
    row, still = (runs.row_of(runs.ranges_of(one).total, "value_after") for one in (found, plain))
    assert row["p5"] <= total_of(found)["value_after"] <= row["p95"]
    assert row["p5"] != still["p5"]


@pytest.mark.parametrize("offset", [-0.1, 1.1, math.nan])
def test_what_is_no_offset_is_refused(offset: float) -> None:
    with pytest.raises(InputError) as error:
        run_of(TABLE, on=DAY, fx_offset=offset)
    assert (error.value.reason, error.value.field) == ("PARAMETER_INVALID", "fx_offset")


def test_the_result_says_offset_and_source() -> None:
    assert published_offset() == OFFSET
    found = run_of(TABLE, on=DAY, fx_offset=OFFSET)
    model: Any = found.provenance["model"]
    assert model["fx_offset"]["value"] == OFFSET
    assert "Budget Lab" in model["fx_offset"]["source"]
    assert "income" in model["ignores"]
    assert "income and exchange rates" not in model["ignores"]
    (note,) = [note for note in found.scenarios[0].notes if note.reason == "FX_OFFSET"]
    assert "0.174" in note.message
    given: Any = run_of(TABLE, on=DAY, fx_offset=0.5).provenance["model"]
    assert given["fx_offset"] == {"value": 0.5, "source": "given"}
    plain: Any = run_of(TABLE, on=DAY).provenance["model"]
    assert "fx_offset" not in plain
