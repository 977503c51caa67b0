"""The answer of a run in five lines: what the figures are, of which run, and how sure."""

from __future__ import annotations

import re
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client, ImpactResult
from tariffs.client.results.amounts import short_unit, three
from tariffs.client.results.answer import Answer, summary
from tests.client.conftest import Cli

KEPT, LAPSED = "ieepa-upheld-truce-kept", "ieepa-upheld-truce-lapsed"
DAY = "2026-11-20"


ORIGINS = ("CN", "VN", "MX", "CA", "DE", "JP", "KR", "IN", "TH", "GB", "BR", "TR")
GOODS = [("9503.00.0073", origin, 1e11 / place) for place, origin in enumerate(ORIGINS, 1)]
TOYS = pl.DataFrame(GOODS, ["hts", "origin", "customs_value"], orient="row")


@pytest.fixture(scope="module")
def impact(client: Client) -> ImpactResult:
    given: dict[str, Any] = {"on": DAY, "baseline": "2025-01-01", "by": ["origin"]}
    return client.impact(TOYS, [KEPT, LAPSED], draws=16, **given)


def lines(answer: Answer) -> dict[str, list[str]]:
    return {row[0]: list(row[1:]) for row in answer.table.rows}


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (363_338_544_804.0, 1e9, "363"),
        (-41_211_181_934.0, 1e9, "-41.2"),
        (7_918_000_000.0, 1e9, "7.92"),
        (999_600_000.0, 1e6, "1,000"),
        (0.0987, 0.01, "9.87"),
        (0.00001, 0.01, "0.00"),
        (-1e-9, 1.0, "0.00"),
        (1_234_567.0, 1.0, "1,230,000"),
        (0.0, 1e9, "0"),
        (None, 1e9, "-"),
    ],
)
def test_numbers_have_three_significant_digits(value: float | None, unit: float, text: str) -> None:
    assert three(value, unit) == text
    units = [short_unit(values).name for values in ([1e6, -3e9, None], [1e6, 999.0], [None, 12.0])]
    assert units == ["USD bn", "USD m", "USD"]


def test_each_line_is_that_of_the_totals_of_the_run(impact: ImpactResult) -> None:
    first, second = impact.total.to_dicts()
    found = lines(impact.answer())
    assert len(found) == 8  # the range stands twice under one title
    assert found["Effective rate, %"] == [
        f"{three(one['effective_rate'], 0.01)} -> {three(one['effective_rate_after'], 0.01)}"
        for one in (first, second)
    ]
    change = [three(one["value_change"] / one["customs_value"], 0.01) for one in (first, second)]
    assert found["Imports, change in %"] == change
    assert found["Revenue assessed and owed, USD bn"][0] == (
        f"{three(first['duty'], 1e9)} -> {three(first['duty_after'], 1e9)}"
    )
    more = [second[name] - first[name] for name in ("duty", "duty_after")]
    assert found["Revenue more than ieepa upheld truce kept, USD bn"] == [
        "-",
        " -> ".join(three(one, 1e9) for one in more),
    ]
    share = three(first["borne_at_home"] / first["added_duty"], 0.01)
    assert found["Borne by US buyers, % of added duty"][0] == share
    assert found["Welfare, USD bn"] == [three(one["welfare"], 1e9) for one in (first, second)]
    assert impact.answer().table.heads == ["", "ieepa upheld truce kept", "ieepa upheld truce lapsed"]


def test_the_bands_are_those_of_the_draws_and_say_what_they_leave_out(impact: ImpactResult) -> None:
    assert impact.ranges is not None
    bands = [row for row in impact.answer().table.rows if "elasticities only" in row[0]]
    rows = {name: impact.ranges.total.filter(column=name).to_dicts() for name in ("duty_after", "welfare")}
    more, welfare = rows["duty_after"][1], rows["welfare"][1]
    assert bands[0][1:] == ["-", f"{three(more['vs_p5'], 1e9)} to {three(more['vs_p95'], 1e9)}"]
    assert bands[1][2] == f"{three(welfare['p5'], 1e9)} to {three(welfare['p95'], 1e9)}"
    assert "How sure" not in impact.answer().about


