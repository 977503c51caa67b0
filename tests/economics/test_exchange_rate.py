"""The offset of the exchange rate: an independent slow version, and its limits as identities."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.response import parameters_for
from tariffs.engine.response.exchange_rate import published_offset
from tariffs.engine.runs.impact import Impact, Options, Point, impact
from tariffs.engine.runs.sweeps.sweep import sweep
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import library, parse_scenario

BASELINE, DAY = "2025-01-01", "2025-12-01"
TABLE = pl.DataFrame(
    [
        ("9503000073", "CN", 1e4),
        ("9503000073", "VN", 2e4),
        ("9503000073", "TH", 5e3),
        ("6403996075", "IT", 9e4),
        ("0901110015", "BR", 5e3),
        ("6403996075", "VN", 8e3),
    ],
    schema=["hts", "origin", "customs_value"],
    orient="row",
)
OFFSET = 0.174
PROHIBITION = """
schema: tariffs.scenario/v1
id: no-shoes
title: Shoes of Italy may not enter
basis: hypothesis
changes:
  - op: add
    measure:
      id: no_shoes
      title: Prohibition
      authority: s301
      periods:
        - id: all
          from: 2025-10-01T00:01-04:00
          rows: [{origins: [IT], products: ["6403"], kind: prohibition}]
"""


def run_of(offset: float = 0.0, day: str = DAY, table: pl.DataFrame = TABLE, **options: Any) -> Impact:
    given = Options(baseline=BASELINE, include_lines=True, fx_offset=offset, **options)
    return impact(table, [Point(library()["base"], day)], law=load_law(), options=given)


def lines(found: Impact) -> list[dict[str, Any]]:
    frame = found.scenarios[0].lines
    assert frame is not None
    return frame.to_dicts()


def total_of(found: Impact) -> dict[str, float]:
    """Totals of the only point, those that are known."""
    return {name: value for name, value in found.scenarios[0].total.items() if value is not None}


def rates_on(day: str) -> list[float]:
    static = Options(response="none", include_lines=True)
    found = impact(TABLE, [Point(library()["base"], day)], law=load_law(), options=static)
    return [row["duty"] / row["customs_value"] for row in lines(found)]


def dollar(before: list[float], after: list[float]) -> float:
    """Price of the exporters' currency in dollars, after over before."""
    values: list[float] = TABLE["customs_value"].to_list()
    paid = sum(v * (1 + t) for v, t in zip(values, before, strict=True))
    added = sum(v * (t - s) for v, s, t in zip(values, before, after, strict=True))
    return 1 - OFFSET * added / paid


def bisected(function: Callable[[float], float]) -> float:
    low, high = -20.0, 20.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if function(middle) < 0 else (low, middle)
    return (low + high) / 2


def slow_market(
    shares: list[float], powers: list[float], currency: float, sigma: float, eta: float, supply: float
) -> tuple[list[tuple[float, float]], float]:
    """Quantity and price in exporters' money of each variety, and the price of imports, by nested bisections."""

    def variety(power: float, index: float) -> tuple[float, float]:
        def excess(log_price: float) -> float:
            landed = math.log(power * currency) + log_price
            demand = -sigma * landed + (sigma - eta) * index
            return supply * log_price - demand

        log_price = bisected(excess)
        return math.exp(supply * log_price), math.exp(log_price)

    def gap(index: float) -> float:
        prices = [power * currency * variety(power, index)[1] for power in powers]
        total = sum(share * price ** (1 - sigma) for share, price in zip(shares, prices, strict=True))
        return index - math.log(total) / (1 - sigma)

    index = bisected(gap)
    return [variety(power, index) for power in powers], math.exp(index)


def slow_lines(model: str) -> list[tuple[float, float, float]]:
    """Value and duty after of each line in dollars, and the loss of its product's buyers."""
    before, after = rates_on(BASELINE), rates_on(DAY)
    currency, parameters = dollar(before, after), parameters_for(TABLE["hts"], horizon="short")
    found: dict[int, tuple[float, float, float]] = {}
    for code in TABLE["hts"].unique(maintain_order=True):
        rows = [row for row, hts in enumerate(TABLE["hts"]) if hts == code]
        v0 = [TABLE["customs_value"][row] for row in rows]
        landed = [v * (1 + before[row]) for v, row in zip(v0, rows, strict=True)]
        eta, supply = parameters.eta[rows[0]], parameters.supply[rows[0]]
        sigma = eta if model == "passthrough" else parameters.sigma[rows[0]]
        powers = [(1 + after[row]) / (1 + before[row]) for row in rows]
        shares = [each / sum(landed) for each in landed]
        goods, index = slow_market(shares, powers, currency, sigma, eta, supply)
        loss = -sum(landed) * (index ** (1 - eta) - 1) / (1 - eta)
        values = [v * q * p * currency for v, (q, p) in zip(v0, goods, strict=True)]
        found |= {row: (value, value * after[row], loss) for value, row in zip(values, rows, strict=True)}
    return [found[row] for row in range(TABLE.height)]


