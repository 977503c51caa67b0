"""The audit record of a server: an entry for every call and every end of a run, without goods and tokens."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.longrunning import operations_pb2 as ops

from tariffs.client.cli.__main__ import run as run_command
from tariffs.engine.errors import ServiceError
from tariffs.engine.law import load_law
from tariffs.service.server import serving
from tariffs.service.storage.audit import writer
from tariffs.service.storage.audit.sources import chains_at, chains_in
from tariffs.service.storage.audit.table_chain import AUDIT_CHAINS, AUDIT_ENTRIES, TableChain
from tariffs.service.storage.audit.verify import verify
from tariffs.service.storage.audit.writer import AuditWriter
from tariffs.service.storage.database import Database
from tariffs.v1 import scenario_service_pb2 as scenarios_pb
from tests.service.callers import scenario_text
from tests.service.harness import TIMEOUT, Running, as_caller, caller_files, fails, line, no_warm_up, running
from tests.service.stored import rows, simulation, start, until, upload, wait
from tests.service.web_calls import QUOTE, post

ANN = as_caller("ann")


def recorded(directory: Path, **settings: Any) -> Any:
    return running(warm=no_warm_up, audit=str(directory), audit_chain="web", **settings)


def entries(directory: Path) -> list[dict[str, Any]]:
    """All entries, of a record that has no fault."""
    found = []
    for chain in chains_at(directory):
        assert verify(chain).findings == []
        found += [json.loads(line.data) for line in chain.lines]
    return found


def calls(directory: Path) -> list[dict[str, Any]]:
    return [one for one in entries(directory) if one["kind"] == "call"]


def ask(server: Running, **more: Any) -> Any:
    return server.duty.CalculateDuty(line(), timeout=TIMEOUT, **(ANN | more))


def test_every_call_and_every_end_of_a_run_has_an_entry_without_goods_and_tokens(tmp_path: Path) -> None:
    record, frame = tmp_path / "audit", rows(30)
    secret = line(customs_value="314159.26", line_id="my-goods")
    with recorded(record, **caller_files(tmp_path)) as server:
        own = {"metadata": (*ANN["metadata"], ("x-request-id", "my-1"))}
        quote = server.duty.CalculateDuty(secret, timeout=TIMEOUT, **own)
        fails(lambda: server.duty.CalculateDuty(line(hts="950300SECRET"), timeout=TIMEOUT, **ANN))
        fails(lambda: ask(server, metadata=(("authorization", "Bearer my-wrong-token"),)))
        table = upload(server, frame, 10, **ANN)
        request = simulation(frame, include_lines=False)
        done = list(server.simulation.Simulate(request, timeout=TIMEOUT, **ANN))[-1].done
        request.handle = table.name
        name = wait(server, start(server, request, "r-1", **ANN).name, **ANN).name
        unknown_run = ops.GetOperationRequest(name="x")
        fails(lambda: server.operations.GetOperation(unknown_run, timeout=TIMEOUT, **ANN))
    found = entries(record)
    assert [found[0]["kind"], found[-1]["kind"]] == ["opened", "closed"]
    told = [(one["verb"].rpartition("/")[2], one["code"], one["reason"]) for one in found[1:-1]]
    assert told[:6] == [
        ("CalculateDuty", "OK", ""),
        ("CalculateDuty", "INVALID_ARGUMENT", "HTS_CODE_MALFORMED"),
        ("CalculateDuty", "UNAUTHENTICATED", "TOKEN_INVALID"),
        ("UploadTable", "OK", ""),
        ("Simulate", "OK", ""),
        ("StartRun", "OK", ""),
    ]
    # The end of the run and that of the call which waited for it come together.
    assert sorted(told[6:8]) == [("WaitOperation", "OK", ""), ("simulate", "OK", "")]
    assert told[8:] == [("GetOperation", "NOT_FOUND", "RUN_NOT_FOUND")]
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
        "request": hashlib.sha256(secret.SerializeToString()).hexdigest(),
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
    written = "".join(path.read_text(encoding="utf-8") for path in record.iterdir())
    for word in ("9503.", '"CN"', "314159.26", "my-goods", "SECRET", "my-wrong-token", "token-of-"):
        assert word not in written, word


def test_an_entry_names_the_stored_scenario_that_was_saved_used_shared_or_deleted(tmp_path: Path) -> None:
    asked = line(entry="2027-02-01")
    asked.scenario.name = "team/mine"
    with recorded(tmp_path) as server:
        saved = scenarios_pb.SaveScenarioRequest(yaml=scenario_text())
        digest = server.scenarios.SaveScenario(saved, timeout=TIMEOUT).digest
        server.duty.CalculateDuty(asked, timeout=TIMEOUT)
        share = scenarios_pb.ShareScenarioRequest(name="team/mine", group="desk")
        server.scenarios.ShareScenario(share, timeout=TIMEOUT)
        delete = scenarios_pb.DeleteScenarioRequest(name="team/mine")
        server.scenarios.DeleteScenario(delete, timeout=TIMEOUT)
        fails(lambda: server.scenarios.DeleteScenario(delete, timeout=TIMEOUT))
    full = {"id": "mine", "digest": digest, "stored": "team/anonymous/mine@1"}
    name = {"stored": "team/mine"}
    assert [one["scenarios"] for one in calls(tmp_path)] == [[full], [full], [full], [name], [name]]
    assert [one["code"] for one in calls(tmp_path)] == ["OK"] * 4 + ["NOT_FOUND"]
    assert "set_rate" not in "".join(path.read_text(encoding="utf-8") for path in tmp_path.iterdir())


def test_a_call_over_http_has_an_entry(tmp_path: Path) -> None:
    with recorded(tmp_path, http_port=0) as server:
        assert post(server.http_port, "DutyService/CalculateDuty", QUOTE).status == 200
    (asked,) = calls(tmp_path)
    assert asked["verb"] == "DutyService/CalculateDuty"
    assert asked["request"] == hashlib.sha256(json.dumps(QUOTE).encode()).hexdigest()
    assert asked["rows"] == 1
    assert asked["law"]["version"] == load_law().version


def full(_handle: int, _data: bytes) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("failure", ["refuse", "continue"])
def test_a_full_disk_refuses_calls_or_counts_what_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: str
) -> None:
    monkeypatch.setattr(writer, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(writer, "WAITING_LIMIT", 5)
    with recorded(tmp_path, audit_failure=failure) as server:
        audit: Any = server.server._audit
        with monkeypatch.context() as patched:
            patched.setattr(os, "write", full)
            ask(server)
            until(lambda: audit.failing)
            if failure == "refuse":
                fault = fails(lambda: ask(server))
                assert (fault.code, fault.reason) == (grpc.StatusCode.UNAVAILABLE, "AUDIT_UNAVAILABLE")
            else:
                for _ in range(20):
                    ask(server)
                assert audit.lost > 0
        until(lambda: not audit.failing and not audit.waiting)
        ask(server)
        lost = audit.lost
    found = entries(tmp_path)
    assert sum(one["entries"] for one in found if one["kind"] == "lost") == lost
    assert len(calls(tmp_path)) == (2 if failure == "refuse" else 22 - lost)
    assert found[-1]["kind"] == "closed"


def test_calls_do_not_wait_for_a_slow_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, stuck = os.write, threading.Event()

    def slow(handle: int, data: bytes) -> int:
        stuck.wait(TIMEOUT)
        return write(handle, data)

    with recorded(tmp_path) as server:
        ask(server)
        monkeypatch.setattr(os, "write", slow)
        for _ in range(20):
            ask(server)
            time.sleep(0.01)
        assert server.server._audit.waiting >= 19
        stuck.set()
    assert len(calls(tmp_path)) == 21


def test_the_record_is_tried_before_the_start_and_nothing_is_left_of_the_trial(
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
    with pytest.raises(ServiceError, match="record cannot be written") as caught, recorded(tmp_path / "file"):
        pass
    assert caught.value.reason == "AUDIT_UNAVAILABLE"


def record(url: str, name: str, count: int) -> None:
    audit = AuditWriter(TableChain(Database(url), name), refuse=True)
    audit.start({})
    for number in range(count):
        audit.record("call", {"who": "ann", "rows": number})
    audit.close()


def test_a_database_holds_the_chains_of_all_servers(
    new_database: Callable[[], str], capsys: pytest.CaptureFixture[str]
) -> None:
    url = new_database()
    with closing(Database(url)) as database:
        database.migrate()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda index: record(url, f"web-{index % 2}", 30), range(4)))
    record(url, "web-0", 3)
    found = [(one.name, verify(one).entries, verify(one).findings) for one in chains_in(url)]
    assert found == [("web-0", 69, []), ("web-1", 64, [])]
    assert run_command(["audit", "verify", "--database", url]) == 0
    seq, one = AUDIT_ENTRIES.c.seq, AUDIT_ENTRIES.c.chain == "web-1"
    for statement, message in [
        (AUDIT_ENTRIES.update().where(one, seq == 9).values(line='{"a":1}'), "web-1:9"),
        (AUDIT_ENTRIES.delete().where(one, seq == 7), "entry 7 is missing"),
        (AUDIT_ENTRIES.delete().where(one, seq > 60), "entries 61 to 64 are missing"),
        (AUDIT_CHAINS.delete().where(AUDIT_CHAINS.c.name == "web-1"), "no head is recorded"),
    ]:
        with closing(Database(url)) as database, database.begin() as connection:
            connection.execute(statement)
        capsys.readouterr()
        assert run_command(["audit", "verify", "--database", url]) == 1
        assert message in capsys.readouterr().out


def test_the_command_shows_and_verifies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with recorded(tmp_path / "audit", **caller_files(tmp_path)) as server:
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
    for arguments, code in [
        ((record, "--head", f"web-0={chain['head']}"), 0),
        ((record, "--head", f"web-0=9:{'0' * 64}"), 1),
        ((record, "--head", "other=1:0"), 2),
        ((str(tmp_path / "none"),), 2),
        ((), 2),
    ]:
        assert run_command(["audit", "verify", *arguments]) == code
        assert ("cut" in capsys.readouterr().out) == (code == 1)
