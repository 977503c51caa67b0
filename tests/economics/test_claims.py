"""USMCA claims that respond: an independent slow version, the limits as identities, and what the data say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.client.cli.__main__ import run as run_command
from tariffs.engine.errors import ScenarioError
from tariffs.engine.law import load_law
from tariffs.engine.response import Spreads
from tariffs.engine.response.claims import claim_costs, observed_claims, responding_share
from tariffs.engine.runs.impact import Impact, Options, Point, impact
from tariffs.engine.scenario import library
from tariffs.importers.claims import OBSERVED_ON, gains, observed, odds_elasticity
from tests.economics.independent.claims import ENGINE, SlowClaims
from tests.economics.runs import BASELINE, ranges_of, row_of, table_of

RESPONDING = {"usmca_basis": "responding"}
DAYS = ("2025-01-15", "2025-03-20", "2025-10-15", "2026-11-20")
TABLE = table_of(
    {
        "8703230190": {"MX": 8e4},
        "8471300100": {"MX": 2e4},
        "2709002090": {"CA": 9e4},
        "0406105400": {"CA": 7e3},
        "7208101500": {"CA": 3e4},
        "4407110001": {"CA": 4e4},
        "9503000073": {"CN": 1e4},
        "6110202079": {"CA": 1e3},
    }
)


def run(*days: str, table: pl.DataFrame = TABLE, cost: str = "", **options: Any) -> Impact:
    switches = RESPONDING | ({"usmca_claim_cost": cost} if cost else {})
    given: dict[str, Any] = {"response": "none", "include_lines": True, "switches": switches} | options
    points = [Point(library()["base"], day) for day in days]
    return impact(table, points, law=load_law(), options=Options(**given))


def duties(found: Impact) -> list[list[float]]:
    return [block.lines["duty"].to_list() for block in found.scenarios if block.lines is not None]


def declared(shares: list[float]) -> pl.DataFrame:
    return TABLE.with_columns(usmca_share=pl.Series(shares))


@pytest.mark.parametrize("cost", ["central", "low", "high", "none", "prohibitive"])
def test_duties_are_those_of_an_independent_slow_version(cost: str) -> None:
    slow, days = SlowClaims(), (BASELINE, *DAYS)
    without, claimed = (
        np.array(duties(run(*days, table=declared([share] * TABLE.height)))) for share in (0.0, 1.0)
    )
    saved = (without - claimed) / TABLE["customs_value"].to_numpy()
    found = duties(run(*DAYS, cost=cost))
    for place, day in enumerate(DAYS, start=1):
        gained = saved[place] - saved[0]
        shares = [
            slow.share(code, origin, gain, cost)
            for code, origin, gain in zip(TABLE["hts"], TABLE["origin"], gained, strict=True)
        ]
        (expected,) = duties(run(day, table=declared(shares)))
        assert found[place - 1] == pytest.approx(expected, rel=1e-9, abs=1e-9)
        if cost == "none":
            saves = gained > 0.0
            assert day == DAYS[0] or saves.any()
            assert np.array(found[place - 1])[saves] == pytest.approx(claimed[place][saves], rel=1e-12)


@pytest.mark.parametrize("response", ["none", "armington"])
def test_a_prohibitive_cost_leaves_the_claims_of_2024(response: str) -> None:
    options: dict[str, Any] = {"response": response, "baseline": BASELINE, "horizon": "long"}
    found = run(*DAYS, cost="prohibitive", **options)
    of_2024 = run(*DAYS, **options, switches={"usmca_basis": "2024"})
    for block, expected in zip(found.scenarios, of_2024.scenarios, strict=True):
        assert block.total == expected.total
    # Nothing changes before the first act.
    assert duties(run(DAYS[0])) == duties(of_2024)[:1]


def test_the_share_rises_with_the_gain_and_falls_with_the_cost() -> None:
    gain, names = np.linspace(0.0, 0.5, 51), ("low", "central", "high")
    seen, costs = observed_claims(pl.concat([TABLE.filter(hts="0406105400")] * 51)), claim_costs()
    shares = np.array([responding_share(np.full(51, 0.6), gain, seen, costs[name]) for name in names])
    assert (shares[:, 0] == 0.6).all()
    assert (shares <= 1.0).all()
    assert (np.diff(shares, axis=1) > 0.0).all()
    assert (np.diff(shares[:, 1:], axis=0) < 0.0).all()


def embedded_shares() -> pl.DataFrame:
    shares = pl.read_parquet(ENGINE / "schedule/data/usmca_shares.parquet")
    return shares.with_columns(pl.col("share_2024", "share_2025h2").cast(pl.Float64))


def test_at_the_observed_gain_the_share_is_the_observed_one() -> None:
    rows = embedded_shares().drop_nulls().filter(pl.col("share_2025h2") > pl.col("share_2024"))
    shipped = pl.read_parquet(ENGINE / "response/data/usmca_claims.parquet").select("code", "origin")
    own = rows.sample(500, seed=1).join(shipped, on=["code", "origin"])
    seen = observed_claims(own.select(pl.col("code").alias("hts"), "origin"))
    share = responding_share(own["share_2024"].to_numpy(), seen.gain, seen, claim_costs()["central"])
    assert own.height > 300
    assert share == pytest.approx(own["share_2025h2"].to_numpy(), abs=1e-6)


def test_declared_claims_stay_and_a_line_has_its_share_in_any_table_and_on_any_day() -> None:
    given = declared([0.3] * TABLE.height)
    assert duties(run(DAYS[2], table=given)) == duties(run(DAYS[2], table=given, switches={}))
    early, late = duties(run(DAYS[1], DAYS[2]))
    (alone,) = duties(run(DAYS[2], table=TABLE[3:4]))
    assert late[3] == alone[0]
    days = pl.Series([DAYS[1]] * TABLE.height + [DAYS[2]] * TABLE.height)
    (found,) = duties(run(DAYS[3], table=pl.concat([TABLE, TABLE]).with_columns(entry_date=days)))
    assert found == pytest.approx(early + late, rel=1e-12)


def test_the_provenance_names_the_convention_and_the_cost_and_an_unknown_one_is_refused() -> None:
    switches: Any = run(DAYS[2]).provenance["switches"]
    assert (switches["usmca_basis"], switches["usmca_claim_cost"]) == ("responding", "central")
    plain: Any = run(DAYS[2], switches={}).provenance["switches"]
    assert "usmca_claim_cost" not in plain
    with pytest.raises(ScenarioError, match="prohibitive"):
        run(DAYS[2], cost="cheap")


def test_draws_take_the_three_costs_in_equal_parts() -> None:
    options: dict[str, Any] = {"response": "armington", "baseline": BASELINE, "horizon": "long"}
    found = run(DAYS[3], spreads=Spreads(0.0, 0.0, 0.0, 0.2), draws=64, **options)
    row = row_of(ranges_of(found).total, "duty_after")
    low, high = (
        run(DAYS[3], cost=cost, **options).scenarios[0].total["duty_after"] or 0.0 for cost in ("low", "high")
    )
    assert (row["p5"], row["p95"]) == pytest.approx((low, high), rel=1e-12)
    assert row["p50"] == row["central"]
    assert row["mean"] == pytest.approx((low + row["central"] + high) / 3, rel=0.02)


@pytest.mark.slow
def test_the_observed_claims_are_those_of_the_law_and_of_the_embedded_shares() -> None:
    shares = embedded_shares()
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
    arguments = ["impact", str(path), "--on", DAYS[2], "--response", "none", "--local", "--usmca-claims"]
    assert run_command([*arguments, "responding", "--wide"]) == 0
    assert "responding (usmca_basis)" in " ".join(capsys.readouterr().out.split())
    assert run_command([*arguments, "2024", "--switch", "usmca_basis=2025"]) == 2
