"""Ranges over draws: nothing drawn is the plain run, draws belong to products, and quantiles are right."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.client import Client
from tariffs.engine.errors import InputError, ServiceError
from tariffs.engine.law import load_law
from tariffs.engine.response import Spreads
from tariffs.engine.runs.column_names import DOMESTIC_COLUMNS, DOMESTIC_SUMS
from tariffs.engine.runs.draws.ranges import COLUMNS, FURTHER_COLUMNS, TOTAL_COLUMNS
from tariffs.engine.runs.draws.uncertainty import UncertaintyRun
from tariffs.engine.runs.grouping import Grouping
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.runs.outcomes.response_sums import ResponseSums
from tariffs.engine.runs.outcomes.table_run import RunContext, TableRun
from tariffs.engine.runs.sums import Sums
from tariffs.engine.scenario import library
from tariffs.engine.schedule.reference_data import reference_table
from tests.economics import runs
from tests.economics.runs import DRAWN_DAY, QUIET, drawn, ranges_of, total_of

BASE = library()["base"]


def run_with(table: pl.DataFrame, **options: Any) -> TableRun:
    given = Options(**{"baseline": runs.BASELINE, "horizon": "long", "draws": 64, "seed": 7, **options})
    return TableRun(table, load_law(), given, RunContext(None, None))


def sums_of_draws(table: pl.DataFrame, **options: Any) -> tuple[pl.DataFrame, Sums]:
    """Compute the keys of the groups and the sums of every draw."""
    run = run_with(table, **options)
    outcomes = run.outcomes(BASE, DRAWN_DAY)
    found = UncertaintyRun(run).point(outcomes, run.kept(outcomes), lambda share: None).sums
    return Grouping.of(run.prepared, run.options.by).keys, found


def array_of(sums: Mapping[str, Any]) -> Any:
    """Put sums side by side on a first axis, in the order of their names."""
    return np.stack([sums[name] for name in sorted(sums)])


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    return runs.goods_of("36", "43", "67")


@pytest.mark.parametrize(
    ("response", "by"),
    [
        ("armington", ("origin",)),
        ("armington", ("hts4",)),
        ("passthrough", ("hts4",)),
        ("smart", ("origin",)),
        ("armington", ("authority",)),
        ("armington", ("authority", "hts4")),
        ("smart", ("origin", "authority")),
    ],
)
def test_spreads_of_zero_are_the_plain_run_to_the_bit(
    table: pl.DataFrame, response: str, by: tuple[str, ...]
) -> None:
    found = drawn(table, response=response, by=by, spreads=QUIET)
    plain = drawn(table, response=response, by=by, draws=0).scenarios[0]
    assert plain.ranges is None
    assert found.scenarios[0].groups.equals(plain.groups)
    assert found.scenarios[0].total == plain.total
    ranges, keys = ranges_of(found).groups, sorted(by)
    if "authority" in by:
        assert set(ranges["column"]) == {"duty_after"}
        assert plain.groups["authority"].n_unique() > 2
    for column in {*COLUMNS, *FURTHER_COLUMNS} & {*ranges["column"]}:
        groups = ranges.filter(column=column)
        assert groups.select(keys).equals(plain.groups.select(keys))
        expected = plain.groups[column].fill_null(math.nan).to_numpy()
        for level in ("central", *runs.LEVELS[1:]):
            values = groups[level].fill_null(math.nan).to_numpy()
            assert np.array_equal(values, expected, equal_nan=True), (column, level)
    for row in ranges_of(found).total.to_dicts():
        assert {row[level] for level in ("central", *runs.LEVELS[1:])} == {plain.total[row["column"]]}
        assert row["p5_error"] == row["p95_error"] == row["vs_positive"] == 0.0


def test_the_duties_of_authorities_sum_to_the_duty_in_every_draw(table: pl.DataFrame) -> None:
    _, split = sums_of_draws(table, by=("origin", "authority"))
    _, whole = sums_of_draws(table, by=("origin",))
    assert split.charged is not None
    duty = split.charged.columns["duty_after"].reshape(64, len(split.charged.names), split.count)
    np.testing.assert_allclose(duty.sum(axis=1), whole.groups["duty_after"], rtol=1e-12, atol=1e-6)
    assert np.array_equal(array_of(split.total), array_of(whole.total), equal_nan=True)
    assert (np.ptp(duty, axis=0).max(axis=1) > 0.0).all()


def test_an_authority_that_the_first_scenario_lacks_counts_there_as_nothing(table: pl.DataFrame) -> None:
    found = drawn(table, "base", "ieepa-upheld-truce-kept", on="2026-06-01", by=("authority",))
    assert not any("ieepa" in name for name in ranges_of(found).groups["authority"])
    rows = ranges_of(found, 1).groups.filter(pl.col("authority").str.starts_with("ieepa"))
    assert rows.height
    for level in ("p5", "p50", "p95"):
        assert rows[level].equals(rows[f"vs_{level}"].alias(level))
    assert (rows["vs_positive"] == 1.0).all()


def test_bans_of_whole_origins_are_drawn_side_by_side_as_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Canadian drinks may not enter on this day: nothing of them is left in any draw, and others take their place."""
    drinks, day = runs.goods_of("22"), "2026-11-20"
    quick = ranges_of(drawn(drinks, on=day, by=("hts4",)))
    monkeypatch.setattr(
        "tariffs.engine.runs.outcomes.response_sums.is_summed_by_variety", lambda response, outcome: False
    )
    slow = ranges_of(drawn(drinks, on=day, by=("hts4",)))
    for name in ("groups", "total"):
        ours, theirs = (getattr(each, name).filter(pl.col("column") != "diversion") for each in (quick, slow))
        np.testing.assert_allclose(ours["p95"], theirs["p95"], rtol=1e-9)


