"""Rates that a user gives: read alike in the engine, on the wire, in Python and on the command line."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client, InvalidRequest
from tariffs.client.cli.__main__ import run
from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.law.user_rates import user_rate
from tariffs.engine.law.values import read_rate
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.schedule.lines import load_schedule
from tariffs.service.rpc.checks import rate
from tests.client.conftest import Cli

# Watches of 9101.11.40, for which the schedule has a formula.
WATCH, DAY, VALUE = "9101.11.40", "2025-10-01", 10_000
FORMULA = "51¢ each + 6.25% on the case and strap, band or bracelet + 5.3% on the battery"
READ = [
    ("7%", "0.07"), ("12.5%", "0.125"), ("0.125", "0.125"), (" 7% ", "0.07"), ("0", "0"), (0.07, "0.07"), (0, "0"),
    (Decimal("0.0700"), "0.07"), (1e-7, "0.0000001"), (0.1 + 0.2, "0.30000000000000004"),
]  # fmt: skip
REFUSED = ["7", "1", "1.0", 7, 1.5, Decimal(7), "700%", "100%", "-3%", -0.03, ".07", "7 %", "x", "", "nan", "1e-2",
           float("nan"), float("inf"), "0,07"]  # fmt: skip


def watch(origin: str = "JP", **more: Any) -> EntryLine:
    return EntryLine(WATCH, origin, VALUE, DAY, **more)


@pytest.mark.parametrize(("given", "read"), READ)
def test_a_rate_is_read_as_in_a_scenario(given: object, read: str) -> None:
    assert user_rate(given, "interest_rate") == Decimal(read)
    if isinstance(given, str):
        assert user_rate(given, "interest_rate") == read_rate(given.strip())


@pytest.mark.parametrize("given", REFUSED)
def test_what_is_no_rate_is_an_error_with_its_field_and_a_fix(given: object) -> None:
    with pytest.raises(InputError) as refused:
        user_rate(given, "interest_rate")
    assert (refused.value.reason, refused.value.field) == ("PARAMETER_INVALID", "interest_rate")
    assert "%" in refused.value.fix


@pytest.mark.parametrize(
    ("given", "said"), [("7", "0.07"), ("700%", "such as 0.07 for 7 %"), ("x", "0.07 for 7 %")]
)
def test_the_wire_takes_a_fraction_and_says_so(given: str, said: str) -> None:
    with pytest.raises(InputError, match=f"interest_rate is '{given}'") as refused:
        rate(given, "interest_rate")
    assert (refused.value.reason, refused.value.field) == ("PARAMETER_INVALID", "interest_rate")
    assert said in refused.value.fix
    assert rate("0.07", "interest_rate") == Decimal("0.07")


def test_python_and_the_command_line_read_rates_alike(client: Client, tmp_path: Path, cli: Cli) -> None:
    entries = tmp_path / "entries.csv"
    entries.write_text("hts,origin,customs_value,entry_date,entry_id\n9503000073,CN,10000,2025-05-20,A\n")
    # 3,000 from 2025-05-20 to 2026-05-20 at 7 % compounded daily is 217.50: the rate of a year is 7.2501 %.
    for yearly in ("7%", 0.07):
        found = client.refund(entries, interest_rate=yearly, paid_on="2026-05-20")
        assert found.total["interest"] == Decimal("217.50")
        words = ["refund", str(entries), "--interest-rate", str(yearly), "--paid-on", "2026-05-20", "--local"]
        assert cli.json([*words, "--json"])["total"]["interest"] == "217.50"
    more = r"interest_rate is '7'.*a bare number of 1 or more is not a rate"
    for given in (7, 7.0, "7", Decimal(7)):
        with pytest.raises(InvalidRequest, match=more):
            client.refund(entries, interest_rate=given)
    with pytest.raises(InvalidRequest, match="ordinary_rate is '5'"):
        client.duty("8433.51", "US", "2026-11-24", 1000, direction="export", ordinary_rate=5)
    # 60,000 net tons at 80 dollars over 10,000 TEU is 480 a TEU, of which a fifth is 96.
    voyage: dict[str, Any] = {"kind": "operated", "net_tons": 60000, "teu": 10000, "on": "2027-01-11"}
    for share in ("20%", 0.2):
        assert client.port_fees(**voyage, share=share).fees[0].teu_of_trade == Decimal("96.00")
    with pytest.raises(InvalidRequest, match="share"):
        client.port_fees(**voyage, share=20)


def test_a_line_without_an_ordinary_rate_is_told_how_to_state_it() -> None:
    found = load_schedule().find("91011140", load_law().as_of)
    assert found is not None
    assert found.general.text == FORMULA
    with pytest.raises(InputError) as caught:
        quote_line(load_law(), watch())
    assert caught.value.reason == "RATE_NOT_COMPUTABLE"
    assert FORMULA in caught.value.message
    assert "ordinary_rate" in caught.value.fix
    assert "--ordinary-rate" in caught.value.fix


@pytest.mark.parametrize("stated", ["9.8%", "0.098", 0.098, Decimal("0.098")])
def test_a_stated_rate_is_charged_topped_up_and_shown_as_stated(client: Client, stated: Any) -> None:
    quote = client.duty(WATCH, "JP", DAY, VALUE, ordinary_rate=stated, why=True)
    # EO 14345: goods of Japan are topped up to 15 % in total, so 5.2 % over a rate of 9.8 %.
    amounts = {layer.measure: layer.amount for layer in quote.layers if layer.amount}
    assert amounts == {"mfn_col1": Decimal("980.00"), "recip_jp": Decimal("520.00")}
    (note,) = (note for note in quote.notes if note.reason == "ORDINARY_RATE_STATED")
    assert "9.8%" in note.message
    assert FORMULA in note.message
    (ordinary,) = (layer for layer in quote.layers if layer.measure == "mfn_col1")
    assert "9.8% as stated" in ordinary.why["text"]


def test_a_program_that_is_claimed_keeps_its_own_rate_and_a_stated_one_beats_the_schedule() -> None:
    law = load_law()
    # EO 14257 as amended: 15 % on goods of Korea; the Korea agreement frees the watch of its ordinary duty.
    plain = quote_line(law, watch("KR", ordinary_rate="9.8%"))
    claimed = quote_line(law, watch("KR", claims={"fta_share": "1"}, ordinary_rate="9.8%"))
    assert (plain.assessed, claimed.assessed) == (Decimal("2480.00"), Decimal("1500.00"))
    assert plain.min == claimed.assessed
    line = EntryLine("9503.00.0073", "VN", VALUE, "2025-01-10")
    assert quote_line(law, line).assessed == 0
    assert quote_line(law, line._replace(ordinary_rate="0.01")).assessed == 100


def test_lines_at_different_rates_do_not_share_an_answer(there: Client) -> None:
    for stated, duty in [("9.8%", 1500), ("20%", 2000), ("9.8%", 1500), ("1%", 1500)]:
        for value in (10_000, 1_000):
            quote = there.duty(WATCH, "JP", DAY, value, ordinary_rate=stated)
            assert quote.assessed == Decimal(duty) * value / VALUE


def test_line_entry_file_table_and_command_line_agree(there: Client, tmp_path: Path, cli: Cli) -> None:
    rows = [(WATCH, "JP", "9.8%"), (WATCH, "KR", "0.098"), ("9503.00.0073", "VN", ""), (WATCH, "JP", "3")]
    schema = ["hts", "origin", "ordinary_rate"]
    frame = pl.DataFrame(rows, schema, orient="row").with_columns(customs_value=VALUE, fta_share=0)
    path = tmp_path / "watches.csv"
    frame.write_csv(path)
    entries = there.duties(path, on=DAY)
    table = there.impact(path, on=DAY, response="none", include_lines=True)
    assert entries.lines["assessed"].cast(pl.Float64).to_list() == [1500, 2480, 2000, None]
    assert table.lines is not None
    assert table.lines["duty"].to_list() == pytest.approx([1500, 2480, 2000])
    for refused in (entries.refused, table.refused):
        assert refused.select("row", "column", "reason").rows() == [(3, "ordinary_rate", "PARAMETER_INVALID")]
    notes = {note.reason: note.message for note in table.notes}
    assert "20,000 USD" in notes["ORDINARY_RATE_STATED"]
    one = ["duty", WATCH, "--origin", "JP", "--date", DAY, "--value", str(VALUE), "--local", "--json"]
    assert cli.json([*one, "--ordinary-rate", "9.8%"])["assessed"] == "1500.00"
    assert run(["duty", "--entries", str(path), "--ordinary-rate", "3%", "--local"]) == 2
