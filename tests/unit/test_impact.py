"""Landed cost and trade volume of tables: sums, bits, refusals, differences, days of entries, keys of groups."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.client import Client
from tariffs.engine.base import chunks
from tariffs.engine.errors import InputError, ServiceError
from tariffs.engine.law import load_law
from tariffs.engine.runs.impact import Impact, ImpactRun, Options, Point, impact
from tariffs.engine.scenario import library
from tariffs.engine.schedule.reference_data import reference_table
from tariffs.importers.regions import rows_of
from tests.unit.scenario_tables import written

ON = "2025-12-01"
TOYS = {"hts": "9503000073", "origin": "CN", "customs_value": 10_000.0}


def run(table: Any, names: list[str], on: str = ON, **options: Any) -> Impact:
    points = [Point(library()[name], on) for name in names]
    return impact(table, points, law=load_law(), options=Options(**options))


def duties(table: Any, points: list[Point]) -> list[float]:
    options = Options(response="none", include_lines=True)
    lines = impact(table, points, law=load_law(), options=options).scenarios[0].lines
    assert lines is not None
    return lines["duty"].round(6).to_list()


@pytest.fixture(scope="module")
def sample() -> pl.DataFrame:
    """Every 40th line of the reference table."""
    return reference_table().gather_every(40)


def test_groups_and_authorities_sum_to_totals(sample: pl.DataFrame) -> None:
    duties = ("duty", "duty_owed", "duty_after")
    for by, names in (
        (("origin",), (*duties, "customs_value", "landed", "value_after", "creation")),
        (("origin", "authority"), duties),
    ):
        found = run(sample, ["base"], by=by, baseline="2025-01-01").scenarios[0]
        for name in names:
            assert found.groups[name].sum() == pytest.approx(found.total[name], rel=1e-9)


def test_threads_and_chunks_do_not_change_a_bit(
    monkeypatch: pytest.MonkeyPatch, sample: pl.DataFrame
) -> None:
    answers = []
    for count, chunk in ((1, 32_768), (2, 97)):
        monkeypatch.setenv("TARIFFS_THREADS", str(count))
        monkeypatch.setattr(chunks, "CHUNK_LINES", chunk)
        answers.append(run(sample, ["base"], baseline="2025-01-01").scenarios[0].groups)
    assert answers[0].equals(answers[1])


def test_differences_are_against_the_first_scenario(sample: pl.DataFrame) -> None:
    base, counterfactual = run(sample, ["base", "no-kuala-lumpur-deal"], baseline="2025-01-01").scenarios
    assert set(base.groups["duty_vs"]) == {0.0}
    ours, theirs = counterfactual.total["duty"], base.total["duty"]
    assert ours is not None
    assert theirs is not None
    assert counterfactual.total["duty_vs"] == pytest.approx(ours - theirs)
    assert counterfactual.groups.filter(origin="CN")["duty_vs"].item() > 0


def test_what_needs_a_response_is_null_without_one(sample: pl.DataFrame) -> None:
    total = run(sample, ["base"], response="none").scenarios[0].total
    assert total["value_after"] is None
    assert total["effective_rate_after"] is None
    assert total["duty"] is not None


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, "BASELINE_REQUIRED"),
        ({"by": ("planet",), "baseline": "2025-01-01"}, "GROUP_UNKNOWN"),
        ({"response": "magic", "baseline": "2025-01-01"}, "PARAMETER_INVALID"),
    ],
)
def test_options_that_cannot_be_computed_are_refused(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError) as caught:
        run(pl.DataFrame([TOYS]), ["base"], **options)
    assert caught.value.reason == reason


def test_entry_dates_of_lines_beat_the_date_of_the_run() -> None:
    days = ["2025-02-10", "2025-04-09", None]
    table = pl.DataFrame([TOYS] * 3).with_columns(entry_date=pl.Series(days))
    assert duties(table, [Point(library()["base"], ON)]) == [1000.0, 10400.0, 2000.0]
    (found,) = run(table[:2], ["base"], by=("month",), response="none").scenarios
    assert found.groups["month"].to_list() == ["2025-02", "2025-04"]
    coarse = pl.DataFrame([TOYS | {"hts": "950300"}])
    assert duties(coarse, [Point(library()["base"], ON)]) == [2000.0]


def test_entry_dates_that_a_scenario_tells_apart_are_not_read_as_one() -> None:
    raised = written("{op: set_rate, measures: {id: s301_l4a}, from: 2026-12-09, rate: 50%}")
    shirts = {"hts": "6110202079", "origin": "CN", "customs_value": 100.0}
    days = pl.Series(["2026-12-08", "2026-12-10"])
    before, after = duties(pl.DataFrame([shirts] * 2).with_columns(entry_date=days), [Point(raised, ON)])
    assert after == pytest.approx(before + 42.5)


def test_a_cancelled_run_stops(sample: pl.DataFrame) -> None:
    point, options = Point(library()["base"], ON), Options(response="none")
    with pytest.raises(ServiceError) as caught:
        impact(sample, [point], law=load_law(), options=options, cancelled=lambda: True)
    assert caught.value.reason == "CANCELLED"


def test_a_variety_of_no_value_changes_nothing() -> None:
    table = pl.DataFrame(
        {"hts": ["9503000073"] * 3, "origin": ["CN", "VN", "MX"], "customs_value": [0.0, 500.0, 700.0]}
    )
    found = run(table, ["base"], baseline="2025-01-01", include_lines=True).scenarios[0].lines
    assert found is not None
    numbers = found.select(pl.selectors.float()).fill_null(0.0).to_numpy()
    assert np.isfinite(numbers).all()
    assert found["value_after"][0] == 0.0


def test_only_more_than_sixty_four_points_have_a_limit_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    toys, options = pl.DataFrame([TOYS]), Options(response="none", by=("origin",), baseline="2025-01-01")
    points = [Point(library()["base"], "2026-11-20")] * 64 + [Point(library()["metals-at-25"], "2027-01-11")]
    assert len(impact(toys, points, law=load_law(), options=options).scenarios) == 65
    monkeypatch.setattr("tariffs.engine.runs.impact.ROWS_AT_MOST", 64)
    assert len(impact(toys, points[:64], law=load_law(), options=options).scenarios) == 64
    with pytest.raises(InputError) as caught:
        impact(toys, points, law=load_law(), options=options)
    assert (caught.value.reason, caught.value.field) == ("BATCH_TOO_LARGE", "points")
    assert len(ImpactRun(toys, points, law=load_law(), options=options).value(64).groups)


# Toys, a car, steel, computers, and scrap, which no industry makes.
LINES = pl.DataFrame(
    {
        "hts": ["9503.00.0073", "8703.80.0000", "7208.10.1500", "8471.30.0100", "7204.10.0000"],
        "origin": ["CN", "DE", "KR", "VN", "CA"],
        "customs_value": [1.0, 2.0, 4.0, 8.0, 16.0],
    }
)


def test_goods_are_grouped_by_their_industry_and_partners_by_region_on_both_sides(client: Client) -> None:
    def values(key: str) -> dict[str, float]:
        groups = client.impact(LINES, on="2026-11-20", by=[key], response="none").groups
        return dict(groups.select(key, "customs_value").iter_rows())

    assert values("sector") == {"339": 1.0, "3361MV": 2.0, "331": 4.0, "334": 8.0, None: 16.0}
    assert values("region") == {
        "Eastern Asia": 5.0, "Western Europe": 2.0, "Southeast Asia": 8.0, "Northern America": 16.0,
    }  # fmt: skip
    asked: Any = {"direction": "export", "to": "CA", "on": "2026-11-20", "response": "none"}
    assert client.impact(by=["region"], **asked).groups["region"].to_list() == ["Northern America"]


def test_a_column_of_the_table_comes_before_a_key_of_its_name(client: Client) -> None:
    frame = LINES.with_columns(sector=pl.lit("mine"), region=pl.col("origin"))
    result = client.impact(frame, on="2026-11-20", by=["sector", "region"], response="none")
    assert set(result.groups["sector"]) == {"mine"}
    assert result.groups["region"].n_unique() == LINES.height


def test_sectors_hold_whole_products_and_regions_do_not(client: Client) -> None:
    table = reference_table().gather_every(200)
    options: Any = {"on": "2026-11-20", "horizon": "short", "baseline": "2025-01-01"}
    by_sector, by_region, products = (
        client.impact(table, by=[key], **options).groups for key in ("sector", "region", "hts10")
    )
    assert by_sector["buyer_surplus"].null_count() == 0
    assert by_region["buyer_surplus"].count() == 0
    assert by_sector["buyer_surplus"].sum() == pytest.approx(products["buyer_surplus"].sum(), rel=1e-9)


def test_the_importer_takes_the_direct_region_of_each_known_origin() -> None:
    contains = {
        "001": {"_contains": ["142"]},
        "035": {"_contains": ["VN", "XX"]},
        "EU": {"_contains": ["DE"]},
    }
    assert rows_of(contains, {"035": "Southeast Asia"}, frozenset({"VN", "DE"})) == [("VN", "Southeast Asia")]
