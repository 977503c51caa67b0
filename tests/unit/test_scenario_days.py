"""Notes on a scenario at the days it is asked about: outside those it is meant for, and before its changes begin."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client
from tariffs.client.scenario import Scenario as ClientScenario
from tariffs.engine.law import load_law
from tariffs.engine.scenario import day_notes, library, parse_scenario
from tests.unit.scenario_tables import MINE

LATER = "changes:\n  - {op: set_rate, measures: {id: fl301}, from: 2027-02-01, rate: 20%}\n"
NEW = "{id: new, authority: new, periods: [{id: a, from: 2027-02-01, rows: [{rate: 5%}]}]}"
ADDED = f"changes:\n  - {{op: add, measure: {NEW}}}\n"
SWEPT = "parameters: {r: {default: 20%}}\n"
OUTSIDE, BEFORE = "SCENARIO_OUTSIDE_DAYS", "CHANGE_BEGINS_LATER"
TABLE = pl.DataFrame({"hts": ["9503000073"], "origin": ["CN"], "customs_value": [10_000.0]})
ENTRY = TABLE.with_columns(entry_date=pl.lit("2026-11-20"))


def reasons(text: str, first: date, last: date | None = None) -> list[str]:
    return [note.reason for note in day_notes(parse_scenario(MINE + text), first, last or first)]


@pytest.mark.parametrize(
    ("valid", "first", "last", "outside"),
    [
        ("from: 2025-11-10, to: 2026-02-24", "2025-11-10", "2026-02-23", False),
        ("from: 2025-11-10, to: 2026-02-24", "2025-11-09", "2025-11-09", True),
        ("from: 2025-11-10, to: 2026-02-24", "2026-02-24", "2026-02-24", True),
        ("from: 2025-11-10, to: 2026-02-24", "2025-12-01", "2026-12-01", True),
        ("from: 2025-11-10", "2028-01-01", "2028-01-01", False),
        ("from: 2025-11-10", "2025-01-01", "2028-01-01", True),
        ("to: 2025-11-10", "2025-01-01", "2025-11-09", False),
        ("to: 2025-11-10", "2025-11-10", "2025-11-10", True),
    ],
)
def test_days_outside_those_of_a_scenario_are_noted(valid: str, first: str, last: str, outside: bool) -> None:
    days = date.fromisoformat(first), date.fromisoformat(last)
    assert reasons(f"valid: {{{valid}}}\n", *days) == [OUTSIDE] * outside
    assert reasons("", *days) == []
    texts = (MINE + LATER, f"{MINE}valid: {{{valid}}}\n{LATER}")
    assert len({parse_scenario(text).digest for text in texts}) == 1


def test_a_scenario_has_the_days_of_its_parents_and_components_too() -> None:
    name = "no-kuala-lumpur-deal"
    for text in (f"parents: [{name}]\n", f"mixture:\n  - {{scenario: {name}, weight: 100%}}\n"):
        assert reasons(text, date(2025, 12, 1)) == []
        assert reasons(text, date(2026, 2, 24)) == [OUTSIDE]


@pytest.mark.parametrize("text", [LATER, ADDED])
def test_a_change_that_begins_after_the_days_asked_about_is_noted(text: str) -> None:
    assert reasons(text, date(2026, 11, 20)) == [BEFORE]
    assert reasons(text, date(2026, 11, 20), date(2027, 1, 31)) == [BEFORE]
    assert reasons(text, date(2026, 11, 20), date(2027, 2, 1)) == []
    assert reasons(text, date(2027, 2, 1)) == []


def test_each_scenario_of_the_library_has_a_day_on_which_all_of_it_has_begun() -> None:
    last = load_law().coverage[1].date()
    late = {
        name for name, one in library().items() if BEFORE in {n.reason for n in day_notes(one, last, last)}
    }
    assert late == set()


@pytest.mark.parametrize(
    ("scenario", "reason"),
    [("no-kuala-lumpur-deal", OUTSIDE), (ClientScenario.from_text(MINE + LATER), BEFORE)],
)
def test_every_verb_carries_the_notes(scenario: str | ClientScenario, reason: str) -> None:
    day = "2026-11-20"
    with Client.local() as client:
        run: dict[str, Any] = {"baseline": "2025-01-01", "response": "none"}
        quote = client.duty("9503000073", "CN", day, 10_000, scenario=scenario)
        entries = client.duties(ENTRY, scenario=scenario)
        refunds = client.refund(ENTRY, scenario=scenario)
        impact = client.impact(TABLE, scenarios=["base", scenario], on=day, **run)
        dated = client.impact(ENTRY, scenarios=["base", scenario], on="2027-06-01", **run)
        timeline = client.timeline(TABLE, [scenario], start=day, end="2026-11-25", **run)
        export = client.duty("1201900095", "US", day, 1000, direction="export", scenario=scenario)
        for result in (quote, entries, refunds, impact, dated, timeline, export):
            assert reason in {note.reason for note in result.notes}, type(result)
        swept = ClientScenario.from_text(MINE + SWEPT + LATER.replace("20%", "$r"))
        sweep = client.sweep(TABLE, swept, vary={"r": ["10%", "20%"]}, on=day, **run)
        assert BEFORE in {note.reason for note in sweep.notes}
        base = client.impact(TABLE, scenarios=["base"], on=day, **run)
        assert not {OUTSIDE, BEFORE} & {note.reason for note in base.notes}
