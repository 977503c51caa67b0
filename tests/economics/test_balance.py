"""Test sums of every run: welfare is surplus, revenue and rents, duty owed is of layers owed, draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.engine.law import load_law
from tariffs.engine.runs.impact import Options
from tariffs.engine.runs.outcomes.table_run import RunContext, TableRun
from tariffs.engine.scenario import Scenario, library
from tests.economics import runs
from tests.economics.runs import TOYS, assert_balance, run_of, table_of, total_of

DAY, PHONES = "2026-11-20", "8517130000"
TABLE = table_of(
    {
        TOYS: {"CN": 4e9, "VN": 2e9, "MX": 1e9},
        runs.STEEL: {"CN": 2e9, "JP": 1e9, "DE": 3e9},
        runs.BALLS: {"CN": 1e9, "TW": 1e9},
        PHONES: {"CN": 1e9, "VN": 1e9},
    }
).with_columns(freight=pl.lit(1e8))
LIMIT = "changes:\n  - {op: shock_quantity, from: 2026-02-01, "
BAN = runs.banned('origins: [CN], products: ["9503", "7208"]', "2026-10-01T00:01-04:00")
SCENARIOS: dict[str, Scenario] = {
    "base": library()["base"],
    "ban": runs.scenario_of(f"changes:\n{BAN}"),
    "half": runs.scenario_of(f"{LIMIT}origins: [CN], share: 50%}}\n"),
    "together": runs.scenario_of(
        f"{LIMIT}origins: [CN], products: ['95'], limit: 2000000000, rents: government}}\n"
    ),
    "bought": runs.scenario_of(f"{LIMIT}origins: [JP, TW], floor: 3000000000, rents: exporter}}\n"),
    "mixed": runs.scenario_of(
        "mixture: [{scenario: base, weight: 25%}, {scenario: no-kuala-lumpur-deal, weight: 75%}]\n"
    ),
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
    plain, moved = (total_of(run_of(TABLE, fx_offset=fx, **options_of(options))) for fx in (0.0, 0.174))
    assert_balance([moved])
    assert moved["borne_abroad"] + moved["borne_at_home"] == pytest.approx(moved["added_duty"], rel=1e-9)
    assert moved["borne_abroad"] > plain["borne_abroad"] + 0.01 * moved["added_duty"]
    assert moved["welfare"] > plain["welfare"]


@pytest.mark.parametrize("options", MODELS)
@pytest.mark.parametrize("name", ["ban", "half", "mixed"])
def test_draws_without_spread_are_the_plain_run(options: dict[str, Any], name: str) -> None:
    given = {**options_of(options), "draws": 16, "spreads": runs.QUIET}
    found = run_of(TABLE, SCENARIOS[name], **given)
    for row in runs.ranges_of(found).total.to_dicts():
        expected = pytest.approx(total_of(found)[row["column"]], rel=1e-12, abs=1e-3)
        assert [row["p5"], row["p50"], row["p95"]] == [expected] * 3, row["column"]


AUTUMN = "2025-11-15"
OWED, ASSESSED = "duty_owed_after", "duty_after"
CLAIMED = table_of(
    {
        TOYS: {"CN": 4e9, "VN": 2e9, "MX": 1e9},
        runs.STEEL: {"CN": 2e9, "JP": 1e9, "VN": 3e9},
        PHONES: {"CN": 1e9, "VN": 1e9},
        "6109100012": {"CN": 2e9, "BR": 1e9},
    }
)
KEPT = runs.added("kept", "2025-06-01T00:01-04:00", "origins: [VN], rate: 20%")
ONE_VOID = runs.scenario_of(f"changes:\n{KEPT}{runs.void('CN, JP')}")


def slow_owed(scenario: Scenario, **options: Any) -> dict[str, float]:
    """Price the trade after of each line at the mean rate owed of its atoms, line by line."""
    given = Options(**{"baseline": runs.BASELINE, "by": ("origin",), **options})
    run = TableRun(CLAIMED, load_law(), given, RunContext(None, None))
    outcome = run.outcomes(scenario, AUTUMN)[0]
    assert run.response is not None
    assert outcome.volume is not None
    v, rates = run.response.varieties, outcome.variety_rates
    found = dict.fromkeys(CLAIMED["origin"], 0.0)
    # The rates owed of the atoms of a line average to that of the kernel over lines.
    atoms = [0.0] * CLAIMED.height
    for place in range(v.count):
        line, rate = int(v.line[place]), float(rates.owed_rate[place])
        atoms[line] += float(v.value[place]) * rate
        found[CLAIMED["origin"][line]] += float(outcome.volume.value_of_varieties[place]) * rate
    np.testing.assert_allclose(atoms, outcome.duties.owed, rtol=1e-9)
    return found


@pytest.mark.parametrize(
    "options",
    [
        {"horizon": "short"},
        {"horizon": "path"},
        {"horizon": "path", "market": "sector"},
        {"horizon": "short", "market": "sector"},
        {"horizon": "long", "response": "smart"},
        {"horizon": "path", "switches": {"revive_displaced": "on"}},
    ],
)
@pytest.mark.parametrize("scenario", [SCENARIOS["base"], ONE_VOID], ids=["base", "one-void"])
def test_duty_owed_after_is_that_of_the_layers_owed(scenario: Scenario, options: dict[str, Any]) -> None:
    found = run_of(CLAIMED, scenario, on=AUTUMN, by=("origin",), include_lines=True, **options)
    expected, total = slow_owed(scenario, **options), total_of(found)
    rows = {row["origin"]: row for row in found.scenarios[0].groups.to_dicts()}
    for origin, owed in expected.items():
        assert rows[origin][OWED] == pytest.approx(owed, rel=1e-9, abs=1e-3)
    assert total[OWED] == pytest.approx(sum(expected.values()), rel=1e-9)
    assert total[OWED] == pytest.approx(runs.lines_of(found)[OWED].sum(), rel=1e-9)
    assert total[OWED] < total[ASSESSED]


@pytest.mark.parametrize("horizon", ["short", "path"])
def test_all_is_owed_where_no_void_act_is_known(horizon: str) -> None:
    found = run_of(CLAIMED, on=AUTUMN, by=("origin",), horizon=horizon, known_on=AUTUMN)
    groups = found.scenarios[0].groups
    assert groups[OWED].to_list() == groups[ASSESSED].to_list()
    assert total_of(found)[OWED] == total_of(found)[ASSESSED]


def test_void_duty_by_authority_is_what_is_not_owed() -> None:
    found = run_of(CLAIMED, on=AUTUMN, by=("authority",))
    voided, total = found.scenarios[0].groups.filter(pl.col("duty_owed") == 0.0), total_of(found)
    assert voided.height
    assert total[ASSESSED] - total[OWED] == pytest.approx(voided[ASSESSED].sum(), rel=1e-9)
