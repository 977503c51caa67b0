"""Who may call: a file of names and tokens, read anew when it changes, and never told in an answer or a log."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
import structlog
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tariffs.engine.errors import InputError, ServiceError
from tariffs.service.callers import Caller
from tariffs.service.tokens import Tokens, caller_of
from tests.service.harness import fails, line, no_warm_up, running

BOB = hashlib.sha256(b"token-of-bob").hexdigest()


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "tokens"
    found.write_text(
        f"# who may call\nalice token-of-alice\nalice new-token  # both hold\n\nbob sha256:{BOB}\n"
    )
    return found


def rewrite(path: Path, text: str, stamp: int) -> None:
    path.write_text(text)
    # Two writes within one tick of the clock of the disk would look alike.
    os.utime(path, ns=(stamp, stamp))


def test_a_token_in_the_clear_or_as_its_sum_names_its_owner(path: Path) -> None:
    tokens = Tokens(path)
    found = [tokens.name_of(token) for token in ("token-of-alice", "new-token", "token-of-bob")]
    assert found == ["alice", "alice", "bob"]
    assert [tokens.name_of(token) for token in ("", "token-of", BOB, f"sha256:{BOB}", "Token-of-alice")] == [
        None
    ] * 5


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nobody\n",
        "alice\n",
        "alice a b\n",
        "anonymous token\n",
        "a/b token\n",
        "bob sha256:12\n",
        "bob sha256:" + "z" * 64,
    ],
)
def test_a_file_that_is_wrong_is_an_error_that_does_not_show_a_token(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tokens"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        Tokens(path)
    assert caught.value.reason == "SETTING_INVALID"
    assert "TARIFFS_TOKENS_FILE" in caught.value.message
    assert "token\n" not in caught.value.message


def test_a_changed_file_is_read_within_a_second(path: Path) -> None:
    clock = Clock()
    tokens = Tokens(path, clock)
    rewrite(path, "carol token-of-carol\n", 1)
    clock.now = 0.5
    assert tokens.name_of("token-of-alice") == "alice"
    clock.now = 1.0
    assert tokens.name_of("token-of-alice") is None
    assert tokens.name_of("token-of-carol") == "carol"


def test_a_file_that_cannot_be_read_any_more_locks_nobody_out(path: Path) -> None:
    clock = Clock()
    tokens = Tokens(path, clock)
    spoils: list[Callable[[], None]] = [lambda: rewrite(path, "half a li", 1), path.unlink]
    for second, spoil in enumerate(spoils, 1):
        spoil()
        clock.now = float(second)
        with structlog.testing.capture_logs() as logged:
            assert tokens.name_of("token-of-alice") == "alice"
        assert [entry["event"] for entry in logged] == ["tokens not read"]
    rewrite(path, "carol token-of-carol\n", 2)
    clock.now = 3.0
    assert tokens.name_of("token-of-alice") is None


def test_a_file_that_could_not_be_read_is_tried_until_it_can(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    tokens = Tokens(path, clock)
    path.write_text("bob other-token\n")
    read, allowed = Tokens._read, False

    def forbidden(self: Tokens) -> Any:
        if not allowed:
            raise InputError("SETTING_INVALID", "Not allowed.", fix="Let it be read.")
        return read(self)

    # As a file that is made anew with its old permissions, which change afterwards without a trace in its times.
    monkeypatch.setattr(Tokens, "_read", forbidden)
    with structlog.testing.capture_logs() as logged:
        for _ in range(3):
            clock.now += 2
            assert tokens.name_of("token-of-alice") == "alice"
        allowed = True
        clock.now += 2
        assert tokens.name_of("token-of-alice") is None
    assert [entry["event"] for entry in logged] == ["tokens not read", "tokens read"]


def test_a_signal_reads_the_file_even_if_it_looks_the_same(path: Path) -> None:
    tokens = Tokens(path, Clock())
    before = path.stat()
    text = path.read_text().replace("token-of-alice", "token-of-alicf")
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    tokens.reload()
    assert tokens.name_of("token-of-alice") is None
    assert tokens.name_of("token-of-alicf") == "alice"


def test_without_tokens_a_caller_is_its_address() -> None:
    here = caller_of((), "ipv4:10.0.0.1:5000", None)
    assert here == caller_of((), "ipv4:10.0.0.1:6000", None) == Caller("anonymous", "ipv4:10.0.0.1")
    assert caller_of((), "ipv4:10.0.0.2:5000", None).key != here.key


@pytest.mark.parametrize(
    "given", ["", "token-of-alice", "Basic token-of-alice", "Bearer", "Bearer ", "Bearer x"]
)
def test_what_is_not_a_known_bearer_is_refused(path: Path, given: str) -> None:
    metadata = [("authorization", given)] if given else []
    with pytest.raises(ServiceError) as caught:
        caller_of(metadata, "", Tokens(path))
    assert caught.value.reason == "TOKEN_INVALID"
    assert "alice" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_in_any_case(path: Path, scheme: str) -> None:
    found = caller_of([("authorization", f"{scheme} token-of-bob")], "ipv4:10.0.0.1:1", Tokens(path))
    assert found == Caller("bob", "bob")


def test_a_server_with_tokens_answers_who_has_one_and_logs_the_owner(
    path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    metadata = (("authorization", "Bearer token-of-bob"),)
    with running(warm=no_warm_up, tokens_file=path) as server:
        fault = fails(lambda: server.duty.CalculateDuty(line(), timeout=20))
        answer = server.duty.CalculateDuty(line(), timeout=20, metadata=metadata)
        listing = reflection_pb2_grpc.ServerReflectionStub(server.channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        refused = fails(lambda: list(listing.ServerReflectionInfo(iter([request]), timeout=5)))
        listed: Any = next(listing.ServerReflectionInfo(iter([request]), timeout=5, metadata=metadata))
    assert (fault.code, fault.reason) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")
    assert refused.reason == "TOKEN_INVALID"
    assert answer.assessed
    assert listed.list_services_response.service
    logged = capfd.readouterr().out
    assert "bob" in logged
    assert "token-of-bob" not in logged
