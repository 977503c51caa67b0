"""The desk without a browser: forms become calls, changes become YAML, and strangers are refused."""

from __future__ import annotations

import asyncio
import builtins
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from polars.testing import assert_frame_equal

pytest.importorskip("marimo", reason="the extra `notebook` is not installed")
from tariffs.client import Client, InvalidRequest
from tariffs.client.cli.__main__ import run
from tariffs.client.desk import asgi, builder, forms, questions

LINE = {
    "hts": "9503.00.0073",
    "origin": "CN",
    "value": "10000",
    "entry_date": "2025-05-14",
    "quantity": "",
    "unit": "",
    "mode": "",
    "claims": "",
    "scenario": "base",
}
OPTIONS = {"mapping": "", "date_format": "", "baseline": "2025-01-01"}
TABLE = b"hts,origin,customs_value\n9503.00.0073,CN,10000\n9503.00.0073,Narnia,5\n"


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with Client.local() as local:
        yield local


def test_a_quote_is_the_answer_of_the_client(client: Client) -> None:
    answer = questions.quote(client, LINE, questions.Inputs())
    assert answer.assessed == client.duty("9503.00.0073", "CN", "2025-05-14", 10000).assessed > Decimal(0)
    assert answer.considered


def test_the_text_of_the_builder_is_your_scenario(client: Client) -> None:
    inputs = questions.Inputs(builder.EMPTY)
    line = LINE | {"entry_date": "2026-12-15", "scenario": forms.YOUR_SCENARIO}
    assert questions.quote(client, line, inputs).assessed == Decimal("2000.00")


@pytest.mark.parametrize("op", builder.KEYS)
def test_every_change_of_the_form_can_be_read(client: Client, op: str) -> None:
    change = {
        "op": op,
        "measure": "recip_cn",
        "origins": "",
        "start": "2025-06-01",
        "until": "",
        "rate": "20%",
    }
    if op in {"extend", "suspend"}:
        change |= {"until": "2027-12-01"}
    text = builder.with_change(builder.EMPTY, change)
    reasons = {problem.reason for problem in client.check(text).problems}
    assert reasons <= {"CHANGE_HAS_NO_EFFECT", "SUSPENSION_NOT_FOUND"}


def test_text_that_yaml_would_read_otherwise_is_quoted() -> None:
    change = {
        "op": "set_rate",
        "measure": "fl301",
        "origins": "CN, VN",
        "start": "2026-12-01 # x",
        "until": "",
        "rate": "5%",
    }
    last = builder.with_change(builder.EMPTY, change).splitlines()[-1]
    assert last == (
        '  - {op: set_rate, measures: {id: fl301, origins: [CN, VN]}, from: "2026-12-01 # x", rate: 5%}'
    )


def test_an_upload_is_computed_and_kept_for_the_other_tabs(client: Client) -> None:
    own = questions.own_table(client, _file("mine.csv", TABLE), OPTIONS, lambda stage, done: None)
    assert own.check.refused["found"].to_list() == ["Narnia"]
    assert own.result is not None
    assert own.result.total["customs_value"].to_list() == [10000.0]
    assert questions.Inputs(own=own).of_table()["baseline"] == "2025-01-01"


def test_columns_and_days_are_read_as_the_form_says(client: Client) -> None:
    text = b"hts,origin,customs_value,entry_date\n9503.00.0073,CN,10000,02/03/2026\n"
    days = []
    for format_of_days in ("m/d/Y", "d/m/Y"):
        options = OPTIONS | {"date_format": format_of_days}
        own = questions.own_table(client, _file("a.csv", text), options, lambda stage, done: None)
        days.append(own.check.first_day)
        assert questions.Inputs(own=own).of_table()["date_format"] == format_of_days
    assert days == ["2026-02-03", "2026-03-02"]


def test_a_table_without_a_usable_row_is_shown_and_not_computed(client: Client) -> None:
    text = b"hts,origin,customs_value\n9503.00.0073,Narnia,5\n"
    own = questions.own_table(client, _file("a.csv", text), OPTIONS, lambda stage, done: None)
    assert own.result is None
    assert own.check.refused.height == 1


