"""Relief for goods in transit on a vessel: what the mode of transport decides, on entry lines and in tables."""

from __future__ import annotations

import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.line_duty.quote import EntryLine, Quote, quote_line
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.scenario import library
from tests.law.plain_rows import plain_rows
from tests.law.real_law import raw_law

DAY, LOADED = "2025-04-08", "2025-04-01"
FOR_ALL_MODES = {"9903.01.23"}
"""Headings of goods loaded onto a vessel *or* in transit."""
ASSUMED = "MODE_ASSUMED"


def quote(mode: str, **claims: str) -> Quote:
    return quote_line(load_law(), EntryLine("9503.00.0073", "VN", 10_000, DAY, claims, mode=mode))


def test_every_relief_in_transit_but_one_tests_the_mode() -> None:
    measures = [one for one in raw_law()["measures"] if one.get("direction", "import") == "import"]
    rows = [
        row
        for measure in measures
        for period in measure.get("periods", [])
        for row in plain_rows(period.get("rows", []), raw_law(), measure)
        if any("loading_date" in condition for condition in row.get("if", []))
    ]
    headings = {row["heading"] for row in rows}
    vessels = {row["heading"] for row in rows if "not mode in air land" in row["if"]}
    assert headings - vessels == FOR_ALL_MODES
    assert not vessels & FOR_ALL_MODES
    assert vessels == {
        "9903.01.25", "9903.01.28", "9903.01.78", "9903.01.85", "9903.03.02", "9903.05.02", "9903.05.85",
    }  # fmt: skip


def test_without_a_mode_the_goods_came_by_vessel_and_a_note_says_so() -> None:
    found = quote("", loading_date=LOADED)
    assert found.assessed == 0
    (note,) = [note.message for note in found.notes if note.reason == ASSUMED]
    assert note.startswith("9903.01.28 is for goods loaded onto a vessel")
    assert any(
        text.startswith("mode: not declared, so taken as none of air land") for text in found.assumptions
    )


@pytest.mark.parametrize(("mode", "claims"), [("ocean", {"loading_date": LOADED}), ("", {}), ("air", {})])
def test_there_is_no_note_where_the_mode_is_declared_or_decides_nothing(
    mode: str, claims: dict[str, str]
) -> None:
    found = quote(mode, **claims)
    assert [note for note in found.notes if note.reason == ASSUMED] == []
    assert not any(text.startswith("mode:") for text in found.assumptions)


def test_the_mode_is_not_given_as_a_claim() -> None:
    with pytest.raises(InputError) as caught:
        quote_line(load_law(), EntryLine("9503.00.0073", "VN", 10_000, DAY, {"mode": "air"}))
    assert (caught.value.reason, caught.value.field) == ("CLAIM_INVALID", "claims.mode")


@pytest.mark.parametrize("column", ["mode", ""])
def test_a_table_has_the_duties_of_its_lines_and_names_the_value_without_a_mode(column: str) -> None:
    modes = ["ocean", "air", "land", None, None]
    loaded = [LOADED, LOADED, LOADED, LOADED, None]
    values = [1_000.0, 2_000.0, 4_000.0, 8_000.0, 16_000.0]
    frame = pl.DataFrame(
        {"hts": ["9503000073"] * 5, "origin": ["VN"] * 5, "customs_value": values, "loading_date": loaded}
        | ({column: modes} if column else {})
    )
    point = Point(library()["base"], DAY)
    (found,) = impact(frame, [point], law=load_law(), options=Options(response="none")).scenarios
    dutiable = [2_000, 4_000, 16_000] if column else [16_000]
    assert found.total["duty"] == pytest.approx(0.1 * sum(dutiable))
    (note,) = [note.message for note in found.notes if note.reason == ASSUMED]
    assert f"lines worth {8_000 if column else 15_000:,} USD" in note
