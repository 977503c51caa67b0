"""Days, numbers and names of countries mean the same to every verb, however they are written, or are told apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client, InvalidRequest, Note
from tariffs.engine.law import load_law
from tests.client.conftest import Cli, goods, refuses

# A toy of China: 145 % until 2025-05-14 at 0:01, and 30 % from then on (EO 14298, 90 FR 21831).
TOY: dict[str, Any] = {"hts": "9503.00.0073", "origin": "CN"}
DAYS = ["2025-05-14", "20250514", "2025-05-14 00:00:00", "2025-05-14T00:00:00", "5/14/2025", "5/14/2025 0:00"]
TYPED = [date(2025, 5, 14), datetime(2025, 5, 14), 20250514, 20250514.0]
EDGES = ["0001-01-01T00:30Z", "9999-12-31T23:30-05:00", "tomorrow"]
REASON, READ, AFTER = "LAW_READ_TO", "2026-10-11", "2026-10-12"
UNDATED = goods(("9503000073", "CN", 1e6))
BOTH = ["base", "truce-lapses"]
BEFORE = ["2026-08-15", "2026-09-15"]
VERBS: dict[str, Callable[[Client, str], Iterable[Note]]] = {
    "duty": lambda client, day: client.duty(**TOY, entry_date=day, value=1000).notes,
    "duty abroad": lambda client, day: (
        client.duty("120190", "US", day, 1000, direction="export", ordinary_rate="3%").notes
    ),
    "duties": lambda client, day: client.duties(toys([*BEFORE, day])).notes,
    "refund": lambda client, day: client.refund(toys([*BEFORE, day])).notes,
    "impact": lambda client, day: client.impact(UNDATED, BOTH, on=day, response="none").notes,
    "impact of dated lines": lambda client, day: (
        client.impact(toys([*BEFORE, day]), on=BEFORE[0], response="none").notes
    ),
    "timeline": lambda client, day: (
        client.timeline(UNDATED, BOTH, start="2026-10-01", end=day, response="none").notes
    ),
}


def toys(days: list[Any]) -> pl.DataFrame:
    """A line of 10,000 for each day."""
    frame = goods(*((*TOY.values(), "10000") for _ in days))
    return frame.with_columns(pl.Series("entry_date", days))


@pytest.mark.parametrize("day", [*DAYS, *TYPED])
def test_one_line_is_rated_on_that_day(client: Client, day: Any) -> None:
    quote = client.duty(**TOY, entry_date=day, value=10000)
    assert quote.assessed == Decimal("3000.00")
    repaired = {"DAYS_READ_AS_NOON", "DATE_REPAIRED"} & {note.reason for note in quote.notes}
    assert bool(repaired) == (day not in ("2025-05-14", date(2025, 5, 14)) or isinstance(day, datetime))


@pytest.mark.parametrize("days", [DAYS, *([day] for day in TYPED)], ids=str)
def test_tables_are_rated_on_that_day_by_every_verb(client: Client, days: list[Any]) -> None:
    frame = toys(days)
    refund = client.refund(frame, known_on="2026-01-15").entries
    for assessed in (client.duties(frame).lines["assessed"], refund["assessed"]):
        assert assessed.to_list() == [Decimal("3000.00")] * len(days)
    assert refund["day"].to_list() == ["2025-05-14"] * len(days)
    assert client.impact(frame, response="none").total["duty"].item() == pytest.approx(3000.0 * len(days))


def test_a_column_that_may_be_two_is_refused_until_its_order_is_named(client: Client) -> None:
    frame = toys(["5/6/2025", "5/7/2025"])
    for found in (client.duties(frame), client.impact(frame, response="none"), client.refund(frame)):
        assert found.refused["reason"].to_list() == ["ENTRY_DATE_INVALID"] * 2
        assert 'date_format="m/d/Y" or date_format="d/m/Y"' in found.refused["message"][0]
        assert "--" not in found.refused["message"][0]
    named = client.duties(frame, date_format="m/d/Y")
    assert named.lines["assessed"].to_list() == [Decimal("14500.00")] * 2
    days = client.refund(frame, date_format="d/m/Y").entries["day"].to_list()
    assert days == ["2025-06-05", "2025-07-05"]
    impact = client.impact(frame, response="none", date_format="%d/%m/%Y")
    assert impact.total["duty"].item() == pytest.approx(6000)
    with pytest.raises(InvalidRequest, match="date format"):
        client.duties(frame, date_format="Y-d-m")


def test_all_batches_of_a_table_are_read_in_the_order_its_column_shows(client: Client) -> None:
    # The one text that shows the order comes in the last of three batches.
    result = client.duties(toys(["5/6/2025"] * 2100 + ["5/14/2025"]))
    assert result.refused.is_empty()
    assert result.lines["assessed"].to_list() == [Decimal("14500.00")] * 2100 + [Decimal("3000.00")]


def test_days_of_options_are_read_alike(client: Client, cli: Cli) -> None:
    toys([None]).drop("entry_date").write_csv("toys.csv")
    plain = "impact toys.csv --response none --on"
    for day in ("2025-05-14", "20250514", "5/14/2025", "2025-05-14T00:00"):
        block = cli.json(f"{plain} {day}")["scenarios"][0]
        assert (block["on"], block["total"]["duty"]) == ("2025-05-14", pytest.approx(3000.0))
    assert "2025-05-06 or 2025-06-05" in cli.err(f"{plain} 5/6/2025", 1)
    period = cli.json("timeline toys.csv --response none --start 20250513 --end 5/14/2025")
    groups = period["scenarios"][0]["groups"]
    assert [one["start"] for one in groups] == [one["end"] for one in groups] == ["2025-05-13", "2025-05-14"]
    for known in ("20250430", "4/30/2025 0:00", datetime(2025, 4, 30)):
        quote = client.duty(**TOY, entry_date="2025-05-14", value=10000, known_on=known)
        # EO 14298 was published on 12 May.
        assert (quote.provenance["known_on"], quote.assessed) == ("2025-04-30", Decimal("14500.00"))


def test_days_no_clock_has_are_refused_by_every_verb(cli: Cli) -> None:
    toys(["2025-05-14"]).write_csv("toys.csv")
    verbs = [
        ("duty 9503.00.0073 --origin CN --value 10000", "known-on"),
        ("duty --entries toys.csv", "known-on"),
        ("impact toys.csv --response none", "known-on"),
        ("impact toys.csv", "baseline"),
        ("timeline toys.csv --response none --start 2025-05-13 --end 2025-05-14", "known-on"),
        ("law changes --start 2025-05-13 --end 2025-05-14", "known-on"),
        ("refund toys.csv", "known-on"),
        ("refund toys.csv", "paid-on"),
    ]
    for verb, option in verbs:
        for day in EDGES:
            said = cli.err(f"{verb} --{option} {day}", 1)
            assert f"ENTRY_DATE_INVALID: {option.replace('-', '_')}: " in said, (verb, option, day)
    assert "ENTRY_DATE_INVALID: start: " in cli.err("law changes --end 2025-05-14 --start tomorrow", 1)


@pytest.mark.parametrize("known_on", ["1980-01-01", "0001-01-01", "2024-12-31"])
def test_a_day_before_the_acts_of_the_law_gives_no_duty_of_zero(client: Client, known_on: str) -> None:
    frame, line = toys(["2025-05-14"]), TOY | {"entry_date": "2025-05-14", "value": "10000"}
    calls: tuple[Callable[[], object], ...] = (
        lambda: client.duty(**line, known_on=known_on),
        lambda: client.duties(frame, known_on=known_on),
        lambda: client.impact(frame, response="none", known_on=known_on),
        lambda: client.refund(frame, known_on=known_on),
    )
    for call in calls:
        with refuses("ENTRY_DATE_OUT_OF_COVERAGE", "known_on"):
            call()
    assert client.duty(**line, known_on="2025-01-01").assessed == 0


@pytest.mark.parametrize("verb", VERBS)
def test_an_answer_for_a_day_after_the_last_one_read_says_so_once(client: Client, verb: str) -> None:
    (told,) = (note for note in VERBS[verb](client, AFTER) if note.reason == REASON)
    assert READ in told.message
    assert REASON not in {note.reason for note in VERBS[verb](client, READ)}


@pytest.mark.parametrize(
    ("entry", "known_on", "told"),
    [
        ("2026-10-11T23:59-04:00", None, 0),  # the day is that of the clock of the law
        ("2026-10-12T00:01-04:00", None, 1),
        ("2026-11-24", READ, 0),  # nothing is unread of acts published by an earlier day
    ],
)
def test_the_last_day_read_is_a_day(client: Client, entry: str, known_on: str | None, told: int) -> None:
    law = load_law()
    assert law.read_to == date.fromisoformat(client.law().read_to) == date.fromisoformat(READ) < law.as_of
    notes = client.duty(**TOY, entry_date=entry, value=1000, known_on=known_on).notes
    assert [note.reason for note in notes].count(REASON) == told


def test_the_command_line_says_it_beside_the_law_and_in_json(cli: Cli) -> None:
    asked = "duty 9503.00.0073 --origin CN --date 2026-11-24 --value 1000"
    shown = cli.out(asked)
    assert shown.count(REASON) == 1
    assert f"read to {READ}" in " ".join(shown.split())
    answer = cli.json(f"{asked} --why")
    assert [note["reason"] for note in answer["notes"]].count(REASON) == 1
    assert answer["provenance"]["law_read_to"] == READ


def test_options_take_names_of_countries_and_grouped_numbers(cli: Cli) -> None:
    line = ["duty", "1201.90", "--direction", "export", "--date", "2027-01-11", "--local"]
    named, coded = (
        cli.json([*line, "--origin", origin, "--to", to, "--value", value, "--freight", freight])
        for origin, to, value, freight in (
            ("United States", "China", "$10,000", "1,250"),
            ("US", "CN", "10000", "1250"),
        )
    )
    assert [named[name] for name in ("assessed", "layers")] == [
        coded[name] for name in ("assessed", "layers")
    ]
    said = cli.err("law changes --start 2025-11-01 --end 2025-11-20 --origin korea", 1)
    assert "KP (North Korea) or KR (South Korea)" in said
    wrong = cli.json("duty 9503.00.0073 --origin CN --value 10.000,00 --local", 1)
    assert wrong["error"]["reason"] == "CUSTOMS_VALUE_INVALID"


@pytest.mark.parametrize("claim", ["usmca", "steel", "civil_aircraft"])
def test_a_claim_cut_short_is_refused_with_its_name(client: Client, claim: str) -> None:
    with refuses("CLAIM_UNKNOWN", said=f"Did you mean {claim}_share"):
        client.duty("9503.00.0073", "CN", "2025-05-14", 100, {claim: 1})
