"""The pages without a browser: addresses, rights, kept answers, and what strangers are refused."""

from __future__ import annotations

import asyncio
import base64
import builtins
import re
import socket
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from tariffs.client import Client, InvalidRequest
from tariffs.client.cli.__main__ import run
from tariffs.client.desk import law_pages
from tariffs.client.desk.access import LoopbackAccess, SignIn
from tariffs.client.desk.application import Desk
from tariffs.client.desk.kept_answers import Answers
from tariffs.client.desk.question import Question, own_address
from tariffs.client.desk.scenario_pages import EMPTY, KEYS, with_change
from tariffs.client.desk.unsaved import packed, text_of
from tariffs.client.results.law import Measure, MeasureRow, Period
from tests.client.conftest import Cli
from tests.client.desk_calls import get
from tests.service.harness import Running
from tests.service.web_calls import call

pytest.importorskip("connectrpc", reason="the extra `web` is not installed")
LINE = "/quote?hts=9503.00.0073&origin=CN&value=10000&on=2025-05-14"
PERIOD = "/timeline?s=base&start=2026-01-01&end=2026-02-28&by=origin"
READERS = 80
BOMB = "~" + base64.urlsafe_b64encode(zlib.compress(bytes(1 << 20), 9)).decode()


def asked(desk: Desk, address: str, **headers: str) -> Any:
    """Answer a request without a server."""

    async def answer() -> Any:
        transport = httpx2.ASGITransport(app=desk)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get(address, headers=headers)

    return asyncio.run(answer())


def test_readers_of_one_link_cause_one_computation(served: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, timeline = list[object](), Client.timeline

    def counted(self: Client, *given: Any, **options: Any) -> Any:
        asked.append(options)
        return timeline(self, *given, **options)

    monkeypatch.setattr(Client, "timeline", counted)
    with ThreadPoolExecutor(READERS) as readers:
        found = list(readers.map(lambda _: get(served, PERIOD, accept="application/json"), range(READERS)))
    answered = [one for one in found if one.status == 200]
    # The others are refused by the limit of connections of one address, as all its calls are.
    assert {one.status for one in found} <= {200, 429, 503}
    assert len(answered) > READERS / 4
    assert len({one.body for one in answered}) == 1
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (LINE, "duty 9503.00.0073 --origin CN --value 10000 --date 2025-05-14 --why"),
        (PERIOD, "timeline -s base --start 2026-01-01 --end 2026-02-28 --by origin"),
        ("/source?hts=9503.00.0073&unit_cost=10", "source 9503.00.0073 --unit-cost 10"),
        ("/law", "law measures"),
        ("/law/fent_cn", "law show fent_cn"),
        ("/law/diff?first=2026-11-01&second=2026-11-24", "law changes --start 2026-11-01 --end 2026-11-24"),
        ("/law/codes?measure=fl301&page=100", "law codes fl301 --page 100"),
        ("/scenario?s=truce-lapses", "scenario check truce-lapses"),
    ],
)
def test_the_json_is_that_of_the_command(served: Running, address: str, words: str, cli: Cli) -> None:
    expected = cli.json(f"{words} --local")
    found = get(served, address, accept="application/json").json
    assert {name: found[name] for name in expected} == expected


def test_all_faults_of_a_question_are_told_at_once(served: Running) -> None:
    for address, names in (
        ("/quote?hts=1&origin=Narnia&value=x&on=soon", ["hts", "origin", "value", "on"]),
        ("/quote/days", ["hts", "origin", "value"]),
        ("/source?unit_cost=x", ["hts", "unit_cost"]),
        (f"/compare?{'s=base&' * 7}", ["s"]),
        (f"{LINE}{'&s=base' * 5}", ["s"]),
        ("/sweep?s=base&s=rates-by-country&vary=cn=0%25", ["s"]),
        ("/compare?s=base&on=soon&response=magic&draws=x", ["on", "response", "draws"]),
        ("/timeline?s=base&end=soon&response=x", ["start", "end", "response"]),
    ):
        answer = get(served, address, accept="application/json")
        assert answer.status == 400
        assert [one["field"] for one in answer.json["error"]["faults"]] == names


def test_the_pages_of_this_process_answer_as_those_of_a_server(client: Client, served: Running) -> None:
    many = "&".join(f"a{place}=1" for place in range(600))
    assert get(served, f"/quote?{many}").status == 414
    desk = Desk(LoopbackAccess(client))
    assert asked(desk, "/nosuch").status_code == 404
    answer = asked(desk, LINE, accept="application/json")
    assert (answer.status_code, answer.content) == (200, get(served, LINE, accept="application/json").body)


