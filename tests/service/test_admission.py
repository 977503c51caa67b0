"""Admission of calls, and the error of those that are refused."""

from __future__ import annotations

import pytest
from google.rpc.code_pb2 import Code
from google.rpc.status_pb2 import Status

from tariffs.engine.errors import ServiceError
from tariffs.service.server.admission import Admission, RateLimit
from tariffs.service.wire.identity import SERVER_LIMITS, Caller, Quotas
from tariffs.service.wire.status import PUSHBACK_KEY, status_of, trailers_of
from tariffs.service.workers.fair_limit import FairLimit


def admission_of(total: int, per_caller: int, warm: bool = False, stopping: bool = False) -> Admission:
    return Admission(FairLimit("calls", total, per_caller), warm=warm, stopping=stopping)


def named(name: str, quotas: Quotas = SERVER_LIMITS) -> Caller:
    return Caller(name, name, quotas=quotas)


def refusal(admission: Admission, key: str | Caller) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        admission.enter(key if isinstance(key, Caller) else named(key))
    return caught.value


def test_nobody_takes_more_than_a_share_and_all_together_not_more_than_the_whole() -> None:
    admission = admission_of(3, 2, warm=True)
    for key in ("a", "a"):
        admission.enter(named(key))
    own = refusal(admission, "a")
    admission.enter(named("b"))
    whole = refusal(admission, "c")
    assert (own.reason, own.metadata["limit"]) == ("TOO_MANY_STREAMS", "2")
    assert (whole.reason, whole.metadata["limit"]) == ("TOO_MANY_STREAMS", "3")
    admission.leave("b")
    admission.enter(named("c"))
    assert admission.limit.held == 3


def test_callers_without_calls_are_not_remembered() -> None:
    admission = admission_of(1, 1, warm=True)
    for number in range(100):
        admission.enter(named(f"caller {number}"))
        admission.leave(f"caller {number}")
    assert (admission.limit.held, len(admission.limit._by_caller)) == (0, 0)


def test_a_refused_call_takes_no_place() -> None:
    admission = admission_of(5, 1, warm=True)
    admission.enter(named("a"))
    refusal(admission, "a")
    assert admission.limit.held == 1
    admission.leave("a")
    admission.enter(named("a"))


@pytest.mark.parametrize(
    ("admission", "reason"),
    [
        (admission_of(1, 1), "WARMING_UP"),
        (admission_of(1, 1, warm=True, stopping=True), "SHUTTING_DOWN"),
        (admission_of(1, 1, stopping=True), "SHUTTING_DOWN"),
    ],
)
def test_before_it_is_warm_and_while_it_stops_nobody_is_let_in(admission: Admission, reason: str) -> None:
    assert refusal(admission, "a").reason == reason


def test_grpcs_own_limit_is_above_that_of_the_server() -> None:
    assert admission_of(256, 1).grpc_limit > 256


def trailers(reason: str) -> dict[str, str | bytes]:
    return dict(trailers_of(status_of(ServiceError(reason, "Text."), "r"), "r"))


def test_a_full_server_says_when_to_try_again_and_a_lasting_limit_never() -> None:
    assert trailers("TOO_MANY_STREAMS")[PUSHBACK_KEY] == "2000"
    assert trailers("ROW_QUOTA")[PUSHBACK_KEY] == "-1"
    assert dict(trailers_of(Status(code=Code.RESOURCE_EXHAUSTED), "r"))[PUSHBACK_KEY] == "-1"


@pytest.mark.parametrize("reason", ["SHUTTING_DOWN", "WARMING_UP", "TOKEN_INVALID", "HTS_CODE_UNKNOWN"])
def test_other_failures_leave_it_to_the_client(reason: str) -> None:
    assert PUSHBACK_KEY not in trailers(reason)


def test_a_quota_of_calls_takes_the_place_of_the_share() -> None:
    admission = Admission(FairLimit("calls", 9, 1, "calls"), warm=True)
    who = named("ann", Quotas(calls=3))
    for _ in range(3):
        admission.enter(who)
    with pytest.raises(ServiceError) as caught:
        admission.enter(who)
    error = caught.value
    assert (error.reason, error.metadata) == ("TOO_MANY_STREAMS", {"limit": "3", "quota": "calls"})
    assert "operators" in error.fix
    admission.enter(named("bob"))
    assert "quota" not in refusal(admission, "bob").metadata


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
