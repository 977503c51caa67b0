"""Timelines: segments equal single days, are valued once, and average by days."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.runs.timeline import ScenarioTimeline, Timeline, TimelineRun, timeline
from tariffs.engine.scenario import Scenario, library
from tests.conftest import SCALE
from tests.unit.result_frames import assert_agree
from tests.unit.scenario_tables import TABLE, written

NONE = Options(response="none", by=("authority", "origin"))


def run(
    *scenarios: Scenario | str, start: str = "2026-11-01", end: str = "2027-02-28", options: Options = NONE,
    table: pl.DataFrame = TABLE,
) -> Timeline:  # fmt: skip
    known = [library()[one] if isinstance(one, str) else one for one in scenarios]
    return timeline(table, known, start, end, law=load_law(), options=options)


def test_segments_cover_the_period_without_gap() -> None:
    for block in run("base", "truce-extended").scenarios:
        spans = [
            (date.fromisoformat(a), date.fromisoformat(b), n)
            for a, b, n in block.totals.select("start", "end", "days").iter_rows()
        ]
        assert spans[0][0] == date(2026, 11, 1)
        assert spans[-1][1] == date(2027, 2, 28)
        assert all((end - start).days + 1 == days for start, end, days in spans)
        assert all(spans[i][1] + timedelta(1) == spans[i + 1][0] for i in range(len(spans) - 1))


def test_laws_that_respond_together_are_single_days() -> None:
    """Four laws or more of one sweep, some of which prohibit goods; each third is a run at the smallest scale."""
    by = ("authority", "hts4")
    options = Options(by=by, baseline="2025-01-01", response="armington", horizon="long")
    wine = pl.DataFrame([("2204215040", "CA", 4_000.0)], schema=TABLE.schema, orient="row")
    table, scenarios, prohibited = TABLE.vstack(wine), [library()["base"], tariff_on_china()], 0.0
    found = run(*scenarios, start="2026-05-01", end="2027-01-31", options=options, table=table)
    for scenario, block in zip(scenarios, found.scenarios, strict=True):
        assert block.totals.height > 4
        prohibited += float(block.totals["prohibited_value"].sum())
        for row in block.totals[:: 3 if SCALE == 1 else 1].iter_rows(named=True):
            point = Point(scenario, row["start"])
            (single,) = impact(table, [point], law=load_law(), options=options).scenarios
            segment = block.segments.filter(start=row["start"]).drop("start", "end", "days")
            assert_agree(segment, single.groups.select(segment.columns))
            total = block.totals.filter(start=row["start"]).drop("start", "end", "days")
            assert_agree(total, pl.DataFrame([dict(single.total)]).select(total.columns).cast(pl.Float64))
    assert prohibited > 0.0


def test_scenarios_that_respond_together_have_the_same_bits_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    options = Options(by=("origin", "authority"), baseline="2025-01-01", response="armington", horizon="long")
    scenarios = [library()["base"], tariff_on_china()]

    def blocks(*order: int) -> dict[int, ScenarioTimeline]:
        one = TimelineRun(
            TABLE, scenarios, "2026-09-01", "2026-11-30", law=load_law(), options=options
        )  # fmt: skip
        return {index: one.value(index) for index in order}

    monkeypatch.setenv("TARIFFS_THREADS", "1")
    whole = blocks(0, 1)
    monkeypatch.setenv("TARIFFS_THREADS", "2")
    for index, block in (blocks(1) | blocks(0)).items():
        assert block.segments.equals(whole[index].segments)
        assert block.totals.equals(whole[index].totals)


def tariff_on_china() -> Scenario:
    return written("{op: set_rate, measures: {id: fl301, origins: [CN]}, from: 2026-09-20, rate: 60%}")


def test_laws_that_are_alike_are_valued_once() -> None:
    alone = run("base")
    both = run("base", "truce-lapses")
    assert both.valued == alone.valued == alone.scenarios[0].totals.height
    assert both.scenarios[0].totals.equals(both.scenarios[1].totals)
    extended = run("base", "truce-extended")
    assert extended.valued < sum(block.totals.height for block in extended.scenarios)


def test_a_suspension_within_the_period_makes_its_segments() -> None:
    window = "from: 2026-11-10T00:01, until: 2026-11-20T00:01, on_end: snap_back"
    scenario = written(f"{{op: suspend, measures: {{id: fl301}}, {window}}}")
    totals = run(scenario, end="2026-11-30").scenarios[0].totals
    assert totals["start"].to_list() == ["2026-11-01", "2026-11-10", "2026-11-20"]
    assert totals["duty"][1] < totals["duty"][0] == totals["duty"][2]


def test_averages_are_weighted_by_days() -> None:
    found = run("base", options=Options(by=("origin",), baseline="2025-01-01")).scenarios[0]
    days = found.totals["days"]
    for name in ("duty", "value_after", "welfare"):
        mean = float((found.totals[name] * days).sum()) / float(days.sum())
        assert found.average_total[name].item() == pytest.approx(mean, rel=1e-12)
    after = found.average_total["duty_after"].item() / found.average_total["value_after"].item()
    assert found.average_total["effective_rate_after"].item() == pytest.approx(after)
    assert found.averages["duty"].sum() == pytest.approx(found.average_total["duty"].item())


def test_an_authority_that_is_there_for_part_of_the_period_counts_as_nothing_for_the_rest() -> None:
    found = run("base", start="2026-07-01", end="2026-08-15").scenarios[0]
    s122 = found.averages.filter(authority="s122")["duty"].sum()
    first = found.segments.filter(start="2026-07-01", authority="s122")["duty"].sum()
    assert s122 == pytest.approx(first * 23 / 46, rel=1e-12)


def test_entry_dates_of_the_table_are_set_aside_and_it_says_so() -> None:
    dated = TABLE.with_columns(entry_date=pl.lit("2025-01-15"))
    found = run("base", table=dated)
    assert found.scenarios[0].totals.equals(run("base").scenarios[0].totals)
    assert "ENTRY_DATE_SET_ASIDE" in {note.reason for note in found.notes}


def test_a_timeline_says_what_a_scenario_does_not_change_as_a_single_day_does() -> None:
    told = {"SAME_AS_BASE", "CHANGE_HAS_NO_EFFECT", "NOT_MODELLED"}
    found = run("base", "truce-lapses", start="2026-12-05", end="2026-12-06")
    single = impact(TABLE, [Point(library()["truce-lapses"], "2026-12-06")], law=load_law(), options=NONE)
    both = [
        {note for note in notes if note.reason in told} for notes in (found.notes, single.scenarios[0].notes)
    ]
    assert both[0] == both[1]
    assert {note.reason for note in both[0]} == told


@pytest.mark.parametrize(
    ("start", "end"), [("2027-01-02", "2027-01-01"), ("x", "2027-01-01"), ("1900-01-01", "2027-01-01")]
)
def test_a_period_that_cannot_be_is_refused(start: str, end: str) -> None:
    with pytest.raises(InputError, match=r"period|date|cover") as caught:
        run("base", start=start, end=end)
    assert caught.value.reason.startswith("ENTRY_DATE")
