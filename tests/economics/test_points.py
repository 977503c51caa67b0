"""Points of sweeps and seeks: each is the impact of its scenario, and those that differ in rates respond together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.engine.law.loader import load_law
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.runs.lanes.table_lanes import has_lanes
from tariffs.engine.runs.outcomes.table_run import RunContext, TableRun
from tariffs.engine.runs.sweeps import sweep as sweep_module
from tariffs.engine.runs.sweeps.point_sums import PointEvaluator
from tariffs.engine.runs.sweeps.sweep import Sweep, sweep
from tariffs.engine.runs.sweeps.sweep_points import grid
from tests.conftest import SCALE
from tests.economics.runs import BASELINE, added, banned, scenario_of, table_of, void
from tests.unit.result_frames import assert_agree

DAY = "2025-12-01"
CODES = {
    "9503000073": 60.0, "7208100010": 25.0, "8703230190": 90.0, "0901110015": 9.0, "8517130000": 70.0,
    "0306140010": 5.0, "8541430010": 30.0,
}  # fmt: skip
ORIGINS = {"CN": 1e6, "MX": 7e5, "RU": 1e4, "IN": 3e5, "DE": 4e5}
GOODS = table_of(
    {code: {origin: value * factor for origin, factor in ORIGINS.items()} for code, value in CODES.items()}
)
RATES = """
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
ADDED = f"""
parameters: {{add: {{default: "20%"}}, share: {{default: "50%"}}, cut: {{default: off}}}}
changes:
{added("more", "2025-06-01T00:01-04:00", "origins: [IN, MX], rate: $add")}"""
BANNED, VOID = banned('origins: [CN], products: ["9503", "7208"]'), void("CN, DE")
LIMITED = """  - {op: shock_quantity, from: 2025-06-01, origins: [CN], share: $share}
  - {op: shock_quantity, from: 2025-06-01, origins: [DE], share: 60%, rents: exporter, when: $cut}
"""
OWN = "hts,sigma,eta,domestic_ratio,kappa\n9503,2.5,1.5,2,1.2\n"
MANY = grid({"cn": ["0%", "10%", "20%", "145%"], "more": ["+1pp", "+10pp"]})
FEW = grid({"cn": ["10%", "30%", "145%"], "more": ["+1pp", "+10pp"]})
DATED = grid({"world": ["1%", "26%", "50%"], "start": ["2025-04-10", "2025-11-20"], "cn": ["5%"]})
# At 20 percent the scenario begins with the rate that is there; its day is a step at the other points.
IN_FORCE = [{"cn": value} for value in ("20%", "10%", "30%")]
SHARES = [{"share": share, "cut": cut} for share in ("20%", "100%") for cut in ("off", "on")]
ADDITIONS = [{"add": rate} for rate in ("10%", "20%", "30%")]
OPTIONS = Options(baseline=BASELINE, by=("origin",))


def refuse(*_: Any) -> None:
    raise AssertionError("points were computed one by one")


def swept(text: str, points: Sequence[Mapping[str, str]], on: str, options: Options) -> Sweep:
    return sweep(GOODS, scenario_of(text), points, on=on, law=load_law(), options=options)


def assert_near(found: pl.DataFrame, expected: pl.DataFrame) -> None:
    """Compare to 1e-11 of each number, and to 1e-12 of the trade."""
    for name, kind in expected.schema.items():
        ours, theirs = found[name], expected[name]
        if not kind.is_float():
            assert ours.equals(theirs), name
            continue
        assert ours.is_null().equals(theirs.is_null()), name
        trade = expected["customs_value"].to_numpy().max()
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-12 * trade, err_msg=name)


def assert_impact_of_each(
    text: str,
    points: Sequence[Mapping[str, str]],
    on: str,
    given: Mapping[str, Any],
    agree: Callable[[pl.DataFrame, pl.DataFrame], None] = assert_agree,
) -> None:
    """Each third point is computed alone at the scale of a working day."""
    options = replace(OPTIONS, **given)
    found = swept(text, points, on, options)
    names, groups, totals = found.points.columns, [], []
    every = 3 if SCALE == 1 else 1
    for values in points[::every]:
        alone = [Point(scenario_of(text).with_parameters(values), on)]
        (block,) = impact(GOODS, alone, law=load_law(), options=options).scenarios
        groups.append(block.groups)
        totals.append(pl.DataFrame([dict(block.total)]).cast(pl.Float64))
    for frame, parts in ((found.groups, groups), (found.totals, totals)):
        results = [name for name in frame.columns if name not in names]
        rows = frame.join(found.points[::every], on=names, how="semi", maintain_order="left")
        agree(rows.select(results), pl.concat(parts).select(results))