def test_the_summary_of_json_is_that_of_the_answer(impact: ImpactResult) -> None:
    block = impact.to_json_dict()["scenarios"][1]  # type: ignore[index]  # a list of mappings
    total = block["total"]
    assert impact.models is not None
    spread = impact.models.filter(scenario=LAPSED)["welfare"]
    assert block["summary"] == {
        "rate": total["effective_rate"],
        "rate_after": total["effective_rate_after"],
        "imports_change": total["value_change"] / total["customs_value"],
        "revenue": total["duty"],
        "revenue_owed": total["duty_owed"],
        "revenue_after": total["duty_after"],
        "borne_at_home": total["borne_at_home"],
        "welfare": total["welfare"],
        "welfare_p5": next(one["p5"] for one in block["total_ranges"] if one["column"] == "welfare"),
        "welfare_p95": next(one["p95"] for one in block["total_ranges"] if one["column"] == "welfare"),
        "welfare_models": [spread.min(), spread.max()],
    }
    assert summary({"duty": 1.0})["welfare_p5"] is None
    assert summary({"duty": 1.0})["welfare_models"] is None


def test_the_spread_over_models_is_that_of_runs_of_their_own(client: Client, impact: ImpactResult) -> None:
    assert impact.models is not None
    own = impact.models.filter(scenario=LAPSED)["welfare"].to_list()
    other = client.impact(TOYS, [LAPSED], on=DAY, baseline="2025-01-01", by=[], response="exact_hat")
    assert (own[0], own[-1]) == (impact.total["welfare"][1], other.total["welfare"].item())
    assert impact.models.filter(scenario=LAPSED)["run_digest"].n_unique() == len(own) == 4
    found = lines(impact.answer())["  over models of trade"]
    assert found[1] == " to ".join(three(one, 1e9) for one in (min(own), max(own)))


@pytest.mark.parametrize(
    ("vary", "heads"),
    [
        ("0%:20%:10%", ["", "cn 0 %", "cn 10 %", "cn 20 %"]),
        ("0%:10%:1%", ["", "cn 0 %", "cn 2 %", "cn 5 %", "cn 8 %", "cn 10 %"]),
    ],
)
def test_points_of_a_sweep_stand_side_by_side(client: Client, vary: str, heads: list[str]) -> None:
    found = client.sweep(TOYS, "rates-by-country", vary={"cn": vary}, on="2027-01-11", response="none")
    assert found.answer().table.heads == heads


def test_groups_stand_by_name_with_scenarios_side_by_side(impact: ImpactResult) -> None:
    (table,) = impact.short_tables()
    assert table.heads == ["origin", "ieepa upheld truce kept", "ieepa upheld truce lapsed"]
    assert table.caption == "duty after, USD bn"
    assert len(table.rows) == 11
    assert table.rows[0][0] == "China"
    china = impact.groups.filter(origin="CN")["duty_after"]
    assert table.rows[0][1:] == [three(one, 1e9) for one in china]
    assert table.rows[-1][0].startswith("total, with ")
    assert table.rows[-1][1:] == [three(one, 1e9) for one in impact.total["duty_after"]]
    (rates,) = impact.short_tables("effective_rate", 3)
    assert rates.caption == "rate, percent"
    assert len(rates.rows) == 4


def test_void_duty_stands_apart_and_a_static_run_has_no_response(client: Client) -> None:
    answer = client.impact(on="2025-12-01", response="none").answer()
    found = lines(answer)
    revenue = ["Revenue assessed, USD bn", "Revenue owed, without void acts, USD bn"]
    assert list(found) == ["Effective rate, %", *revenue]
    assert "->" not in answer.table.caption
    assert answer.about == "Static: trade does not respond."


def test_one_scenario_is_answered_in_twelve_lines_of_a_hundred_columns(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    text = re.sub(r"\x1b\[[0-9;]*m", "", cli.out(["impact", "--on", DAY, "--local"]))
    answer, _, rest = text.partition("\n\n")
    assert len(answer.splitlines()) <= 12
    assert len(text.splitlines()) <= 32
    assert "_" not in rest.partition("\n\n")[0]
    assert max(map(len, text.splitlines())) <= 100
    assert "How sure: --draws 64" in " ".join(answer.split())
