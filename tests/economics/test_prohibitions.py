"""Goods that may not enter: replaced at once, at elasticities of a year or more, whatever the horizon."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffs.engine.response.elasticities.parameters import parameters_for
from tariffs.engine.response.lanes.adjustment import DutyPath, DutyStep, PathTrade, RateMoves
from tariffs.engine.response.trade.trade_response import PROHIBITIVE
from tariffs.engine.runs.impact import ScenarioImpact
from tariffs.engine.runs.lanes.rate_paths import word_of
from tariffs.engine.runs.outcomes.duty_steps import prohibitions_apart, with_prohibitions_apart
from tariffs.engine.scenario import Scenario
from tariffs.engine.table_duty.rate_classes import bits
from tests.economics import runs
from tests.economics.independent import adjustment as slow
from tests.economics.lane_trade import at_one_horizon, lane_volumes
from tests.economics.runs import BASELINE, TOYS, run_of, table_of, total_of

DAY = "2026-11-20"
MOST_LOST = 0.7
"""Most that buyers may lose on a dollar of trade that is prohibited on DAY."""
HORIZONS = ["path", "impact", "short", "long"]
SHIRTS = "6109100012"
CODES, ORIGINS = [TOYS, runs.STEEL, SHIRTS], ["CN", "VN", "DE"]
TABLE = table_of(
    {
        TOYS: {"CN": 5e9, "VN": 2e9, "DE": 1e9},
        runs.STEEL: {"CN": 1e8, "VN": 3e9, "DE": 4e9},
        SHIRTS: {"CN": 9e9, "VN": 1e9, "DE": 1e7},
    }
)


def banned(origins: list[str], products: list[str], on: str, duty: float = 0.0) -> Scenario:
    """A duty on all goods from February 2025 on, and a ban of some from a day on."""
    row, known = (
        f"origins: [{', '.join(origins)}], products: [{', '.join(products)}]",
        f"known_from: {BASELINE}, ",
    )
    taxed = runs.added("duty", "2025-02-01T00:01-05:00", f'rate: "{duty:g}%"', period=known)
    return runs.scenario_of(f"changes:\n{taxed}{runs.banned(row, f'{on}T00:01-04:00', period=known)}")


def run(scenario: Scenario, **options: Any) -> ScenarioImpact:
    found = run_of(TABLE, scenario, **{"on": DAY, "known_on": BASELINE, "by": ("hts10",), **options})
    return found.scenarios[0]


@pytest.mark.parametrize("horizon", HORIZONS)
def test_the_bans_of_2026_cost_buyers_at_most_seven_tenths_of_the_trade(horizon: str) -> None:
    void = runs.scenario_of("changes:\n  - {op: set_switch, name: s338_bans, value: void}\n")
    found = run_of(None, "base", void, on=DAY, baseline="", horizon=horizon, by=("hts2",))
    bans, free = total_of(found), total_of(found, 1)
    assert None not in (bans["buyer_surplus"], bans["welfare"])
    value = bans["prohibited_value"]
    assert value == pytest.approx(0.99e9, rel=0.01)
    assert 0.0 < free["buyer_surplus"] - bans["buyer_surplus"] <= MOST_LOST * value
    with_bans, without = (block.groups.sort("hts2") for block in found.scenarios)
    touched = with_bans["prohibited_value"] > 0.0
    # Where the bans are void their goods pay a duty of 50 percent.
    assert (with_bans["quantity_hat"] <= without["quantity_hat"]).filter(touched).all()
    assert (with_bans["value_after"] < without["value_after"]).filter(
        with_bans["hts2"] == "22"
    ).to_list() == [True]


@given(
    origins=st.sets(st.sampled_from(ORIGINS), min_size=1),
    products=st.sets(st.sampled_from([code[:4] for code in CODES]), min_size=1),
    on=st.dates(date(2025, 2, 1), date(2026, 11, 19)),
    horizon=st.sampled_from(["path", *HORIZONS]),
    duty=st.sampled_from([0.0, 10.0, 25.0]),
)
def test_a_ban_raises_no_imports_of_its_product_and_every_total_is_known(
    origins: set[str], products: set[str], on: date, horizon: str, duty: float
) -> None:
    day = on.isoformat()
    block = run(banned(sorted(origins), sorted(products), day, duty), horizon=horizon)
    free = run(banned(["AD"], ["9503"], day, duty), horizon=horizon)
    ours, theirs = block.groups.sort("hts10"), free.groups.sort("hts10")
    for name in ("value_after", "quantity_hat"):
        assert (ours[name].to_numpy() <= theirs[name].to_numpy() * (1.0 + 1e-9)).all(), name
    total: dict[str, Any] = dict(block.total)
    assert None not in (total["buyer_surplus"], total["welfare"])
    assert total["prohibited_value"] > 0.0


def test_a_ban_on_the_path_leaves_no_trace_of_the_duty_before_it() -> None:
    """Its age is at least a year, so that a ban of last month and one of last year differ by what prices did."""
    late, early = (run(banned(["CN"], ["9503"], day, 25.0)) for day in ("2026-11-01", "2026-10-01"))
    for name in ("buyer_surplus", "value_after", "welfare"):
        assert late.groups[name].to_list() == pytest.approx(early.groups[name].to_list(), rel=1e-12)


def test_duties_and_then_bans_at_once_are_those_of_the_slow_version() -> None:
    v0, t0, t1 = np.array([5.0, 2.0, 1.0]), np.array([0.0, 0.05, 0.1]), np.array([PROHIBITIVE, 0.3, 0.1])
    own, short = slow.Elasticities(1.3, 0.8, 20.0), parameters_for([TOYS], horizon="short")
    trade = PathTrade(np.array([0, 3]), np.zeros(3, dtype=np.int64), v0, t0)
    path = DutyPath.with_prohibitions(t0, t1, t1 == PROHIBITIVE, short.columns[0])
    (found,) = lane_volumes(trade, path, t1, [at_one_horizon(own.sigma, own.eta, own.supply)])
    least = slow.Elasticities(float(short.sigma[0]), float(short.eta[0]), float(short.supply[0]))
    duties = [float(t0[0]), *map(float, t1[1:])]
    expected = slow.composed(v0, t0, [(own, duties), (least, t1)])
    np.testing.assert_allclose(found["quantity_hat"], expected.quantity, rtol=1e-9)
    np.testing.assert_allclose(found["value"], expected.value, rtol=1e-9)
    assert found["buyer_surplus"][0] == pytest.approx(expected.surplus, rel=1e-9)


@pytest.mark.parametrize("horizon", HORIZONS)
def test_the_loss_by_prohibitions_is_that_of_a_run_without_them(horizon: str) -> None:
    ours = run(banned(["CN"], ["9503", "7208"], "2025-02-01"), horizon=horizon)
    free = run(banned(["AD"], ["9503"], "2025-02-01"), horizon=horizon)
    # Nothing but the ban moves these goods, so all of the difference is its own.
    expected = ours.groups["buyer_surplus"] - free.groups["buyer_surplus"]
    found = ours.groups["prohibited_surplus"].to_list()
    assert found == pytest.approx(expected.to_list(), rel=1e-9, abs=1e-3)
    assert ours.total["prohibited_surplus"] == pytest.approx(sum(found), rel=1e-9)
    assert free.total["prohibited_surplus"] == 0.0


@pytest.mark.parametrize("eta", [3.5, 6.0])
@pytest.mark.parametrize("horizon", ["short", "path"])
def test_a_product_that_may_not_enter_leaves_a_market_of_sectors_finite(
    eta: float, horizon: str, tmp_path: Path
) -> None:
    """Compute the price from the goods: the spending left is below the digits of the loss of buyers."""
    path = tmp_path / "elastic.csv"
    path.write_text(f"hts,eta\n9503,{eta}\n")
    table = TABLE.filter((pl.col("hts") != TOYS) | (pl.col("origin") == "CN"))
    scenario = banned(["CN"], ["9503", "7208"], "2026-10-01", 20.0)
    found = run_of(table, scenario, on=DAY, horizon=horizon, market="sector", parameter_set=str(path))
    runs.assert_balance([total_of(found)])
    assert total_of(found)["domestic_price_hat"] > 1.0


@pytest.mark.parametrize("kappa", [0.9, 1.5])
def test_a_loss_is_known_where_domestic_goods_replace_all_imports(kappa: float, tmp_path: Path) -> None:
    path = tmp_path / "home.csv"
    path.write_text(f"hts,sigma,eta,kappa,domestic_ratio\n95,1.3,0.8,{kappa},2\n")
    block = run(banned(ORIGINS, ["9503"], "2026-10-01"), horizon="short", parameter_set=str(path))
    (loss,) = block.groups.filter(hts10=TOYS)["buyer_surplus"]
    assert (loss is not None) == (kappa > 1.0)


def test_buyers_lose_what_a_thousandfold_price_costs_them(tmp_path: Path) -> None:
    """Where sigma is low the price at which goods are out makes a difference."""
    path = tmp_path / "low.csv"
    path.write_text("hts,sigma,eta\n95,1.3,0.8\n72,1.3,0.8\n")
    out, losses = banned(["CN"], ["9503", "7208"], "2026-10-01"), []
    for text in (out.text, out.text.replace("kind: prohibition", 'rate: "99900%"')):
        block = run(
            runs.scenario_of(text[text.index("changes:") :]), horizon="short", parameter_set=str(path)
        )
        losses.append(block.groups.filter(pl.col("hts10") != SHIRTS)["buyer_surplus"].to_list())
    # Beside it the goods bear duties, which a price a thousand times as high dwarfs.
    assert losses[0] == pytest.approx(losses[1], rel=2e-3)


def step(years: float, *moves: tuple[int, float, float]) -> DutyStep:
    variety, before, after = (np.array(column) for column in zip(*moves, strict=True))
    return DutyStep(years, RateMoves.of(variety, before.astype(float), after.astype(float)))


OUT = PROHIBITIVE
RAISED = [step(2.0, (0, 0.1, 0.3), (1, 0.0, 0.2)), step(0.3, (0, 0.3, OUT), (1, 0.2, 0.4))]
# A duty is none, however high; a prohibition that ended leaves no trace.
ENDED = [
    step(3.0, (0, 0.0, 9e9), (1, 0.0, OUT), (2, 0.0, OUT), (3, 0.0, OUT)),
    step(2.0, (0, 9e9, 0.1), (1, OUT, 0.2), (2, OUT, 0.0)),
    step(1.0, (2, 0.0, OUT)),
]


@pytest.mark.parametrize(
    ("steps", "apart"),
    [
        (RAISED, [[(1, 0.0, 0.2)], [(1, 0.2, 0.4)], [(0, 0.1, OUT)]]),
        (RAISED[:1], [[(0, 0.1, 0.3), (1, 0.0, 0.2)]]),
        (ENDED, [[(0, 0.0, 9e9)], [(3, 0.0, OUT)], [(0, 9e9, 0.1), (1, 0.0, 0.2)], [], [(2, 0.0, OUT)]]),
    ],
)
def test_prohibitions_are_steps_of_their_own_from_the_rate_of_the_baseline(
    steps: list[DutyStep], apart: list[list[tuple[int, float, float]]]
) -> None:
    found = with_prohibitions_apart(steps)
    moves = [
        list(zip(one.moves.variety.tolist(), one.moves.before, one.moves.after, strict=True)) for one in found
    ]
    assert moves == apart
    if steps is RAISED:
        assert [one.years for one in found] == [2.0, 0.3, 1.0]


def test_paths_of_a_sweep_are_taken_apart_in_the_same_way() -> None:
    words = bits(np.array([[0.1, 0.0], [0.3, 0.2], [OUT, 0.4]])).view(np.uint64)
    found, years = prohibitions_apart(words, [2.0, 0.3], word_of(OUT))
    assert years == [2.0, 0.3, 1.0]
    assert found.view(np.float64).tolist() == [[0.1, 0.0], [0.1, 0.2], [0.1, 0.4], [OUT, 0.4]]