def test_one_draw_of_ten_has_the_claim_shares_of_each_other_period(table: pl.DataFrame) -> None:
    """Nothing else drawn, the median is the plain run, and the highest duty that of a run with the shares of 2024."""
    day = "2025-12-01"
    found = drawn(table, on=day, draws=64, spreads=Spreads(0.0, 0.0, 0.0, 0.2))
    old = runs.scenario_of("changes:\n  - {op: set_switch, name: usmca_basis, value: '2024'}\n")
    of_2024, row = (
        total_of(drawn(table, old, on=day, draws=0)),
        runs.row_of(ranges_of(found).total, "duty_after"),
    )
    assert row["p50"] == row["central"] == total_of(found)["duty_after"]
    assert row["p95"] == pytest.approx(of_2024["duty_after"], rel=1e-12)
    assert row["p95"] > 1.01 * row["central"]
    (moved,) = ranges_of(found).tornado.filter(column="duty_after", parameter="usmca claims").to_dicts()
    assert (moved["low"], moved["high"]) == (row["p95"], row["central"])
    declared = table.with_columns(usmca_share=pl.lit(0.0))
    assert "usmca claims" not in ranges_of(drawn(declared)).tornado["parameter"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "horizon", "day", "market", "draws"),
    [
        ("base", "short", "2025-05-05", "product", 1024),
        ("base", "long", "2025-12-01", "product", 1024),
        ("base", "path", "2025-12-01", "product", 1024),
        ("base", "path", "2026-11-20", "product", 1024),
        ("ieepa-upheld-truce-kept", "path", "2026-11-20", "product", 256),
        ("base", "path", "2025-12-01", "sector", 64),
        ("no-kuala-lumpur-deal-100-announced", "path", "2025-12-01", "sector", 256),
    ],
)
def test_central_totals_are_near_the_median_of_their_range(
    name: str, horizon: str, day: str, market: str, draws: int, scale: int
) -> None:
    """Of the whole embedded table: inside p5 to p95, and no farther from the median than a tenth of that range."""
    draws = min(draws, 256) if scale == 1 else draws
    found = drawn(None, name, baseline="", on=day, horizon=horizon, market=market, draws=draws)
    for row in ranges_of(found).total.to_dicts():
        assert row["p5"] <= row["central"] <= row["p95"], row
        assert abs(row["central"] - row["p50"]) <= 0.1 * (row["p95"] - row["p5"]), row


def test_a_table_of_one_product_has_the_draws_it_has_in_any_other(table: pl.DataFrame) -> None:
    keys, whole = sums_of_draws(table, by=("hts10",))
    for place in (0, keys.height - 1):
        _, alone = sums_of_draws(table.filter(hts=keys["hts10"][place]), by=("hts10",))
        of_whole, of_alone = array_of(whole.groups), array_of(alone.groups)
        assert np.array_equal(of_whole[:, :, place], of_alone[:, :, 0], equal_nan=True)


