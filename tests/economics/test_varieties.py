"""Atoms with rates of their own respond as varieties of their own, beside a plain loop over atoms."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.engine.response import armington, parameters_for
from tariffs.engine.response.kernels import authority_duties, carried
from tariffs.engine.runs.impact import Impact
from tariffs.engine.schedule.reference_data import reference_table
from tests.economics.runs import BASELINE, lines_of, rates_on, run_of, scenario_of, total_of

DAY = "2025-11-15"
CODES = ("8544300000", "8708295160", "9403200050", "7318152095")
SHARES = ("usmca_share", "civil_aircraft_share")
UNCLAIMED = (
    "fta_share", "vehicle_part_share", "qualifying_share", "patented_share", "renumbered_share", "quartz_share",
    "exclusion_share", "in_quota_share",
)  # fmt: skip
RESULTS = ("value_after", "duty_after", "landed_after", "creation", "diversion", "duty", "quantity_hat")
SOME = reference_table().filter(pl.col("hts").is_in(CODES)).select("hts", "origin", "customs_value")
IS_MEMBER = pl.col("origin").is_in(["CA", "MX"])


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    """Some products from all their origins, with shares of claims that do not follow from codes."""
    rng = np.random.default_rng(3)
    return SOME.with_columns(
        freight=pl.col("customs_value") * 0.04,
        usmca_share=pl.when(IS_MEMBER).then(pl.Series(rng.uniform(0.05, 0.95, SOME.height))),
        civil_aircraft_share=pl.Series(np.where(rng.random(SOME.height) < 0.3, 0.25, 0.0)),
        **dict.fromkeys(UNCLAIMED, pl.lit(0.0)),
        lot=pl.Series([f"lot {index}" for index in range(SOME.height)]),
    )


def split(table: pl.DataFrame) -> pl.DataFrame:
    """The same goods as lines that claim as a whole or not at all."""
    rows = []
    for row in table.iter_rows(named=True):
        parts = [(1.0, dict[str, float]())]
        for name in SHARES:
            share = row[name] or 0.0
            known = [] if row[name] is None else [(share, 1.0), (1.0 - share, 0.0)]
            parts = [
                (weight * part, claims | {name: claim})
                for weight, claims in parts
                for part, claim in known or [(1.0, math.nan)]
                if part > 0.0
            ]
        for weight, claims in parts:
            amounts = {name: row[name] * weight for name in ("customs_value", "freight")}
            rows.append({**row, **amounts, **claims})
    return pl.DataFrame(rows).with_columns(pl.col(SHARES).fill_nan(None))


def run(table: pl.DataFrame, *scenarios: Any, **options: Any) -> Impact:
    return run_of(table, *scenarios, on=DAY, **{"by": ("origin", "hts10"), "horizon": "long", **options})


def plain_loop(table: pl.DataFrame) -> tuple[dict[str, dict[str, float]], float, float]:
    """Nested CES by product over the atoms of the lines; sums by lot, and surplus and welfare of the table."""
    lines = split(table).with_row_index("place")
    t0, t1 = rates_on(lines, BASELINE), rates_on(lines, DAY)
    v0, freight, lots, codes = (lines[name].to_list() for name in ("customs_value", "freight", "lot", "hts"))
    by_lot: dict[str, dict[str, float]] = defaultdict(lambda: dict.fromkeys(RESULTS[:6], 0.0))
    surplus = revenue = 0.0
    for code in CODES:
        p = parameters_for([code], horizon="long")
        sigma, eta, w = p.sigma[0], p.eta[0], 1.0 / p.supply[0]
        atoms = [i for i in range(len(v0)) if codes[i] == code]
        landed = sum(v0[i] * (1 + t0[i]) for i in atoms)
        rise = {i: (1 + t1[i]) / (1 + t0[i]) for i in atoms}
        power = (1 - sigma) / (1 + sigma * w)
        total = sum(v0[i] * (1 + t0[i]) / landed * rise[i] ** power for i in atoms)
        x = math.log(total) / power / (1 + eta * w)
        shift = (sigma - eta) * x
        hat = {i: math.exp((shift - sigma * math.log(rise[i])) / (1 + sigma * w)) for i in atoms}
        growth = sum(v0[i] * hat[i] for i in atoms) / sum(v0[i] for i in atoms)
        surplus -= landed * (math.exp((1 - eta) * x) - 1) / (1 - eta)
        for i in atoms:
            value = v0[i] * hat[i] ** (1 + w)
            cost = value * (1 + t1[i]) + freight[i] * hat[i]
            moved = v0[i] * (growth - 1), v0[i] * (hat[i] - growth)
            for name, amount in zip(
                RESULTS, (value, value * t1[i], cost, *moved, v0[i] * t1[i]), strict=False
            ):
                by_lot[lots[i]][name] += amount
            revenue += value * t1[i] - v0[i] * t0[i]
    return by_lot, surplus, surplus + revenue


def test_atoms_respond_as_in_a_plain_loop(table: pl.DataFrame) -> None:
    expected, surplus, welfare = plain_loop(table)
    found = run(table, by=("lot",), include_lines=True)
    for frame in (found.scenarios[0].groups, lines_of(found)):
        for row in frame.iter_rows(named=True):
            for name, amount in expected[row["lot"]].items():
                scale = abs(row["customs_value"])
                assert row[name] == pytest.approx(amount, rel=1e-9, abs=1e-9 * scale), (row["lot"], name)
    assert total_of(found)["buyer_surplus"] == pytest.approx(surplus, rel=1e-9)
    assert total_of(found)["welfare"] == pytest.approx(welfare, rel=1e-9)


@pytest.mark.parametrize("response", ["armington", "passthrough", "smart"])
def test_shares_on_a_line_answer_as_lines_of_their_own(table: pl.DataFrame, response: str) -> None:
    (whole,), (parts,) = (run(one, response=response).scenarios for one in (table, split(table)))
    for name in RESULTS:
        ours, theirs = (block.groups[name].to_numpy() for block in (whole, parts))
        scale = np.nanmax(np.abs(ours))
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10 * scale, err_msg=name)
    assert whole.total["welfare"] == pytest.approx(parts.total["welfare"], rel=1e-10)


@pytest.mark.parametrize("response", ["armington", "smart"])
def test_results_have_the_same_bits_in_any_order_of_lines(
    table: pl.DataFrame, response: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two lots that agree in product, origin and value, so that only their claims tell them apart.
    lines = pl.concat([table, table.filter(pl.col("origin") == "CA").with_columns(usmca_share=0.3)])
    first = run(lines, by=("origin",), response=response).scenarios[0].groups
    for seed in range(3):
        monkeypatch.setenv("TARIFFS_THREADS", str(1 + seed))
        shuffled = lines.sample(fraction=1.0, shuffle=True, seed=seed)
        other = run(shuffled, by=("origin",), response=response).scenarios[0].groups
        for name in ("value_after", "duty_after", "creation"):
            assert other[name].to_list() == first[name].to_list(), name


def test_duty_after_by_authority_adds_up_to_that_of_the_group(table: pl.DataFrame) -> None:
    cut = "changes:\n  - {op: shock_quantity, origins: [CN], share: 50%, from: 2025-02-01}\n"
    for scenario in ("base", scenario_of(cut)):
        whole, parts = (
            run(table, scenario, by=by).scenarios[0].groups for by in (("origin",), ("origin", "authority"))
        )
        joined = whole.join(parts.group_by("origin").agg(both=pl.col("duty_after").sum()), on="origin")
        np.testing.assert_allclose(joined["both"], joined["duty_after"], rtol=1e-12)


def test_setting_the_share_that_lines_have_changes_nothing() -> None:
    rows = SOME.with_columns(usmca_share=pl.when(IS_MEMBER).then(0.4))
    change = "changes:\n  - {op: set_claim, claim: usmca_share, origins: [CA, MX], share: 40%}\n"
    found = run(rows, "base", scenario_of(change), scenario_of(change.replace("40%", "40.0001%"), "near"))
    one, same, almost = (total_of(found, place) for place in range(3))
    for name in ("value_after", "duty_after", "welfare"):
        assert same[name] == pytest.approx(one[name], rel=1e-12)
        assert almost[name] == pytest.approx(one[name], rel=1e-5)


def both(kernel: Any) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("kernel", [kernel, kernel.py_func], ids=["compiled", "plain"])


@both(carried.carry_amounts)
def test_goods_that_stop_claiming_bear_the_rates_of_what_they_become(kernel: Any) -> None:
    start, piece, claimed = np.array([0, 2]), np.zeros(2, dtype=np.int32), np.array([0, 1])
    amounts, found = np.array([[0.25], [0.0]]), np.zeros((2, 1))
    kernel(
        np.array([0]), start, piece, claimed, np.array([0.6, 0.4]),
        start, piece, claimed, np.array([0.1, 0.9]), claimed, amounts, found,
    )  # fmt: skip
    # Of the 60 % that did not claim, 10 % of the line still does not, and the rest claims now.
    np.testing.assert_allclose(found[:, 0], [0.25 / 6, 0.0], atol=1e-15)
    assert found[:, 0] @ [0.6, 0.4] == pytest.approx(0.1 * 0.25)


@both(authority_duties.sum_duties)
def test_duties_by_column_are_those_of_exact_arithmetic(kernel: Any) -> None:
    rng = np.random.default_rng(12)
    count, draws = 40, 3
    group, class_of = rng.integers(-1, 4, count), rng.integers(0, 3, count)
    after, start = np.exp(rng.normal(0.0, 3.0, (count, draws))), np.array([0, 2, 2, 3])
    column, per_column, duties = np.array([0, 1, 1]), np.array([0.1, 0.2, 0.4]), np.zeros((8, draws))
    kernel(group, class_of, start, column, per_column, 2, after, duties)
    table = np.array([[0.1, 0.2], [0.0, 0.0], [0.0, 0.4]])
    for row, place, draw in np.ndindex(4, 2, draws):
        terms = (after[:, draw] * table[class_of, place])[group == row]
        assert duties[2 * row + place, draw] == pytest.approx(math.fsum(terms), rel=1e-12, abs=1e-300)


@pytest.mark.parametrize("model", ["armington", "passthrough", "smart", "gsim", "exact_hat"])
def test_totals_and_groups_are_sums_over_lines_in_every_model(table: pl.DataFrame, model: str) -> None:
    found = run(table, response=model, by=("origin",), include_lines=True)
    total, groups, lines = total_of(found), found.scenarios[0].groups, lines_of(found)
    for column in ("value_after", "duty_after", "landed_after", "creation"):
        for parts in (lines, groups):
            assert parts[column].sum() == pytest.approx(total[column], rel=1e-9, abs=1e-3), column


@pytest.mark.slow
def test_own_rates_of_goods_lower_the_duty_of_canada_and_mexico_as_stated() -> None:
    """By 6.8 billion dollars under the law of 2025-11-15, beside each line at its mean rate."""
    own = lines_of(run_of(None, on=DAY, baseline="", include_lines=True, horizon="long"))
    base = lines_of(run_of(None, on=BASELINE, baseline="", include_lines=True, response="none"))
    value = own["customs_value"].cast(pl.Float64).to_numpy()
    before, after = (each["duty"].to_numpy() / np.maximum(value, 1.0) * (value > 0) for each in (base, own))
    codes = own["hts"].unique().sort()
    product = own["hts"].cast(pl.Enum(codes)).to_physical().cast(pl.Int64).to_numpy()
    p = parameters_for(codes, horizon="long")
    mean = armington(product, value, before, after, p.sigma, p.eta, supply=p.supply[product])
    chosen = own["origin"].is_in(["CA", "MX"]).to_numpy()
    at_mean, at_own = (after * mean.value)[chosen].sum(), own["duty_after"].to_numpy()[chosen].sum()
    assert at_mean - at_own == pytest.approx(6.8e9, rel=0.02)
    assert (at_mean, at_own) == pytest.approx((46.4e9, 39.5e9), rel=0.002)
