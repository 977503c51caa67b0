"""Rates that a user gives: the same reading in the engine, on the wire, in Python and on the command line."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from tariffs.client import Client, InvalidRequest
from tariffs.client.cli.app import run
from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.law.user_rates import user_rate
from tariffs.engine.law.values import read_rate
from tariffs.engine.line_duty.exports import ExportLine, quote_export
from tariffs.engine.runs.refunds.refund import RefundOptions, refunds
from tariffs.service.rpc.checks import rate

READ = [
    ("7%", "0.07"), ("12.5%", "0.125"), ("0.125", "0.125"), (" 7% ", "0.07"), ("0", "0"), (0.07, "0.07"), (0, "0"),
    (Decimal("0.0700"), "0.07"), (1e-7, "0.0000001"), (0.1 + 0.2, "0.30000000000000004"),
]  # fmt: skip
REFUSED = ["7", "1", "1.0", 7, 1.5, Decimal(7), "700%", "100%", "-3%", -0.03, ".07", "7 %", "x", "", "nan", "1e-2",
           float("nan"), float("inf"), "0,07"]  # fmt: skip


@pytest.mark.parametrize(("given", "rate"), READ)
def test_a_rate_is_read_as_in_a_scenario(given: object, rate: str) -> None:
    assert user_rate(given, "interest_rate") == Decimal(rate)
    if isinstance(given, str):
        assert user_rate(given, "interest_rate") == read_rate(given.strip())


@pytest.mark.parametrize("given", REFUSED)
def test_what_is_no_rate_is_an_error_with_its_field_and_a_fix(given: object) -> None:
    with pytest.raises(InputError) as refused:
        user_rate(given, "interest_rate")
    assert (refused.value.reason, refused.value.field) == ("PARAMETER_INVALID", "interest_rate")
    assert "%" in refused.value.fix


def test_a_bare_seven_is_no_interest_rate_and_says_so() -> None:
    with pytest.raises(InputError, match="'7'") as refused:
        refunds(load_law(), [], RefundOptions(rate=7))
    assert "7%" in refused.value.fix
    assert "a bare number of 1 or more is not a rate" in refused.value.fix


def test_a_bare_five_is_no_ordinary_rate() -> None:
    line = ExportLine("8542.31", "US", 1000, "2026-11-24", ordinary_rate="5")
    with pytest.raises(InputError, match="ordinary_rate is '5'"):
        quote_export(load_law(), line)


@pytest.fixture
def entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "entries.csv"
    path.write_text("hts,origin,customs_value,entry_date,entry_id\n9503000073,CN,10000,2025-05-20,A\n")
    return path


def test_a_refund_reads_its_interest_rate_on_the_command_line(
    entries: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # 3,000 from 2025-05-20 to 2026-05-20 at 7 % compounded daily is 217.50: the rate of a year is 7.2501 %.
    for yearly in ("7%", "0.07"):
        arguments = ["refund", str(entries), "--interest-rate", yearly, "--paid-on", "2026-05-20", "--json"]
        assert run([*arguments, "--local"]) == 0
        assert json.loads(capsys.readouterr().out)["total"]["interest"] == "217.50"
    with pytest.raises(
        InvalidRequest, match=r"interest_rate is '7'.*a bare number of 1 or more is not a rate"
    ):
        run(["refund", str(entries), "--interest-rate", "7", "--local"])


def test_python_reads_rates_alike(entries: Path) -> None:
    client = Client.local()
    found = client.refund(entries, interest_rate="7%", paid_on="2026-05-20")
    assert found.total["interest"] == Decimal("217.50")
    assert client.refund(entries, interest_rate=0.07, paid_on="2026-05-20").total == found.total
    for given in (7, 7.0, "7", Decimal(7)):
        with pytest.raises(InvalidRequest, match="interest_rate is '7'"):
            client.refund(entries, interest_rate=given)
    quote = client.duty("8433.51", "US", "2026-11-24", 1000, direction="export", ordinary_rate="5%")
    assert quote.layers[0].amount == Decimal("50.00")
    with pytest.raises(InvalidRequest, match="ordinary_rate is '5'"):
        client.duty("8433.51", "US", "2026-11-24", 1000, direction="export", ordinary_rate=5)


def test_the_share_of_a_port_fee_may_be_a_percentage() -> None:
    client = Client.local()
    voyage = {"kind": "operated", "net_tons": 60000, "teu": 10000, "on": "2027-01-11"}
    found = [client.port_fees(**voyage, share=share).fees[0] for share in ("20%", 0.2)]  # type: ignore[arg-type]
    assert found[0] == found[1]
    # 60,000 net tons at 80 dollars over 10,000 TEU is 480 a TEU, of which a fifth is 96.
    assert found[0].teu_of_trade == Decimal("96.00")
    with pytest.raises(InvalidRequest, match="share"):
        client.port_fees(**voyage, share=20)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "said"), [("7", "0.07"), ("700%", "such as 0.07 for 7 %"), ("x", "0.07 for 7 %")]
)
def test_the_wire_takes_a_fraction_and_says_so(given: str, said: str) -> None:
    with pytest.raises(InputError, match=f"interest_rate is '{given}'") as refused:
        rate(given, "interest_rate")
    assert (refused.value.reason, refused.value.field) == ("PARAMETER_INVALID", "interest_rate")
    assert said in refused.value.fix
    assert rate("0.07", "interest_rate") == Decimal("0.07")