@pytest.mark.parametrize("horizon", ["long", "path"])
def test_a_seed_is_a_run_on_any_threads_and_another_seed_another(
    table: pl.DataFrame, horizon: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for seed, threads in ((3, "1"), (3, "2"), (4, "2")):
        monkeypatch.setenv("TARIFFS_THREADS", threads)
        found.append(array_of(sums_of_draws(table, seed=seed, horizon=horizon, by=("hts4",))[1].groups))
    assert np.array_equal(found[0], found[1], equal_nan=True)
    assert not np.array_equal(found[0], found[2], equal_nan=True)


def test_scenarios_are_paired(table: pl.DataFrame) -> None:
    found = drawn(table, "base", "base", "no-kuala-lumpur-deal", on="2025-12-01", draws=64)
    same, row = ranges_of(found, 1), runs.row_of(ranges_of(found, 2).total, "value_after")
    for level in ("vs_p5", "vs_p95", "vs_positive"):
        assert (same.total[level] == 0.0).all()
    # A higher duty lowers imports in every draw, and its range is far narrower than that of the imports themselves.
    assert row["vs_positive"] == 0.0
    assert row["vs_p95"] < 0.0
    assert row["vs_p95"] - row["vs_p5"] < 0.5 * (row["p95"] - row["p5"])


def test_quantiles_agree_with_a_plain_run_of_many_draws() -> None:
    """One product, drawn a million times with NumPy's own generator and the closed form of its varieties."""
    code = reference_table().group_by("hts").len().filter(pl.col("len") > 3).sort("hts")["hts"][100]
    frame = reference_table().filter(hts=code).select("hts", "origin", "customs_value").head(4)
    found = drawn(frame, draws=1024, spreads=Spreads(1.0, 0.35, 0.0, 0.0), by=("hts10",))
    valuer = run_with(frame)
    outcome = valuer.outcomes(BASE, DRAWN_DAY)[0]
    assert valuer.response is not None
    p, v0 = valuer.response.parameters, valuer.prepared.lines.value
    t1 = outcome.duties.duty / v0
    t0 = (outcome.duties.duty - outcome.columns["landed_change"]) / v0
    random, count = np.random.default_rng(11), 1_000_000
    spread, w = 1.28 * p.spread[0], 1.0 / p.supply[0]
    excess = np.exp(spread * random.standard_normal(count) - 0.5 * spread**2 * (1.0 - 0.6**2))
    sigma = np.clip(1.0 + (p.sigma[0] - 1.0) * excess, 1.05, 20.0)
    eta = p.eta[0] * np.exp(0.35 * random.standard_normal(count))
    share, power = v0 * (1 + t0) / (v0 * (1 + t0)).sum(), np.log((1 + t1) / (1 + t0))
    damped = (1 - sigma) / (1 + sigma * w)
    index = np.log(sum(s * np.exp(damped * x) for s, x in zip(share, power, strict=True))) / damped
    x = index / (1 + eta * w)
    quantity = np.zeros(count)
    for value, log_power in zip(v0, power, strict=True):
        log_price = (log_power + w * (sigma - eta) * x) / (1 + sigma * w)
        quantity += value * np.exp(-sigma * log_price + (sigma - eta) * x)
    row = runs.row_of(ranges_of(found).total, "quantity_hat")
    for level, part in (("p5", 0.05), ("p50", 0.5), ("p95", 0.95)):
        error = max(row[f"{level}_error"], 1e-9)
        assert abs(row[level] - np.quantile(quantity / v0.sum(), part)) < 4 * error + 1e-12, level


def test_the_tornado_is_sorted_and_names_what_moves(table: pl.DataFrame) -> None:
    ranges = ranges_of(drawn(table))
    tornado = ranges.tornado
    assert set(tornado["parameter"]) >= {"sigma", "eta", "supply", "sigma, section VIII"}
    for column in TOTAL_COLUMNS:
        assert tornado.filter(column=column)["swing"].drop_nulls().is_sorted(descending=True)
    # Diversion sums to 0 over every product: its total would be rounding alone.
    assert "diversion" not in {*tornado["column"], *ranges.total["column"]}
    assert tornado.filter(column="quantity_hat")["parameter"][0] in {"eta", "sigma"}
    assert tornado["rank_correlation"].drop_nulls().is_between(-1.0, 1.0).all()


def test_the_ends_of_a_parameter_hold_four_fifths_of_its_draws(table: pl.DataFrame) -> None:
    spreads = Spreads(sigma=0.0, supply=0.0, claims=0.0)
    ends = ranges_of(drawn(table, spreads=spreads)).tornado.filter(column="value_after", parameter="eta")
    values = sums_of_draws(table, spreads=spreads)[1].total["value_after"]
    assert np.mean((values > ends["low"][0]) != (values > ends["high"][0])) == pytest.approx(0.8, abs=0.03)


def test_diversion_over_whole_products_is_zero_and_not_its_rounding(table: pl.DataFrame) -> None:
    of_products, of_origins = (drawn(table, draws=0, by=(key,)).scenarios[0] for key in ("hts4", "origin"))
    assert of_products.total["diversion"] == 0.0
    assert (of_products.groups["diversion"] == 0.0).all()
    assert np.abs(of_origins.groups["diversion"].to_numpy()).max() > 1e3


def test_domestic_shipments_of_ones_own_hold_imports_and_their_draws_down(
    table: pl.DataFrame, tmp_path: Path
) -> None:
    """With home goods at hand demand for imports is nearer to kappa than to eta."""
    path, hats = tmp_path / "own.csv", []
    for text in (
        "hts,sigma,eta\n36,5,1\n43,5,1\n",
        "hts,sigma,eta,spread,kappa,domestic_ratio\n36,5,1,0,4,9\n43,5,1,0,,\n",
    ):
        path.write_text(text)
        found = drawn(table, parameter_set=str(path), by=("hts2",), spreads=QUIET)
        hats.append(found.scenarios[0].groups.sort("hts2")["quantity_hat"])
    ranges = ranges_of(found).groups.filter(column="quantity_hat").sort("hts2")
    assert ranges["p50"].equals(hats[1].alias("p50"))
    assert (hats[1][0] < hats[0][0], hats[1][1]) == (True, hats[0][1])
    path.write_text("hts,domestic_ratio\n36,9\n")
    with pytest.raises(InputError, match="kappa"):
        drawn(table, parameter_set=str(path), draws=0)


def test_a_negative_spread_and_too_many_groups_are_refused(table: pl.DataFrame) -> None:
    with pytest.raises(InputError) as caught:
        drawn(table, spreads=Spreads(-1.0))
    assert (caught.value.reason, caught.value.field) == ("PARAMETER_INVALID", "sigma")
    with pytest.raises(InputError, match="do not fit"):
        drawn(runs.goods_of("84"), by=("hts10", "origin"), draws=16_384)


def test_a_caller_who_leaves_stops_the_draws(table: pl.DataFrame) -> None:
    told: list[str] = []
    points, options = [Point(BASE, DRAWN_DAY)], Options(baseline=runs.BASELINE, draws=16_384)
    with pytest.raises(ServiceError, match="cancelled"):
        impact(
            table, points, law=load_law(), options=options, progress=lambda stage, _: told.append(stage),
            cancelled=lambda: any("drawing" in stage for stage in told),
        )  # fmt: skip
    assert sum("drawing" in stage for stage in told) <= 2


def test_progress_moves_while_conventions_of_claims_are_drawn() -> None:
    told: list[float] = []

    def tell(stage: str, fraction: float) -> None:
        if "drawing" in stage:
            told.append(fraction)

    points, options = [Point(BASE, DRAWN_DAY)], Options(baseline=runs.BASELINE, draws=128)
    impact(runs.goods_of("87"), points, law=load_law(), options=options, progress=tell)
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0.5, 1.0)
    assert len(set(told)) > 3


