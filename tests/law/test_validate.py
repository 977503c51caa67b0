"""The law held against published figures, and the checks of its data."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from tariffs.client.cli.law_validate import validate
from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.law.checks import check_data
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.scenario import library
from tariffs.engine.schedule import reference_data
from tariffs.engine.tables.prepare import prepare_table
from tariffs.engine.validation import effective_rates as engine_validate
from tariffs.engine.validation.effective_rates import MEASURES, Validation, validate_days, validate_law
from tariffs.engine.validation.figures import read_figures, read_ranges
from tests.law.traps.bench import Raw, broken, edit, measure

# Every day with an expected range, and a day with a figure of what is owed.
DAYS = sorted({*read_ranges(), date(2025, 9, 4)})


@pytest.fixture(scope="module")
def found() -> Validation:
    return validate_law(load_law(), DAYS)


def test_every_day_is_in_its_range_and_every_difference_has_a_reason(found: Validation) -> None:
    assert [day.date for day in found.days] == [day.isoformat() for day in DAYS]
    assert [day.date for day in found.days if day.range is None] == ["2025-09-04"]
    assert all(day.in_range for day in found.days)
    assert prepare_table(None, load_law()).checked.refused.is_empty()
    assert [one.figure.id for one in found.published if not (one.within or one.explained)] == []


# Percent. Budget Lab at Yale, tariff rate tracker, release of 2026-06-09: days on which the methods differ least.
YALE = {"2025-02-15": 4.25, "2025-03-20": 6.84, "2025-05-20": 12.15, "2026-03-15": 9.95, "2026-04-20": 11.21}


def test_rates_of_a_run_are_near_the_published_and_the_sums_of_their_authorities() -> None:
    points = [Point(library()["base"], day) for day in YALE]
    rated = impact(None, points, law=load_law(), options=Options(response="none", by=("authority",)))
    for one in rated.scenarios:
        assert 100 * (one.total["effective_rate"] or 0) == pytest.approx(YALE[one.on], abs=0.6), one.on
        for name, total in (("rate", "effective_rate"), ("duty", "duty"), ("duty_owed", "duty_owed")):
            assert one.groups[name].sum() == pytest.approx(one.total[total], rel=1e-9), (one.on, name)
        ieepa = one.groups.filter(pl.col("authority").str.starts_with("ieepa"))
        assert (ieepa["duty"].sum() > 0) == (one.on < "2026-02-24"), "charged until it ended"
        assert ieepa["duty_owed"].sum() == 0


def test_a_difference_is_ours_less_the_published(found: Validation) -> None:
    by_id = {one.figure.id: one for one in found.published}
    owed = by_id["yale_state_2025_09_04_owed"]
    assert (owed.figure.measure, owed.figure.on) == ("owed", "2025-09-04")
    assert owed.ours == found.days[DAYS.index(date(2025, 9, 4))].owed_rate
    assert owed.difference == pytest.approx(owed.ours - 0.068)
    assert owed.within


def test_a_change_is_over_the_law_of_the_baseline() -> None:
    figure = next(f for f in read_figures(MEASURES) if f.measure == "change")
    days = [date(2025, 1, 1), date.fromisoformat(figure.on)]
    found = validate_law(load_law(), days, figures=(figure,))
    before, after = (day.effective_rate for day in found.days)
    assert found.published[0].ours == pytest.approx(after - before)


def test_a_law_that_lost_a_duty_leaves_its_range_and_says_so(found: Validation) -> None:
    def lose(raw: Raw) -> None:
        raw["measures"].remove(measure(raw, "fl301"))
        for rule in raw["rules"]:
            rule |= {"on": [name for name in rule["on"] if name != "s301.fl"]} if "on" in rule else {}

    lost = validate_law(broken(lose), [date(2026, 8, 15)])
    assert not lost.ok
    assert not lost.days[0].in_range
    assert lost.days[0].effective_rate < found.days[DAYS.index(date(2026, 8, 15))].effective_rate - 0.03


def test_a_difference_without_a_reason_is_a_fault() -> None:
    figure = replace(read_figures(MEASURES)[0], value=0.5, reason="")
    unexplained = validate_law(load_law(), [date.fromisoformat(figure.on)], figures=(figure,))
    assert all(day.in_range for day in unexplained.days)
    assert all(check.ok for check in unexplained.checks)
    assert not unexplained.published[0].explained
    assert not unexplained.ok


def test_a_period_of_confidence_a_without_a_source_is_a_fault() -> None:
    # Reading refuses this in files; a scenario or another reader could still make it.
    name = "recip_transship40"
    law = broken(edit(name, cite=[], conf="C"))
    measures = {
        m.id: replace(m, periods=tuple(replace(p, conf="A") if p.id == name else p for p in m.periods))
        for m in law.measures.values()
    }
    faults = [check for check in check_data(replace(law, measures=measures)) if not check.ok]
    assert {check.id: check.names for check in faults} == {"sources": (name,)}


def test_figures_are_distinct_and_sourced() -> None:
    figures = read_figures(MEASURES)
    assert len({f.id for f in figures}) == len(figures)
    assert all(f.source and 0 < f.value < 1 and f.tolerance > 0 for f in figures)
    assert {f.measure for f in figures} == {"assessed", "owed", "change"}
    assert all(low < high for low, high in read_ranges().values())


def test_a_day_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="2026-13-20"):
        validate_days(["2026-13-20"])


def test_the_command_prints_one_document_or_a_table(
    monkeypatch: pytest.MonkeyPatch, found: Validation, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(engine_validate, "validate_days", lambda days: found)
    wanted = 0 if found.ok else 4
    assert validate([], as_json=True) == wanted
    document = json.loads(capsys.readouterr().out)
    assert document == json.loads(json.dumps(found.to_dict()))
    assert (document["law_digest"], document["days"][0]["date"]) == (found.law_digest, "2025-01-15")
    assert validate([], as_json=False) == wanted
    shown = capsys.readouterr().out
    assert "2025-09-04" in shown
    assert "yale_state_2025_09_04_owed" in shown


def test_preference_shares_of_every_large_origin_are_what_was_paid(found: Validation) -> None:
    shares = {one.origin: one for one in found.preferences}
    assert all(one.within for one in found.preferences)
    assert {"CN", "VN", "IN", "TH", "KR", "JP"} <= shares.keys()
    # As observed in the duty calculated by the Census Bureau on lines without a duty of chapter 99.
    assert shares["CN"].paid == pytest.approx(0.03, abs=0.015)
    assert shares["KR"].paid == pytest.approx(0.92, abs=0.02)
    assert shares["VN"].paid == pytest.approx(0.001, abs=0.001)


def test_an_origin_whose_share_left_what_was_paid_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    shares = reference_data.preference_shares()
    moved = shares.with_columns(share=pl.when(pl.col("origin") == "CN").then(0.2).otherwise("share"))
    monkeypatch.setattr(reference_data, "preference_shares", lambda: moved)
    (fault,) = (check for check in validate_law(load_law(), [DAYS[0]]).checks if check.id == "preferences")
    assert not fault.ok
    assert fault.names == ("CN",)
