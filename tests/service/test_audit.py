"""The audit record of a server: an entry for every call and every end of a run, without goods and tokens."""

from __future__ import annotations

import errno
import hashlib
import itertools
import json
import os
import threading
import time
import urllib.request
from collections import Counter, deque
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.longrunning import operations_pb2 as ops

from tariffs.client.cli.__main__ import run as run_command
from tariffs.engine.law import load_law
from tariffs.service.server import serving
from tariffs.service.storage.audit import writer
from tariffs.service.storage.audit.sources import chains_at, chains_in
from tariffs.service.storage.audit.table_chain import AUDIT_CHAINS, AUDIT_ENTRIES, TableChain
from tariffs.service.storage.audit.verify import verify
from tariffs.service.storage.audit.writer import AuditWriter
from tariffs.service.storage.database import Database
from tariffs.v1 import scenario_service_pb2 as scenarios_pb
from tests.service.harness import TIMEOUT, Running, fails, line, no_warm_up, running
from tests.service.stored import TOKENS, as_caller, parts, rows, simulation, start, tokens_file, until, wait
from tests.service.test_stored_scenarios import text

ANN = as_caller("ann")


def entries(directory: Path) -> list[dict[str, Any]]:
    """All entries, of a record that has no fault."""
    found = []
    for chain in chains_at(directory):
        assert verify(chain).findings == []
        found += [json.loads(line.data) for line in chain.lines]
    return found


def ask(server: Running, **more: Any) -> Any:
    return server.duty.CalculateDuty(line(), timeout=TIMEOUT, **(ANN | more))


def test_every_call_and_every_end_of_a_run_has_an_entry(tmp_path: Path) -> None:
    record, frame = tmp_path / "audit", rows(30)
    settings: dict[str, Any] = {
        "audit": str(record),
        "audit_chain": "web",
        "tokens_file": tokens_file(tmp_path),
    }
    with running(warm=no_warm_up, **settings) as server:
        quote = ask(server, metadata=(*ANN["metadata"], ("x-request-id", "my-1")))
        fails(lambda: server.duty.CalculateDuty(line(hts="9"), timeout=TIMEOUT, **ANN))
        fails(lambda: server.duty.CalculateDuty(line(), timeout=TIMEOUT))
        table = server.tables.UploadTable(parts(frame, 10), timeout=TIMEOUT, **ANN)
        request = simulation(frame, include_lines=False)
        done = list(server.simulation.Simulate(request, timeout=TIMEOUT, **ANN))[-1].done
        request.handle = table.name
        name = wait(server, start(server, request, "r-1", **ANN).name, **ANN).name
        fails(
            lambda: server.operations.GetOperation(ops.GetOperationRequest(name="x"), timeout=TIMEOUT, **ANN)
        )
    found = entries(record)
    assert [(one["kind"], one.get("verb"), one.get("code"), one.get("reason")) for one in found] == [
        ("opened", None, None, None),
        ("call", "DutyService/CalculateDuty", "OK", ""),
        ("call", "DutyService/CalculateDuty", "INVALID_ARGUMENT", "HTS_CODE_MALFORMED"),
        ("call", "DutyService/CalculateDuty", "UNAUTHENTICATED", "TOKEN_INVALID"),
        ("call", "TableService/UploadTable", "OK", ""),
        ("call", "SimulationService/Simulate", "OK", ""),
        ("call", "SimulationService/StartRun", "OK", ""),
        *sorted(
            [
                ("run", "run/simulate", "OK", ""),
                ("call", "google.longrunning.Operations/WaitOperation", "OK", ""),
            ],
            key=lambda one: one[0] == next(e["kind"] for e in found[7:]),
            reverse=True,
        ),
        ("call", "google.longrunning.Operations/GetOperation", "NOT_FOUND", "RUN_NOT_FOUND"),
        ("closed", None, None, None),
    ]
    asked, refused, unknown, uploaded, simulated, started = found[1:7]
    law = load_law()
    assert asked == {
        "audit": 1,
        "chain": "web-0",
        "seq": 2,
        "time": asked["time"],
        "kind": "call",
        "who": "ann",
        "roles": ["read", "run"],
        "verb": "DutyService/CalculateDuty",
        "request": hashlib.sha256(line().SerializeToString()).hexdigest(),
        "tables": [],
        "scenarios": [{"id": "base", "digest": quote.provenance.scenarios[0].digest}],
        "law": {"version": law.version, "digest": law.digest},
        "rows": 1,
        "code": "OK",
        "reason": "",
        "run": None,
        "run_digest": quote.provenance.run_digest,
        "request_id": "my-1",
        "previous": asked["previous"],
    }
    assert (refused["law"], unknown["who"], unknown["request"]) == (None, None, hashlib.sha256().hexdigest())
    assert (uploaded["rows"], uploaded["tables"]) == (30, [table.name.removeprefix("tables/")])
    assert (simulated["rows"], simulated["tables"]) == (30, [done.provenance.table_digest])
    assert [one["id"] for one in simulated["scenarios"]] == ["base", "truce-extended"]
    assert started["run"] == name
    (ended,) = (one for one in found if one["kind"] == "run")
    assert (ended["run"], ended["who"], ended["request_id"]) == (name, "ann", "r-1")
    assert ended["law"] == asked["law"]
    assert ended["tables"]


