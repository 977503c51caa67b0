"""Sourced shares in tables: named with their value, and the only reason why a line is charged otherwise than alone."""

from __future__ import annotations

import re

import polars as pl

from tariffs.engine.law import load_law
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.scenario import library
from tariffs.engine.schedule import reference_data
from tests.law.sourced_lines import UNEXPLAINED, compared

DAY = "2026-11-20"


def notes_of(table: pl.DataFrame) -> list[str]:
    point = Point(library()["base"], DAY)
    (found,) = impact(table, [point], law=load_law(), options=Options(response="none")).scenarios
    return [note.message for note in found.notes if note.reason == "SHARE_SOURCED"]


def test_a_table_names_the_value_on_which_sourced_shares_stood_in() -> None:
    rows = [
        {"hts": "8708806590", "origin": "MX", "customs_value": 1_000.0, "usmca_share": None},
        {"hts": "8708806590", "origin": "MX", "customs_value": 20_000.0, "usmca_share": "1"},
        {"hts": "6110202079", "origin": "JO", "customs_value": 300.0, "usmca_share": None},
    ]
    (told,) = notes_of(pl.DataFrame(rows))
    values = dict(re.findall(r"(\w+_share) on ([\d,]+) USD", told))
    assert values["usmca_share"] == "1,000"
    paid = reference_data.preference_shares().filter(origin="JO", hts2="61")
    assert paid["share"].item() > 0
    assert values["fta_share"] == "300"
    assert (
        "fta_share on 300 USD (preference or other relief, as paid in 2024; preference: hs2_origin)" in told
    )


def test_a_table_that_declares_its_facts_names_none() -> None:
    claims = {claim.id: "0" for claim in load_law().claims.values() if claim.reference}
    row = {"hts": "6110202079", "origin": "JO", "customs_value": 300.0, **claims}
    assert notes_of(pl.DataFrame([row])) == []


def test_a_table_and_its_lines_differ_by_sourced_shares_alone(scale: int) -> None:
    found = compared(DAY, ("CN", "VN", "IN", "TH"), 100 * scale)
    assert [one for one in found if one.reason == UNEXPLAINED] == []
