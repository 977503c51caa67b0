"""USMCA claims that respond: an independent slow version, the limits as identities, and what the data say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.client.cli.__main__ import run
from tariffs.engine.errors import ScenarioError
from tariffs.engine.law import load_law
from tariffs.engine.response import Spreads
from tariffs.engine.response.claims import claim_costs, observed_claims, responding_share
from tariffs.engine.runs.impact import Impact, Options, Point, impact
from tariffs.engine.runs.sweeps.sweep import sweep
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import Scenario, library, parse_scenario
from tariffs.engine.schedule import reference_data
from tariffs.importers.claims import OBSERVED_ON, gains, observed, odds_elasticity
from tests.economics.independent.claims import ENGINE, SlowClaims

RESPONDING = {"usmca_basis": "responding"}
DAYS = ("2025-01-15", "2025-03-20", "2025-10-15", "2026-11-20")
TABLE = pl.DataFrame(
    [
        ("8703230190", "MX", 8e4),
        ("8471300100", "MX", 2e4),
        ("2709002090", "CA", 9e4),
        ("0406105400", "CA", 7e3),
        ("7208101500", "CA", 3e4),
        ("4407110001", "CA", 4e4),
        ("9503000073", "CN", 1e4),
        ("6110202079", "CA", 1e3),
    ],
    schema=["hts", "origin", "customs_value"],
    orient="row",
)


SWEPT = """schema: tariffs.scenario/v1
id: mine
title: Mine
basis: hypothesis
parameters: {add: {default: 10%}}
changes:
  - {op: set_rate, measures: {id: fl301, origins: [MX, CA]}, from: 2026-01-01, rate: $add}