def test_the_client_has_the_frames_the_json_and_what_was_drawn(table: pl.DataFrame) -> None:
    with Client.local() as client:
        given: Any = {"on": DRAWN_DAY, "baseline": runs.BASELINE, "horizon": "long", "draws": 16, "seed": 7}
        found = client.impact(table, ["base", "fentanyl-zero"], **given)
    assert found.ranges is not None
    expected = ranges_of(drawn(table, "base", "fentanyl-zero"), 1)
    mine = found.ranges.groups.filter(scenario="fentanyl-zero").drop("scenario", "on")
    assert mine.equals(expected.groups)
    document = json.loads(json.dumps(found.to_json_dict()))
    assert {"ranges", "total_ranges", "tornado"} <= document["scenarios"][1].keys()
    assert document["scenarios"][0]["total_ranges"][0].keys() >= {"column", "central", "p5", "p95"}
    details = document["provenance"]["details"]
    assert (details["draws"]["count"], details["draws"]["seed"]) == (16, 7)
    assert details["model"].items() >= {"form": "ces", "horizon": "long", "set": "long"}.items()
    static: Any = drawn(table, draws=0, response="none").provenance
    assert static["model"]["ignores"] == ["all behaviour"]


CUT = """changes:
  - {op: shock_quantity, products: ["9503"], origins: [CN], share: 50%, rents: importer, from: 2025-06-01}
"""


