"""Sweeps and seeks on the adjustment path: a point is the impact of its scenario, and points respond together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from tariffs.engine.law.loader import load_law
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.runs.outcomes.table_run import TableRun
from tariffs.engine.runs.sweeps import sweep as sweep_module
from tariffs.engine.runs.sweeps.point_sums import PointEvaluator
from tariffs.engine.runs.sweeps.seek import Target, Vary, seek
from tariffs.engine.runs.sweeps.sweep import Sweep, sweep
from tariffs.engine.runs.sweeps.sweep_points import grid
from tariffs.engine.scenario import Scenario, parse_scenario
from tests.conftest import SCALE
from tests.unit.result_frames import assert_agree

DAY = "2025-12-01"
GOODS = pl.DataFrame(
    [
        (code, origin, value * factor)
        for code, value in (
            ("9503000073", 60.0), ("7208100010", 25.0), ("8703230190", 90.0), ("0901110015", 9.0),
            ("8517130000", 70.0), ("0306140010", 5.0), ("8541430010", 30.0),
        )
        for origin, factor in (("CN", 1e6), ("MX", 7e5), ("RU", 1e4), ("IN", 3e5), ("DE", 4e5))
    ],
    schema={"hts": pl.String, "origin": pl.String, "customs_value": pl.Float64}, orient="row",
)  # fmt: skip
TEXT = """
schema: tariffs.scenario/v1
id: goods
title: Duties on China and India are varied
basis: hypothesis
parameters:
  cn: {default: "20%", title: China}
  world: {default: "5%", title: India}
  start: {default: 2025-10-20, title: Day}
  more: {default: "+5pp", title: Steel}
changes:
  - {op: set_rate, measures: {id: fent_cn}, rate: $cn, from: 2025-09-01}
  - {op: set_rate, measures: {authority: ieepa.reciprocal, origins: [IN]}, rate: $world, from: $start}
  - {op: set_rate, measures: {id: s232_steel}, by: $more, from: 2025-11-01}
"""
OPTIONS = Options(baseline="2025-01-01", by=("origin",))


def goods() -> Scenario:
    return parse_scenario(TEXT)


def swept(points: Sequence[Mapping[str, str]], options: Options = OPTIONS, on: str = DAY) -> Sweep:
    return sweep(GOODS, goods(), points, on=on, law=load_law(), options=options)


def refuse(*_: Any) -> None:
    raise AssertionError("points were computed one by one")


def assert_impact_of_each(points: Sequence[Mapping[str, str]], options: Options, on: str = DAY) -> None:
    """Each third point is computed alone at the scale of a working day."""
    found = swept(points, options, on)
    names, groups, totals = found.points.columns, [], []
    every = 3 if SCALE == 1 else 1
    for values in points[::every]:
        (block,) = impact(
            GOODS, [Point(goods().with_parameters(values), on)], law=load_law(), options=options
        ).scenarios
        groups.append(block.groups)
        totals.append(pl.DataFrame([dict(block.total)]).cast(pl.Float64))
    for frame, parts in ((found.groups, groups), (found.totals, totals)):
        results = [name for name in frame.columns if name not in names]
        rows = frame.join(found.points[::every], on=names, how="semi", maintain_order="left")
        assert_agree(rows.select(results), pl.concat(parts).select(results))


@pytest.mark.parametrize("by", [("origin",), ("hts4",), ("authority", "origin"), ()])
def test_points_that_differ_in_rates_respond_together_as_each_alone(
    by: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PointEvaluator, "_one_by_one", refuse)
    points = grid({"cn": ["0%", "10%", "20%", "145%"], "more": ["+1pp", "+10pp"]})
    assert_impact_of_each(points, replace(OPTIONS, by=by))


@pytest.mark.parametrize(
    ("by", "on"),
    [(("origin",), DAY), (("hts4",), "2028-03-01"), (("authority", "origin"), "2028-03-01"), ((), DAY)],
)
def test_points_under_a_market_of_sectors_respond_together_as_each_alone(
    by: tuple[str, ...], on: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PointEvaluator, "_one_by_one", refuse)
    monkeypatch.setattr(TableRun, "after", refuse)
    points = grid({"cn": ["10%", "30%", "145%"], "more": ["+1pp", "+10pp"]})
    assert_impact_of_each(points, replace(OPTIONS, by=by, market="sector"), on)


@pytest.mark.parametrize("known_on", ["", "entry"])
def test_rates_from_the_baseline_on_and_acts_as_they_were_known(
    known_on: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PointEvaluator, "_one_by_one", refuse)
    points = grid({"world": ["1%", "26%", "50%"], "start": ["2025-04-10", "2025-11-20"], "cn": ["5%"]})
    assert_impact_of_each(points, replace(OPTIONS, known_on=known_on), "2026-03-01")


def test_the_rate_in_force_is_a_point_without_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    """At 20 percent the scenario begins with the rate that is there; its day is a step at the other points."""
    monkeypatch.setattr(PointEvaluator, "_one_by_one", refuse)
    assert_impact_of_each([{"cn": value} for value in ("20%", "10%", "30%")], OPTIONS, "2025-11-05")


@pytest.mark.parametrize("market", ["product", "sector"])
def test_blocks_and_threads_change_no_bit(market: str, monkeypatch: pytest.MonkeyPatch) -> None:
    options = replace(OPTIONS, market=market)
    points = grid({"more": ["+1pp", "+4pp"], "cn": ["1%:40%:8%"]})
    monkeypatch.setenv("TARIFFS_THREADS", "1")
    whole = swept(points, options)
    monkeypatch.setenv("TARIFFS_THREADS", "2")
    monkeypatch.setattr(sweep_module, "BLOCK_POINTS", 5)
    parted = swept(points, options)
    assert parted.groups.equals(whole.groups)
    assert parted.totals.equals(whole.totals)


@pytest.mark.parametrize("by", [("origin",), ("hts4",)])
def test_points_beside_domestic_goods_respond_together_as_each_alone(
    by: tuple[str, ...], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PointEvaluator, "_one_by_one", refuse)
    file = tmp_path / "own.csv"
    file.write_text("hts,sigma,eta,domestic_ratio,kappa\n9503,2.5,1.5,2,1.2\n", encoding="utf-8")
    points = [{"cn": value} for value in ("5%", "10%", "30%")]
    assert_impact_of_each(points, replace(OPTIONS, by=by, parameter_set=str(file)))


def test_a_seek_on_the_path_finds_the_rate_of_an_impact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PointEvaluator, "_one_by_one", refuse)
    (block,) = impact(
        GOODS, [Point(goods().with_parameters({"cn": "37%"}), DAY)], law=load_law(), options=OPTIONS
    ).scenarios
    (value,) = block.groups.filter(pl.col("origin") == "CN")["value_after"]
    target = Target("value_after", value, {"origin": ["CN"]})
    found = seek(GOODS, goods(), Vary("cn", "1%", "100%"), target, on=DAY, law=load_law(), options=OPTIONS)
    assert found.provenance["horizon"] == "path"
    assert [root.value for root in found.roots] == pytest.approx([0.37], rel=1e-6)