"""


def run_of(
    *days: str,
    table: pl.DataFrame = TABLE,
    cost: str = "",
    scenario: Scenario | None = None,
    **options: Any,
) -> Impact:
    switches = RESPONDING | ({"usmca_claim_cost": cost} if cost else {})
    chosen: dict[str, Any] = {"response": "none", "include_lines": True, "switches": switches} | options
    points = [Point(scenario or library()["base"], day) for day in days]
    return impact(table, points, law=load_law(), options=Options(**chosen))


def duties(found: Impact) -> list[list[float]]:
    return [block.lines["duty"].to_list() for block in found.scenarios if block.lines is not None]


def declared(share: list[float]) -> pl.DataFrame:
    return TABLE.with_columns(usmca_share=pl.Series(share))


@pytest.mark.parametrize("cost", ["central", "low", "high", "none", "prohibitive"])
def test_duties_are_those_of_an_independent_slow_version(cost: str) -> None:
    slow, days = SlowClaims(), ("2025-01-01", *DAYS)
    without, claimed = (
        np.array(duties(run_of(*days, table=declared([share] * TABLE.height)))) for share in (0.0, 1.0)
    )
    saved = (without - claimed) / TABLE["customs_value"].to_numpy()
    found = duties(run_of(*DAYS, cost=cost))
    for place, day in enumerate(DAYS, start=1):
        shares = [
            slow.share(code, origin, gain, cost)
            for code, origin, gain in zip(TABLE["hts"], TABLE["origin"], saved[place] - saved[0], strict=True)
        ]
        (expected,) = duties(run_of(day, table=declared(shares)))
        assert found[place - 1] == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_without_a_cost_all_that_saves_duty_is_claimed() -> None:
    (found,) = duties(run_of("2025-10-15", cost="none"))
    (without,) = duties(run_of("2025-10-15", table=declared([0.0] * TABLE.height)))
    (claimed,) = duties(run_of("2025-10-15", table=declared([1.0] * TABLE.height)))
    saves = np.array(without) > np.array(claimed)
    assert saves.any()
    assert np.array(found)[saves] == pytest.approx(np.array(claimed)[saves], rel=1e-12)


@pytest.mark.parametrize("response", ["none", "armington"])
def test_a_prohibitive_cost_leaves_the_claims_of_2024(response: str) -> None:
    options: dict[str, Any] = {"response": response, "baseline": "2025-01-01"}
    found = run_of(*DAYS, cost="prohibitive", **options)
    of_2024 = run_of(*DAYS, **options, switches={"usmca_basis": "2024"})
    for block, expected in zip(found.scenarios, of_2024.scenarios, strict=True):
        assert block.total == expected.total


def test_nothing_changes_before_the_first_act() -> None:
    found, of_2024 = (
        run_of("2025-01-15", switches=switches) for switches in (RESPONDING, {"usmca_basis": "2024"})
    )
    assert duties(found) == duties(of_2024)


def test_the_share_rises_with_the_gain_and_falls_with_the_cost() -> None:
    keys = TABLE.filter(origin="CA").select("hts", "origin")
    seen, gain = observed_claims(keys), np.linspace(0.0, 0.5, 50)
    some = type(seen)(seen.odds[:1].repeat(50), seen.gain[:1].repeat(50))
    shares = {
        name: responding_share(np.full(50, 0.2), gain, some, cost) for name, cost in claim_costs().items()
    }
    for name, share in shares.items():
        assert share[0] == 0.2
        assert (np.diff(share) >= 0.0).all()
        assert ((share >= 0.2) & (share <= 1.0)).all(), name
    small = gain < seen.gain[0]
    assert (shares["low"][small] >= shares["central"][small]).all()
    assert (shares["central"][small] >= shares["high"][small]).all()


def test_at_the_observed_gain_the_share_is_the_observed_one() -> None:
    shares = pl.read_parquet(ENGINE / "schedule/data/usmca_shares.parquet")
    rows = shares.drop_nulls().filter(pl.col("share_2025h2") > pl.col("share_2024")).sample(500, seed=1)
    seen = observed_claims(rows.select(pl.col("code").alias("hts"), "origin"))
    exact = pl.read_parquet(ENGINE / "response/data/usmca_claims.parquet").join(rows, on=["code", "origin"])
    own = (
        rows.select("code", "origin")
        .join(exact, on=["code", "origin"], how="left")["odds"]
        .is_not_null()
        .to_numpy()
    )
    share = responding_share(
        rows["share_2024"].cast(pl.Float64).to_numpy(), seen.gain, seen, claim_costs()["central"]
    )
    assert own.sum() > 300
    assert share[own] == pytest.approx(rows["share_2025h2"].cast(pl.Float64).to_numpy()[own], abs=1e-6)


def test_declared_claims_stay() -> None:
    table = declared([0.3] * TABLE.height)
    found, plain = (run_of("2025-10-15", table=table, switches=each) for each in (RESPONDING, {}))
    assert duties(found) == duties(plain)


def test_a_line_has_its_share_in_any_table() -> None:
    (whole,) = duties(run_of("2025-10-15"))
    (alone,) = duties(run_of("2025-10-15", table=TABLE[3:4]))
    assert whole[3] == alone[0]


def test_lines_with_their_own_entry_date_have_the_claims_of_that_day() -> None:
    dated = pl.concat([TABLE, TABLE]).with_columns(
        entry_date=pl.Series([DAYS[1]] * TABLE.height + [DAYS[2]] * TABLE.height)
    )
    (found,) = duties(run_of(DAYS[3], table=dated))
    early, late = duties(run_of(DAYS[1], DAYS[2]))
    assert found == pytest.approx(early + late, rel=1e-12)


def test_the_provenance_names_the_convention_and_the_cost() -> None:
    switches = run_of("2025-10-15").provenance["switches"]
    assert isinstance(switches, dict)
    assert (switches["usmca_basis"], switches["usmca_claim_cost"]) == ("responding", "central")
    plain = run_of("2025-10-15", switches={}).provenance["switches"]
    assert isinstance(plain, dict)
    assert "usmca_claim_cost" not in plain


def test_an_unknown_cost_is_an_error() -> None:
    with pytest.raises(ScenarioError) as caught:
        run_of("2025-10-15", cost="cheap")
    assert "prohibitive" in str(caught.value)


def test_draws_take_the_three_costs_in_equal_parts() -> None:
    options: dict[str, Any] = {
        "response": "armington",
        "baseline": "2025-01-01",
        "horizon": "long",
        "include_lines": False,
    }
    still = Spreads(0.0, 0.0, 0.0, 0.2)
    found = run_of("2026-11-20", spreads=still, draws=64, **options).scenarios[0]
    assert found.ranges is not None
    row = found.ranges.total.filter(column="duty_after").row(0, named=True)
    low, high = (
        run_of("2026-11-20", cost=cost, **options).scenarios[0].total["duty_after"]
        for cost in ("low", "high")
    )
    assert (row["p5"], row["p95"]) == pytest.approx((low, high), rel=1e-12)
    assert row["p50"] == row["central"]
    assert low is not None
    assert high is not None
    assert row["mean"] == pytest.approx((low + row["central"] + high) / 3, rel=0.02)


def test_a_sweep_has_the_claims_of_each_point() -> None:
    scenario = parse_scenario(SWEPT)
    options = Options(response="none", switches=RESPONDING)
    found = sweep(
        TABLE, scenario, [{"add": "5%"}, {"add": "40%"}], on="2026-11-20", law=load_law(), options=options
    )
    for place, rate in enumerate(("5%", "40%")):
        single = impact(
            TABLE,
            [Point(scenario.with_parameters({"add": rate}), "2026-11-20")],
            law=load_law(),
            options=options,
        )
        assert found.totals["duty"][place] == single.scenarios[0].total["duty"]


def test_a_timeline_has_the_claims_of_each_day() -> None:
    options = Options(response="none", switches=RESPONDING)
    found = timeline(
        TABLE, [library()["base"]], "2025-02-01", "2025-05-01", law=load_law(), options=options
    ).scenarios[0]
    for start, duty in found.totals.select("start", "duty").iter_rows():
        assert run_of(start, include_lines=False).scenarios[0].total["duty"] == pytest.approx(duty, rel=1e-12)


@pytest.mark.slow
def test_the_observed_claims_are_those_of_the_law_and_of_the_embedded_shares() -> None:
    shares = pl.read_parquet(
        Path(reference_data.__file__).parent / "data" / "usmca_shares.parquet"
    ).with_columns(pl.col("share_2024", "share_2025h2").cast(pl.Float64))
    made = observed(shares, gains(shares["origin"].unique().to_list()))
    shipped = pl.read_parquet(ENGINE / "response/data/usmca_claims.parquet")
    assert made.equals(shipped), f"run python -m tariffs.importers.claims: the gain is that of {OBSERVED_ON}"


def test_the_elasticity_of_the_odds_is_found_again() -> None:
    generator = np.random.default_rng(3)
    rate, group = generator.uniform(0.01, 0.4, 4000), generator.integers(0, 3, 4000)
    odds = rate**0.7 * np.array([20.0, 5.0, 60.0])[group]
    found, error = odds_elasticity(odds / (1.0 + odds), rate, np.ones(4000), group)
    assert found == pytest.approx(0.7, abs=1e-4)
    assert error < 1e-3


def test_the_command_line_takes_the_convention(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "goods.csv"
    TABLE.write_csv(path)
    arguments = ["impact", str(path), "--on", "2025-10-15", "--response", "none", "--local", "--usmca-claims"]
    assert run([*arguments, "responding", "--wide"]) == 0
    text = capsys.readouterr().out
    assert "responding (usmca_basis)" in " ".join(text.split())
    assert run([*arguments, "2024", "--switch", "usmca_basis=2025"]) == 2
