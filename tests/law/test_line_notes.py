"""Notes that the law has on goods: small shipments and seasons; how they are read from their file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from tariffs.engine.errors import LawError
from tariffs.engine.law import load_law
from tariffs.engine.law.loader import law_from_raw
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.schedule.lines import load_schedule
from tariffs.engine.schedule.seasons import season_of
from tests.law.real_law import raw_law


def reasons(hts: str, origin: str, day: str, value: float, known_on: str | None = None) -> list[str]:
    # The duty on grapes is per cubic meter.
    unit = "m3" if hts.startswith("0806") else "kg"
    line = EntryLine(hts, origin, value, day, quantity=10, unit=unit)
    return [note.reason for note in quote_line(load_law(), line, known_on=known_on).notes]


@pytest.mark.parametrize(
    ("origin", "day", "value", "said"),
    [
        ("CN", "2025-05-01", 800, True),
        ("CN", "2025-05-02T00:00-04:00", 800, True),
        ("CN", "2025-05-02T00:01-04:00", 800, False),
        ("HK", "2025-05-02", 1, False),
        ("MO", "2025-05-02", 1, True),
        ("VN", "2025-08-28", 800.4, True),
        ("VN", "2025-08-28", 801, False),
        ("VN", "2025-08-28", 0, False),
        ("VN", "2025-08-29", 800, False),
        ("CA", "2025-01-02", 20, True),
    ],
)
def test_small_shipments_are_told_of_the_exemption_while_it_lasted(
    origin: str, day: str, value: float, said: bool
) -> None:
    assert ("SMALL_VALUE" in reasons("9503.00.0073", origin, day, value)) is said


@pytest.mark.parametrize(
    ("hts", "day", "known_on", "said"),
    [
        ("3818.00.0020", "2026-10-03", None, True),
        ("3818.00.0020", "2026-10-03", "2026-09-23", False),
        ("3818.00.0020", "2026-09-21", None, False),
        ("3818.00.0020", "2026-12-05", None, False),
        ("7403.11.0000", "2027-01-04", None, True),
        ("7403.11.0000", "2026-12-31", None, False),
        ("7402.00.0010", "2027-01-04", None, False),
        ("8802.30.0180", "2027-01-06", None, True),
        ("8802.30.0180", "2027-01-04", None, False),
    ],
)
def test_goods_that_a_pending_act_concerns_are_told_of_it(
    hts: str, day: str, known_on: str | None, said: bool
) -> None:
    assert ("PENDING_ACT" in reasons(hts, "KR", day, 5000, known_on)) is said


@pytest.mark.parametrize(
    ("hts", "inside", "outside"),
    [
        ("0806.10.2000", ("2025-02-15", "2025-03-31"), ("2025-02-14", "2025-04-01", "2025-07-01")),
        ("0806.10.4000", ("2025-04-01", "2025-06-30"), ("2025-03-31", "2025-07-01")),
        ("0806.10.6000", ("2025-02-14", "2025-07-01", "2026-01-01"), ("2025-02-15", "2025-05-10")),
        (
            "0702.00.2099",
            ("2025-03-01", "2025-07-14", "2025-09-01"),
            ("2025-02-28", "2025-07-15", "2025-11-15"),
        ),
        ("0702.00.6099", ("2025-11-15", "2026-01-01", "2028-02-29"), ("2025-11-14", "2025-03-01")),
        ("0705.11.4000", ("2025-05-31", "2025-11-01"), ("2025-06-01", "2025-10-31")),
    ],
)
def test_a_code_of_another_season_is_warned_of(
    hts: str, inside: tuple[str, ...], outside: tuple[str, ...]
) -> None:
    for day in inside:
        assert "OUT_OF_SEASON" not in reasons(hts, "MX", day, 5000), day
    for day in outside:
        assert "OUT_OF_SEASON" in reasons(hts, "MX", day, 5000), day


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
