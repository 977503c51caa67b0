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
from tariffs.engine.response.trade.anticipation import (
    DAYS_A_MONTH,
    ExpectedStep,
    Storage,
    default_storage,
    purchase_factor,
    stock_months,
)
from tariffs.engine.runs.impact import Impact, Options, Point, impact
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import Scenario, library, parse_scenario

BASELINE = "2025-01-01"
TABLE = pl.DataFrame(
    [
        ("9503000073", "CN", 1e4),
        ("9503000073", "VN", 2e4),
        ("8703230190", "JP", 9e4),
        ("0901110015", "BR", 5e3),
    ],
    schema=["hts", "origin", "customs_value"],
    orient="row",
)
STORAGE = Storage(0.02, 1.35, 6.0)


def run_of(day: str, ahead: str = "", table: pl.DataFrame = TABLE, **options: Any) -> Impact:
    given = Options(baseline=BASELINE, include_lines=True, ahead=ahead, **options)
    return impact(table, [Point(library()["base"], day)], law=load_law(), options=given)


def lines(found: Impact) -> pl.DataFrame:
    frame = found.scenarios[0].lines
    assert frame is not None
    return frame


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
    points = [Point(library()["base"], each.isoformat()) for each in days]
    static = Options(response="none", include_lines=True)
    blocks = impact(TABLE, points, law=load_law(), options=static).scenarios
    plain, moved = lines(run_of(day)), lines(run_of(day, "2024-11-06"))
    for row in range(TABLE.height):
        rates = {
            each: block.lines["duty"][row] / TABLE["customs_value"][row]
            for each, block in zip(days, blocks, strict=True)
            if block.lines is not None
        }
        expected = slow_factor(rates, on, since)
        for name in ("value_after", "duty_after", "quantity_hat"):
            assert moved[name][row] == pytest.approx(plain[name][row] * expected, rel=1e-9), (row, name)


def test_a_cost_without_bound_moves_nothing_and_none_fills_the_stores() -> None:
    steps = [ExpectedStep(30, 90, np.array([0.2, 0.0, -0.1]))]
    assert purchase_factor(steps, 3, Storage(math.inf, 1.35, 6.0)).tolist() == [1.0, 1.0, 1.0]
    window = 90 / DAYS_A_MONTH
    free = purchase_factor(steps, 3, Storage(1e-300, 1.35, 6.0))
    assert free == pytest.approx([1 + 1.35 / window, 1.0, 1 - 1.35 / window], rel=1e-12)


def test_what_is_bought_ahead_is_missing_afterwards() -> None:
    gain = np.array([0.01, 0.3])
    moved = [purchase_factor([ExpectedStep(60 - day, 60, gain)], 2, STORAGE) - 1.0 for day in range(121)]
    assert np.sum(moved[:60], axis=0) / DAYS_A_MONTH == pytest.approx(
        stock_months(gain, 60 / DAYS_A_MONTH, STORAGE)
    )
    assert np.sum(moved, axis=0) == pytest.approx([0.0, 0.0], abs=1e-12)


def test_a_day_s_purchases_at_most_double_for_one_step() -> None:
    factor = purchase_factor([ExpectedStep(1, 3, np.array([5.0, -0.9]))], 2, STORAGE)
    assert factor.tolist() == [2.0, 0.0]
    many = purchase_factor([ExpectedStep(1, 3, np.array([-0.9]))] * 3, 1, STORAGE)
    assert many.tolist() == [0.0]


def test_before_the_day_and_for_steps_before_it_nothing_is_moved() -> None:
    plain = run_of("2025-03-20")
    for ahead in ("2025-03-21", "2026-06-01"):
        assert run_of("2025-03-20", ahead).scenarios[0].total == plain.scenarios[0].total


def test_surplus_of_moved_goods_is_unknown_and_others_keep_theirs() -> None:
    found = run_of("2025-04-02", "2025-03-20", by=("hts10",)).scenarios[0]
    assert found.total["welfare"] is None
    assert found.total["duty_after"] is not None
    factor = (
        lines(run_of("2025-04-02", "2025-03-20"))["quantity_hat"]
        / lines(run_of("2025-04-02"))["quantity_hat"]
    )
    assert (factor > 1.0).any()


def test_a_timeline_has_the_purchases_of_each_day() -> None:
    options = Options(baseline=BASELINE, ahead="2025-02-01")
    found = timeline(TABLE, [library()["base"]], "2025-03-01", "2025-05-10", law=load_law(), options=options)
    for start, quantity in found.scenarios[0].totals.select("start", "quantity_hat").iter_rows():
        single = run_of(start, "2025-02-01").scenarios[0].total["quantity_hat"]
        assert quantity == pytest.approx(single, rel=1e-12), start


@pytest.mark.parametrize("by", [("origin",), ("authority",)])
def test_rows_add_up_to_the_total(by: tuple[str, ...]) -> None:
    found = run_of("2025-04-20", "2024-11-06", by=by).scenarios[0]
    assert found.groups["duty_after"].sum() == pytest.approx(found.total["duty_after"], rel=1e-9)


