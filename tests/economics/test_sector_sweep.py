"""Sweeps under a market of sectors: the points of single runs, with the same bits in any block."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.engine.law.loader import load_law
from tariffs.engine.response.kernels import sector_sweep as kernels
from tariffs.engine.response.kernels.exp_log import LANES
from tariffs.engine.response.market import market
from tariffs.engine.runs.impact import Options
from tariffs.engine.runs.merged_trade import has_swept_market
from tariffs.engine.runs.point_sums import PointEvaluator
from tariffs.engine.runs.sweep import Sweep, sweep
from tariffs.engine.runs.table_run import RunContext, TableRun
from tariffs.engine.scenario import library

DAY = "2026-12-01"
RATES = ["12.5%", "20%", "35.5%", "145%"]
TABLE = pl.DataFrame(
    {
        "hts": [
            "9503000073", "9503000073", "9506624080", "7208390030", "7208360060", "0901110025", "8703230190",
        ],
        "origin": ["CN", "VN", "CN", "DE", "BR", "VN", "JP"],
        "customs_value": [4e9, 2e9, 5e8, 3e9, 1e9, 2e9, 9e9],
        "freight": [1e8, 0.0, 2e7, 1e8, 5e7, 0.0, 3e8],
    }
)  # fmt: skip


def swept(by: tuple[str, ...], rates: list[str] = RATES, **options: Any) -> Sweep:
    given = Options(**{"baseline": "2025-01-01", "horizon": "long", "market": "sector", "by": by, **options})
    points = [{"cn": rate, "vn": "30%"} for rate in rates]
    return sweep(TABLE, library()["rates-by-country"], points, on=DAY, law=load_law(), options=given)


@pytest.mark.parametrize("by", [("origin",), ("hts2",), ("hts10", "origin"), ("origin", "authority")])
@pytest.mark.parametrize("horizon", ["short", "long"])
def test_points_are_those_computed_one_by_one(
    by: tuple[str, ...], horizon: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = swept(by, horizon=horizon)
    monkeypatch.setattr("tariffs.engine.runs.point_sums.has_swept_market", lambda run: False)
    single = swept(by, horizon=horizon)
    keys = [name for name, kind in together.groups.schema.items() if not kind.is_float()]
    assert together.groups.columns == single.groups.columns
    assert together.totals.columns == single.totals.columns
    ours, theirs = (frame.sort([*keys, "cn"]) for frame in (together.groups, single.groups))
    for one, other in ((together.totals, single.totals), (ours, theirs)):
        for name in one.columns:
            assert one[name].is_null().to_list() == other[name].is_null().to_list(), name
            if one[name].dtype.is_float():
                np.testing.assert_allclose(
                    one[name].fill_null(0.0), other[name].fill_null(0.0), rtol=1e-9, atol=1e-2, err_msg=name
                )


def test_points_have_the_same_bits_in_any_block() -> None:
    rates = [f"{10 + step}%" for step in range(40)]
    whole, part = swept(("hts2",), rates), swept(("hts2",), rates[35:])
    assert whole.totals.tail(5).equals(part.totals)


def test_points_are_computed_together(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a point was computed by itself")

    monkeypatch.setattr(PointEvaluator, "_one_by_one", refuse)
    assert swept(("origin",)).totals.height == len(RATES)


def test_unequal_supply_in_a_nest_is_computed_one_by_one(tmp_path: Any) -> None:
    path = tmp_path / "own.csv"
    path.write_text("hts,sigma,eta,supply\n720839,4,2,5\n720836,4,2,7\n")

    def run(**options: str) -> TableRun:
        given = Options(baseline="2025-01-01", horizon="long", market="sector", **options)  # type: ignore[arg-type]
        return TableRun(TABLE, load_law(), given, RunContext(None, None))

    assert has_swept_market(run())
    assert not has_swept_market(run(parameters=str(path)))


@pytest.mark.parametrize(
    ("eta", "kappa", "top", "w"), [(2.0, 1.19, 1.0, 0.1), (1.0, 1.0, 1.5, 0.0), (0.4, 3.0, 1.0, 0.4)]
)
def test_nests_are_those_of_the_market(eta: float, kappa: float, top: float, w: float) -> None:
    rng = np.random.default_rng(3)
    nest, landed, goods = np.repeat([0, 1], 4), rng.uniform(1, 9, 8), rng.uniform(0, 9, 8)
    prices = rng.normal(0.0, 0.2, (8, LANES))
    prices[:, 5] = 0.0
    parameters = np.tile([eta, kappa, top, 1 / 1.3, w], (2, 1))
    pack = kernels.NestPack(np.array([0, 4, 8]), np.arange(8), landed, goods, parameters)
    factors, domestic, owned = np.empty((2, 2, LANES)), np.empty((2, 3, LANES)), np.empty((8, 2, LANES))
    kernels.nest_rows(0, 2, pack, prices, factors, domestic, owned)
    plain = np.empty_like(factors), np.empty_like(domestic), np.empty_like(owned)
    kernels.nest_rows.py_func(0, 2, pack, prices, *plain)  # type: ignore[attr-defined]
    np.testing.assert_allclose(plain[2], owned, rtol=1e-12, atol=1e-12)
    for lane in (0, 5, LANES - 1):
        found = market(
            nest, landed, np.exp(prices[:, lane]), eta, domestic=goods, kappa=kappa, top=top,
            supply=1 / w if w else np.inf, supply_domestic=1.3,
        )  # fmt: skip
        np.testing.assert_allclose(factors[nest, 1, lane], found.quantity_hat, rtol=1e-12)
        np.testing.assert_allclose(
            factors[nest, 0, lane], found.quantity_hat * found.exporter_price_hat, rtol=1e-12
        )
        np.testing.assert_allclose(domestic[nest, 0, lane], found.domestic_price_hat, rtol=1e-12)
        np.testing.assert_allclose(domestic[nest, 1, lane], found.domestic_quantity_hat, rtol=1e-12)
        np.testing.assert_allclose(owned[:, 0, lane], found.buyer_surplus, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(owned[:, 1, lane], found.domestic_supplier_surplus, rtol=1e-9, atol=1e-12)
