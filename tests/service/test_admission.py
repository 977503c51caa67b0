"""Admission of calls: places, quotas by callers and groups from a file that is reloaded, and floods of calls."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import structlog
from google.rpc.code_pb2 import Code
from google.rpc.status_pb2 import Status

from tariffs.client._wire.connection import connect
from tariffs.client.config import Config
from tariffs.client.errors import Unavailable, from_rpc_error
from tariffs.engine.errors import InputError, ServiceError
from tariffs.service.server.admission import Admission, RateLimit
from tariffs.service.server.callers import Callers
from tariffs.service.wire.identity import SERVER_LIMITS, Caller, Quotas
from tariffs.service.wire.status import PUSHBACK_KEY, status_of, trailers_of
from tariffs.service.workers.fair_limit import FairLimit
from tariffs.v1 import duty_service_pb2_grpc
from tests.service.harness import Running, line, no_warm_up, running
from tests.service.test_lifecycle import SERVING, health

NONE: frozenset[str] = frozenset()


def admission_of(total: int, per_caller: int, warm: bool = True, stopping: bool = False) -> Admission:
    return Admission(FairLimit("calls", total, per_caller, "calls"), warm=warm, stopping=stopping)


def named(name: str, quotas: Quotas = SERVER_LIMITS) -> Caller:
    return Caller(name, name, quotas=quotas)


def refusal(admission: Admission, who: Caller) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        admission.enter(who)
    return caught.value


def test_nobody_takes_more_than_a_share_nor_all_more_than_the_whole_nor_any_before_or_after_service() -> None:
    admission = admission_of(3, 2)
    for key in ("a", "a"):
        admission.enter(named(key))
    own = refusal(admission, named("a"))
    admission.enter(named("b"))
    whole = refusal(admission, named("c"))
    assert (own.reason, own.metadata["limit"]) == ("TOO_MANY_STREAMS", "2")
    assert (whole.reason, whole.metadata["limit"]) == ("TOO_MANY_STREAMS", "3")
    admission.leave("b")
    admission.enter(named("c"))
    for key in "aac":
        admission.leave(key)
    # Callers without calls are not remembered.
    assert (admission.limit.held, len(admission.limit._by_caller)) == (0, 0)
    assert admission.grpc_limit > 3
    for warm, stopping, reason in (
        (False, False, "WARMING_UP"),
        (True, True, "SHUTTING_DOWN"),
        (False, True, "SHUTTING_DOWN"),
    ):
        assert refusal(admission_of(1, 1, warm=warm, stopping=stopping), named("a")).reason == reason


@pytest.mark.parametrize(
    ("reason", "pushback"),
    [
        ("TOO_MANY_STREAMS", "2000"),
        ("ROW_QUOTA", "-1"),
        ("CANCELLED", "-1"),
        *((reason, None) for reason in ("SHUTTING_DOWN", "WARMING_UP", "TOKEN_INVALID", "HTS_CODE_UNKNOWN")),
    ],
)
def test_a_full_server_says_when_to_try_again_and_a_lasting_limit_never(
    reason: str, pushback: str | None
) -> None:
    assert dict(trailers_of(status_of(ServiceError(reason, "Text."), "r"), "r")).get(PUSHBACK_KEY) == pushback
    assert dict(trailers_of(Status(code=Code.RESOURCE_EXHAUSTED), "r"))[PUSHBACK_KEY] == "-1"


def test_a_quota_of_calls_takes_the_place_of_the_share() -> None:
    admission, who = admission_of(9, 1), named("ann", Quotas(calls=3))
    for _ in range(3):
        admission.enter(who)
    error = refusal(admission, who)
    assert (error.reason, error.metadata) == ("TOO_MANY_STREAMS", {"limit": "3", "quota": "calls"})
    assert "operators" in error.fix
    admission.enter(named("bob"))
    assert "quota" not in refusal(admission, named("bob")).metadata


def test_calls_a_second_are_bounded_for_callers_with_a_quota() -> None:
    now = [100.0]
    admission = Admission(FairLimit("calls", 9999, 9999), RateLimit(lambda: now[0]), warm=True)
    who = named("ann", Quotas(calls_per_second=5))

    def admitted() -> int:
        for count in range(99):
            try:
                admission.enter(who)
            except ServiceError:
                return count
        return 99

    assert admitted() == 5
    for seconds, allowed in ((0.1, 0), (0.1, 1), (0.4, 2), (60.0, 5)):
        now[0] += seconds
        assert admitted() == allowed
    assert refusal(admission, who).metadata == {"limit": "5", "quota": "calls_per_second"}
    for number in range(5000):
        now[0] += 1
        admission.enter(named(f"caller {number}", Quotas(calls_per_second=0.9)))
    assert len(admission.rate._due) <= 4097
    for _ in range(100):
        admission.enter(named("bob"))


CALLERS = """
callers:
  "*":
    roles: [read]
    quotas: {calls: 2, tables: 3}
  ann:
    roles: [run]
    groups: [desk]
    quotas: {tables: 9}
  root: {roles: [admin]}