@pytest.mark.parametrize("model", ["armington", "passthrough"])
def test_trade_and_welfare_are_those_of_an_independent_slow_version(model: str) -> None:
    moved = run_of(OFFSET, response=model, horizon="short", by=("hts10",))
    expected = slow_lines(model)
    assert dollar(rates_on(BASELINE), rates_on(DAY)) < 0.99
    for row, (value, duty, _) in zip(lines(moved), expected, strict=True):
        assert row["value_after"] == pytest.approx(value, rel=1e-9)
        assert row["duty_after"] == pytest.approx(duty, rel=1e-9)
    losses = {code: loss for code, (*_, loss) in zip(TABLE["hts"], expected, strict=True)}
    before = rates_on(BASELINE)
    for group in moved.scenarios[0].groups.to_dicts():
        rows = [row for row, hts in enumerate(TABLE["hts"]) if hts == group["hts10"]]
        revenue = sum(expected[row][1] - before[row] * TABLE["customs_value"][row] for row in rows)
        assert group["buyer_surplus"] == pytest.approx(losses[group["hts10"]], rel=1e-9)
        assert group["welfare"] == pytest.approx(losses[group["hts10"]] + revenue, rel=1e-9)


def test_smart_has_the_linear_formulas_at_the_price_in_dollars() -> None:
    before, after = rates_on(BASELINE), rates_on(DAY)
    currency, (coffee,) = (
        dollar(before, after),
        [row for row, hts in enumerate(TABLE["hts"]) if hts[:2] == "09"],
    )
    moved = lines(run_of(OFFSET, response="smart", horizon="short", parameter_set="central"))[coffee]
    parameters = parameters_for([TABLE["hts"][coffee]], horizon="short")
    eta, supply, v0 = parameters.eta[0], parameters.supply[0], TABLE["customs_value"][coffee]
    rise = ((1 + after[coffee]) * currency - 1 - before[coffee]) / (1 + before[coffee])
    creation = -v0 * eta * rise / (1 + eta / supply)
    price = -eta * rise / (supply + eta)
    assert moved["value_after"] == pytest.approx((v0 + creation) * currency + v0 * price * currency, rel=1e-9)


@pytest.mark.parametrize(
    "options",
    [{}, {"market": "sector"}, {"response": "gsim"}, {"response": "exact_hat"}, {"horizon": "long"}],
)
def test_without_an_offset_results_are_those_of_a_run_that_names_none(options: dict[str, Any]) -> None:
    plain, named = (
        impact(
            TABLE,
            [Point(library()["base"], DAY)],
            law=load_law(),
            options=Options(baseline=BASELINE, **given),
        )
        for given in (options, {**options, "fx_offset": 0.0})
    )
    assert plain.scenarios[0].total == named.scenarios[0].total
    assert plain.provenance["run_digest"] == named.provenance["run_digest"]


@pytest.mark.parametrize(
    "options", [{}, {"market": "sector"}, *({"response": name} for name in ("gsim", "smart", "exact_hat"))]
)
def test_where_no_duty_is_added_the_dollar_stays(options: dict[str, Any]) -> None:
    plain, moved = (run_of(offset, BASELINE, **options).scenarios[0].total for offset in (0.0, OFFSET))
    assert moved == plain


@pytest.mark.parametrize(
    "options",
    [
        {"horizon": "short"},
        {"horizon": "path"},
        {"horizon": "short", "market": "sector"},
        {"horizon": "path", "market": "sector"},
        {"horizon": "path", "response": "passthrough"},
        {"response": "exact_hat"},
    ],
)
def test_welfare_is_surplus_and_revenue_and_the_dollar_is_borne_abroad(options: dict[str, Any]) -> None:
    plain, moved = (total_of(run_of(offset, **options)) for offset in (0.0, OFFSET))
    surplus = moved["buyer_surplus"] + moved.get("producer_surplus", 0.0)
    assert moved["welfare"] == pytest.approx(surplus + moved["revenue_change"], rel=1e-9)
    assert moved["borne_abroad"] + moved["borne_at_home"] == pytest.approx(moved["added_duty"], rel=1e-9)
    assert moved["borne_abroad"] > plain["borne_abroad"] + 0.01 * moved["added_duty"]
    assert moved["welfare"] > plain["welfare"]