@pytest.mark.parametrize("options", [{}, {"horizon": "path"}, {"market": "sector", "horizon": "path"}])
def test_who_bears_a_duty_has_ranges_that_follow_from_those_of_trade(
    table: pl.DataFrame, options: dict[str, Any]
) -> None:
    found = drawn(table, spreads=Spreads(claims=0.0), **options)
    total, ranges = total_of(found), ranges_of(found).total
    duty, revenue = runs.row_of(ranges, "duty_after"), runs.row_of(ranges, "revenue_change")
    for level in ("central", *runs.LEVELS[1:]):
        base = total["duty_after"] - total["revenue_change"]
        assert revenue[level] == pytest.approx(duty[level] - base, rel=1e-12)
    names = {*FURTHER_COLUMNS} & {*total}
    assert names >= {"borne_abroad", "importer_share", "exporter_price_hat"}
    assert (options.get("market") == "sector") == (names >= {*DOMESTIC_COLUMNS[1:]})
    for name in names:
        row = runs.row_of(ranges, name)
        assert row["central"] == total[name]
        assert row["p5"] <= row["p50"] <= row["p95"]


@pytest.mark.parametrize("horizon", ["short", "path"])
def test_domestic_goods_of_a_draw_are_those_of_a_run_with_its_elasticities(
    table: pl.DataFrame, horizon: str
) -> None:
    spreads = Spreads(eta=0.0, claims=0.0)
    run = run_with(table, draws=16, seed=0, spreads=spreads, horizon=horizon, market="sector", by=("hts2",))
    drawing, outcomes = UncertaintyRun(run), run.outcomes(BASE, DRAWN_DAY)
    assert run.response is not None
    keep = run.kept(outcomes)
    sums = drawing.point(outcomes, keep, lambda share: None).sums
    for draw in (0, 7, 15):
        own = drawing.parameters.draw(draw)
        response = replace(run.response, parameters=own)
        expected = ResponseSums(run.prepared, run.grouping, response, outcomes[0], keep, ())([own]).groups
        for name in DOMESTIC_SUMS:
            np.testing.assert_allclose(sums.groups[name][draw], expected[name][0], rtol=1e-12)


def test_what_a_limit_does_not_reach_does_not_differ_in_any_draw_and_its_rents_have_ranges(
    table: pl.DataFrame,
) -> None:
    given: Any = {"on": "2025-07-01", "horizon": "short"}
    goods = pl.concat([table, runs.goods_of("95")])
    ranges = ranges_of(drawn(goods, "base", runs.scenario_of(CUT), by=("hts4",), **given), 1).groups
    others = ranges.filter(pl.col("hts4") != "9503")
    for name in ("vs_p5", "vs_p50", "vs_p95", "vs_positive"):
        assert (others[name] == 0.0).all()
    assert (ranges.filter(hts4="9503", column="value_after")["vs_p95"] < 0.0).all()
    toys = runs.table_of({runs.TOYS: {"CN": 4e9, "VN": 1e9}})
    found = drawn(toys, runs.scenario_of(CUT), seed=0, **given)
    for name in ("quota_premium", "rent_importer"):
        row = runs.row_of(ranges_of(found).total, name)
        assert 0.0 < row["p5"] < row["p95"]
        assert row["p5"] <= row["central"] == total_of(found)[name] <= row["p95"]
    of_china = runs.row_of(ranges_of(found).groups.filter(origin="CN"), "rent_importer")
    assert of_china["p50"] == pytest.approx(row["p50"], rel=1e-12)
