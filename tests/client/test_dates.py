"""A day means the same to every verb, however it is written or typed."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client, InvalidRequest, Scenario
from tariffs.client.cli.__main__ import run

# A toy of China: 145 % until 2025-05-14 at 0:01, and 30 % from then on (EO 14298, 90 FR 21831).
TOY = {"hts": "9503.00.0073", "origin": "CN"}
DAYS = ["2025-05-14", "20250514", "2025-05-14 00:00:00", "2025-05-14T00:00:00", "5/14/2025", "5/14/2025 0:00"]
TYPED = [date(2025, 5, 14), datetime(2025, 5, 14), 20250514, 20250514.0]


def toys(days: list[Any]) -> pl.DataFrame:
    """A line of 10,000 for each day."""
    size = len(days)
    plain = {name: [value] * size for name, value in TOY.items()}
    return pl.DataFrame({**plain, "customs_value": ["10000"] * size, "entry_date": days})


@pytest.mark.parametrize("day", [*DAYS, *TYPED])
def test_one_line_is_rated_on_that_day(day: Any) -> None:
    with Client.local() as client:
        quote = client.duty("9503.00.0073", "CN", day, 10000)
    assert quote.assessed == Decimal("3000.00")
    repaired = {"DAYS_READ_AS_NOON", "DATE_REPAIRED"} & {note.reason for note in quote.notes}
    assert bool(repaired) == (day not in ("2025-05-14", date(2025, 5, 14)) or isinstance(day, datetime))


@pytest.mark.parametrize("days", [DAYS, *([day] for day in TYPED)], ids=str)
def test_tables_are_rated_on_that_day_by_every_verb(days: list[Any]) -> None:
    frame = toys(days)
    with Client.local() as client:
        lines = client.duties(frame).lines["assessed"].to_list()
        impact = client.impact(frame, response="none").total
        refund = client.refund(frame, known_on="2026-01-15")
    assert lines == [Decimal("3000.00")] * len(days)
    assert impact["duty"].item() == pytest.approx(3000.0 * len(days))
    assert refund.entries["day"].to_list() == ["2025-05-14"] * len(days)
    assert refund.entries["assessed"].to_list() == [Decimal("3000.00")] * len(days)


def test_an_offset_makes_an_instant_for_every_verb() -> None:
    minute = "2025-05-14T00:00-04:00"
    with Client.local() as client:
        assert client.duty("9503.00.0073", "CN", minute, 10000).assessed == Decimal("14500.00")
        assert client.duties(toys([minute])).lines["assessed"].item() == Decimal("14500.00")
        assert client.impact(toys([minute]), response="none").total["duty"].item() == pytest.approx(14500)


def test_a_column_that_may_be_two_is_refused_until_its_order_is_named(tmp_path: Path) -> None:
    frame = toys(["5/6/2025", "5/7/2025"])
    with Client.local() as client:
        for refused in (
            client.duties(frame).refused,
            client.impact(frame, response="none").refused,
            client.refund(frame).refused,
        ):
            assert refused["reason"].to_list() == ["ENTRY_DATE_INVALID"] * 2
            assert 'date_format="m/d/Y" or date_format="d/m/Y"' in refused["message"][0]
            assert "--" not in refused["message"][0]
        named = client.duties(frame, date_format="m/d/Y")
        assert named.lines["assessed"].to_list() == [Decimal("14500.00")] * 2
        assert client.refund(frame, date_format="d/m/Y").entries["day"].to_list() == [
            "2025-06-05",
            "2025-07-05",
        ]
        found = client.impact(frame, response="none", date_format="%d/%m/%Y")
        assert found.total["duty"].item() == pytest.approx(6000)
        with pytest.raises(InvalidRequest, match="date format"):
            client.duties(frame, date_format="Y-d-m")


def test_all_batches_of_a_table_are_read_in_the_order_its_column_shows() -> None:
    # The one text that shows the order comes in the last of three batches.
    frame = toys(["5/6/2025"] * 2100 + ["5/14/2025"])
    with Client.local() as client:
        result = client.duties(frame)
    assert result.refused.is_empty()
    assert result.lines["assessed"].to_list() == [Decimal("14500.00")] * 2100 + [Decimal("3000.00")]


def test_days_of_options_are_read_alike(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = toys([None])
    frame.drop("entry_date").write_csv(tmp_path / "toys.csv")
    file = str(tmp_path / "toys.csv")
    plain = ["impact", file, "--response", "none", "--json", "--on"]
    totals = []
    for day in ("2025-05-14", "20250514", "5/14/2025", "2025-05-14T00:00"):
        assert run([*plain, day]) == 0
        block = json.loads(capsys.readouterr().out)["scenarios"][0]
        assert block["on"] == "2025-05-14"
        totals.append(block["total"]["duty"])
    assert totals == pytest.approx([3000.0] * 4)
    assert run([*plain, "5/6/2025"]) == 1
    assert "2025-05-06 or 2025-06-05" in capsys.readouterr().err
    period = ["timeline", file, "--response", "none", "--json", "--start", "20250513", "--end", "5/14/2025"]
    assert run(period) == 0
    groups = json.loads(capsys.readouterr().out)["scenarios"][0]["groups"]
    assert [(one["start"], one["end"]) for one in groups] == [
        ("2025-05-13", "2025-05-13"),
        ("2025-05-14", "2025-05-14"),
    ]


def test_known_on_is_read_as_any_other_day() -> None:
    with Client.local() as client:
        told = [
            client.duty("9503.00.0073", "CN", "2025-05-14", 10000, known_on=known)
            for known in (
                "2025-04-30",
                "20250430",
                "4/30/2025 0:00",
                datetime(2025, 4, 30),
                date(2025, 4, 30),
            )
        ]
    # EO 14298 was published on 12 May.
    assert [quote.provenance["known_on"] for quote in told] == ["2025-04-30"] * 4 + ["2025-04-30"]
    assert len({quote.assessed for quote in told}) == 1
    assert "known_on" in told[1].notes[-1].message


EDGES = ["0001-01-01T00:30Z", "9999-12-31T23:30-05:00", "tomorrow"]


def test_days_no_clock_has_are_refused_by_every_verb(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(tmp_path / "toys.csv")
    toys(["2025-05-14"]).write_csv(file)
    one = ["duty", "9503.00.0073", "--origin", "CN", "--value", "10000"]
    period = ["--start", "2025-05-13", "--end", "2025-05-14"]
    verbs = [
        ([*one], "known-on"),
        (["duty", "--entries", file], "known-on"),
        (["impact", file, "--response", "none"], "known-on"),
        (["impact", file], "baseline"),
        (["timeline", file, "--response", "none", *period], "known-on"),
        (["law", "changes", *period], "known-on"),
        (["refund", file], "known-on"),
        (["refund", file], "paid-on"),
    ]
    for verb, option in verbs:
        for day in EDGES:
            assert run([*verb, f"--{option}", day]) != 0, (verb, option, day)
            said = capsys.readouterr().err
            assert f"ENTRY_DATE_INVALID: {option.replace('-', '_')}: " in said, (verb, option, day, said)
    assert run(["law", "changes", "--end", "2025-05-14", "--start", "tomorrow"]) != 0
    assert "ENTRY_DATE_INVALID: start: " in capsys.readouterr().err


@pytest.mark.parametrize("known_on", ["1980-01-01", "0001-01-01", "2024-12-31"])
def test_a_day_before_the_acts_of_the_law_gives_no_duty_of_zero(known_on: str) -> None:
    frame = toys(["2025-05-14"])
    with Client.local() as client:
        calls = (
            lambda: client.duty("9503.00.0073", "CN", "2025-05-14", 10000, known_on=known_on),
            lambda: client.duties(frame, known_on=known_on),
            lambda: client.impact(frame, response="none", known_on=known_on),
            lambda: client.refund(frame, known_on=known_on),
        )
        for call in calls:
            with pytest.raises(InvalidRequest) as caught:
                call()
            assert (caught.value.reason, caught.value.field) == ("ENTRY_DATE_OUT_OF_COVERAGE", "known_on")
        assert client.duty("9503.00.0073", "CN", "2025-05-14", 10000, known_on="2025-01-01").assessed == 0


def test_a_scenario_file_that_is_no_text_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"name: a\n\xff")
    with pytest.raises(InvalidRequest) as caught:
        Scenario.from_file(path)
    assert caught.value.reason == "SCENARIO_SYNTAX"
    assert "byte 9 " in caught.value.message
