"""Landed cost and trade volume of tables: sums, bits, refusals, differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.engine.base import chunks
from tariffs.engine.errors import InputError, ServiceError
from tariffs.engine.law import load_law
from tariffs.engine.line_duty.entry_line import EntryLine
from tariffs.engine.line_duty.quote import quote_line
from tariffs.engine.runs.impact import Impact, ImpactRun, Options, Point, impact
from tariffs.engine.scenario import library, parse_scenario
from tariffs.engine.schedule.reference_data import reference_table

ON = "2025-12-01"


def run(table: Any, names: list[str], on: str = ON, **options: Any) -> Impact:
    points = [Point(library()[name], on) for name in names]
    return impact(table, points, law=load_law(), options=Options(**options))


@pytest.fixture(scope="module")
def sample() -> pl.DataFrame:
    """Every 40th line of the reference table."""
    return reference_table().gather_every(40)


def test_groups_sum_to_totals(sample: pl.DataFrame) -> None:
    found = run(sample, ["base"], baseline="2025-01-01").scenarios[0]
    for name in ("customs_value", "duty", "duty_owed", "landed", "value_after", "duty_after", "creation"):
        assert found.groups[name].sum() == pytest.approx(found.total[name], rel=1e-9)


def test_authorities_sum_to_the_duty(sample: pl.DataFrame) -> None:
    by = run(sample, ["base"], by=("origin", "authority"), baseline="2025-01-01").scenarios[0]
    for name in ("duty", "duty_owed", "duty_after"):
        assert by.groups[name].sum() == pytest.approx(by.total[name], rel=1e-9)


def test_a_line_of_a_table_pays_what_the_entry_line_pays() -> None:
    table = pl.DataFrame(
        {
            "hts": ["9503000073", "4202923120", "8479500000", "8703230190"],
            "origin": ["CN", "CN", "DE", "KR"],
            "customs_value": [10000.0] * 4,
            "fta_share": [0.0, 0.0, 0.0, 1.0],
            "exclusion_share": [0.0] * 4,
        }
    )
    lines = run(table, ["base"], response="none", include_lines=True).scenarios[0].lines
    assert lines is not None
    assert lines["duty"].round(6).to_list() == [2000.0, 6260.0, 1500.0, 1500.0]


def test_threads_and_chunks_do_not_change_a_bit(
    monkeypatch: pytest.MonkeyPatch, sample: pl.DataFrame
) -> None:
    answers = []
    for count, chunk in ((1, 32_768), (2, 501), (2, 97)):
        monkeypatch.setenv("TARIFFS_THREADS", str(count))
        monkeypatch.setattr(chunks, "CHUNK_LINES", chunk)
        answers.append(run(sample, ["base"], baseline="2025-01-01").scenarios[0].groups)
    assert answers[0].equals(answers[1])
    assert answers[0].equals(answers[2])


def test_differences_are_against_the_first_scenario(sample: pl.DataFrame) -> None:
    base, counterfactual = run(sample, ["base", "no-kuala-lumpur-deal"], baseline="2025-01-01").scenarios
    assert set(base.groups["duty_vs"]) == {0.0}
    ours, theirs = counterfactual.total["duty"], base.total["duty"]
    assert ours is not None
    assert theirs is not None
    assert counterfactual.total["duty_vs"] == pytest.approx(ours - theirs)
    china = counterfactual.groups.filter(pl.col("origin") == "CN")
    assert china["duty_vs"].item() > 0


def test_bad_rows_are_refused_and_lose_nothing_else(sample: pl.DataFrame) -> None:
    bad = sample.head(1000).with_columns(
        hts=pl.when(pl.int_range(pl.len()) == 10).then(pl.lit("99999999")).otherwise("hts"),
        origin=pl.when(pl.int_range(pl.len()) == 20).then(pl.lit("XX")).otherwise("origin"),
        customs_value=pl.when(pl.int_range(pl.len()) == 30).then(-1.0).otherwise("customs_value"),
    )
    found = run(bad, ["base"], response="none", include_lines=True)
    assert found.refused["row"].to_list() == [10, 20, 30]
    assert found.refused["reason"].to_list() == [
        "HTS_CODE_UNKNOWN",
        "ORIGIN_UNKNOWN",
        "CUSTOMS_VALUE_INVALID",
    ]
    assert found.scenarios[0].lines is not None
    assert found.scenarios[0].lines.height == 997


def test_a_behavioural_run_needs_a_baseline(sample: pl.DataFrame) -> None:
    with pytest.raises(InputError) as caught:
        run(sample, ["base"])
    assert caught.value.reason == "BASELINE_REQUIRED"


def test_what_needs_a_response_is_null_without_one(sample: pl.DataFrame) -> None:
    total = run(sample, ["base"], response="none").scenarios[0].total
    assert total["value_after"] is None
    assert total["effective_rate_after"] is None
    assert total["duty"] is not None


def test_unknown_groups_and_models_are_refused(sample: pl.DataFrame) -> None:
    for options, reason in (
        ({"by": ("planet",)}, "GROUP_UNKNOWN"),
        ({"response": "magic"}, "PARAMETER_INVALID"),
    ):
        with pytest.raises(InputError) as caught:
            run(sample, ["base"], baseline="2025-01-01", **options)
        assert caught.value.reason == reason


def test_entry_dates_of_lines_beat_the_date_of_the_run() -> None:
    table = pl.DataFrame(
        {
            "hts": ["9503000073"] * 3,
            "origin": ["CN"] * 3,
            "customs_value": [10000.0] * 3,
            "entry_date": ["2025-02-10", "2025-04-09", None],
        }
    )
    lines = run(table, ["base"], response="none", include_lines=True).scenarios[0].lines
    assert lines is not None
    assert lines["duty"].round(6).to_list() == [1000.0, 10400.0, 2000.0]


def test_known_on_entry_is_each_lines_own_day() -> None:
    table = pl.DataFrame(
        {
            "hts": ["6110303059"],
            "origin": ["JP"],
            "customs_value": [10000.0],
            "entry_date": ["2025-09-01"],
            "fta_share": [0.0],
        }
    )
    owed_now = run(table, ["base"], response="none").scenarios[0].total["duty"]
    deposited = run(table, ["base"], response="none", known_on="entry").scenarios[0].total["duty"]
    assert owed_now == pytest.approx(3200.0)
    assert deposited == pytest.approx(4700.0)


def test_a_coarse_code_is_rated_as_its_children() -> None:
    table = pl.DataFrame({"hts": ["950300"], "origin": ["CN"], "customs_value": [10000.0]})
    assert run(table, ["base"], response="none").scenarios[0].total["duty"] == pytest.approx(2000.0)


def test_a_cancelled_run_stops(sample: pl.DataFrame) -> None:
    with pytest.raises(ServiceError) as caught:
        impact(
            sample,
            [Point(library()["base"], ON)],
            law=load_law(),
            options=Options(response="none"),
            cancelled=lambda: True,
        )
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


def test_entry_dates_that_a_scenario_tells_apart_are_not_read_as_one() -> None:
    raised = parse_scenario(
        "schema: tariffs.scenario/v1\nid: raised\ntitle: raised\nbasis: hypothesis\nchanges:\n"
        '  - {op: set_rate, measures: {id: s301_l4a}, from: 2026-12-09, rate: "50%", cite: [a test]}\n',
        "scenario",
    )
    table = pl.DataFrame(
        {
            "hts": ["6110202079"] * 2,
            "origin": ["CN"] * 2,
            "customs_value": [100.0] * 2,
            "entry_date": ["2026-12-08", "2026-12-10"],
        }
    )
    options = Options(response="none", include_lines=True)
    found = impact(table, [Point(raised, ON)], law=load_law(), options=options).scenarios[0].lines
    assert found is not None
    before, after = found["duty"].to_list()
    assert after == pytest.approx(before + 42.5)


def test_each_entry_date_knows_what_was_published_by_then() -> None:
    table = pl.DataFrame(
        {
            "hts": ["8703230190"] * 2,
            "origin": ["KR"] * 2,
            "customs_value": [100.0] * 2,
            "fta_share": [0.0] * 2,
            "entry_date": ["2025-12-03", "2025-12-04"],
        }
    )
    found = run(table, ["base"], response="none", include_lines=True, known_on="entry").scenarios[0].lines
    assert found is not None
    alone = [
        float(
            quote_line(
                load_law(), EntryLine("8703230190", "KR", 100, day, {"fta_share": 0}), known_on="entry"
            ).assessed
        )
        for day in ("2025-12-03", "2025-12-04")
    ]
    assert found["duty"].to_list() == pytest.approx(alone)
    assert alone[0] != alone[1]


_TOYS = pl.DataFrame({"hts": ["9503000073"], "origin": ["CN"], "customs_value": [10_000.0]})


def test_sixty_five_scenarios_are_computed_and_compared_with_the_first() -> None:
    points = [Point(library()["base"], "2026-11-20")] * 64 + [Point(library()["metals-at-25"], "2027-01-11")]
    found = impact(_TOYS, points, law=load_law(), options=Options(response="none", by=("origin",)))
    assert len(found.scenarios) == 65


def test_only_more_than_sixty_four_points_have_a_limit_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tariffs.engine.runs.impact.ROWS_AT_MOST", 64)
    options = Options(response="none", by=("origin",), baseline="2025-01-01")
    point = Point(library()["base"], "2026-11-20")
    assert len(impact(_TOYS, [point] * 64, law=load_law(), options=options).scenarios) == 64
    with pytest.raises(InputError) as caught:
        impact(_TOYS, [point] * 65, law=load_law(), options=options)
    assert (caught.value.reason, caught.value.field) == ("BATCH_TOO_LARGE", "points")
    assert len(ImpactRun(_TOYS, [point] * 65, law=load_law(), options=options).value(64).groups)
