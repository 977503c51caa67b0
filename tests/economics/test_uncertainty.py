"""Ranges over draws: nothing drawn is the plain run, draws belong to products, and quantiles are right."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.client import Client, InvalidRequest
from tariffs.engine.errors import InputError, ServiceError
from tariffs.engine.law import load_law
from tariffs.engine.response import Spreads
from tariffs.engine.response.elasticities.draws import REPLICATES
from tariffs.engine.runs.draws import uncertainty
from tariffs.engine.runs.draws.ranges import COLUMNS, FURTHER_COLUMNS, TOTAL_COLUMNS, _errors
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.runs.outcomes.response_sums import ResponseSums
from tariffs.engine.runs.outcomes.table_run import RunContext, TableRun
from tariffs.engine.scenario import library
from tariffs.engine.schedule.reference_data import reference_table
from tests.economics.drawn_runs import (
    DAY,
    LEVELS,
    QUIET,
    array_of,
    goods_of,
    ranges_of,
    row_of,
    run_of,
    sums_of_draws,
)
from tests.economics.runs import BASELINE, scenario_of, total_of


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    return goods_of("36", "43", "67")


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
    found = run_of(table, response=response, by=by, spreads=QUIET)
    plain = run_of(table, response=response, by=by, draws=0).scenarios[0]
    assert plain.ranges is None
    assert found.scenarios[0].groups.equals(plain.groups)
    assert found.scenarios[0].total == plain.total
    ranges = ranges_of(found).groups
    if "authority" in by:
        assert set(ranges["column"]) == {"duty_after"}
        assert plain.groups["authority"].n_unique() > 2
    for column in (*COLUMNS, *FURTHER_COLUMNS):
        groups = ranges.filter(column=column)
        if groups.height:
            assert groups.select(sorted(by)).equals(plain.groups.select(sorted(by)))
            expected = plain.groups[column].fill_null(math.nan).to_numpy()
            for level in ("central", *LEVELS[1:]):
                values = groups[level].fill_null(math.nan).to_numpy()
                assert np.array_equal(values, expected, equal_nan=True), (column, level)
    for row in ranges_of(found).total.to_dicts():
        assert {row[level] for level in ("central", *LEVELS[1:])} == {plain.total[row["column"]]}
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
    found = run_of(table, "base", "ieepa-upheld-truce-kept", on="2026-06-01", by=("authority",))
    assert not any("ieepa" in name for name in ranges_of(found).groups["authority"])
    rows = ranges_of(found, 1).groups.filter(pl.col("authority").str.starts_with("ieepa"))
    assert rows.height
    for level in ("p5", "p50", "p95"):
        assert rows[level].equals(rows[f"vs_{level}"].alias(level))
    assert (rows["vs_positive"] == 1.0).all()


def test_bans_of_whole_origins_are_drawn_side_by_side_as_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Canadian drinks may not enter on this day: nothing of them is left in any draw, and others take their place."""
    drinks, day = goods_of("22"), "2026-11-20"
    quick = ranges_of(run_of(drinks, on=day, by=("hts4",)))
    monkeypatch.setattr(
        "tariffs.engine.runs.outcomes.response_sums.is_summed_by_variety", lambda response, outcome: False
    )
    slow = ranges_of(run_of(drinks, on=day, by=("hts4",)))
    for name in ("groups", "total"):
        ours, theirs = (getattr(each, name).filter(pl.col("column") != "diversion") for each in (quick, slow))
        np.testing.assert_allclose(ours["p95"], theirs["p95"], rtol=1e-9)


def test_one_draw_of_ten_has_the_claim_shares_of_each_other_period(table: pl.DataFrame) -> None:
    """Nothing else drawn, the median is the plain run, and the highest duty that of a run with the shares of 2024."""
    day = "2025-12-01"
    found = run_of(table, on=day, draws=64, spreads=Spreads(0.0, 0.0, 0.0, 0.2))
    old = scenario_of("changes:\n  - {op: set_switch, name: usmca_basis, value: '2024'}\n")
    of_2024, row = total_of(run_of(table, old, on=day, draws=0)), row_of(ranges_of(found).total, "duty_after")
    assert row["p50"] == row["central"] == total_of(found)["duty_after"]
    assert row["p95"] == pytest.approx(of_2024["duty_after"], rel=1e-12)
    assert row["p95"] > 1.01 * row["central"]
    (moved,) = ranges_of(found).tornado.filter(column="duty_after", parameter="usmca claims").to_dicts()
    assert (moved["low"], moved["high"]) == (row["p95"], row["central"])
    declared = table.with_columns(usmca_share=pl.lit(0.0))
    assert "usmca claims" not in ranges_of(run_of(declared)).tornado["parameter"]


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
    found = run_of(None, name, baseline="", on=day, horizon=horizon, market=market, draws=draws)
    for row in ranges_of(found).total.to_dicts():
        assert row["p5"] <= row["central"] <= row["p95"], row
        assert abs(row["central"] - row["p50"]) <= 0.1 * (row["p95"] - row["p5"]), row


