"""Incidence of added duty: exact indices, a balance to the dollar, the shares that elasticities give."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from tariffs.engine.law import Law, load_law
from tariffs.engine.runs.column_names import INCIDENCE_COLUMNS
from tariffs.engine.runs.impact import Options, Point, ScenarioImpact, impact
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import library

TABLE = pl.DataFrame(
    {
        "hts": ["9503000073", "9503000073", "6109100012", "6109100012"],
        "origin": ["CN", "VN", "CN", "VN"],
        "customs_value": [4e6, 9e6, 3e6, 2e6],
        "freight": [1e5, 2e5, 0.0, 1e4],
        # Without partial claims every line has one rate.
        "fta_share": 0.0,
        "exclusion_share": 0.0,
    }
)
BASELINE = "2025-01-01"


@pytest.fixture(scope="module")
def law() -> Law:
    return load_law()


def total(law: Law, **options: Any) -> dict[str, Any]:
    return dict(run(law, **options).total)


def run(law: Law, **options: Any) -> ScenarioImpact:
    given = Options(**{"baseline": BASELINE, **options})
    return impact(TABLE, [Point(library()["base"], "2025-12-01")], law=law, options=given).scenarios[0]


@pytest.mark.parametrize("response", ["armington", "passthrough", "smart"])
def test_value_is_quantity_times_the_price_of_exporters(law: Law, response: str) -> None:
    found = run(law, horizon="long", response=response)
    for row in (*found.groups.to_dicts(), dict(found.total)):
        after = row["customs_value"] * row["quantity_hat"] * row["exporter_price_hat"]
        assert after == pytest.approx(row["value_after"], rel=1e-12)


def test_added_duty_is_borne_at_home_and_abroad_to_the_dollar(law: Law) -> None:
    found = run(law, horizon="long", market="sector", by=("hts10", "origin"))
    at_base = Options(baseline=BASELINE, response="none", by=("hts10", "origin"))
    base = impact(TABLE, [Point(library()["base"], BASELINE)], law=law, options=at_base).scenarios[0].groups
    for row, before in zip(found.groups.to_dicts(), base.to_dicts(), strict=True):
        paid = row["duty_after"] - before["duty"] * row["quantity_hat"]
        assert row["added_duty"] == pytest.approx(paid, rel=1e-9)
        assert row["borne_at_home"] + row["borne_abroad"] == pytest.approx(row["added_duty"], rel=1e-12)
        landed = row["landed_after"] - before["landed"] * row["quantity_hat"]
        assert row["borne_at_home"] == pytest.approx(landed, abs=1e-6)
        assert row["landed_price_hat"] == pytest.approx(
            row["landed_after"] / (before["landed"] * row["quantity_hat"]), rel=1e-12
        )
    for name in ("added_duty", "borne_abroad", "borne_at_home"):
        assert found.groups[name].sum() == pytest.approx(found.total[name], rel=1e-12)


def test_flat_supply_leaves_all_to_importers(law: Law, tmp_path: Any) -> None:
    path = tmp_path / "flat.csv"
    path.write_text("hts,supply\n95,inf\n61,inf\n")
    flat = total(law, parameter_set=str(path))
    assert flat["importer_share"] == pytest.approx(1.0, abs=1e-12)
    assert flat["borne_abroad"] == pytest.approx(0.0, abs=1e-6)
    assert 0.5 < total(law, horizon="long")["importer_share"] < 1.0


def test_runs_without_a_response_and_rows_by_authority_stay_as_they_are(law: Law) -> None:
    assert not set(INCIDENCE_COLUMNS) & set(run(law, response="none").groups.columns)
    found = run(law, by=("authority",))
    assert not set(INCIDENCE_COLUMNS) & set(found.groups.columns)
    assert set(INCIDENCE_COLUMNS) <= set(found.total)
    at_base = [Point(library()["base"], BASELINE)]
    unmoved = impact(TABLE, at_base, law=law, options=Options(baseline=BASELINE)).scenarios[0].total
    assert unmoved["importer_share"] is None
    assert unmoved["added_duty"] == pytest.approx(0.0, abs=1e-6)


def test_buyers_and_the_treasury_have_all_of_welfare(law: Law) -> None:
    found = run(law, horizon="long", by=("hts10",))
    for row in (*found.groups.to_dicts(), dict(found.total)):
        assert row["buyer_surplus"] + row["revenue_change"] == pytest.approx(row["welfare"], rel=1e-9)


def test_averages_of_a_timeline_keep_the_identities(law: Law) -> None:
    options = Options(baseline=BASELINE, horizon="long")
    found = timeline(
        TABLE, [library()["base"]], "2025-03-01", "2025-06-01", law=law, options=options
    ).scenarios[0]
    for row in (*found.averages.to_dicts(), *found.average_total.to_dicts()):
        after = row["customs_value"] * row["quantity_hat"] * row["exporter_price_hat"]
        assert after == pytest.approx(row["value_after"], rel=1e-12)
        assert row["borne_at_home"] + row["borne_abroad"] == pytest.approx(row["added_duty"], rel=1e-12)
        assert row["importer_share"] == pytest.approx(row["borne_at_home"] / row["added_duty"], rel=1e-12)