def test_an_entry_names_the_stored_scenario_that_was_saved_used_shared_or_deleted(tmp_path: Path) -> None:
    saved = scenarios_pb.SaveScenarioRequest(yaml=text())
    asked = line(entry="2027-02-01")
    asked.scenario.name = "team/mine"
    with running(warm=no_warm_up, audit=str(tmp_path)) as server:
        digest = server.scenarios.SaveScenario(saved, timeout=TIMEOUT).digest
        server.duty.CalculateDuty(asked, timeout=TIMEOUT)
        share = scenarios_pb.ShareScenarioRequest(name="team/mine", group="desk")
        server.scenarios.ShareScenario(share, timeout=TIMEOUT)
        delete = scenarios_pb.DeleteScenarioRequest(name="team/mine")
        server.scenarios.DeleteScenario(delete, timeout=TIMEOUT)
        fails(lambda: server.scenarios.DeleteScenario(delete, timeout=TIMEOUT))
    calls = [one for one in entries(tmp_path) if one["kind"] == "call"]
    full = {"id": "mine", "digest": digest, "stored": "team/anonymous/mine@1"}
    name = {"stored": "team/mine"}
    assert [one["scenarios"] for one in calls] == [[full], [full], [full], [name], [name]]
    assert [one["code"] for one in calls] == ["OK"] * 4 + ["NOT_FOUND"]
    assert "set_rate" not in "".join(path.read_text(encoding="utf-8") for path in tmp_path.iterdir())


