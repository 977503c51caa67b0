"""Days and instants as people write them: a day is its noon, and no text means another day in silence."""

from __future__ import annotations

import random
import re
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law.values import read_instant
from tariffs.engine.tables.dates import DateError, format_of, read_format, read_moment
from tests.unit.test_table_check import check

EASTERN = ZoneInfo("America/New_York")
NOON = datetime(2025, 5, 14, 16, tzinfo=UTC)
OF_THE_14TH = (
    "2025-05-14", "20250514.0", "2025-05-14 00:00:00", "2025-05-14 00:00:00.000000000", "5/14/2025 0:00",
    "05/14/2025 12:00:00 AM", "14-MAY-25", "14MAY2025", "May 14, 2025", "14th May 2025",
)  # fmt: skip


@pytest.mark.parametrize("text", OF_THE_14TH)
def test_a_day_is_its_noon_however_it_is_written(text: str) -> None:
    moment = read_moment(text, EASTERN)
    assert moment.instant == NOON
    assert moment.text == "2025-05-14"
    assert bool(moment.note) == (text.strip() != "2025-05-14")


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2025-05-14T00:00-04:00", datetime(2025, 5, 14, 4, tzinfo=UTC)),
        ("2025-05-14T04:00Z", datetime(2025, 5, 14, 4, tzinfo=UTC)),
        ("2025-05-14T00:01", datetime(2025, 5, 14, 4, 1, tzinfo=UTC)),
        ("2025-05-14 13:22:05.5+0800", datetime(2025, 5, 14, 5, 22, 5, 500_000, tzinfo=UTC)),
        ("5/14/2025 1:22 PM", datetime(2025, 5, 14, 17, 22, tzinfo=UTC)),
    ],
)
def test_a_time_of_day_or_an_offset_makes_an_instant(text: str, instant: datetime) -> None:
    assert read_moment(text, EASTERN).instant == instant


@pytest.mark.parametrize(
    "text", ["", "soon", "2025-02-30", "5/6/2025", "5/6/25", "13/13/2025", "5/14/15", "14-Foo-2025", "30-Feb-2025",
             "45791", "2025514", "2025-W20-3",
             "2025-05-14T25:00", "2025-05-14T00:00 EST", "2025-03-09T02:30", "20250514000000000000",
             "0001-01-01T00:30Z", "0001-01-01T04:00+00:00", "9999-12-31T23:30-05:00"]
)  # fmt: skip
def test_what_is_no_day_or_may_be_two_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(DateError) as caught:
        read_moment(text, EASTERN)
    assert str(caught.value)
    assert caught.value.fix.startswith("Write 20")


@pytest.mark.parametrize("text", ["9999-12-31T23:59-14:00", "0001-01-01T00:00+14:00", "2025-13-01", "soon"])
def test_an_instant_of_law_data_outside_the_calendar_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="is not a day or instant such as"):
        read_instant(text, EASTERN)


def test_a_column_shows_its_order_or_it_is_stated() -> None:
    assert format_of(["5/6/2025", "5/14/2025 0:00"]) == "m/d/Y"
    assert format_of(["5/6/2025", "14-5-2025"]) == "d/m/Y"
    assert format_of(["5/6/2025", "14/5/2025", "5/14/2025"]) == ""
    assert read_moment("5/6/2025", EASTERN, "m/d/Y").text == "2025-05-06"
    assert read_moment("5/6/2025", EASTERN, "d/m/Y").text == "2025-06-05"
    with pytest.raises(DateError):
        read_moment("14/5/2025", EASTERN, "m/d/Y")
    # 2025-05-14 is day 45,791 of a spreadsheet: 45,657 is 2024-12-31.
    assert read_moment("45791", EASTERN, "excel").instant == NOON
    assert read_moment("45791.5625", EASTERN, "excel").text == "2025-05-14T13:30:00"
    formats = ["%m/%d/%Y", "DD/MM/YYYY", "Excel", ""]
    assert list(map(read_format, formats)) == ["m/d/Y", "d/m/Y", "excel", ""]
    with pytest.raises(InputError, match="date format"):
        read_format("Y/d/m")


def test_a_column_of_a_table_is_read_in_the_order_it_shows() -> None:
    shown = check(entry_date=["5/6/2025", "5/14/2025"])
    assert [moment.date() for moment in shown.lines["entry_date"]] == [date(2025, 5, 6), date(2025, 5, 14)]
    assert shown.notes["reason"].to_list() == ["DATE_REPAIRED"] * 2
    either = check(entry_date=["5/6/2025", "2025-05-14"])
    assert either.refused["row"].to_list() == [0]
    assert "date_format=" in either.refused["message"].item()


