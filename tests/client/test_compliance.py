"""Refunds, changes, reasons, watched goods, port fees and collections: the same on every way in."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client, InvalidRequest
from tariffs.client.results.collections import STEPS
from tests.client.conftest import Cli

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
GOODS = """line_id,hts,origin,customs_value,supplier
toys,9503.00.0073,CN,1000000,A
bad,9999.99.9999,CN,100,B
cathodes,7403.11.0000,CL,500000,C
toys,9503.00.0073,VN,100,D
"""
MONTHS = ("2025-01", "2025-02")
AMOUNTS = ("assessed", *STEPS, "collected", "refunds")


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of entries and goods, in a folder that refused rows may be written to."""
    monkeypatch.chdir(tmp_path)
    ENTRIES.write_csv("entries.csv")
    Path("goods.csv").write_text(GOODS, encoding="utf-8")


def test_refunds_are_the_same_everywhere(here: Client, there: Client, server: str, cli: Cli) -> None:
    found, other = (client.refund(ENTRIES, interest_rate="0.07") for client in (here, there))
    assert other.entries.equals(found.entries)
    assert other.headings.equals(found.headings)
    assert (other.total, other.provenance) == (found.total, found.provenance)
    later: dict[str, Any] = {"interest_rate": " Corporate ", "paid_on": "2026-07-10"}
    paid, also = (client.refund(ENTRIES, **later) for client in (here, there))
    assert paid.total == also.total != found.total
    assert paid.entries.equals(also.entries)
    told = cli.json(f"refund entries.csv --interest-rate 7% --target {server}", 1)
    assert told["total"] == {name: str(amount) for name, amount in found.total.items()}
    assert told["refused"]["rows"][0]["reason"] == "HTS_CODE_MALFORMED"
    assert [entry["refund"] for entry in told["entries"]] == ["3100.20", "900.00", "0.00"]
    assert Path("entries-refused.csv").exists()


def test_changes_are_the_same_everywhere(here: Client, there: Client, cli: Cli) -> None:
    table = ENTRIES.head(3).select("hts", "origin", "customs_value")
    found, other = (client.changes("2025-11-10", "2025-11-14", table) for client in (here, there))
    assert other.changes == found.changes
    assert other.effects.equals(found.effects)
    assert other.lines.equals(found.lines)
    assert found.lines.select("row", "measure", "change").rows()[0] == (0, "fent_cn", -1000.0)
    told = cli.json("law changes --start 2025-11-10 --end 2025-11-14 --origin CN")
    assert {"fent_cn", "recip_cn"} <= {name for change in told["changes"] for name in change["measures"]}
    assert told["provenance"]["known_on"] == "2026-11-24"


def test_an_answer_tells_what_was_considered_and_the_headings(client: Client, cli: Cli) -> None:
    words = "duty 9503.00.0073 --origin CN --value 10000 --date 2026-11-24"
    bare, told = cli.json(words), cli.json(f"{words} --why")
    assert not {"considered", "notes", "provenance"} & bare.keys()
    assert [line["heading"] for line in told["headings"]] == ["9903.05.31", "9503.00.00"]
    assert all(layer.pop("why") for layer in told["layers"])
    assert bare == {name: value for name, value in told.items() if name in bare}
    assert {one["measure"]: one["outcome"] for one in told["considered"]}["recip_cn"] == "ended"
    assert "not recip_cn" not in cli.out(words)
    assert "not recip_cn" in cli.out(f"{words} --why --wide")
    quote = client.duty("9503.00.0073", "CN", "2026-11-24", 10000)
    whole = quote.why()
    assert quote.headings == whole.headings
    assert not quote.considered
    assert not any(layer.why for layer in quote.layers)
    assert whole == client.duty("9503.00.0073", "CN", "2026-11-24", 10000, why=True)
    assert whole.why() is whole
    assert all(layer.why["text"] for layer in whole.layers)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("law changes --start 2025-11-10 --end 2025-11-01", "before"),
        ("refund entries.csv --authority iepa", "no authority"),
    ],
)
def test_wrong_windows_and_authorities_say_so(words: str, said: str, cli: Cli) -> None:
    assert said in cli.err(words.split(), 2)


def test_events_of_watched_goods_have_days_amounts_and_sources(client: Client, cli: Cli) -> None:
    found = client.watch_events("goods.csv", start="2026-07-23", end="2026-07-24")
    rows = [(one.kind, one.line_id, one.known_on, one.effective_on, one.amount) for one in found.events]
    assert ("enacted", "toys", "2026-07-23", "2026-07-24", Decimal("125000.00")) in rows
    assert ("rate_changed", "toys", "2026-07-24", "2026-07-24", Decimal("25000.00")) in rows
    assert all(one.citations and one.text for one in found.events)
    refused = found.refused.select("row", "line_id", "column", "reason").rows()
    assert refused == [(1, "bad", "hts", "HTS_CODE_UNKNOWN"), (3, "toys", "line_id", "REQUEST_INVALID")]
    assert found.frame.height == len(found.events)
    assert found.frame.schema["amount"] == pl.Decimal(20, 2)
    words = "watch events goods.csv --start 2026-09-10 --end 2026-09-10"
    told = cli.json(words, 1)
    assert told["schema"] == "tariffs.watch/v1"
    (event,) = told["events"]
    assert (event["kind"], event["amount"]) == ("announced", None)
    assert event["citations"] == ["Reuters, 2026-09-10"]
    (row,) = csv.DictReader(io.StringIO(cli.out(f"{words} --csv", 1)))
    assert (row["id"], row["line_id"]) == (event["id"], "cathodes")
    assert "announced" in cli.out(words, 1)
    with pytest.raises(InvalidRequest, match="ahead"):
        client.watch_events("goods.csv", ahead=[0])


