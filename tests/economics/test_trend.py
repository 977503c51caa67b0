"""Growth before the duties: forecasts by hand, unchanged other columns, files, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tariffs.client import Client
from tariffs.client.errors import InvalidRequest, TariffsError
from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.response.rivals import share_out
from tariffs.engine.response.trend import read_trend, years_between
from tariffs.engine.runs.impact import impact
from tariffs.engine.runs.options import Options, Point
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import library

ON, BASELINE = "2025-07-02", "2025-01-01"
TABLE = pl.DataFrame(
    {
        "hts": ["8471500150", "8471500150", "6109100012", "6109100012"],
        "origin": ["CN", "VN", "CN", "VN"],
        "customs_value": [4e6, 3e6, 2e6, 1e6],
    }
)
GROWTH = "origin,industry,growth\nCN,334,0.1\nCN,,-0.2\n,334,0.3\n,,0.05\n"
OF_LINES = {("CN", "8471"): 0.1, ("VN", "8471"): 0.3, ("CN", "6109"): -0.2, ("VN", "6109"): 0.05}


def rows(trend: str, on: str = ON) -> tuple[pl.DataFrame, dict[str, float | None]]:
    options = Options(baseline=BASELINE, trend=trend, by=("origin", "hts4"))
    block = impact(TABLE, [Point(library()["base"], on)], law=load_law(), options=options).scenarios[0]
    return block.groups, dict(block.total)


def test_forecasts_are_trade_after_times_growth_and_nothing_else_changes() -> None:
    plain, total = rows("none")
    grown, grown_total = rows(GROWTH)
    years = 182 / 365 + 0.5
    assert years_between(date.fromisoformat(BASELINE), date.fromisoformat(ON)) == pytest.approx(years)
    for row in grown.iter_rows(named=True):
        factor = (1 + OF_LINES[row["origin"], row["hts4"]]) ** years
        assert row["value_forecast"] == pytest.approx(row["value_after"] * factor, rel=1e-12)
        assert row["duty_forecast"] == pytest.approx(row["duty_after"] * factor, rel=1e-12)
    assert grown_total["value_forecast"] == pytest.approx(grown["value_forecast"].sum(), rel=1e-12)
    assert "value_forecast" not in plain.columns
    assert grown.drop("value_forecast", "duty_forecast").equals(plain)
    assert {name: value for name, value in grown_total.items() if name in total} == total


def test_no_growth_or_no_time_is_the_response() -> None:
    still, _ = rows("origin,industry,growth\n,,0\n")
    assert still["value_forecast"].to_list() == pytest.approx(still["value_after"].to_list(), rel=1e-12)
    assert years_between(date(2025, 7, 2), date(2024, 12, 31)) == pytest.approx(-183 / 365 + 0.5)


def test_a_timeline_grows_with_its_days() -> None:
    options = Options(baseline=BASELINE, trend=GROWTH, horizon="short", by=("origin",))
    found = timeline(
        TABLE, [library()["base"]], "2026-03-01", "2026-05-15", law=load_law(), options=options
    ).scenarios[0]
    growth = found.totals["value_forecast"] / found.totals["value_after"]
    assert max(found.totals["days"].to_list()) <= 30
    assert growth.is_sorted()
    assert growth[0] < growth[-1]


def test_the_embedded_growth_has_partners_and_all_others() -> None:
    trend = read_trend("2024")
    known = trend.growth
    assert known["", "334"] == pytest.approx(0.1528)
    assert trend.of(["8471500150"] * 2, ["TW", "LI"]).tolist() == [known["TW", "334"], known["", "334"]]
    # Scrap has no industry.
    assert trend.of(["7204100000"], ["TW"]).tolist() == [0.0]


@pytest.mark.parametrize(
    "text", ["2023", "origin,growth\nCN,0.1\n", "origin,industry,growth\nCN,334,much\n",
             "origin,industry,growth\nCN,334,-2\n", "origin,industry,growth\nCN,334,0\nCN,334,1\n"],
)  # fmt: skip
def test_a_trend_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(InputError) as refused:
        read_trend(text)
    assert (refused.value.reason, refused.value.field) == ("PARAMETER_INVALID", "trend")


def test_clients_send_the_text_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "growth.csv"
    path.write_text(GROWTH, encoding="utf-8")
    asked = {"on": ON, "baseline": BASELINE, "by": ["origin"]}
    with Client.local() as client:
        named = client.impact(TABLE, trend=path, **asked)  # type: ignore[arg-type] # one dict of several types
        text = client.impact(TABLE, trend=GROWTH, **asked)  # type: ignore[arg-type] # the same
        assert named.groups.equals(text.groups)
        assert named.provenance["run_digest"] == text.provenance["run_digest"]
        assert "value_forecast" in named.groups.columns
        plain = client.impact(TABLE, **asked)  # type: ignore[arg-type] # the same
        assert named.provenance["run_digest"] != plain.provenance["run_digest"]
        with pytest.raises(InvalidRequest, match="cannot be read"):
            client.impact(TABLE, trend=tmp_path / "none.csv", **asked)  # type: ignore[arg-type] # the same
        with pytest.raises(TariffsError) as refused:
            client.impact(TABLE, trend="2024", response="none", **asked)  # type: ignore[arg-type] # the same
        assert refused.value.field == "trend"


def test_rivals_share_what_they_sell_together() -> None:
    sold, power = np.array([30.0, 40.0, 9.0, 0.0]), np.array([1.25, 1.0, 1.5, 1.1])
    found = share_out(sold, power, np.array([0, 0, 1, 2]), 2.0)
    # China sells 30 and Vietnam 40 of 70; powers pull at 0.64 and 1, together at (19.2 + 40) / 70.
    assert found[:3] == pytest.approx([0.64 * 70 / 59.2, 70 / 59.2, 1.0])
    assert sold @ found == pytest.approx(sold.sum())
    assert share_out(sold, power, np.array([0, 0, 1, 2]), 0.0).tolist() == [1.0] * 4


def test_a_run_moves_its_forecast_among_rivals_and_nothing_else() -> None:
    table = pl.concat([TABLE, TABLE.with_columns(origin=pl.lit("DE"), customs_value=5e5)])
    options = Options(baseline=BASELINE, rivals=2.0, horizon="short", by=("origin", "hts4"))
    found = [
        impact(table, [Point(library()["base"], ON)], law=load_law(), options=given)
        for given in (options, replace(options, rivals=0.0), replace(options, trend=GROWTH))
    ]
    assert len({one.provenance["run_digest"] for one in found}) == len(found)
    rows, plain, both = (one.scenarios[0].groups for one in found)
    assert rows.drop("value_forecast", "duty_forecast").equals(plain)
    change = dict(
        zip(rows.select("origin", "hts4").rows(), rows["value_forecast"] / rows["value_after"], strict=True)
    )
    assert change["CN", "8471"] < 1.0 < change["VN", "8471"]
    assert change["DE", "8471"] == change["DE", "6109"] == 1.0
    of_rivals = (
        rows.filter(pl.col("origin") != "DE")
        .group_by("hts4")
        .agg(pl.col("value_forecast", "value_after").sum())
    )
    assert of_rivals["value_forecast"].to_list() == pytest.approx(
        of_rivals["value_after"].to_list(), rel=1e-12
    )
    grown = both.filter(origin="CN", hts4="8471").row(0, named=True)
    years = years_between(date.fromisoformat(BASELINE), date.fromisoformat(ON))
    expected = grown["value_after"] * change["CN", "8471"] * 1.1**years
    assert grown["value_forecast"] == pytest.approx(expected, rel=1e-12)
