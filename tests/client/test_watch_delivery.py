"""Events of lines are listed and posted once each, signed, and a receiver that fails loses none."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.client.conftest import Cli

GOODS = "line_id,hts,origin,customs_value\ntoys,9503.00.0073,CN,1000000\n"
DAYS = "--since 2026-07-01 --end 2026-07-31"
SECRET = "between us"


class Receiver:
    """Receiver on this machine that takes events, but for those that it is told to refuse."""

    def __init__(self) -> None:
        self.taken: list[tuple[dict[str, Any], str]] = []
        self.refuse_from, self.status = 10_000, 500
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                refused = len(receiver.taken) >= receiver.refuse_from
                if not refused:
                    receiver.taken.append((json.loads(body), self.headers.get("Tariffs-Signature", "")))
                    receiver.last = body
                self.send_response(receiver.status if refused else 204)
                self.send_header("Location", "http://127.0.0.1:1/")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self.last = b""
        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.chdir(tmp_path)
    Path("goods.csv").write_text(GOODS)
    Path("secret.txt").write_text(f"{SECRET}\n")
    found = Receiver()
    thread = Thread(target=found.server.serve_forever)
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


def test_each_event_is_posted_once_and_signed(cli: Cli, receiver: Receiver) -> None:
    words = f"watch events goods.csv {DAYS} --state seen.json --post {receiver.url} --secret-file secret.txt"
    listed = cli.json(f"{words} --local")["events"]
    assert [one["id"] for one, _ in receiver.taken] == [one["id"] for one in listed] != []
    event, signature = receiver.taken[-1]
    assert (event["specversion"], event["subject"]) == ("1.0", "toys")
    assert event["type"] == f"tariffs.watch.{listed[-1]['kind']}"
    assert event["data"] == listed[-1]
    found = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", signature)
    assert found is not None
    signed = found[1].encode() + b"." + receiver.last
    assert found[2] == hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert cli.json(f"{words} --local")["events"] == []
    assert "No events that were not listed before." in cli.out(f"{words} --local")
    assert len(receiver.taken) == len(listed)


@pytest.mark.parametrize("status", [500, 302])
def test_a_receiver_that_fails_gets_the_rest_at_the_next_run(
    cli: Cli, receiver: Receiver, status: int
) -> None:
    words = f"watch events goods.csv {DAYS} --state seen.json --post {receiver.url} --local"
    receiver.refuse_from, receiver.status = 1, status
    assert f"status {status}" in cli.err(words, 3)
    assert len(receiver.taken) == 1
    receiver.refuse_from = 10_000
    rest = cli.json(words)["events"]
    assert [one["id"] for one, _ in receiver.taken[1:]] == [one["id"] for one in rest] != []
    assert len({one["id"] for one, _ in receiver.taken}) == len(receiver.taken)


def test_a_later_run_begins_thirty_days_before_the_last_day(cli: Cli, receiver: Receiver) -> None:
    cli.json(f"watch events goods.csv {DAYS} --state seen.json --local")
    assert json.loads(Path("seen.json").read_text())["since"] == "2026-07-01"
    later = cli.json("watch events goods.csv --end 2026-08-20 --state seen.json --local")
    assert later["provenance"]["details"]["since"] == "2026-07-01"


def test_wrong_receivers_and_states_are_refused_before_the_run(cli: Cli, receiver: Receiver) -> None:
    words = "watch events goods.csv --local"
    assert "https" in cli.err(f"{words} --post http://example.com/", 2)
    assert "https" in cli.err(f"{words} --post nowhere", 2)
    assert "no state" in cli.err(f"{words} --state goods.csv", 2)
    assert "none.txt" in cli.err(f"{words} --post {receiver.url} --secret-file none.txt", 2)