def test_a_table_of_one_product_has_the_draws_it_has_in_any_other(table: pl.DataFrame) -> None:
    keys, whole = sums_of_draws(table, by=("hts10",))
    for place in (0, keys.height - 1):
        _, alone = sums_of_draws(table.filter(hts=keys["hts10"][place]), by=("hts10",))
        of_whole, of_alone = array_of(whole.groups), array_of(alone.groups)
        assert np.array_equal(of_whole[:, :, place], of_alone[:, :, 0], equal_nan=True)


@pytest.mark.slow
@pytest.mark.parametrize("horizon", ["long", "path"])
def test_threads_and_halves_of_the_products_change_no_bit(
    table: pl.DataFrame, monkeypatch: pytest.MonkeyPatch, horizon: str
) -> None:
    def drawn(goods: pl.DataFrame) -> Any:
        return array_of(sums_of_draws(goods, by=("hts4",), horizon=horizon)[1].groups)

    found = []
    for threads in ("1", "2", "8"):
        monkeypatch.setenv("TARIFFS_THREADS", threads)
        found.append(drawn(table))
    middle = table["hts"].unique().sort()[table["hts"].n_unique() // 2][:4]
    first = pl.col("hts").str.slice(0, 4) < middle
    found.append(np.concatenate([drawn(table.filter(half)) for half in (first, ~first)], axis=2))
    assert all(np.array_equal(found[0], other, equal_nan=True) for other in found)


def test_a_seed_is_a_run_and_another_seed_another(table: pl.DataFrame) -> None:
    one, again, other = (array_of(sums_of_draws(table, seed=seed)[1].total) for seed in (3, 3, 4))
    assert np.array_equal(one, again, equal_nan=True)
    assert not np.array_equal(one, other, equal_nan=True)


def test_scenarios_are_paired(table: pl.DataFrame) -> None:
    found = run_of(table, "base", "base", "no-kuala-lumpur-deal", on="2025-12-01", draws=64)
    same, row = ranges_of(found, 1), row_of(ranges_of(found, 2).total, "value_after")
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
    found = run_of(frame, draws=1024, spreads=Spreads(1.0, 0.35, 0.0, 0.0), by=("hts10",))
    options = Options(baseline=BASELINE, horizon="long")
    valuer = TableRun(frame, load_law(), options, RunContext(None, None))
    outcome = valuer.outcomes(library()["base"], DAY)[0]
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
    row = row_of(ranges_of(found).total, "quantity_hat")
    for level, part in (("p5", 0.05), ("p50", 0.5), ("p95", 0.95)):
        error = max(row[f"{level}_error"], 1e-9)
        assert abs(row[level] - np.quantile(quantity / v0.sum(), part)) < 4 * error + 1e-12, level


def test_the_monte_carlo_error_of_a_quantile_is_that_of_repeated_independent_runs() -> None:
    # Eight replicates of constant draws 0 to 7: every quantile is the replicate's number. Their sample standard
    # deviation is the root of (sum of squares 140 - 8 x 3.5^2) / 7 = 6, and the error of their mean a root of 8 less.
    assert REPLICATES == 8
    for values in _errors(np.repeat(np.arange(8.0), 16)[:, None]).values():
        assert values[0] == pytest.approx(math.sqrt(6.0 / 8.0), rel=1e-12)
    # The median of n normal draws has a standard error of sqrt(pi / 2 / n); 200 columns give it to some 2 percent.
    found = _errors(np.random.default_rng(3).normal(size=(4096, 200)))
    assert set(found) == {"p5_error", "p50_error", "p95_error"}
    expected = math.sqrt(math.pi / 2.0 / 4096)
    assert math.sqrt(float(np.mean(found["p50_error"] ** 2))) == pytest.approx(expected, rel=0.08)


def test_the_tornado_is_sorted_and_names_what_moves(table: pl.DataFrame) -> None:
    ranges = ranges_of(run_of(table))
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
    ends = ranges_of(run_of(table, spreads=spreads)).tornado.filter(column="value_after", parameter="eta")
    values = sums_of_draws(table, spreads=spreads)[1].total["value_after"]
    assert np.mean((values > ends["low"][0]) != (values > ends["high"][0])) == pytest.approx(0.8, abs=0.03)


def test_diversion_over_whole_products_is_zero_and_not_its_rounding(table: pl.DataFrame) -> None:
    found = run_of(table, draws=0, by=("hts4",)).scenarios[0]
    assert found.total["diversion"] == 0.0
    assert (found.groups["diversion"] == 0.0).all()
    by_origin = run_of(table, draws=0).scenarios[0].groups["diversion"].to_numpy()
    assert np.abs(by_origin).max() > 1e3


def test_domestic_shipments_of_ones_own_hold_imports_and_their_draws_down(
    table: pl.DataFrame, tmp_path: Path
) -> None:
    """With home goods at hand demand for imports is nearer to kappa than to eta."""
    own, plain, bare = (tmp_path / f"{name}.csv" for name in ("own", "plain", "bare"))
    own.write_text("hts,sigma,eta,spread,kappa,domestic_ratio\n36,5,1,0,4,9\n43,5,1,0,,\n")
    plain.write_text("hts,sigma,eta\n36,5,1\n43,5,1\n")
    bare.write_text("hts,domestic_ratio\n36,9\n")
    found = run_of(table, parameter_set=str(own), by=("hts2",), spreads=QUIET)
    two_tier = run_of(table, parameter_set=str(plain), by=("hts2",), draws=0)
    hats, without = (one.scenarios[0].groups.sort("hts2")["quantity_hat"] for one in (found, two_tier))
    drawn = ranges_of(found).groups.filter(column="quantity_hat").sort("hts2")
    assert drawn["p50"].equals(hats.alias("p50"))
    assert hats[0] < without[0]
    assert hats[1] == without[1]
    with pytest.raises(InputError, match="kappa"):
        run_of(table, parameter_set=str(bare), draws=0)


def test_a_negative_spread_is_refused(table: pl.DataFrame) -> None:
    with pytest.raises(InputError) as caught:
        run_of(table, spreads=Spreads(-1.0))
    assert (caught.value.reason, caught.value.field) == ("PARAMETER_INVALID", "sigma")


def test_too_many_groups_for_the_draws_are_refused() -> None:
    with pytest.raises(InputError, match="do not fit"):
        run_of(goods_of("84"), by=("hts10", "origin"), draws=16_384)


def test_a_caller_who_leaves_stops_the_draws(table: pl.DataFrame) -> None:
    told: list[str] = []
    with pytest.raises(ServiceError, match="cancelled"):
        impact(
            table,
            [Point(library()["base"], DAY)],
            law=load_law(),
            options=Options(baseline=BASELINE, draws=16_384),
            progress=lambda stage, fraction: told.append(stage),
            cancelled=lambda: any("drawing" in stage for stage in told),
        )
    assert sum("drawing" in stage for stage in told) <= 2


def test_progress_moves_while_conventions_of_claims_are_prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[float] = []
    at_preparation: list[float] = []
    drew = Event()

    class Watched(ResponseSums):
        """Sums whose preparation waits until the first draws are there."""

        def __init__(self, *args: Any, **options: Any) -> None:
            if at_preparation:
                assert drew.wait(60.0)
                time.sleep(0.05)
            at_preparation.append(told[-1])
            super().__init__(*args, **options)

        def __call__(self, parameters: Any) -> Any:
            found = super().__call__(parameters)
            drew.set()
            return found

    def tell(stage: str, fraction: float) -> None:
        if "drawing" in stage:
            told.append(fraction)

    monkeypatch.setattr(uncertainty, "ResponseSums", Watched)
    points, options = [Point(library()["base"], DAY)], Options(baseline=BASELINE, draws=128)
    impact(goods_of("87"), points, law=load_law(), options=options, progress=tell)
    assert len(at_preparation) == 3
    assert at_preparation[0] == told[0] == 0.5
    assert told[0] < at_preparation[2] < told[-1] == 1.0
    assert told == sorted(told)


def test_the_client_has_the_frames_the_json_and_what_was_drawn(table: pl.DataFrame) -> None:
    options: dict[str, Any] = {"on": DAY, "baseline": BASELINE, "horizon": "long", "draws": 16, "seed": 7}
    with Client.local() as client:
        found = client.impact(table, ["base", "fentanyl-zero"], **options)
        for field, bad in (("draws", 24), ("seed", -1)):
            with pytest.raises(InvalidRequest, match=field):
                client.impact(table, ["base"], **{**options, field: bad})
    assert found.ranges is not None
    expected = ranges_of(run_of(table, "base", "fentanyl-zero"), 1)
    mine = found.ranges.groups.filter(scenario="fentanyl-zero").drop("scenario", "on")
    assert mine.equals(expected.groups)
    document = json.loads(json.dumps(found.to_json_dict()))
    assert {"ranges", "total_ranges", "tornado"} <= document["scenarios"][1].keys()
    assert document["scenarios"][0]["total_ranges"][0].keys() >= {"column", "central", "p5", "p95"}
    details = document["provenance"]["details"]
    assert (details["draws"]["count"], details["draws"]["seed"]) == (16, 7)
    model = details["model"]
    assert (model["form"], model["horizon"], model["set"]) == ("ces", "long", "long")
    assert model["ignores"]
    static: Any = run_of(table, draws=0, response="none").provenance
    assert static["model"]["ignores"] == ["all behaviour"]
