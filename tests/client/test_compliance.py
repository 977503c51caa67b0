"""Refunds, changes and explanations over gRPC, in-process and on the command line alike."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from tariffs.client import Client, InvalidRequest
from tariffs.client.cli.__main__ import run

WINDOW = ("2025-11-10", "2025-11-14")
ENTRIES = pl.DataFrame(
    {
        "entry_id": ["A", "A", "B", "C"],
        "hts": ["9503.00.0073", "7318.15.8066", "9503.00.0073", "99"],
        "origin": ["CN", "CN", "VN", "VN"],
        "customs_value": ["10000", "500.50", "5000", "1"],
        "entry_date": ["2025-05-20", "2025-05-20", "2025-09-01", "2025-09-01"],
        "liquidation": ["unliquidated", "unliquidated", "final", "final"],
        "drawback": [None, None, "100", None],
    }
)


def test_refunds_are_the_same_everywhere(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Client(server) as remote:
        there = remote.refund(ENTRIES, interest_rate="0.07")
    here = Client.local().refund(ENTRIES, interest_rate="0.07")
    assert there.entries.equals(here.entries)
    assert there.headings.equals(here.headings)
    assert (there.total, there.provenance) == (here.total, here.provenance)
    path = tmp_path / "entries.csv"
    ENTRIES.write_csv(path)
    refused = tmp_path / "refused.csv"
    arguments = [
        str(path),
        "--interest-rate",
        "0.07",
        "--refused",
        str(refused),
        "--json",
        "--target",
        server,
    ]
    assert run(["refund", *arguments]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["total"] == {name: str(amount) for name, amount in here.total.items()}
    assert told["refused"]["rows"][0]["reason"] == "HTS_CODE_MALFORMED"
    assert [entry["refund"] for entry in told["entries"]] == ["3100.20", "900.00", "0.00"]
    assert refused.exists()


def test_interest_of_a_payer_and_time_limits_are_the_same_everywhere(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ENTRIES.head(3).with_columns(
        liquidation=pl.lit("liquidated"),
        liquidation_date=pl.lit("2026-04-01"),
        reliquidation_date=pl.Series([None, None, "2026-07-01"]),
    )
    with Client(server) as remote:
        there = remote.refund(given, interest_rate=" Corporate ", paid_on="2026-07-10")
    here = Client.local().refund(given, interest_rate="corporate", paid_on="2026-07-10")
    assert there.entries.equals(here.entries)
    limits = here.entries.select("entry_id", "liquidation", "protest_by", "suit_by").rows()
    assert limits == [
        ("A", "protestable", "2026-09-28", "2027-05-20"),
        ("B", "protestable", "2026-09-28", "2027-09-01"),
    ]
    path = tmp_path / "entries.csv"
    given.write_csv(path)
    arguments = ["refund", str(path), "--interest-rate", "corporate", "--paid-on", "2026-07-10", "--local"]
    assert run([*arguments, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["total"] == {name: str(amount) for name, amount in here.total.items()}
    assert document["total"]["interest"] > "0.00"
    assert [entry["protest_by"] for entry in document["entries"]] == ["2026-09-28"] * 2
    assert run(arguments) == 0
    shown = capsys.readouterr().out
    assert "protest" in shown
    assert "interest by act" not in shown.partition("\n\n")[0]
    for wrong in ("corporation", "7"):
        with pytest.raises(InvalidRequest, match="interest_rate is"):
            Client.local().refund(given, interest_rate=wrong)


def test_changes_are_the_same_everywhere(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    table = ENTRIES.head(3).select("hts", "origin", "customs_value")
    with Client(server) as remote:
        there = remote.changes(*WINDOW, table)
    here = Client.local().changes(*WINDOW, table)
    assert there.changes == here.changes
    assert there.effects.equals(here.effects)
    assert there.lines.equals(here.lines)
    assert here.lines.select("row", "measure", "change").rows()[0] == (0, "fent_cn", -1000.0)
    assert run(["law", "changes", "--start", WINDOW[0], "--end", WINDOW[1], "--origin", "CN", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {"fent_cn", "recip_cn"} <= {name for change in told["changes"] for name in change["measures"]}
    assert told["provenance"]["known_on"] == "2026-11-24"


def test_an_answer_tells_what_was_considered_and_the_headings(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["9503.00.0073", "--origin", "CN", "--value", "10000", "--date", "2026-11-24"]
    assert run(["duty", *arguments, "--json"]) == 0
    bare = json.loads(capsys.readouterr().out)
    assert not {"considered", "notes", "provenance"} & bare.keys()
    assert not any("why" in layer for layer in bare["layers"])
    assert run(["duty", *arguments, "--why", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [line["heading"] for line in told["headings"]] == ["9903.05.31", "9503.00.00"]
    assert bare == {
        name: [{key: part for key, part in layer.items() if key != "why"} for layer in value]
        if name == "layers"
        else value
        for name, value in told.items()
        if name in bare
    }
    outcomes = {one["measure"]: one["outcome"] for one in told["considered"]}
    assert outcomes["recip_cn"] == "ended"
    assert run(["duty", *arguments]) == 0
    shown = capsys.readouterr().out
    assert "9903.05.31" in shown
    assert "not recip_cn" not in shown
    assert run(["duty", *arguments, "--why", "--wide"]) == 0
    assert "not recip_cn" in capsys.readouterr().out


def test_a_quote_fetches_its_reasons_when_asked() -> None:
    with Client.local() as client:
        quote = client.duty("9503.00.0073", "CN", "2026-11-24", 10000)
        whole = quote.why()
        asked = client.duty("9503.00.0073", "CN", "2026-11-24", 10000, why=True)
    assert quote.headings == whole.headings
    assert not quote.considered
    assert not any(layer.why for layer in quote.layers)
    assert whole == asked
    assert whole.why() is whole
    assert all(layer.why["text"] for layer in whole.layers)


def test_wrong_windows_and_authorities_say_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["law", "changes", "--start", "2025-11-10", "--end", "2025-11-01"]) == 2
    assert "before" in capsys.readouterr().err
    path = tmp_path / "entries.csv"
    ENTRIES.write_csv(path)
    assert run(["refund", str(path), "--authority", "iepa"]) == 2
    assert "no authority" in capsys.readouterr().err