def test_the_dollar_s_move_on_the_day_of_a_duty_has_the_horizon_impact() -> None:
    table = TABLE.filter(pl.col("origin") == "VN")
    path, at_once = (run_of(OFFSET, "2025-04-05", table, horizon=name) for name in ("path", "impact"))
    for one, other in zip(lines(path), lines(at_once), strict=True):
        assert one["duty"] > 0.0
        assert one["value_after"] == pytest.approx(other["value_after"], rel=1e-12)


@pytest.mark.parametrize("options", [{}, {"market": "sector"}, {"response": "smart"}])
def test_prohibited_goods_move_no_dollar(options: dict[str, Any]) -> None:
    closed = parse_scenario(PROHIBITION, "test")
    given = Options(baseline=BASELINE, fx_offset=OFFSET, horizon="short", **options)
    names = ("without", "with")
    tables = dict(zip(names, (TABLE.filter(pl.col("origin") != "IT"), TABLE), strict=True))
    notes = {
        name: [
            note.message
            for note in impact(table, [Point(closed, DAY)], law=load_law(), options=given).scenarios[0].notes
            if note.reason == "FX_OFFSET"
        ]
        for name, table in tables.items()
    }
    assert notes["without"] == notes["with"]
    total = impact(TABLE, [Point(closed, DAY)], law=load_law(), options=given).scenarios[0].total
    if "response" not in options:
        surplus = (total["buyer_surplus"] or 0.0) + (total.get("producer_surplus") or 0.0)
        assert total["welfare"] == pytest.approx(surplus + (total["revenue_change"] or 0.0), rel=1e-9)


def test_every_draw_has_the_dollar_of_the_duties() -> None:
    drawn = run_of(OFFSET, draws=16, horizon="short")
    ranges = drawn.scenarios[0].ranges
    assert ranges is not None
    total, plain = drawn.scenarios[0].total, run_of(0.0, draws=16, horizon="short").scenarios[0].ranges
    assert plain is not None
    (row,) = ranges.total.filter(pl.col("column") == "value_after").to_dicts()
    (other,) = plain.total.filter(pl.col("column") == "value_after").to_dicts()
    assert row["p5"] <= (total["value_after"] or 0.0) <= row["p95"]
    assert row["p5"] != other["p5"]


def test_timelines_and_sweeps_have_the_bits_of_impacts() -> None:
    options = Options(baseline=BASELINE, fx_offset=OFFSET)
    series = timeline(TABLE, [library()["base"]], DAY, DAY, law=load_law(), options=options)
    total = run_of(OFFSET).scenarios[0].total
    assert series.scenarios[0].totals["value_after"][0] == total["value_after"]
    scenario = library()["rates-by-country"]
    swept = sweep(
        TABLE, scenario, [{"cn": "0%"}, {"cn": "20%"}], on="2027-01-11", law=load_law(), options=options
    ).totals
    for rate, value in zip(("0%", "20%"), swept["value_after"], strict=True):
        point = Point(scenario.with_parameters({"cn": rate}), "2027-01-11")
        (alone,) = impact(TABLE, [point], law=load_law(), options=options).scenarios
        assert value == alone.total["value_after"]


def test_what_cannot_be_is_refused() -> None:
    for offset in (-0.1, 1.1, math.nan):
        with pytest.raises(InputError) as error:
            run_of(offset)
        assert (error.value.reason, error.value.field) == ("PARAMETER_INVALID", "fx_offset")
    with pytest.raises(InputError):
        impact(
            TABLE,
            [Point(library()["base"], DAY)],
            law=load_law(),
            options=Options(response="none", fx_offset=0.1),
        )
    with pytest.raises(InputError):
        impact(
            None,
            [Point(library()["base"], DAY)],
            law=load_law(),
            options=Options(direction="export", fx_offset=0.1),
        )


def test_the_result_says_offset_and_source() -> None:
    assert published_offset() == OFFSET
    found = run_of(OFFSET)
    model: Any = found.provenance["model"]
    assert model["fx_offset"]["value"] == OFFSET
    assert "Budget Lab" in model["fx_offset"]["source"]
    assert "income" in model["ignores"]
    assert "income and exchange rates" not in model["ignores"]
    (note,) = [note for note in found.scenarios[0].notes if note.reason == "FX_OFFSET"]
    assert "0.174" in note.message
    given: Any = run_of(0.5).provenance["model"]
    assert given["fx_offset"] == {"value": 0.5, "source": "given"}
    plain: Any = run_of().provenance["model"]
    assert "fx_offset" not in plain
