"""Who is let in, and what is said to those who are not."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from google.rpc.code_pb2 import Code
from google.rpc.status_pb2 import Status

from tariffs.engine.errors import ServiceError
from tariffs.service.server.admission import Admission
from tariffs.service.wire.status import PUSHBACK_KEY, status_of, trailers_of


def refusal(gate: Admission, key: str) -> ServiceError:
    with pytest.raises(ServiceError) as caught, gate.call(key):
        pass
    return caught.value


def test_nobody_takes_more_than_a_share_and_all_together_not_more_than_the_whole() -> None:
    gate = Admission(limit=3, limit_each=2, warm=True)
    with ExitStack() as held:
        for key in ("a", "a"):
            held.enter_context(gate.call(key))
        own = refusal(gate, "a")
        held.enter_context(gate.call("b"))
        whole = refusal(gate, "c")
    assert (own.reason, own.metadata["limit"]) == ("TOO_MANY_STREAMS", "2")
    assert (whole.reason, whole.metadata["limit"]) == ("TOO_MANY_STREAMS", "3")
    with gate.call("a"), gate.call("a"), gate.call("c"):
        assert gate.inside == 3


def test_a_call_that_fails_leaves_its_place_and_nobody_is_remembered() -> None:
    gate = Admission(limit=1, limit_each=1, warm=True)
    for number in range(100):
        with pytest.raises(ZeroDivisionError), gate.call(f"caller {number}"):
            raise ZeroDivisionError
    assert (gate.inside, len(gate._each)) == (0, 0)


def test_a_refused_call_takes_no_place() -> None:
    gate = Admission(limit=5, limit_each=1, warm=True)
    with gate.call("a"):
        refusal(gate, "a")
        assert gate.inside == 1
    with gate.call("a"):
        pass


@pytest.mark.parametrize(
    ("gate", "reason"),
    [
        (Admission(limit=1, limit_each=1), "WARMING_UP"),
        (Admission(limit=1, limit_each=1, warm=True, stopping=True), "SHUTTING_DOWN"),
        (Admission(limit=1, limit_each=1, stopping=True), "SHUTTING_DOWN"),
    ],
)
def test_before_it_is_warm_and_while_it_stops_nobody_is_let_in(gate: Admission, reason: str) -> None:
    assert refusal(gate, "a").reason == reason


def test_grpcs_own_limit_stands_behind_the_gate() -> None:
    assert Admission(limit=256, limit_each=1).backstop > 256


def trailers(reason: str) -> dict[str, str | bytes]:
    return dict(trailers_of(status_of(ServiceError(reason, "Text."), "r"), "r"))


def test_a_full_server_says_when_to_try_again_and_a_lasting_limit_never() -> None:
    assert trailers("TOO_MANY_STREAMS")[PUSHBACK_KEY] == "2000"
    assert trailers("ROW_QUOTA")[PUSHBACK_KEY] == "-1"
    assert dict(trailers_of(Status(code=Code.RESOURCE_EXHAUSTED), "r"))[PUSHBACK_KEY] == "-1"


@pytest.mark.parametrize("reason", ["SHUTTING_DOWN", "WARMING_UP", "TOKEN_INVALID", "HTS_CODE_UNKNOWN"])
def test_other_failures_leave_it_to_the_client(reason: str) -> None:
    assert PUSHBACK_KEY not in trailers(reason)
