"""Test sums of every run: welfare is surplus, revenue and rents, and draws without spread are the plain run."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from tariffs.engine.law import load_law
from tariffs.engine.response import Spreads
from tariffs.engine.runs.impact import Options
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import Scenario, library
from tests.economics.runs import (
    BALLS,
    BASELINE,
    STEEL,
    TOYS,
    assert_balance,
    ban_from,
    run_of,
    scenario_of,
    table_of,
)

DAY = "2026-11-20"
PHONES = "8517130000"
TABLE = table_of(
    {
        TOYS: {"CN": 4e9, "VN": 2e9, "MX": 1e9},
        STEEL: {"CN": 2e9, "JP": 1e9, "DE": 3e9},
        BALLS: {"CN": 1e9, "TW": 1e9},
        PHONES: {"CN": 1e9, "VN": 1e9},
    }
).with_columns(freight=pl.lit(1e8))
BAN = f"changes:\n{ban_from('2026-10-01T00:01-04:00')}"
LIMIT = "changes:\n  - {op: shock_quantity, from: 2026-02-01, "
SCENARIOS: dict[str, Scenario] = {
    "base": library()["base"],
    "ban": scenario_of(BAN),
    "half": scenario_of(f"{LIMIT}origins: [CN], share: 50%}}\n"),
    "together": scenario_of(
        f"{LIMIT}origins: [CN], products: ['95'], limit: 2000000000, rents: government}}\n"
    ),
    "bought": scenario_of(f"{LIMIT}origins: [JP, TW], floor: 3000000000, rents: exporter}}\n"),
}
MODELS: list[dict[str, Any]] = [
    {"horizon": "impact"},
    {"horizon": "short"},
    {"horizon": "long"},
    {"horizon": "path"},
    {"horizon": "impact", "market": "sector"},
    {"horizon": "long", "market": "sector"},
    {"horizon": "path", "market": "sector"},
    {"horizon": "long", "response": "passthrough"},
]
PLAIN = [*MODELS, {"horizon": "path", "response": "passthrough"}, {"response": "exact_hat"}]


def options_of(given: dict[str, Any]) -> dict[str, Any]:
    return {"on": DAY, "by": ("hts10",), **given}


@pytest.mark.parametrize("options", MODELS)
@pytest.mark.parametrize("name", ["ban", "half", "together", "bought"])
def test_surpluses_revenue_and_rents_add_up_to_welfare(options: dict[str, Any], name: str) -> None:
    block = run_of(TABLE, SCENARIOS[name], **options_of(options)).scenarios[0]
    total: dict[str, Any] = dict(block.total)
    if name == "ban" and options.get("response"):
        assert total["welfare"] is None  # without substitutes no price keeps goods out
        return
    assert_balance([*block.groups.to_dicts(), total])
    rents = sum(total.get(f"rent_{holder}") or 0.0 for holder in ("importer", "exporter", "government"))
    expected = {"ban": rents == 0.0 and total["prohibited_value"] == 6e9, "bought": rents < 0.0}
    assert expected.get(name, rents > 0.0)


@pytest.mark.parametrize("options", PLAIN)
def test_a_table_of_refused_rows_alone_adds_up_to_nothing(options: dict[str, Any]) -> None:
    found = run_of(table_of({"x": {"CN": 1.0}}), **options_of(options))
    assert (found.refused.height, found.scenarios[0].total["value_after"]) == (1, 0.0)


@pytest.mark.parametrize("options", PLAIN)
def test_a_dearer_dollar_is_borne_abroad_and_raises_welfare(options: dict[str, Any]) -> None:
    plain, moved = (
        dict(run_of(TABLE, fx_offset=offset, **options_of(options)).scenarios[0].total)
        for offset in (0.0, 0.174)
    )
    assert_balance([moved])
    added = moved["added_duty"] or 0.0
    assert (moved["borne_abroad"] or 0.0) + (moved["borne_at_home"] or 0.0) == pytest.approx(added, rel=1e-9)
    assert (moved["borne_abroad"] or 0.0) > (plain["borne_abroad"] or 0.0) + 0.01 * added
    assert (moved["welfare"] or 0.0) > (plain["welfare"] or 0.0)


@pytest.mark.parametrize("options", MODELS)
@pytest.mark.parametrize("name", ["base", "ban", "half"])
def test_draws_without_spread_are_the_plain_run(options: dict[str, Any], name: str) -> None:
    quiet = Spreads(0.0, 0.0, 0.0, 0.0)
    found = run_of(TABLE, SCENARIOS[name], **options_of(options), draws=16, spreads=quiet).scenarios[0]
    assert found.ranges is not None
    for row in found.ranges.total.to_dicts():
        expected = pytest.approx(found.total[row["column"]], rel=1e-12, abs=1e-3)
        assert [row["p5"], row["p50"], row["p95"]] == [expected] * 3, row["column"]


def test_days_of_a_timeline_add_up_to_their_welfare() -> None:
    options = Options(baseline=BASELINE, horizon="impact", by=("hts10",))
    found = timeline(TABLE, [SCENARIOS["ban"]], "2026-08-01", DAY, law=load_law(), options=options)
    rows = found.scenarios[0].totals.to_dicts()
    assert len(rows) >= 3
    assert_balance(rows)