def test_a_form_beside_an_answer_shows_the_question_alone_and_files_hold_the_answer(served: Running) -> None:
    address = "/compare?s=base&response=none"
    fresh, answered = get(served, "/compare"), get(served, address)
    assert b'value="origin"' in fresh.body
    assert re.search(rb'type="date" value=""[^>]*name="on"', answered.body)
    assert b"<h1>What is the duty on " in get(served, f"{address}&as=report").body
    assert get(served, f"{address}&as=csv").body.startswith(b"scenario,on,origin,origin_name,")


@pytest.mark.parametrize(
    ("hts", "answer"),
    [
        ("8471.30.0100", "Yes: 8471300100 is named by ANNEX_II_ELECTRONICS."),
        ("8471", "In part: 8471 is named by ANNEX_II_ELECTRONICS"),
        ("9503.00.0073", "No: the measure names neither 9503000073 nor a part of it."),
    ],
)
def test_a_measure_says_whether_it_names_a_code(client: Client, hts: str, answer: str) -> None:
    found = asked(Desk(LoopbackAccess(client)), f"/law/codes?measure=recip&hts={hts}")
    assert (found.status_code, answer in found.text) == (200, True)


@pytest.mark.parametrize("text", ["", "id: x\n" * 9, "schema: é\n"])
def test_a_text_in_an_address_is_read_as_it_was_written(text: str) -> None:
    assert text_of(packed(text)) == text
    assert packed("a" * (1 << 20)) == ""


@pytest.mark.parametrize("name", ["~", "~abc", f"~{'A' * 99}", packed(EMPTY)[:-9], BOMB])
def test_an_address_without_the_whole_text_is_refused(served: Running, name: str) -> None:
    for address in ("/scenario", "/compare", LINE):
        answer = get(served, f"{address}{'&' if '?' in address else '?'}s={name}")
        assert answer.status == 400
        assert b"does not hold the whole text" in answer.body


def test_a_page_that_is_as_it_was_is_not_sent_again(served: Running) -> None:
    first = get(served, LINE)
    kept = {"cookie": first.headers["set-cookie"].partition(";")[0]}
    again = get(served, LINE, **kept)
    same = get(served, LINE, if_none_match=again.headers["etag"], **kept)
    assert (again.status, same.status, same.body) == (200, 304, b"")
    assert again.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("host", "origin", "allowed"),
    [
        ("localhost:8600", None, True),
        ("localhost:8600", "http://localhost:8600", True),
        ("localhost:8600", "https://evil.example", False),
        ("evil.example:8600", "http://evil.example:8600", False),
        ("evil.example", None, False),
    ],
)
def test_other_sites_are_refused(served: Running, host: str, origin: str | None, allowed: bool) -> None:
    answer = get(served, "/quote", host=host, **({"origin": origin} if origin else {}))
    assert (answer.status == 200) is allowed


def test_a_form_that_writes_needs_the_proof_of_its_page(served: Running) -> None:
    port = served.server.http_port
    for path in ("/sign-in", "/sign-out", "/scenario", "/tables", "/tables/upload"):
        assert call(port, "POST", path, b"proof=guess", x_proof="guess").status == 403
    assert call(port, "POST", "/quote", b"").status == 404
    assert call(port, "DELETE", "/quote").status == 405


def test_a_sign_in_leads_to_these_pages_alone() -> None:
    for place in ("//evil.example", "https://evil.example/", "/\\evil.example", "javascript:x"):
        assert own_address(place) == "/"
    assert own_address("/compare?s=base") == "/compare?s=base"


def test_no_address_names_a_file_of_the_server(served: Running) -> None:
    file = Path("mine.yaml").absolute()
    file.write_text("schema: tariffs.scenario/v1\nid: secret-of-the-server\n")
    for asked in (f"s={file}", f"s=base&parameter_set={file}", f"s=base&table={file}"):
        answer = get(served, f"/compare?{asked}")
        assert answer.status in {400, 404}
        assert b"secret-of-the-server" not in answer.body


def test_a_question_is_the_same_in_any_order_and_keeps_the_order_of_scenarios() -> None:
    one = Question.of("/compare", "s=base&s=b&on=2027-01-11&as=csv&point=3&by=")
    assert one.canonical == Question.of("/compare", "on=2027-01-11&s=base&s=b").canonical
    assert one.canonical != Question.of("/compare", "s=b&s=base&on=2027-01-11").canonical
    assert one.address(on="2027-02-01") == "/compare?s=base&s=b&on=2027-02-01"
    with pytest.raises(InvalidRequest) as caught:
        Question.of("/compare", "draws=many&fx_offset=x&parameters=cn").options("impact")
    assert [one.field for one in caught.value.violations] == ["parameters", "fx_offset", "draws"]