@pytest.mark.parametrize(
    ("points", "on", "options"),
    [
        (MANY, DAY, {}),
        (MANY, DAY, {"by": ("authority", "origin")}),
        (DATED, "2026-03-01", {"known_on": "entry"}),
        (IN_FORCE, DAY, {"parameter_set": OWN, "by": ("hts4",)}),
        (FEW, DAY, {"market": "sector"}),
        (FEW, DAY, {"market": "sector", "by": ()}),
        (FEW, "2028-03-01", {"market": "sector", "by": ("authority", "origin")}),
        (IN_FORCE, DAY, {"market": "sector", "horizon": "long", "by": ("hts4",)}),
        (FEW, DAY, {"market": "sector", "horizon": "short", "by": ("hts10", "origin")}),
    ],
)
def test_points_that_differ_in_rates_respond_together_as_each_alone(
    points: Sequence[Mapping[str, str]], on: str, options: dict[str, Any], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(PointEvaluator, "_one_by_one", refuse)
    if options.get("market"):
        monkeypatch.setattr(TableRun, "after", refuse)
    if "parameter_set" in options:
        (tmp_path / "own.csv").write_text(options["parameter_set"], encoding="utf-8")
        options = {**options, "parameter_set": str(tmp_path / "own.csv")}
    assert_impact_of_each(RATES, points, on, options)


@pytest.mark.parametrize(
    ("changes", "points", "options"),
    [
        (BANNED, ADDITIONS, {"horizon": "impact", "by": ("hts10",)}),
        (BANNED, ADDITIONS, {"by": ("hts10",)}),
        (BANNED, ADDITIONS, {"market": "sector", "by": ("hts10",)}),
        (VOID, ADDITIONS, {"horizon": "short"}),
        (VOID, ADDITIONS, {}),
        (VOID, ADDITIONS, {"market": "sector"}),
        (LIMITED, SHARES, {"horizon": "long"}),
        ("", ADDITIONS, {"fx_offset": 0.174}),
        ("", ADDITIONS, {"response": "none", "switches": {"usmca_basis": "responding"}}),
    ],
)
def test_points_have_the_bans_void_acts_limits_and_claims_of_single_runs(
    changes: str, points: Sequence[Mapping[str, str]], options: dict[str, Any]
) -> None:
    assert_impact_of_each(ADDED + changes, points, DAY, options, assert_near)


def test_factors_on_elasticities_scale_every_age() -> None:
    points = [{"add": "20%", "elasticity.sigma": factor} for factor in ("x0.5", "x1", "x2")]
    found, plain = (swept(ADDED, some, DAY, OPTIONS).totals["value_after"] for some in (points, ADDITIONS))
    assert found.n_unique() == 3
    assert found[1] == pytest.approx(plain[1], rel=1e-12)


@pytest.mark.parametrize("market", ["product", "sector"])
def test_blocks_and_threads_change_no_bit(market: str, monkeypatch: pytest.MonkeyPatch) -> None:
    options = replace(OPTIONS, market=market)
    points = grid({"more": ["+1pp", "+4pp"], "cn": ["1%:40%:8%"]})
    monkeypatch.setenv("TARIFFS_THREADS", "1")
    whole = swept(RATES, points, DAY, options)
    monkeypatch.setenv("TARIFFS_THREADS", "2")
    monkeypatch.setattr(sweep_module, "BLOCK_POINTS", 5)
    parted = swept(RATES, points, DAY, options)
    assert parted.groups.equals(whole.groups)
    assert parted.totals.equals(whole.totals)


@pytest.mark.parametrize("horizon", ["long", "path"])
def test_unequal_supply_in_a_nest_is_computed_one_by_one(horizon: str, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("hts,sigma,eta,supply\n720839,4,2,5\n720836,4,2,7\n")
    steel = table_of({"7208390030": {"DE": 3e9}, "7208360060": {"BR": 1e9}})

    def run(**own: Any) -> TableRun:
        options = Options(baseline=BASELINE, horizon=horizon, market="sector", **own)
        return TableRun(steel, load_law(), options, RunContext(None, None))

    assert has_lanes(run())
    assert not has_lanes(run(parameter_set=str(path)))