def test_a_file_that_cannot_be_read_is_named_as_the_user_knows_it(client: Client) -> None:
    with pytest.raises(InvalidRequest, match=r"mine\.parquet") as caught:
        questions.own_table(client, _file("mine.parquet", b"PAR1 no"), OPTIONS, lambda stage, done: None)
    assert "tariffs-desk-" not in str(caught.value)


def test_no_other_table_is_computed_in_place_of_a_refused_one() -> None:
    with pytest.raises(InvalidRequest, match="cannot be used"):
        questions.Inputs(is_refused=True).of_table()


@pytest.mark.parametrize("text", ["cn", "=20%", "cn="])
def test_a_pair_without_name_or_value_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="NAME=VALUE"):
        questions.named(f"vn=1% {text}", "parameters")


@pytest.mark.parametrize(
    ("host", "origin", "allowed"),
    [
        ("127.0.0.1:8600", None, True),
        ("localhost:8600", "http://localhost:8600", True),
        ("localhost:8600", "https://evil.example", False),
        ("evil.example:8600", "http://evil.example:8600", False),
        ("evil.example", None, False),
        ("", None, False),
    ],
)
def test_other_sites_are_refused(host: str, origin: str | None, allowed: bool) -> None:
    headers = [(b"host", host.encode())] + ([(b"origin", origin.encode())] if origin else [])
    for kind, refusal in (("http", "http.response.start"), ("websocket", "websocket.close")):
        passed, sent = _ask({"type": kind, "headers": headers})
        assert passed is allowed
        assert (refusal in sent) is not allowed


def _ask(scope: dict[str, Any]) -> tuple[bool, list[str]]:
    passed: list[object] = []
    sent: list[str] = []

    async def page(scope: Any, receive: Any, send: Any) -> None:
        passed.append(scope)

    async def receive() -> object:
        return {}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    asyncio.run(asgi.SameSite(page, asgi.LOOPBACK)(scope, receive, send))
    return bool(passed), sent


def test_an_address_beyond_this_machine_needs_a_token(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("TARIFFS_DESK_TOKEN", raising=False)
    assert run(["desk", "--host", "0.0.0.0", "--no-browser"]) == 2
    assert "TARIFFS_DESK_TOKEN" in capsys.readouterr().err


def test_a_token_is_asked_of_every_reader() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = asgi.server("127.0.0.1", "secret")
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        try:
            assert "login" in _fetch(address).url
            assert "login" in _fetch(f"{address}?access_token=wrong").url
            assert "login" not in _fetch(f"{address}?access_token=secret").url
        finally:
            server.should_exit = True
            thread.join(30)


def _fetch(url: str) -> Any:
    """Open a page as a browser does, with cookies, so that a redirect after the token is followed."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    try:
        with opener.open(url, timeout=30) as answer:
            return answer
    except urllib.error.HTTPError as error:
        return error


def test_the_answers_of_a_server_are_those_of_this_process(client: Client, server: str) -> None:
    inputs = questions.Inputs(builder.EMPTY)
    with Client(server) as remote:
        for line in (LINE, LINE | {"entry_date": "2026-12-15", "scenario": forms.YOUR_SCENARIO}):
            assert questions.quote(remote, line, inputs) == questions.quote(client, line, inputs)
        assert questions.check(remote, builder.EMPTY) == questions.check(client, builder.EMPTY)
        there, here = (
            questions.own_table(asked, _file("a.csv", TABLE), OPTIONS, lambda stage, done: None)
            for asked in (remote, client)
        )
    assert there.check.facts() == here.check.facts()
    assert there.result is not None
    assert here.result is not None
    assert_frame_equal(there.result.groups, here.result.groups, check_exact=True)


def test_a_port_in_use_is_an_error_of_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert run(["desk", "--port", port, "--no-browser", "--local"]) == 2
    assert "--port" in capsys.readouterr().err


def test_without_the_extra_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = builtins.__import__

    def without_marimo(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] == "marimo":
            raise ModuleNotFoundError("No module named 'marimo'", name="marimo")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without_marimo)
    monkeypatch.delitem(__import__("sys").modules, "tariffs.client.desk.asgi", raising=False)
    assert run(["desk", "--no-browser"]) == 3
    assert "pip install 'tariffs[notebook]'" in capsys.readouterr().err


def _file(name: str, contents: bytes) -> Any:
    return type("File", (), {"name": name, "contents": contents})()