groups:
  desk:
    quotas: {tables: 50, runs: 4, calls_per_second: 2.5}
  floor:
    roles: [run]
    quotas: {runs: 6, runs_kept: 7, table_bytes: 1000, sweep_points: 20}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "callers.yaml"
    file.write_text(CALLERS)
    return file


@pytest.mark.parametrize(
    ("name", "groups", "roles", "in_groups", "quotas"),
    [
        ("eve", "", "read", "", Quotas(calls=2, tables=3)),
        # Own quotas go before those of groups, and these before everybody's.
        ("ann", "", "read run", "desk", Quotas(calls=2, calls_per_second=2.5, runs=4, tables=9)),
        # Of several groups the highest quota counts.
        ("eve", "desk floor new", "read run", "desk floor new", Quotas(2, 2.5, 6, 7, 50, 1000, 20)),
    ],
)
def test_a_caller_has_the_roles_and_quotas_of_the_file(
    path: Path, name: str, groups: str, roles: str, in_groups: str, quotas: Quotas
) -> None:
    found = Callers(path).content.caller(name, frozenset({"admin"}), frozenset(groups.split()))
    wanted = frozenset({*roles.split(), "admin"}), frozenset(in_groups.split())
    assert found == Caller(name, name, *wanted, quotas)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "empty"),
        ("callers: {ann: {roles: [owner]}}", "callers.ann.roles.0"),
        ("callers: {ann: {role: [run]}}", "callers.ann.role"),
        ("callers: {ann: {quotas: {tables: -1}}}", "callers.ann.quotas.tables"),
        ("callers: {ann: {quotas: {calls_per_second: nan}}}", "calls_per_second"),
        ("callers: {ann: {quotas: {runs: many}}}", "callers.ann.quotas.runs"),
        ("callers: {anonymous: {roles: [run]}}", "anonymous"),
        ("callers: {ann: {}, ann: {}}", "line 1"),
        ("groups: {a: {groups: [b]}}", "groups.a.groups"),
        ("people: {}", "people"),
        ("callers: [", "line 2"),
        ("- a", "the file"),
        ("callers: &a {}", "line 1"),
    ],
)
def test_a_fault_of_the_file_is_named_with_its_place(path: Path, text: str, place: str) -> None:
    path.write_text(text)
    with pytest.raises(InputError, match="TARIFFS_CALLERS_FILE") as caught:
        Callers(path)
    assert caught.value.reason == "SETTING_INVALID"
    assert place in caught.value.message


def test_a_file_with_a_fault_leaves_the_former_state(path: Path) -> None:
    callers = Callers(path)
    for number, text in enumerate(("callers: [", CALLERS.replace("root:", "boss:")), 1):
        path.write_text(text)
        os.utime(path, ns=(number, number))
        with structlog.testing.capture_logs() as logged:
            callers.reload_if_changed()
        roles = callers.content.caller("root", NONE, NONE).roles
        assert ("admin" in roles) == (number == 1)
        assert [entry["event"] for entry in logged] == [f"callers {'not ' * (number == 1)}read"]


WAITING, CALLS, SECONDS = 4, 60, 0.01


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """A server whose every call holds its event loop up: as long as it sleeps, nobody looks at the calls that wait."""
    enter = Admission.enter

    def slow(admission: Admission, who: Caller) -> None:
        time.sleep(SECONDS)
        enter(admission, who)

    monkeypatch.setattr(Admission, "enter", slow)
    with running(warm=no_warm_up, waiting_calls=WAITING) as server:
        yield server


def flood(channel: grpc.Channel) -> list[Any]:
    """The calls of a flood, all of them ended."""
    stub: Any = duty_service_pb2_grpc.DutyServiceStub(channel)
    begun = [stub.CalculateDuty.future(line(), timeout=30) for _ in range(CALLS)]
    for one in begun:
        one.exception()
    return begun


def test_calls_beyond_those_that_may_wait_are_turned_away_and_the_shipped_client_tries_again(
    busy: Running,
) -> None:
    target = f"127.0.0.1:{busy.port}"
    ended = flood(busy.channel)
    failed = next(one for one in ended if one.code() == grpc.StatusCode.CANCELLED)
    error = from_rpc_error(failed.exception(), target)
    with connect(target, Config()) as channel:
        again = Counter(one.code() for one in flood(channel))
    once = Counter(one.code() for one in ended)
    assert set(once) == {grpc.StatusCode.OK, grpc.StatusCode.CANCELLED}
    assert once[grpc.StatusCode.OK] >= WAITING
    # How many calls a flood gets through depends on the machine, so both floods meet the same server: twice as many
    # come through, or half of those that were turned away where most came through at once.
    through = once[grpc.StatusCode.OK]
    assert again[grpc.StatusCode.OK] > min(2 * through, (through + CALLS) // 2)
    assert isinstance(error, Unavailable)
    assert (error.reason, error.exit_code) == ("SERVER_UNAVAILABLE", 3)
    assert "fewer calls" in error.fix


def test_health_is_told_while_calls_are_turned_away(busy: Running) -> None:
    other = threading.Thread(target=lambda: [flood(busy.channel) for _ in range(5)])
    other.start()
    with grpc.insecure_channel(f"127.0.0.1:{busy.port}") as probe:
        assert {health(probe) for _ in range(20)} == {SERVING}
    other.join()
