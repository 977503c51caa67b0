"""An ordinary rate that the caller states, where the schedule has a formula: watches of 9101.11.40."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client, InvalidRequest
from tariffs.client.cli.__main__ import run
from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.schedule.lines import load_schedule

WATCH, DAY, VALUE = "9101.11.40", "2025-10-01", 10_000
FORMULA = "51¢ each + 6.25% on the case and strap, band or bracelet + 5.3% on the battery"
# EO 14345: goods of Japan are topped up to 15 % in total, so 5.2 % over a rate of 9.8 %. EO 14257 as amended: 15 % on
# goods of Korea; the Korea agreement frees the watch of its ordinary duty.
JAPAN = {"mfn_col1": Decimal("980.00"), "recip_jp": Decimal("520.00")}


def amounts(layers: Any) -> dict[str, Decimal]:
    return {layer.measure: layer.amount for layer in layers if layer.amount}


def test_a_line_without_it_is_told_how_to_state_it() -> None:
    with pytest.raises(InputError) as caught:
        quote_line(load_law(), EntryLine(WATCH, "JP", VALUE, DAY))
    assert caught.value.reason == "RATE_NOT_COMPUTABLE"
    assert FORMULA in caught.value.message
    assert "ordinary_rate" in caught.value.fix
    assert "--ordinary-rate" in caught.value.fix


@pytest.mark.parametrize("stated", ["9.8%", "0.098", 0.098, Decimal("0.098")])
def test_a_stated_rate_is_charged_topped_up_and_shown_as_stated(stated: Any) -> None:
    quote = Client.local().duty(WATCH, "JP", DAY, VALUE, ordinary_rate=stated, why=True)
    assert amounts(quote.layers) == JAPAN
    (note,) = (note for note in quote.notes if note.reason == "ORDINARY_RATE_STATED")
    assert "9.8%" in note.message
    assert FORMULA in note.message
    (ordinary,) = (layer for layer in quote.layers if layer.measure == "mfn_col1")
    assert "9.8% as stated" in ordinary.why["text"]


def test_a_program_that_is_claimed_keeps_its_own_rate() -> None:
    law = load_law()
    plain = quote_line(law, EntryLine(WATCH, "KR", VALUE, DAY, ordinary_rate="9.8%"))
    claimed = quote_line(law, EntryLine(WATCH, "KR", VALUE, DAY, {"fta_share": "1"}, ordinary_rate="9.8%"))
    assert (plain.assessed, claimed.assessed) == (Decimal("2480.00"), Decimal("1500.00"))
    assert plain.min == claimed.assessed


def test_a_stated_rate_beats_one_that_could_be_computed() -> None:
    line = EntryLine("9503.00.0073", "VN", VALUE, "2025-01-10")
    assert quote_line(load_law(), line).assessed == 0
    stated = EntryLine("9503.00.0073", "VN", VALUE, "2025-01-10", ordinary_rate="0.01")
    assert quote_line(load_law(), stated).assessed == 100


def test_lines_at_different_rates_do_not_share_an_answer(server: str) -> None:
    with Client(server) as client:
        for rate, duty in [("9.8%", 1500), ("20%", 2000), ("9.8%", 1500), ("1%", 1500)]:
            for value in (10_000, 1_000):
                quote = client.duty(WATCH, "JP", DAY, value, ordinary_rate=rate)
                assert quote.assessed == Decimal(duty) * value / VALUE


@pytest.mark.parametrize("stated", ["3", "1", "-0.1", "nan", "x", "", "100%"])
def test_what_is_no_rate_below_one_is_refused(stated: str) -> None:
    with pytest.raises(InputError) as caught:
        quote_line(load_law(), EntryLine(WATCH, "JP", VALUE, DAY, ordinary_rate=stated))
    assert (caught.value.reason, caught.value.field) == ("PARAMETER_INVALID", "ordinary_rate")
    assert caught.value.fix


def test_line_entry_file_table_and_command_line_agree(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [(WATCH, "JP", "9.8%"), (WATCH, "KR", "0.098"), ("9503.00.0073", "VN", ""), (WATCH, "JP", "3")]
    schema = ["hts", "origin", "ordinary_rate"]
    frame = pl.DataFrame(rows, schema, orient="row").with_columns(customs_value=VALUE, fta_share=0)
    path = tmp_path / "watches.csv"
    frame.write_csv(path)
    lines = [
        float(
            quote_line(
                load_law(), EntryLine(hts, origin, VALUE, DAY, {"fta_share": "0"}, ordinary_rate=rate or None)
            ).assessed
        )
        for hts, origin, rate in rows[:3]
    ]
    assert lines == [1500.0, 2480.0, 2000.0]
    with Client(server) as client:
        entries = client.duties(path, on=DAY)
        table = client.impact(path, on=DAY, response="none", include_lines=True)
    assert entries.lines["assessed"].cast(pl.Float64).to_list() == [*lines, None]
    assert table.lines is not None
    assert table.lines["duty"].to_list() == pytest.approx(lines)
    for refused in (entries.refused, table.refused):
        assert refused.select("row", "column", "reason").rows() == [(3, "ordinary_rate", "PARAMETER_INVALID")]
    notes = {note.reason: note.message for note in table.notes}
    assert "20,000 USD" in notes["ORDINARY_RATE_STATED"]
    one = ["duty", WATCH, "--origin", "JP", "--date", DAY, "--value", str(VALUE), "--local", "--json"]
    assert run([*one, "--ordinary-rate", "9.8%"]) == 0
    assert json.loads(capsys.readouterr().out)["assessed"] == "1500.00"


def test_an_entry_file_takes_the_rate_in_a_column(tmp_path: Path) -> None:
    path = tmp_path / "watches.csv"
    path.write_text(f"hts,origin,customs_value\n{WATCH},JP,1\n")
    assert run(["duty", "--entries", str(path), "--ordinary-rate", "3%", "--local"]) == 2


def test_a_rate_over_the_wire_is_a_fraction() -> None:
    with pytest.raises(InvalidRequest) as caught:
        Client.local().duty(WATCH, "JP", DAY, VALUE, ordinary_rate="9.8 percent")
    assert caught.value.field == "ordinary_rate"


def test_the_schedule_still_has_a_formula_for_these_watches() -> None:
    found = load_schedule().find("91011140", load_law().as_of)
    assert found is not None
    assert found.general.text == FORMULA
