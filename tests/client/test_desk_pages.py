"""Pages of outcomes, options, bills and goods that are watched without a browser."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Event
from typing import Any

import polars as pl
import pytest

pytest.importorskip("connectrpc", reason="the extra `web` is not installed")
from tariffs.client import Client, InvalidRequest
from tariffs.client.results.hindcast import Hindcast
from tests.client.conftest import Cli
from tests.client.desk_calls import get, sent
from tests.service.harness import Running

GOODS = b"line_id,hts,origin,customs_value,note\ntoys,9503.00.0073,CN,1000000,=1+1\nbad,95O3,CN,1,@b\n"
JULY = "since=2026-07-01&end=2026-07-31"
OPTIONS = "/options?hts=9503.00.0073&origin=CN&value=10000&on=2025-04-20&fact.withdrawal=2025-06-20"


def test_options_of_a_line_are_a_page_that_asks_for_missing_facts(served: Running, cli: Cli) -> None:
    words = "options 9503.00.0073 --origin CN --value 10000 --date 2025-04-20 --withdrawal 2025-06-20"
    expected = cli.json(f"{words} --local")
    assert get(served, OPTIONS, accept="application/json").json["scenarios"] == expected["scenarios"]
    text = get(served, OPTIONS).body.decode()
    assert "The best lawful set saves 14,500.00: Bonded warehouse; Refund of duty that was void." in text
    for name in ("fact.withdrawal", "fact.export_share"):
        assert f'name="{name}"' in text
    faults = get(served, "/options?on=soon&value=x", accept="application/json").json["error"]["faults"]
    assert [one["field"] for one in faults] == ["hts", "origin", "on", "value"]


def test_a_bill_in_an_address_is_that_of_the_command(served: Running, root: Path, cli: Cli) -> None:
    bill = root / "docs" / "bicycle.csv"
    answer = sent(served, "/bom/upload?name=bicycle.csv", bill.read_bytes(), "/bom")
    address = f"{answer.json['address']}&on=2026-11-24&units=1000"
    expected = cli.json(f"bom {bill} --on 2026-11-24 --units 1000 --local")
    assert get(served, address, accept="application/json").json["scenarios"] == expected["scenarios"]
    text = get(served, address).body.decode()
    assert "the parts of 1000 units cost 186,071.28 landed" in text
    assert "2026-12-04: +10.7 % of the duty" in text
    formula = b"part,parent,hts,origin,unit_cost,drawing\nBox,,,,,=1+1\nLid,Box,9503.00.0073,CN,10,@b\n"
    address = sent(served, "/bom/upload?name=a.csv", formula, "/bom").json["address"]
    rows = get(served, f"{address}&as=csv").body.decode().splitlines()
    assert [one.rpartition(",")[2] for one in rows[1:]] == ["'=1+1", "'@b"]
    assert "does not hold the whole text of its table" in get(served, address[:60]).body.decode()
    large = "part,parent\n" + "".join(f"{place**9:x},{place**8:x}\n" for place in range(5000))
    refused = sent(served, "/bom/upload?name=large.csv", large.encode(), "/bom")
    assert refused.status == 400
    assert b"more rows than a link can hold" in refused.body


def test_goods_are_watched(served: Running, cli: Cli) -> None:
    Path("goods.csv").write_bytes(GOODS)
    rows = sent(served, "/watch/upload?name=goods.csv", GOODS, "/watch").json["address"]
    expected = cli.json("watch events goods.csv --since 2026-07-01 --end 2026-07-31 --local", 1)
    found = get(served, f"{rows}&{JULY}", accept="application/json").json
    assert found["events"] == expected["events"] != []
    text = get(served, f"{rows}&{JULY}").body.decode()
    assert "heading changed" in text
    assert "Rows that cannot be used: 1" in text


def test_tables_without_a_name_are_a_list(served: Running) -> None:
    assert get(served, "/tables", accept="application/json").json["tables"] == []
    file = b"hts,origin,customs_value\n9503.00.0073,CN,10000\n"
    address = sent(served, "/tables/upload?name=a.csv", file, "/tables").json["address"]
    (stored,) = get(served, "/tables", accept="application/json").json["tables"]
    assert address.endswith(stored["name"].replace("/", "%2F"))
    assert get(served, "/tables?as=csv").status == 400


def test_a_page_says_how_long_it_takes(served: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    ready, asked = Event(), list[str]()

    def slow(self: Client, known_on: str) -> Any:
        asked.append(known_on)
        ready.wait(30)
        raise InvalidRequest("REQUEST_INVALID", "no such board")

    monkeypatch.setattr(Client, "hindcast", slow)
    first, again = (get(served, "/hindcast?known_on=slow") for _ in range(2))
    assert (first.status, again.status) == (202, 202)
    assert b"takes half a minute" in first.body
    assert b'http-equiv="refresh"' in first.body
    assert first.headers["cache-control"] == "no-store"
    ready.set()
    time.sleep(0.2)
    told = get(served, "/hindcast?known_on=slow")
    assert told.status == 400
    assert b"no such board" in told.body
    assert asked == ["slow"]


def test_outcomes_are_pages_with_documents(served: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"board": "b", "first": "2025-09", "last": "2025-11", "cut": "most"}
    numbers = dict.fromkeys(("total", "realised_total", "slope", "slope_error", "controlled", "rank"), 0.5)
    scores = [
        {**row, "first": first, "forecast": name, "error": error, **numbers, "coverage": None}
        for first in ("2025-09", "2025-01")
        for name, error in (("path", 8.5), ("no change", 16.7))
    ]
    growth = {"before": 1e9, "forecast": -0.1, "with_trend": -0.2, "realised": -0.3}
    partners = [{**row, "origin": origin, **growth} for origin in ("", "CN")]
    board = {"id": "b", "title": "a board", "windows": [["2025-09", "2025-11"]], "stated": None}
    frozen = {"on": "2026-11-30", "unchanged": True}
    law = {"law_version": "1", "law_digest": "0", "law_read_to": "2026-10-11", "known_on": "entry"}
    found = Hindcast(pl.DataFrame(scores), pl.DataFrame(partners), [board], [], frozen, law)
    monkeypatch.setattr(Client, "hindcast", lambda self, known_on: found)
    asked = {
        "/hindcast?known_on=entry": ("by 8.5 points on average", "A board: 2025-09 to 2025-11"),
        "/collections?from=2025-01&to=2025-01&by=month": ("of duty assessed", "afloat", "all months, USD bn"),
        "/score?s=base&first=2027&last=2027&response=none": (
            "How much revenue do duties bring",
            "Conventional revenue by fiscal year",
        ),
    }
    for address, words in asked.items():
        verb = address[1:].partition("?")[0]
        assert get(served, address, accept="application/json").json["schema"] == f"tariffs.{verb}/v1"
        page = get(served, address)
        text = page.body.decode()
        assert page.status == 200, text
        assert all(word in text for word in words), text
        assert text.count('<th scope="row">path</th>') == (verb == "hindcast")
        assert b"<html" in get(served, f"{address}&as=report").body
    assert b"Give the last month." in get(served, "/collections?from=2025-01").body
    assert b"x is no year; write 2026." in get(served, "/score?s=base&first=x").body
