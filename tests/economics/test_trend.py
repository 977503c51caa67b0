"""Growth before the duties: forecasts by hand, unchanged other columns, files, and what is refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.client import Client
from tariffs.client.errors import InvalidRequest
from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.response.trend import read_trend, share_out, years_between
from tariffs.engine.runs.impact import Impact
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import library
from tests.economics.runs import BASELINE, run_of, table_of, total_of

ON = "2025-07-02"
YEARS = 182 / 365 + 0.5
TABLE = table_of({"8471500150": {"CN": 4e6, "VN": 3e6}, "6109100012": {"CN": 2e6, "VN": 1e6}})
GROWTH = "origin,industry,growth\nCN,334,0.1\nCN,,-0.2\n,334,0.3\n,,0.05\n"
OF_LINES = {("CN", "8471"): 0.1, ("VN", "8471"): 0.3, ("CN", "6109"): -0.2, ("VN", "6109"): 0.05}
FORECASTS = ("value_forecast", "duty_forecast")


def run(table: pl.DataFrame = TABLE, **options: Any) -> Impact:
    return run_of(table, on=ON, by=("origin", "hts4"), **options)


def test_forecasts_are_trade_after_times_growth_and_nothing_else_changes() -> None:
    plain, grown = run(trend="none"), run(trend=GROWTH)
    rows, total = grown.scenarios[0].groups, total_of(grown)
    for row in rows.iter_rows(named=True):
        factor = (1 + OF_LINES[row["origin"], row["hts4"]]) ** YEARS
        assert row["value_forecast"] == pytest.approx(row["value_after"] * factor, rel=1e-12)
        assert row["duty_forecast"] == pytest.approx(row["duty_after"] * factor, rel=1e-12)
    assert total["value_forecast"] == pytest.approx(rows["value_forecast"].sum(), rel=1e-12)
    assert rows.drop(FORECASTS).equals(plain.scenarios[0].groups)
    assert {name: total[name] for name in total_of(plain)} == total_of(plain)


def test_no_growth_or_no_time_is_the_response() -> None:
    rows = run(trend="origin,industry,growth\n,,0\n").scenarios[0].groups
    assert rows["value_forecast"].to_list() == pytest.approx(rows["value_after"].to_list(), rel=1e-12)
    assert years_between(date(2025, 1, 1), date(2025, 7, 2)) == pytest.approx(YEARS)
    assert years_between(date(2025, 7, 2), date(2024, 12, 31)) == pytest.approx(-183 / 365 + 0.5)


def test_a_timeline_grows_with_its_days() -> None:
    options = Options(baseline=BASELINE, trend=GROWTH, horizon="short", by=("origin",))
    found = timeline(TABLE, [library()["base"]], "2026-03-01", "2026-05-15", law=load_law(), options=options)
    totals = found.scenarios[0].totals
    growth = totals["value_forecast"] / totals["value_after"]
    assert max(totals["days"].to_list()) <= 30
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
    path, asked = tmp_path / "growth.csv", dict[str, Any](on=ON, baseline=BASELINE, by=["origin"])
    path.write_text(GROWTH, encoding="utf-8")
    with Client.local() as client:
        named, text = (client.impact(TABLE, trend=trend, **asked) for trend in (path, GROWTH))
        assert named.groups.equals(text.groups)
        assert "value_forecast" in named.groups.columns
        with pytest.raises(InvalidRequest, match="cannot be read"):
            client.impact(TABLE, trend=tmp_path / "none.csv", **asked)


def test_rivals_share_what_they_sell_together() -> None:
    sold, power, of = (
        np.array([30.0, 40.0, 9.0, 0.0]),
        np.array([1.25, 1.0, 1.5, 1.1]),
        np.array([0, 0, 1, 2]),
    )
    found = share_out(sold, power, of, 2.0)
    # China sells 30 and Vietnam 40 of 70; powers pull at 0.64 and 1, together at (19.2 + 40) / 70.
    assert found[:3] == pytest.approx([0.64 * 70 / 59.2, 70 / 59.2, 1.0])
    assert sold @ found == pytest.approx(sold.sum())
    assert share_out(sold, power, of, 0.0).tolist() == [1.0] * 4


def test_a_run_moves_its_forecast_among_rivals_and_nothing_else() -> None:
    table = pl.concat([TABLE, TABLE.with_columns(origin=pl.lit("DE"), customs_value=5e5)])
    given: list[dict[str, Any]] = [{"rivals": 2.0}, {}, {"rivals": 2.0, "trend": GROWTH}]
    found = [run(table, horizon="short", **options) for options in given]
    assert len({one.provenance["run_digest"] for one in found}) == len(found)
    rows, plain, both = (one.scenarios[0].groups for one in found)
    assert rows.drop(FORECASTS).equals(plain)
    keys, changes = rows.select("origin", "hts4").rows(), rows["value_forecast"] / rows["value_after"]
    change = dict(zip(keys, changes, strict=True))
    assert change["CN", "8471"] < 1.0 < change["VN", "8471"]
    assert change["DE", "8471"] == change["DE", "6109"] == 1.0
    columns = pl.col("value_forecast", "value_after")
    sums = rows.filter(pl.col("origin") != "DE").group_by("hts4").agg(columns.sum())
    assert sums["value_forecast"].to_list() == pytest.approx(sums["value_after"].to_list(), rel=1e-12)
    grown = both.filter(origin="CN", hts4="8471").row(0, named=True)
    expected = grown["value_after"] * change["CN", "8471"] * 1.1**YEARS
    assert grown["value_forecast"] == pytest.approx(expected, rel=1e-12)