def test_a_call_over_http_has_an_entry(tmp_path: Path) -> None:
    body = json.dumps({"line": {"hts": "9503.00.0073", "origin": "CN", "customsValue": "10000"}}).encode()
    with running(warm=no_warm_up, audit=str(tmp_path), http_port=0) as server:
        url = f"http://127.0.0.1:{server.server.http_port}/tariffs.v1.DutyService/CalculateDuty"
        request = urllib.request.Request(url, body, {"content-type": "application/json"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=TIMEOUT):
            pass
    (asked,) = (one for one in entries(tmp_path) if one["kind"] == "call")
    assert asked["verb"] == "DutyService/CalculateDuty"
    assert (asked["request"], asked["rows"]) == (hashlib.sha256(body).hexdigest(), 1)
    assert asked["law"]["version"] == load_law().version


def test_the_record_holds_neither_goods_nor_tokens(tmp_path: Path) -> None:
    record = tmp_path / "audit"
    settings: dict[str, Any] = {"audit": str(record), "tokens_file": tokens_file(tmp_path)}
    secret = line(hts="9503.00.0073", origin="CN", customs_value="314159.26", line_id="my-goods")
    with running(warm=no_warm_up, **settings) as server:
        server.duty.CalculateDuty(secret, timeout=TIMEOUT, **ANN)
        fails(lambda: server.duty.CalculateDuty(line(hts="950300SECRET"), timeout=TIMEOUT, **ANN))
        fails(lambda: ask(server, metadata=(("authorization", "Bearer my-wrong-token"),)))
    text = "".join(path.read_text(encoding="utf-8") for path in record.iterdir())
    for word in ("9503.", '"CN"', "314159.26", "my-goods", "SECRET", "my-wrong-token", *TOKENS.values()):
        assert word not in text, word


def test_without_the_setting_nothing_is_recorded() -> None:
    with running(warm=no_warm_up) as server:
        server.duty.CalculateDuty(line(), timeout=TIMEOUT)
        assert "audit" not in {thread.name for thread in threading.enumerate()}


def full(_handle: int, _data: bytes) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("failure", ["refuse", "continue"])
def test_a_full_disk_refuses_calls_or_counts_what_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: str
) -> None:
    monkeypatch.setattr(writer, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(writer, "WAITING_LIMIT", 5)
    with running(warm=no_warm_up, audit=str(tmp_path), audit_failure=failure) as server:
        audit: Any = server.server._audit
        with monkeypatch.context() as patched:
            patched.setattr(os, "write", full)
            server.duty.CalculateDuty(line(), timeout=TIMEOUT)
            until(lambda: audit.failing)
            if failure == "refuse":
                fault = fails(lambda: server.duty.CalculateDuty(line(), timeout=TIMEOUT))
                assert (fault.code, fault.reason) == (grpc.StatusCode.UNAVAILABLE, "AUDIT_UNAVAILABLE")
            else:
                for _ in range(20):
                    server.duty.CalculateDuty(line(), timeout=TIMEOUT)
                assert audit.lost > 0
        until(lambda: not audit.failing and not audit.waiting)
        server.duty.CalculateDuty(line(), timeout=TIMEOUT)
        lost = audit.lost
    found = entries(tmp_path)
    assert sum(one["entries"] for one in found if one["kind"] == "lost") == lost
    calls = sum(one["kind"] == "call" for one in found)
    assert calls == (2 if failure == "refuse" else 22 - lost)


class FullDisk:
    """A chain that cannot be written for some time."""

    name = "web-0"

    def __init__(self) -> None:
        self.full = True
        self.written: list[Any] = []

    def append(self, pending: deque[Any]) -> None:
        if self.full and any(one["kind"] == "call" for one in pending):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.written += pending
        pending.clear()

    def close(self) -> None:
        self.written.append({"kind": "end"})


def test_what_waits_for_room_on_the_disk_is_written_though_the_queue_is_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writer, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(writer, "WAITING_LIMIT", 3)
    disk = FullDisk()
    audit = AuditWriter(disk, refuse=False)
    audit.start({})
    number = itertools.count()

    def more() -> bool:
        audit.record("call", {"rows": next(number)})
        return audit.lost >= 2 and audit.waiting > 3

    until(more)
    disk.full = False
    until(lambda: not audit.waiting and any(one["kind"] == "lost" for one in disk.written))
    audit.close()
    kinds = Counter(one["kind"] for one in disk.written)
    assert kinds["call"] + audit.lost == next(number)
    assert sum(one["entries"] for one in disk.written if one["kind"] == "lost") == audit.lost
    assert [one["kind"] for one in disk.written[-2:]] == ["closed", "end"]


def test_a_record_that_cannot_be_opened_ends_the_start(tmp_path: Path) -> None:
    (tmp_path / "audit").write_text("not a directory", encoding="utf-8")
    with (
        pytest.raises(Exception, match="audit record cannot be written") as caught,
        running(warm=no_warm_up, audit=str(tmp_path / "audit")),
    ):
        pass
    assert getattr(caught.value, "reason", "") == "AUDIT_UNAVAILABLE"


def test_the_check_tries_the_record_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(serving, "warm_up", no_warm_up)
    monkeypatch.setenv("TARIFFS_STATE_DIR", str(tmp_path / "state"))
    (tmp_path / "file").write_text("")
    assert serving.check(audit=str(tmp_path / "audit")) == 0
    assert f"audit record: {tmp_path / 'audit'}\n" in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {"file"}
    assert serving.check(audit=str(tmp_path / "file" / "audit")) == 3
    assert "AUDIT_UNAVAILABLE" in capsys.readouterr().out


def test_calls_do_not_wait_for_a_slow_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, stuck = os.write, threading.Event()

    def slow(handle: int, data: bytes) -> int:
        stuck.wait(TIMEOUT)
        return write(handle, data)

    with running(warm=no_warm_up, audit=str(tmp_path)) as server:
        server.duty.CalculateDuty(line(), timeout=TIMEOUT)
        monkeypatch.setattr(os, "write", slow)
        for _ in range(20):
            server.duty.CalculateDuty(line(), timeout=TIMEOUT)
            time.sleep(0.01)
        assert server.server._audit is not None
        assert server.server._audit.waiting >= 19
        stuck.set()
    assert sum(one["kind"] == "call" for one in entries(tmp_path)) == 21


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'audit.sqlite'}"
    return str(request.getfixturevalue("postgresql")())


