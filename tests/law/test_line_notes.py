"""Notes that the law has on goods: small shipments and seasons; how they are read from their file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from tariffs.engine.errors import LawError
from tariffs.engine.law.loader import law_from_raw
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.schedule.lines import load_schedule
from tariffs.engine.schedule.seasons import season_of
from tests.law.real_law import raw_law


@pytest.mark.parametrize(
    "siblings",
    [
        ("07020020", "07020040", "07020060"),
        ("07070020", "07070040", "07070050", "07070060"),
        ("08061020", "08061040", "08061060"),
        ("07051120", "07051140"),
        ("08045040", "08045060"),
        ("08071130", "08071140"),
        ("08101020", "08101040"),
    ],
)
def test_each_day_of_a_year_is_in_the_season_of_one_line(siblings: tuple[str, ...]) -> None:
    seasons = [season_of(code) for code in siblings]
    for number in range(366):
        day = date(2028, 1, 1) + timedelta(days=number)
        assert [one.has(day) for one in seasons if one].count(True) == 1, day


def test_goods_of_any_season_are_not_warned_of() -> None:
    assert season_of("95030000") is None
    assert all(load_schedule().children(code) for code in ("08061020", "07094040"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda raw: raw.update(reason="NO_SUCH_NOTE"), "NO_SUCH_NOTE"),
        (lambda raw: raw.update(origins=["XQ"]), "XQ"),
        (lambda raw: raw.update(products=["NO_LIST"]), "NO_LIST"),
        (lambda raw: raw.update(until="2025-01-01"), "unknown key"),
        (lambda raw: raw.update(conf="Z"), "'Z' is not one of"),
        (lambda raw: raw.pop("text"), "the key 'text' is missing"),
    ],
)
def test_a_note_that_cannot_be_read_is_an_error_of_its_file(
    change: Callable[[dict[str, Any]], object], message: str
) -> None:
    note: dict[str, Any] = {**raw_law()["line_notes"][0]}
    change(note)
    with pytest.raises(LawError) as caught:
        law_from_raw({**raw_law(), "line_notes": [note]})
    assert caught.value.message.startswith("line_notes.yaml: line_notes[0]")
    assert message in caught.value.message


def test_a_note_is_said_once_it_is_known() -> None:
    note = {**raw_law()["line_notes"][0], "origins": ["CN"], "from": "2026-01-01", "known_from": "2026-03-01"}
    law = law_from_raw({**raw_law(), "line_notes": [note]})
    line = EntryLine("9503.00.0073", "CN", 100, "2026-02-01")
    told = {
        known: [x.reason for x in quote_line(law, line, known_on=known).notes]
        for known in ("2026-02-28", "2026-03-01")
    }
    assert "ORIGIN_TREATMENT" not in told["2026-02-28"]
    assert "ORIGIN_TREATMENT" in told["2026-03-01"]


def test_a_law_without_the_file_of_notes_can_be_read() -> None:
    raw = {name: part for name, part in raw_law().items() if name != "line_notes"}
    assert law_from_raw(raw).line_notes == ()