def test_a_cookie_of_others_is_no_sign_in(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = LoopbackAccess(client), LoopbackAccess(client)
    began = SignIn.new()
    cookie = began.cookie(ours, is_secure=False).partition("=")[2].partition(";")[0]
    found = SignIn.of(ours, cookie)
    assert found is not None
    assert found.is_proof(began.proof)
    assert SignIn.of(theirs, cookie) is None
    assert SignIn.of(ours, f"{cookie}0") is None
    monkeypatch.setattr("tariffs.client.desk.access.LONGEST_SECONDS", -1)
    assert SignIn.of(ours, cookie) is None


@pytest.mark.parametrize("op", KEYS)
def test_every_change_of_the_form_can_be_read(client: Client, op: str) -> None:
    change = {"op": op, "measure": "recip_cn", "origins": "", "start": "2025-06-01", "rate": "20%"}
    change |= {"until": "2027-12-01" if op in {"extend", "suspend"} else ""}
    problems = client.check(with_change(EMPTY, change)).problems
    assert {problem.reason for problem in problems} <= {"CHANGE_HAS_NO_EFFECT", "SUSPENSION_NOT_FOUND"}
    if op == "set_rate":  # text that YAML would read otherwise is quoted
        last = with_change(EMPTY, change | {"start": "2026-12-01 # x", "origins": "CN, VN"}).splitlines()[-1]
        assert '"2026-12-01 # x"' in last
        assert "origins: [CN, VN]" in last


def test_who_waited_for_what_failed_asks_again() -> None:
    asked = list[int]()

    async def compute() -> int:
        asked.append(1)
        await asyncio.sleep(0.01)
        if len(asked) == 1:
            raise ValueError("refused for another")
        return 7

    async def read_thrice() -> list[Any]:
        answers = Answers()
        asked_by = [answers.get("x", compute) for _ in range(3)]
        return list(await asyncio.gather(*asked_by, return_exceptions=True))

    first, *others = asyncio.run(read_thrice())
    assert isinstance(first, ValueError)
    assert others == [7, 7]
    assert len(asked) == 2


def test_what_takes_too_much_memory_is_not_kept() -> None:
    asked = list[str]()

    async def read(digest: str, size: int, answers: Answers) -> None:
        async def compute() -> Any:
            asked.append(digest)
            return SimpleNamespace(byte_count=size)

        await answers.get(digest, compute)
        await asyncio.sleep(0)

    async def read_all() -> None:
        answers = Answers(kept=3, most_bytes=100)
        for digest, size in (("a", 60), ("b", 30), ("b", 30), ("c", 60), ("a", 60), ("d", 500), ("d", 500)):
            await read(digest, size, answers)

    asyncio.run(read_all())
    assert "".join(asked) == "abcadd"


def test_a_port_in_use_is_an_error_of_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert run(["desk", "--port", port, "--no-browser", "--local"]) == 2
    assert "--port" in capsys.readouterr().err


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, cli: Cli) -> None:
    real = builtins.__import__

    def without_starlette(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] == "starlette":
            raise ModuleNotFoundError("No module named 'starlette'", name="starlette")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without_starlette)
    monkeypatch.delitem(sys.modules, "tariffs.client.desk.application", raising=False)
    assert "pip install 'tariffs[web]'" in cli.err(["desk", "--no-browser"], 3)


def test_levels_are_those_of_the_period_in_force_and_a_range_where_rows_differ() -> None:
    def period(start: str, end: str, *charges: str) -> Period:
        rows = tuple(MeasureRow("all goods", one, "", "", "") for one in charges)
        return Period("p", f"{start}T00:01", end and f"{end}T00:01", start, (), "A", rows)

    def drawn(*periods: Period) -> dict[str, str]:
        measure = Measure("m", "M", "ieepa", "import", True, False, "A", (), "", periods, ())
        plot = law_pages._levels(measure, "2025-04-11")
        return {} if plot is None else {name: re.sub(r"\.\d+", "", path) for name, path in plot.lines.items()}

    own = period("2025-01-01", "2025-02-10", "free", "10%")
    # The end that the first wrote is past: the second took its place before.
    assert drawn(own, period("2025-01-21", "", "20%")) == {"rate": "M0,147H200V15H400V15H1000V15"}
    assert [*drawn(own, period("2025-01-21", "", "20%", "up to 5% all-in"))] == [
        "highest rate", "lowest rate that is charged",
    ]  # fmt: skip
    assert drawn(period("2025-01-01", "", "free", "0.22 USD/W")) == {}