@pytest.mark.parametrize("horizon", ["path", "impact"])
def test_it_is_a_stage_on_top_of_any_response(horizon: str) -> None:
    plain, moved = (lines(run_of("2025-04-20", ahead, horizon=horizon)) for ahead in ("", "2024-11-06"))
    short = (
        lines(run_of("2025-04-20"))["quantity_hat"],
        lines(run_of("2025-04-20", "2024-11-06"))["quantity_hat"],
    )
    assert (moved["quantity_hat"] / plain["quantity_hat"]).to_list() == pytest.approx(
        (short[1] / short[0]).to_list(), rel=1e-9
    )


def test_exports_to_several_countries_are_those_to_each() -> None:
    goods = {"hts": ["120190", "100119", "870323", "120190", "100119", "870323"], "origin": ["US"] * 6}
    table = pl.DataFrame({**goods, "customs_value": [1e4] * 6, "destination": ["CN"] * 3 + ["CA"] * 3})
    options: dict[str, Any] = {"direction": "export", "horizon": "short"}
    both = lines(run_of("2025-03-20", "2024-11-06", table, **options))
    for country, rows in table.group_by("destination"):
        (to,) = country
        alone = lines(run_of("2025-03-20", "2024-11-06", rows, to=str(to), **options))
        together = both.filter(destination=to)["quantity_hat"]
        assert together.to_list() == pytest.approx(alone["quantity_hat"].to_list(), rel=1e-12)
    plain = lines(run_of("2025-03-20", "", table, **options))
    assert (both["quantity_hat"] != plain["quantity_hat"]).any()


def test_goods_under_a_limit_are_bought_as_it_says_and_others_are_moved() -> None:
    limit = parse_scenario(
        "schema: tariffs.scenario/v1\nid: cut\ntitle: Cut\nbasis: hypothesis\nchanges:\n"
        "  - {op: shock_quantity, from: 2025-01-01, share: 10%, origins: [CN]}\n",
        "test",
    )

    def lines_under(scenario: Scenario, ahead: str) -> pl.DataFrame:
        options = Options(baseline=BASELINE, horizon="short", include_lines=True, ahead=ahead)
        block = impact(TABLE, [Point(scenario, "2025-04-02")], law=load_law(), options=options).scenarios[0]
        assert block.lines is not None
        return block.lines

    held, both = (lines_under(limit, ahead) for ahead in ("", "2025-03-20"))
    free, moved = (lines_under(library()["base"], ahead) for ahead in ("", "2025-03-20"))
    factor = (moved["quantity_hat"] / free["quantity_hat"]).to_numpy()
    under = (held["origin"] == "CN").to_numpy()
    assert (factor[~under] > 1.0).any()
    expected = held["quantity_hat"].to_numpy() * np.where(under, 1.0, factor)
    np.testing.assert_allclose(both["quantity_hat"].to_numpy(), expected, rtol=1e-12)
    assert both["quota_premium"].to_list() == held["quota_premium"].to_list()


def test_what_cannot_be_moved_is_refused() -> None:
    with pytest.raises(InputError, match="static"):
        run_of("2025-04-20", "2024-11-06", response="none")
    with pytest.raises(InputError, match="day"):
        run_of("2025-04-20", "soon")
    dated = TABLE.with_columns(entry_date=pl.Series(["2025-02-03", "2025-04-20", "2025-04-20", "2025-04-20"]))
    with pytest.raises(InputError, match="days of their own"):
        run_of("2025-04-20", "2024-11-06", dated)


def test_the_provenance_has_the_day_and_the_terms_of_storage() -> None:
    ahead: Any = run_of("2025-04-20", "2024-11-06").provenance["ahead"]
    assert ahead["from"] == "2024-11-06"
    assert ahead["storage_most"]["value"] == default_storage().most == 1.35
    assert "Census" in ahead["storage_most"]["source"]
    assert "ahead" not in run_of("2025-04-20").provenance


def test_the_client_sends_the_day() -> None:
    with Client.local() as client:
        options: Any = {"on": "2025-04-02", "baseline": BASELINE}
        plain, moved = client.impact(TABLE, **options), client.impact(TABLE, ahead="2025-02-01", **options)
    assert moved.total["value_after"][0] > plain.total["value_after"][0]


@pytest.mark.slow
def test_imports_of_the_first_quarter_are_those_of_the_page() -> None:
    """BEA: +42.6 % annualised (second estimate of 2025-05-29); Census: 953.9 over a mean quarter of 812.8 billion."""
    options = Options(ahead="2024-11-06")
    found = timeline(None, [library()["base"]], "2025-01-01", "2025-03-31", law=load_law(), options=options)
    quarter = found.scenarios[0].average_total["quantity_hat"][0]
    january = found.scenarios[0].totals["quantity_hat"][0]
    assert quarter == pytest.approx(953.9 / 812.8, abs=0.05)
    before = (37 + 55 * january) / 92
    assert 0.0 < (quarter / before) ** 4 - 1.0 < 0.426
