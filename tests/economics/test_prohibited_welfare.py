"""Goods under a prohibition pay no duty: surplus and the change of revenue are welfare, however it is computed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.engine.law.loader import load_law
from tariffs.engine.response.elasticities.draws import Spreads
from tariffs.engine.runs.impact import Impact, Options, Point, impact
from tariffs.engine.runs.sweeps.sweep import sweep
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import Scenario, parse_scenario
from tests.economics.drawn_runs import ranges_of

DAY = "2026-11-20"
BANNED = """
schema: tariffs.scenario/v1
id: banned
title: Toys and steel of China may not enter
basis: hypothesis
parameters:
  vn: {default: "20%", title: Viet Nam}
changes:
  - op: add
    measure:
      id: ban
      title: Ban
      authority: s301
      periods:
        - id: ban_2026
          from: 2026-10-01T00:01-04:00
          rows: [{origins: [CN], products: ["9503", "7208"], kind: prohibition}]
  - op: add
    measure:
      id: more
      title: Duty on Viet Nam
      authority: s301
      periods:
        - {id: more_2026, from: 2026-11-01T00:01-04:00, rows: [{origins: [VN], rate: $vn}]}
"""
TABLE = pl.DataFrame(
    {
        "hts": ["9503000073"] * 3 + ["7208390030"] * 3 + ["8517130000"] * 2,
        "origin": ["CN", "VN", "MX", "CN", "JP", "VN", "CN", "VN"],
        "customs_value": [4e9, 2e9, 1e9, 2e9, 1e9, 3e9, 1e9, 1e9],
    }
)
OPTIONS: list[dict[str, Any]] = [
    {"horizon": "impact"},
    {"horizon": "short"},
    {"horizon": "path"},
    {"horizon": "impact", "market": "sector"},
    {"horizon": "path", "market": "sector"},
]


def banned() -> Scenario:
    return parse_scenario(BANNED)


def options_of(**given: Any) -> Options:
    return Options(**{"baseline": "2025-01-01", "by": ("hts10",), **given})


def run_of(**given: Any) -> Impact:
    return impact(TABLE, [Point(banned(), DAY)], law=load_law(), options=options_of(**given))


def assert_balance(rows: Iterable[Mapping[str, Any]]) -> None:
    for row in rows:
        parts = row["buyer_surplus"] + (row.get("producer_surplus") or 0.0) + row["revenue_change"]
        assert row["welfare"] == pytest.approx(parts, abs=0.01)


@pytest.mark.parametrize("options", OPTIONS)
def test_surplus_and_revenue_are_welfare_under_a_prohibition(options: dict[str, Any]) -> None:
    block = run_of(**options).scenarios[0]
    assert block.total["prohibited_value"] == pytest.approx(6e9)
    assert_balance([*block.groups.to_dicts(), block.total])


@pytest.mark.parametrize("options", OPTIONS)
def test_draws_at_the_centre_have_the_same_welfare(options: dict[str, Any]) -> None:
    drawn = run_of(**options, draws=16, spreads=Spreads(0.0, 0.0, 0.0, 0.0))
    row = ranges_of(drawn).total.filter(column="welfare").row(0, named=True)
    assert row["p50"] == pytest.approx(drawn.scenarios[0].total["welfare"], rel=1e-12)


@pytest.mark.parametrize("options", OPTIONS)
def test_points_of_a_sweep_have_the_same_welfare(options: dict[str, Any]) -> None:
    given = options_of(**options)
    points = [{"vn": rate} for rate in ("10%", "20%", "30%")]
    found = sweep(TABLE, banned(), points, on=DAY, law=load_law(), options=given)
    assert_balance([*found.groups.to_dicts(), *found.totals.to_dicts()])
    alone = run_of(**options).scenarios[0]
    for name in ("buyer_surplus", "welfare"):
        swept = found.groups.filter(vn=0.2).sort("hts10")[name].to_numpy()
        np.testing.assert_allclose(swept, alone.groups.sort("hts10")[name].to_numpy(), rtol=1e-12)


def test_days_of_a_timeline_have_the_same_welfare() -> None:
    rows = timeline(
        TABLE, [banned()], "2026-08-01", DAY, law=load_law(), options=options_of(horizon="impact")
    ).scenarios[0]
    assert rows.totals.height >= 3
    assert_balance(rows.totals.to_dicts())


@pytest.mark.parametrize("eta", [3.5, 6.0])
@pytest.mark.parametrize("horizon", ["short", "path"])
def test_a_product_that_may_not_enter_leaves_a_market_of_sectors_finite(
    eta: float, horizon: str, tmp_path: Path
) -> None:
    """Compute the price from the goods: the spending left is below the digits of the loss of buyers."""
    path = tmp_path / "elastic.csv"
    path.write_text(f"hts,eta\n9503,{eta}\n")
    table = TABLE.filter((pl.col("hts") != "9503000073") | (pl.col("origin") == "CN"))
    options = Options(baseline="2025-01-01", horizon=horizon, market="sector", parameter_set=str(path))
    (block,) = impact(
        table, [Point(parse_scenario(BANNED, "test"), DAY)], law=load_law(), options=options
    ).scenarios
    total = {name: value for name, value in block.total.items() if value is not None}
    surplus = total["buyer_surplus"] + total["producer_surplus"]
    assert total["welfare"] == pytest.approx(surplus + total["revenue_change"], rel=1e-9)
    assert total["domestic_price_hat"] > 1.0


def test_buyers_lose_what_a_thousandfold_price_costs_them(tmp_path: Path) -> None:
    """Where sigma is low the price at which goods are out makes a difference."""
    path = tmp_path / "low.csv"
    path.write_text("hts,sigma,eta\n95,1.3,0.8\n72,1.3,0.8\n")
    options = options_of(horizon="short", parameter_set=str(path))
    out, losses = "kind: prohibition", []
    for effect in (out, 'rate: "99900%"'):
        point = Point(parse_scenario(BANNED.replace(out, effect)), DAY)
        (block,) = impact(TABLE, [point], law=load_law(), options=options).scenarios
        goods = block.groups.filter(pl.col("hts10").str.contains("^(9503|7208)"))
        losses.append(goods["buyer_surplus"].to_list())
    prohibited, priced = losses
    # Beside it the goods bear duties, which a price a thousand times as high dwarfs.
    assert prohibited == pytest.approx(priced, rel=2e-3)
