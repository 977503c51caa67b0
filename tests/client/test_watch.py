"""`tariffs watch` on the lines of a file: in Python and on the command line."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from tariffs.client import Client
from tariffs.client.cli.__main__ import run
from tariffs.client.errors import InvalidRequest

GOODS = """line_id,hts,origin,customs_value,supplier
toys,9503.00.0073,CN,1000000,A
bad,9999.99.9999,CN,100,B
cathodes,7403.11.0000,CL,500000,C
toys,9503.00.0073,VN,100,D
"""


@pytest.fixture(scope="module")
def goods(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("watch") / "goods.csv"
    path.write_text(GOODS, encoding="utf-8")
    return path


def test_events_of_a_file_have_days_amounts_and_sources(goods: Path) -> None:
    found = Client.local().watch_events(goods, start="2026-07-23", end="2026-07-24")
    rows = [(one.kind, one.line_id, one.known_on, one.effective_on, one.amount) for one in found.events]
    assert ("enacted", "toys", "2026-07-23", "2026-07-24", Decimal("125000.00")) in rows
    assert ("rate_changed", "toys", "2026-07-24", "2026-07-24", Decimal("25000.00")) in rows
    assert all(one.citations and one.text for one in found.events)
    refused = found.refused.select("row", "line_id", "column", "reason").rows()
    assert refused == [(1, "bad", "hts", "HTS_CODE_UNKNOWN"), (3, "toys", "line_id", "REQUEST_INVALID")]
    assert found.frame.height == len(found.events)
    assert found.frame.schema["amount"] == pl.Decimal(20, 2)


def test_the_command_line_prints_events_as_rows_csv_and_json(
    goods: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    refused = ["--refused", str(tmp_path / "refused.csv"), "--start", "2026-09-10", "--end", "2026-09-10"]
    assert run(["watch", "events", str(goods), "--json", *refused]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "tariffs.watch/v1"
    (event,) = document["events"]
    assert (event["kind"], event["amount"], event["citations"]) == (
        "announced",
        None,
        ["Reuters, 2026-09-10"],
    )
    assert run(["watch", "events", str(goods), "--csv", *refused]) == 1
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["id"], row["line_id"]) == (event["id"], "cathodes")
    assert run(["watch", "events", str(goods), *refused]) == 1
    assert "announced" in capsys.readouterr().out


def test_days_ahead_are_numbers(goods: Path) -> None:
    with pytest.raises(InvalidRequest, match="ahead"):
        Client.local().watch_events(goods, ahead=[0])