def test_a_column_with_real_times_keeps_them_and_midnights_are_noon() -> None:
    days = [datetime(2025, 5, 14), datetime(2025, 5, 14, 0, 1), datetime(2025, 3, 9, 2, 30)]
    table = check(entry_date=days)
    assert table.lines["entry_date"].to_list() == [NOON, datetime(2025, 5, 14, 4, 1, tzinfo=UTC)]
    assert table.notes.select("row", "reason").rows() == [(0, "DAYS_READ_AS_NOON")]
    # The clock goes from 2:00 to 3:00 that night: no day may be filled in for it.
    assert table.refused.select("row", "reason").rows() == [(2, "ENTRY_DATE_INVALID")]


MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@cache
def spellings() -> dict[str, set[date]]:
    """Every way to write the days of some years in digits, by brute force, with the days each may mean."""
    found: dict[str, set[date]] = {}
    for offset in range(366 * 20):
        day = date(2015, 1, 1) + timedelta(days=offset)
        y, m, d = str(day.year), day.month, day.day
        spelled = {f"{y}{m:02}{d:02}"}
        for sep in "-/.":
            for month in {str(m), f"{m:02}"}:
                for number in {str(d), f"{d:02}"}:
                    spelled |= {f"{y}{sep}{month}{sep}{number}", f"{month}{sep}{number}{sep}{y}"}
                    spelled.add(f"{number}{sep}{month}{sep}{y}")
                    if day.year >= 2020:
                        spelled |= {f"{month}{sep}{number}{sep}{y[2:]}", f"{number}{sep}{month}{sep}{y[2:]}"}
        for number in (str(d), f"{d:02}"):
            spelled |= {f"{number} {MONTHS[m - 1]} {year}" for year in (y, y[2:])}
        for text in spelled:
            found.setdefault(text, set()).add(day)
    return found


def plain_days(text: str) -> set[date]:
    """Every day that a text may mean, its time of day left aside."""
    bare = text.strip()
    named = re.match(r"([0-9]+)[-/. ]?([A-Z][a-z]{2})[-/., ]*([0-9]{4}|[0-9]{2}$)", bare)
    head = (
        " ".join(named.groups()) if named else re.sub(r"^([0-9]{8})\.0+$", r"\1", re.split(r"[T ]", bare)[0])
    )
    return spellings().get(head, set())


def written(rng: random.Random) -> str:
    """A day as somebody might have typed it, sometimes damaged."""
    day = date(2025, 1, 1) + timedelta(days=rng.randrange(1000))
    if rng.random() < 0.1:
        day = rng.choice((date.min, date.max))
    forms = ("%Y-%m-%d", "%Y%m%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y/%m/%d", "%m-%d-%y", "%d %b %Y")
    text = day.strftime(rng.choice(forms))
    text += rng.choice(
        ("", "", "", " 00:00:00", "T00:00", " 0:00", " 12:00 AM", "T13:45", "T00:01-05:00", "T00:30Z",
         "T23:30-05:00", "Z", ".0")
    )  # fmt: skip
    if rng.random() < 0.3:
        place = rng.randrange(len(text))
        text = text[:place] + rng.choice("0123456789/-.: TZ+x\u0663\x00") + text[place + rng.randrange(2) :]
    return text


def fix_of(text: str) -> str:
    """What is said of a text that cannot be read; empty if it can."""
    try:
        read_moment(text, EASTERN)
    except DateError as error:
        return error.fix
    return ""


def test_no_text_is_read_as_another_day(scale: int) -> None:
    rng = random.Random(7)
    texts = [written(rng) for _ in range(500 * scale)]
    readable = [text for text in texts if not fix_of(text)]
    assert len(readable) > len(texts) / 3
    for text in readable:
        moment = read_moment(text, EASTERN)
        local = moment.instant.astimezone(EASTERN)
        if not 2015 < local.year < 2034:
            assert f"{local.year:04}" in text
            continue
        has_offset = re.search(r"[T ].*([Zz]|[+-][0-9:]{2,5})$", text)
        assert has_offset or plain_days(text) == {local.date()}, text
        if moment.text == local.date().isoformat():
            assert (local.hour, local.minute) == (12, 0), text
        assert moment.note or moment.text == text.strip(), text