def record(url: str, name: str, count: int) -> None:
    audit = AuditWriter(TableChain(Database(url), name), refuse=True)
    audit.start({})
    for number in range(count):
        audit.record("call", {"who": "ann", "rows": number})
    audit.close()


def test_a_database_holds_the_chains_of_all_servers(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(Database(url)) as database:
        database.migrate()
    threads = [threading.Thread(target=record, args=(url, f"web-{index % 2}", 30)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    record(url, "web-0", 3)
    assert [(one.name, verify(one).entries, verify(one).findings) for one in chains_in(url)] == [
        ("web-0", 69, []),
        ("web-1", 64, []),
    ]
    assert run_command(["audit", "verify", "--database", url]) == 0
    tamper: list[tuple[Callable[[], Any], str]] = [
        (
            lambda: AUDIT_ENTRIES.update().where(one, AUDIT_ENTRIES.c.seq == 9).values(line='{"a":1}'),
            "web-1:9",
        ),
        (lambda: AUDIT_ENTRIES.delete().where(one, AUDIT_ENTRIES.c.seq == 7), "entry 7 is missing"),
        (lambda: AUDIT_ENTRIES.delete().where(one, AUDIT_ENTRIES.c.seq > 60), "entries 61 to 64 are missing"),
        (lambda: AUDIT_CHAINS.delete().where(AUDIT_CHAINS.c.name == "web-1"), "no head is recorded"),
    ]
    one = AUDIT_ENTRIES.c.chain == "web-1"
    for statement, message in tamper:
        with closing(Database(url)) as database, database.begin() as connection:
            connection.execute(statement())
        capsys.readouterr()
        assert run_command(["audit", "verify", "--database", url]) == 1
        assert message in capsys.readouterr().out


def test_the_command_shows_and_verifies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings: dict[str, Any] = {
        "audit": str(tmp_path / "audit"),
        "audit_chain": "web",
        "tokens_file": tokens_file(tmp_path),
    }
    with running(warm=no_warm_up, **settings) as server:
        ask(server)
        ask(server, **as_caller("bob"))
        fails(lambda: server.duty.CalculateDuty(line(hts="9"), timeout=TIMEOUT, **ANN))
    record = str(tmp_path / "audit")

    def shown(*options: str) -> list[int]:
        capsys.readouterr()
        assert run_command(["audit", "show", record, "--json", *options]) == 0
        return [entry["seq"] for entry in json.loads(capsys.readouterr().out)["entries"]]

    assert shown() == [1, 2, 3, 4, 5]
    assert shown("--who", "ann") == [2, 4]
    assert shown("--who", "ann", "--code", "OK", "--scenario", "base") == [2]
    assert shown("--reason", "HTS_CODE_MALFORMED") == [4]
    assert shown("--law-version", load_law().version, "--top", "1") == [2]
    assert shown("--start", "2100") == shown("--end", "2000") == []
    assert shown("--end", str(datetime.now(UTC).date())) == [1, 2, 3, 4, 5]
    assert run_command(["audit", "show", record]) == 0
    assert "DutyService/CalculateDuty" in capsys.readouterr().out
    assert run_command(["audit", "verify", record, "--json"]) == 0
    (chain,) = json.loads(capsys.readouterr().out)["chains"]
    assert (chain["chain"], chain["entries"], chain["ok"]) == ("web-0", 5, True)
    assert run_command(["audit", "verify", record, "--head", f"web-0={chain['head']}"]) == 0
    assert run_command(["audit", "verify", record, "--head", f"web-0=9:{'0' * 64}"]) == 1
    assert "cut" in capsys.readouterr().out
    assert run_command(["audit", "verify", record, "--head", "other=1:0"]) == 2
    assert run_command(["audit", "verify", str(tmp_path / "none")]) == 2
    assert run_command(["audit", "verify"]) == 2
