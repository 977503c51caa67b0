"""Goods of the United States in China: what an answer says beside its amounts, and changes of duties on exports."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from tariffs.engine.law import load_law
from tariffs.engine.line_duty.entry_line import EntryLine
from tariffs.engine.line_duty.exports import ExportLine, ExportQuote, quote_export
from tariffs.engine.line_duty.quote import quote_line
from tariffs.engine.runs.law_history.change_effects import changes_on_table
from tariffs.engine.runs.law_history.law_changes import changes, read_window

LAW = load_law()
SOYBEANS = ExportLine("1201.90.0095", "US", "10000")


def rated(line: ExportLine, entry: str) -> ExportQuote:
    return quote_export(LAW, replace(line, entry=entry))


def test_the_answer_names_what_it_does_not_hold() -> None:
    quote = rated(SOYBEANS, "2026-11-24")
    assert [note.reason for note in quote.notes] == ["LAW_READ_TO"]
    assert "cn_excluded_share: not declared, so taken as claimed" in quote.assumptions
    car = rated(ExportLine("8703.23", "US", 1000, to="CA"), "2026-11-24")
    assert [note.reason for note in car.notes] == ["NOT_MODELLED", "LAW_READ_TO"]
    assert "ca.vehicles" in car.notes[0].message
    assert any("6 digits" in text for text in quote.assumptions)
    assert all(layer.citations for layer in quote.layers)
    assert [layer.why["text"] for layer in quote.layers] == [
        "Ordinary rate 3% on the customs value.",
        "Exempt under the terms of the measure because cn_excluded_share is not denied.",
        "10%, kept during a suspension, on the customs value.",
    ]
    assert quote.layers[0].why["rule"] == "cn_ordinary_rates"


def test_changes_of_duties_on_exports_are_listed_by_their_own_clock() -> None:
    window = read_window("2025-11-10", "2025-11-10", "1201.90", "US")
    found = changes(LAW, window, market="CN")
    assert [(one.kind, one.measures) for one in found] == [
        ("terminate", ("cn.ag_other",)),
        ("extend", ("cn.recip",)),
    ]
    assert changes(LAW, read_window("2025-11-10", "2025-11-10", "1201.90", "BR"), market="CN") == ()
    assert not {name for one in changes(LAW, window) for name in one.measures if name.startswith("cn.")}


def test_changes_hit_the_lines_of_a_table_of_exports() -> None:
    table = pl.DataFrame(
        {"hts": ["1201.90", "1201.90"], "origin": ["US", "BR"], "customs_value": [100.0, 100.0]}
    )
    notices = changes(LAW, read_window("2025-11-10", "2025-11-10"), market="CN")
    found = changes_on_table(LAW, notices, table, market="CN")
    assert found.lines.select("measure", "origin", "duty_before", "duty_after").rows() == [
        ("cn.ag_other", "US", pytest.approx(10.0), 0.0)
    ]
    assert found.lines["at"][0] == "2025-11-10T13:01+08:00"


def test_an_answer_rests_on_the_switches_of_its_own_direction() -> None:
    entered = quote_line(LAW, EntryLine("1201900095", "US", 100, "2026-11-24"))
    assert "truce_extension" not in entered.provenance["switches"]
    assert rated(SOYBEANS, "2026-11-24").provenance["switches"] == {"truce_extension": "on"}
