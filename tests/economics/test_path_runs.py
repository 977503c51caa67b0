"""Runs with the horizon `path`: beside the slow version on real days, without jumps, and memory of ended duties."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.client import Client
from tariffs.engine.law.loader import load_law
from tariffs.engine.response.elasticities.parameters import parameters_for
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import library
from tariffs.engine.schedule.reference_data import reference_table
from tests.economics import runs
from tests.economics.independent import adjustment as slow
from tests.economics.runs import BASELINE, TOYS, run_of, table_of, total_of

VALUES = {"CN": 60.0, "VN": 25.0, "DE": 10.0, "BR": 5.0}
TABLE = table_of({TOYS: VALUES})
BASE = library()["base"]


def run(on: str, horizon: str = "path", **options: Any) -> pl.DataFrame:
    return runs.lines_of(run_of(TABLE, on=on, horizon=horizon, include_lines=True, **options))


def rates_by_day(end: str) -> list[tuple[date, list[float]]]:
    """Rates of the origins from each day on which they differ from the day before."""
    options = Options(baseline=BASELINE, response="none", by=("origin",))
    found = timeline(TABLE, [BASE], BASELINE, end, law=load_law(), options=options).scenarios[0].segments
    days: list[tuple[date, list[float]]] = []
    for (day,), rows in found.group_by("start", maintain_order=True):
        of_origin = dict(rows.select("origin", "effective_rate").iter_rows())
        rates = [of_origin[origin] for origin in VALUES]
        if not days or rates != days[-1][1]:
            days.append((date.fromisoformat(str(day)), rates))
    return days


def elasticities(horizon: str) -> slow.Elasticities:
    p = parameters_for([TOYS], horizon=horizon)
    return slow.Elasticities(float(p.sigma[0]), float(p.eta[0]), float(p.supply[0]))


@pytest.mark.parametrize("on", ["2025-12-01", "2026-11-20"])
def test_the_path_on_a_day_composes_the_rates_of_all_days_before(on: str) -> None:
    (_, start), *changes = rates_by_day(on)
    stages = [elasticities(horizon) for horizon in ("impact", "short", "long")]
    ages = [(date.fromisoformat(on) - day).days / 365 for day, _ in changes]
    aged = [slow.elasticities_at(age, *stages) for age in ages]
    steps, v0 = list(zip(aged, (rates for _, rates in changes), strict=True)), list(VALUES.values())
    market, found = slow.composed(v0, start, steps), run(on)
    assert len(steps) >= 8
    np.testing.assert_allclose(found["value_after"], market.value, rtol=1e-9)
    np.testing.assert_allclose(found["quantity_hat"], market.quantity, rtol=1e-9)
    np.testing.assert_allclose(found["creation"], slow.creation(market, v0), rtol=1e-9, atol=1e-9)
    known = run(on, known_on="entry")["value_after"].to_list()
    assert known == pytest.approx(found["value_after"].to_list(), rel=0.02)


def test_on_the_day_of_the_first_change_the_path_is_the_impact_and_so_are_its_draws() -> None:
    path, at_once = (run("2025-02-04", name)["value_after"] for name in ("path", "impact"))
    assert path.to_list() == pytest.approx(at_once.to_list(), rel=1e-12)
    assert path.sum() < 100.0
    assert run("2025-02-03")["value_after"].to_list() == list(VALUES.values())
    drawn = [run_of(TABLE, on="2025-02-04", horizon=name, draws=64, seed=5) for name in ("impact", "path")]
    named, ours = map(runs.ranges_of, drawn)
    for name in ("p5", "p50", "p95"):
        np.testing.assert_allclose(ours.total[name], named.total[name], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("response", "limit"), [("passthrough", 0.02), ("smart", 0.05)])
def test_other_models_have_no_jump_on_a_day_without_an_act(response: str, limit: float) -> None:
    """In shares of the trade at the baseline: a month adds 0.06 to eta, times a duty of up to 91 % in linear demand."""
    options = Options(baseline=BASELINE, horizon="path", response=response)
    found = timeline(TABLE, [BASE], BASELINE, "2026-12-31", law=load_law(), options=options)
    rows = found.scenarios[0].totals.select("effective_rate", "value_after", "days").rows()
    assert max(days for _, _, days in rows) <= 30
    quiet = [
        abs(after - before) / sum(VALUES.values())
        for (rate, before, _), (next_rate, after, _) in itertools.pairwise(rows)
        if rate == next_rate
    ]
    assert len(quiet) >= 10
    assert max(quiet) < limit
    assert sum(quiet) > 0.01


ONE_IN = 40
"""Products of which one is in the sample."""
A_DAY, A_DAY_OF_AN_ORIGIN, A_MONTH = 0.0005, 0.004, 0.01
"""Most that adjustment may move of the trade at the baseline: in total and of an origin in a day, in total in a row."""


@cache
def goods(scale: int) -> pl.DataFrame:
    """The embedded table, or all origins of a sample of its products."""
    table = reference_table()
    return table if scale > 1 else table.filter(pl.col("hts").rank("dense") % ONE_IN == 0)


@cache
def rows_of(scale: int) -> pl.DataFrame:
    """Rows of the default timeline of three years, with what each adds to the row before it."""
    options = Options(baseline=BASELINE)
    found = timeline(goods(scale), [BASE], BASELINE, "2027-12-31", law=load_law(), options=options)
    moved = (pl.col("value_after") - pl.col("value_after").shift(1)).abs() / pl.col("customs_value")
    return found.scenarios[0].totals.with_columns(
        quiet=pl.col("effective_rate") == pl.col("effective_rate").shift(1), moved=moved
    )


def test_a_timeline_of_three_years_has_no_jump_on_a_day_without_an_act(scale: int) -> None:
    rows = rows_of(scale)
    quiet = rows.filter("quiet")
    assert rows["days"].to_numpy().max() == 30
    assert quiet.height >= 12
    assert quiet["moved"].to_numpy().max() < A_MONTH, quiet.sort("moved").tail(3)
    # Acts move more than a month of adjustment does.
    assert rows.filter(~pl.col("quiet"))["moved"].to_numpy().max() > 3 * A_MONTH


def test_the_default_answer_moves_little_on_a_day_without_an_act(scale: int) -> None:
    """On two days that are named, and on first days of rows of the timeline, with the day before and after."""
    firsts = rows_of(scale)["start"].cast(pl.String).to_list()[1 :: 5 if scale == 1 else 3]
    named = ("2025-12-01", "2026-11-20", *firsts)
    days = sorted({date.fromisoformat(first) + timedelta(days=add) for first in named for add in (-1, 0, 1)})
    points = [Point(BASE, day.isoformat()) for day in days]
    found = impact(goods(scale), points, law=load_law(), options=Options(baseline=BASELINE)).scenarios
    blocks, compared = dict(zip(days, found, strict=True)), 0
    for day, block in blocks.items():
        if (later := blocks.get(day + timedelta(days=1))) is None:
            continue
        both = block.groups.join(later.groups, on="origin", suffix="_later")
        if (both["duty"] != both["duty_later"]).any():
            continue  # an act
        compared += 1
        moved = np.abs(both["value_after_later"].to_numpy() - both["value_after"].to_numpy())
        value = both["customs_value"].to_numpy()
        assert moved.sum() / value.sum() < A_DAY, day
        # Some origins of the whole table sell nothing.
        is_large = value > value.sum() / 1000
        assert (moved[is_large] / value[is_large]).max() < A_DAY_OF_AN_ORIGIN, day
    assert compared >= 10


ON = "2026-03-15"
NEVER = "changes:\n  - {op: terminate, measures: {authority: ieepa}, at: 2025-01-02}\n"
SHORT_LIVED = runs.added(
    "short", "2025-02-01T00:01-05:00", "origins: [CN], rate: 40%", period="known_from: 2025-01-02, "
)
ENDED = f"""changes:
{SHORT_LIVED}  - {{op: terminate, measures: {{id: short}}, at: 2025-08-01, known_from: 2025-01-02}}
"""


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    return reference_table().gather_every(200)


def test_laws_that_are_equal_today_differ_by_the_line_of_ended_duties_alone(table: pl.DataFrame) -> None:
    found = run_of(table, BASE, runs.scenario_of(NEVER), on=ON, memory=True, by=("hts10",))
    one, other = total_of(found), total_of(found, 1)
    assert one["duty"] == pytest.approx(other["duty"], rel=1e-12)
    for name in ("unadjusted_surplus", "ended_surplus"):
        groups = [block.groups for block in found.scenarios]
        rests = [(each["buyer_surplus"] - each[name]).to_list() for each in groups]
        assert rests[0] == pytest.approx(rests[1], rel=1e-9, abs=1e-6)
        assert one[name] == pytest.approx(groups[0][name].sum(), rel=1e-9)
    assert one["buyer_surplus"] < one["ended_surplus"] < 0.0
    difference = one["buyer_surplus"] - other["buyer_surplus"]
    assert one["ended_surplus"] - other["ended_surplus"] == pytest.approx(difference, rel=1e-9)


def test_trade_returns_steadily_after_a_duty_ends(table: pl.DataFrame) -> None:
    """While both steps are in their first year trade stands still, to 0.05 %; then it comes nearer on every day."""
    options = Options(baseline=BASELINE, known_on="2025-01-02", by=("origin",))
    china, scenarios = table.filter(pl.col("origin") == "CN"), [runs.scenario_of(ENDED), BASE]
    found = timeline(china, scenarios, "2025-08-01", "2028-12-31", law=load_law(), options=options).scenarios
    trade = [block.totals["value_after"].to_numpy() for block in found]
    share = trade[0] / trade[1]
    assert len(share) > 40
    steps = np.diff(share)
    young = np.array([start < "2026-02-01" for start in found[0].totals["start"]])[1:]
    assert (np.abs(steps[young]) < 5e-4).all()
    assert (steps[~young] > 0.0).all()
    assert share[0] < 0.95 < share[-1] < 1.0


def test_answers_and_reports_say_which_part_is_of_ended_duties(table: pl.DataFrame) -> None:
    with Client.local() as client:
        result = client.impact(table, on=ON, baseline=BASELINE, memory=True)
        plain = client.impact(table, on=ON, baseline=BASELINE)
    assert "of which duties that have ended" in str(result)
    assert "have ended" not in str(plain)
    assert "of which duties that have ended" in result.report()
    # It chooses what is returned, not what is computed.
    assert result.provenance["run_digest"] == plain.provenance["run_digest"]
    names = {"unadjusted_surplus", "ended_surplus"}
    assert result.groups.drop(names & set(result.groups.columns)).equals(plain.groups)
