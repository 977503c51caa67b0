"""An answer for a day after the last one to which acts have been read says so, once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import date

import polars as pl
import pytest

from tariffs.client import Client, Note
from tariffs.client.cli.__main__ import run
from tariffs.engine.law import load_law

REASON = "LAW_READ_TO"
READ, AFTER = "2026-10-11", "2026-10-12"
TOY = "9503.00.0073"
Ask = Callable[[Client, str], Iterable[Note]]


def lines(day: str) -> pl.DataFrame:
    """Three lines of two entries, the last on the day."""
    days = ["2026-08-15", "2026-09-15", day]
    entries = ["A", "A", "B"]
    return pl.DataFrame(
        {"entry_id": entries, "hts": TOY, "origin": "CN", "customs_value": 1000, "entry_date": days},
        schema_overrides={"customs_value": pl.Float64},
    )


def table() -> pl.DataFrame:
    return pl.DataFrame({"hts": ["9503000073"], "origin": ["CN"], "customs_value": [1e6]})


VERBS: dict[str, Ask] = {
    "duty": lambda client, day: client.duty(TOY, "CN", entry_date=day, value=1000).notes,
    "duty abroad": lambda client, day: (
        client.duty(
            hts="120190", origin="US", entry_date=day, value=1000, direction="export", ordinary_rate="3%"
        ).notes
    ),
    "duties": lambda client, day: client.duties(lines(day)).notes,
    "refund": lambda client, day: client.refund(lines(day)).notes,
    "impact": lambda client, day: (
        client.impact(table(), ["base", "truce-lapses"], on=day, response="none").notes
    ),
    "impact of dated lines": lambda client, day: (
        client.impact(lines(day).drop("entry_id"), ["base"], on="2026-08-15", response="none").notes
    ),
    "timeline": lambda client, day: (
        client.timeline(table(), ["base", "truce-lapses"], start="2026-10-01", end=day, response="none").notes
    ),
}


@pytest.mark.parametrize("verb", VERBS)
def test_an_answer_for_a_day_after_the_last_one_read_says_so_once(verb: str) -> None:
    with Client.local() as client:
        told = [note for note in VERBS[verb](client, AFTER) if note.reason == REASON]
        untold = [note for note in VERBS[verb](client, READ) if note.reason == REASON]
    assert len(told) == 1
    assert READ in told[0].message
    assert untold == []


def test_the_day_read_to_is_the_one_of_the_law_data() -> None:
    assert load_law().read_to == date.fromisoformat(READ) < load_law().as_of
    assert load_law().version.startswith("2026.10.07.")
    with Client.local() as client:
        assert client.law().read_to == READ


@pytest.mark.parametrize(("entry", "told"), [("2026-10-11T23:59-04:00", 0), ("2026-10-12T00:01-04:00", 1)])
def test_the_day_is_that_of_the_clock_of_the_law(entry: str, told: int) -> None:
    with Client.local() as client:
        notes = client.duty(TOY, "CN", entry_date=entry, value=1000).notes
    assert [note.reason for note in notes].count(REASON) == told


def test_nothing_is_unread_of_acts_published_by_an_earlier_day() -> None:
    with Client.local() as client:
        notes = client.duty(TOY, "CN", entry_date="2026-11-24", value=1000, known_on=READ).notes
    assert REASON not in {note.reason for note in notes}


def test_the_command_line_says_it_beside_the_law_and_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["duty", TOY, "--origin", "CN", "--date", "2026-11-24", "--value", "1000"]
    assert run(asked) == 0
    shown = capsys.readouterr().out
    assert shown.count(REASON) == 1
    assert f"read to {READ}" in " ".join(shown.split())
    assert run([*asked, "--why", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [note["reason"] for note in answer["notes"]].count(REASON) == 1
    assert answer["provenance"]["law_read_to"] == READ