def test_port_fees_are_the_same_everywhere_and_say_why_they_are_not_collected(
    here: Client, there: Client, server: str, cli: Cli
) -> None:
    found = here.port_fees("2026-12-05", scenario="port-fees-resume")
    assert there.port_fees("2026-12-05", scenario="port-fees-resume") == found
    words = "law port-fees --on 2026-12-05 -s port-fees-resume"
    assert cli.json(f"{words} --target {server}") == json.loads(json.dumps(found.to_json_dict()))
    shown = cli.out(words)
    assert "577.78" in shown
    assert "TVA" in shown
    standings = {"2025-09-01": "not in force", "2026-11-24": "suspended"}
    for day, standing in standings.items():
        assert {fee.standing for fee in here.port_fees(day).fees} == {standing}
    assert {fee.standing for fee in found.fees} == {"collected"}


def test_a_voyage_of_the_caller_takes_its_figures_or_names_the_one_of_no_use(
    client: Client, cli: Cli
) -> None:
    figures = "--net-tons 60000 --teu 10000 --calls 1 --share 0.2 --source mine"
    (fee,) = cli.json(f"law port-fees --on 2025-11-01 --kind operated {figures}")["fees"]
    assert (fee["total"], fee["per_teu"], fee["teu_of_trade"]) == ("3000000.00", "300.00", "60.00")
    assert (fee["per_ton"], fee["ship"], fee["standing"]) == (None, "", "collected")
    assert {figure["source"] for figure in fee["figures"]} == {"mine"}
    abroad = client.port_fees("2025-11-01", kind="linked", ship="bulk", usd_per_unit=Decimal("0.15"))
    assert abroad.fees[0].per_call == 28000 * 400 * Decimal("0.15")
    wrong: tuple[tuple[str, dict[str, Any]], ...] = (
        ("voyage", {"kind": "submarine"}),
        ("voyage", {"kind": "operated", "share": 2}),
        ("voyage.net_tons", {"kind": "operated", "net_tons": "many"}),
        ("voyage.net_tons", {"kind": "operated", "net_tons": 0}),
    )
    for field, options in wrong:
        with pytest.raises(InvalidRequest) as refused:
            client.port_fees("2026-12-05", **options)
        assert [one.field for one in refused.value.violations] == [field]
    with pytest.raises(InvalidRequest, match="teu, source given without a kind of ship"):
        client.port_fees("2026-12-05", teu=5, source="mine")


def test_steps_of_collections_add_up_to_the_cent_everywhere(here: Client, there: Client, cli: Cli) -> None:
    found, other = (client.collections(*MONTHS) for client in (here, there))
    assert other.rows.equals(found.rows)
    assert other.provenance == found.provenance
    cents = [(pl.col(name) * 100).round().cast(pl.Int64).alias(name) for name in AMOUNTS]
    for grouped in (found, here.collections(*MONTHS, by=["origin"]), here.collections(*MONTHS, by=[])):
        whole = pl.sum_horizontal("assessed", *STEPS) - pl.col("collected")
        assert grouped.rows.select(cents).select(whole.abs().max()).item() == 0
        for name in AMOUNTS:
            assert grouped.rows[name].sum() == pytest.approx(found.total[name].item(), abs=0.005)
    # Relief of goods of China that were at sea on 4 February.
    row = found.rows.filter(month="2025-02", authority="ieepa.fentanyl", origin="CN")
    assert row["afloat"].item() < -1e9
    assert row["collected_rate"].item() == pytest.approx(row["collected"].item() / row["imports"].item())
    assert found.frozen["last_month"] == "2026-02"
    words = f"collections --from {MONTHS[0]} --to {MONTHS[1]} --by month,authority,origin"
    wanted = json.loads(json.dumps(found.to_json_dict()))
    assert cli.json(words) == {"schema": "tariffs.collections/v1", **wanted}
    assert "collected" in cli.out(words)
    asked: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("ENTRY_DATE_INVALID", "2024-12", {}),
        ("GROUP_UNKNOWN", "2025-01", {"by": ["hts2"]}),
        ("PARAMETER_INVALID", "2025-01", {"without": ["collected"]}),
    )
    for reason, first, more in asked:
        with pytest.raises(InvalidRequest) as refused:
            here.collections(first, "2025-02", **more)
        assert refused.value.reason == reason
