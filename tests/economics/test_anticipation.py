"""Buying ahead: an independent slow version, the limits as identities, and the first quarter of 2025."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.client import Client
from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.response.trade import anticipation
from tariffs.engine.response.trade.anticipation import DAYS_A_MONTH, ExpectedStep, Storage, purchase_factor
from tariffs.engine.runs.impact import Impact, Options, Point, impact
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import library
from tests.economics import runs
from tests.economics.runs import COFFEE, TOYS, lines_of, run_of, table_of, total_of

TABLE = table_of({TOYS: {"CN": 1e4, "VN": 2e4}, "8703230190": {"JP": 9e4}, COFFEE: {"BR": 5e3}})
STORAGE = Storage(0.02, 1.35, 6.0)
BASE = library()["base"]


def run(on: str, ahead: str = "", table: pl.DataFrame = TABLE, *scenarios: Any, **options: Any) -> Impact:
    return run_of(table, *scenarios, on=on, ahead=ahead, include_lines=True, **options)


def factors(on: str, ahead: str, *scenarios: Any, **options: Any) -> list[float]:
    """Purchases with buying ahead over those without, by line."""
    moved, plain = (lines_of(run(on, each, TABLE, *scenarios, **options)) for each in (ahead, ""))
    found: list[float] = (moved["quantity_hat"] / plain["quantity_hat"]).to_list()
    return found


def slow_factor(rates: dict[date, float], on: date, since: date) -> float:
    """Factor on the purchases of one good, from its rate on every day."""
    factor, month = 1.0, 365 / 12
    for day in sorted(rates)[1:]:
        gain = math.log((1 + rates[day]) / (1 + rates[day - timedelta(days=1)]))
        window = min((day - since).days / month, 182 / month, 6.0)
        away = (day - on).days / month
        if abs(gain) < 1e-12 or window <= 0 or away > window or away <= -window:
            continue
        months = max(-min(1.35, window), min(gain / 0.02, min(1.35, window)))
        factor += months / window if away > 0 else -months / window
    return max(factor, 0.0)


@pytest.mark.slow
@pytest.mark.parametrize("day", ["2025-01-10", "2025-03-20", "2025-04-20"])
def test_purchases_are_those_of_an_independent_slow_version(day: str) -> None:
    since, on = date(2024, 11, 6), date.fromisoformat(day)
    first = max(date(2025, 1, 1), on - timedelta(days=200))
    days = [first + timedelta(days=n) for n in range((on - first).days + 190)]
    points, static = [Point(BASE, str(each)) for each in days], Options(response="none", include_lines=True)
    found = impact(TABLE, points, law=load_law(), options=static)
    rates = [(lines_of(found, k)["duty"] / TABLE["customs_value"]).to_list() for k in range(len(days))]
    plain, moved = lines_of(run(day)), lines_of(run(day, "2024-11-06"))
    for row in range(TABLE.height):
        expected = slow_factor(
            {each: of_day[row] for each, of_day in zip(days, rates, strict=True)}, on, since
        )
        for name in ("value_after", "duty_after", "quantity_hat"):
            assert moved[name][row] == pytest.approx(plain[name][row] * expected, rel=1e-9), (row, name)


def test_a_cost_without_bound_moves_nothing_and_none_fills_the_stores() -> None:
    steps = [ExpectedStep(30, 90, np.array([0.2, 0.0, -0.1]))]
    assert purchase_factor(steps, 3, Storage(math.inf, 1.35, 6.0)).tolist() == [1.0, 1.0, 1.0]
    part = 1.35 / (90 / DAYS_A_MONTH)
    free = purchase_factor(steps, 3, Storage(1e-300, 1.35, 6.0))
    assert free == pytest.approx([1 + part, 1.0, 1 - part], rel=1e-12)


def test_what_is_bought_ahead_is_missing_afterwards() -> None:
    gain = np.array([0.01, 0.3])
    moved = [purchase_factor([ExpectedStep(60 - day, 60, gain)], 2, STORAGE) - 1.0 for day in range(121)]
    bought = np.sum(moved[:60], axis=0) / DAYS_A_MONTH
    assert bought == pytest.approx(anticipation.stock_months(gain, 60 / DAYS_A_MONTH, STORAGE))
    assert np.sum(moved, axis=0) == pytest.approx([0.0, 0.0], abs=1e-12)


def test_a_day_s_purchases_at_most_double_for_one_step() -> None:
    assert purchase_factor([ExpectedStep(1, 3, np.array([5.0, -0.9]))], 2, STORAGE).tolist() == [2.0, 0.0]
    assert purchase_factor([ExpectedStep(1, 3, np.array([-0.9]))] * 3, 1, STORAGE).tolist() == [0.0]


@pytest.mark.parametrize("ahead", ["2025-03-21", "2026-06-01"])
def test_before_the_day_and_for_steps_before_it_nothing_is_moved(ahead: str) -> None:
    assert total_of(run("2025-03-20", ahead)) == total_of(run("2025-03-20"))


@pytest.mark.parametrize("by", [("origin",), ("authority",)])
def test_rows_add_up_and_surplus_of_moved_goods_is_unknown(by: tuple[str, ...]) -> None:
    found = run("2025-04-20", "2024-11-06", by=by)
    total, groups = total_of(found), found.scenarios[0].groups
    assert groups["duty_after"].sum() == pytest.approx(total["duty_after"], rel=1e-9)
    assert total["welfare"] is None
    assert max(factors("2025-04-02", "2025-03-20")) > 1.0


@pytest.mark.parametrize("horizon", ["short", "impact"])
def test_it_is_a_stage_on_top_of_any_response(horizon: str) -> None:
    given = ("2025-04-20", "2024-11-06")
    assert factors(*given, horizon=horizon) == pytest.approx(factors(*given), rel=1e-9)


def test_exports_to_several_countries_are_those_to_each() -> None:
    goods = table_of({code: {"US": 1e4} for code in ("120190", "100119", "870323")})
    each = [goods.with_columns(destination=pl.lit(to)) for to in ("CN", "CA")]
    options: dict[str, Any] = {"direction": "export", "horizon": "short"}
    asked = ("2025-03-20", "2024-11-06")
    both = lines_of(run(*asked, pl.concat(each), **options))
    for rows in each:
        to = rows["destination"][0]
        alone = lines_of(run(*asked, rows, to=to, **options))["quantity_hat"].to_list()
        assert both.filter(destination=to)["quantity_hat"].to_list() == pytest.approx(alone, rel=1e-12)
    plain = lines_of(run("2025-03-20", "", pl.concat(each), **options))
    assert (both["quantity_hat"] != plain["quantity_hat"]).any()


def test_goods_under_a_limit_are_bought_as_it_says_and_others_are_moved() -> None:
    limit = runs.scenario_of(
        "changes:\n  - {op: shock_quantity, from: 2025-01-01, share: 10%, origins: [CN]}\n"
    )
    asked = ("2025-04-02", "2025-03-20")
    free, limited = factors(*asked, horizon="short"), factors(*asked, limit, horizon="short")
    under = [origin == "CN" for origin in TABLE["origin"]]
    expected = [1.0 if held else factor for held, factor in zip(under, free, strict=True)]
    assert max(expected) > 1.0
    assert limited == pytest.approx(expected, rel=1e-12)
    plain, moved = (lines_of(run(asked[0], ahead, TABLE, limit, horizon="short")) for ahead in ("", asked[1]))
    assert plain["quota_premium"].equals(moved["quota_premium"])


def test_what_is_no_day_is_refused() -> None:
    with pytest.raises(InputError, match="day"):
        run("2025-04-20", "soon")


def test_the_provenance_has_the_day_and_the_terms_of_storage_and_the_client_sends_it() -> None:
    ahead: Any = run("2025-04-20", "2024-11-06").provenance["ahead"]
    assert ahead["from"] == "2024-11-06"
    assert ahead["storage_most"]["value"] == anticipation.default_storage().most == 1.35
    assert "Census" in ahead["storage_most"]["source"]
    assert "ahead" not in run("2025-04-20").provenance
    with Client.local() as client:
        found = client.impact(TABLE, on="2025-04-20", baseline=runs.BASELINE, ahead="2024-11-06")
    expected = total_of(run("2025-04-20", "2024-11-06"))["value_after"]
    assert found.total["value_after"][0] == expected


@pytest.mark.slow
def test_imports_of_the_first_quarter_are_those_of_the_page() -> None:
    """BEA: +42.6 % annualised (second estimate of 2025-05-29); Census: 953.9 over a mean quarter of 812.8 billion."""
    options = Options(ahead="2024-11-06")
    found = timeline(None, [BASE], "2025-01-01", "2025-03-31", law=load_law(), options=options)
    quarter = found.scenarios[0].average_total["quantity_hat"][0]
    january = found.scenarios[0].totals["quantity_hat"][0]
    assert quarter == pytest.approx(953.9 / 812.8, abs=0.05)
    before = (37 + 55 * january) / 92
    assert 0.0 < (quarter / before) ** 4 - 1.0 < 0.426
