"""Tokens of callers: a file that is reloaded when it changes, and never shown in a response or a log."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
import structlog

from tariffs.engine.errors import InputError, ServiceError
from tariffs.service.server import watched_file
from tariffs.service.server.identities import Identities, Tokens
from tariffs.service.wire.identity import Caller
from tests.service.harness import TIMEOUT, fails, fault_of, line, no_warm_up, running
from tests.service.stored import until

BOB = hashlib.sha256(b"token-of-bob").hexdigest()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "tokens"
    found.write_text(
        f"# who may call\nalice token-of-alice\nalice new-token  # both hold\n\nbob sha256:{BOB}\n"
    )
    return found


def identified(metadata: Any, address: str, tokens: Tokens | None) -> Caller:
    """The caller of a connection in the clear from an address."""
    connection: Any = SimpleNamespace(peer=lambda: address, auth_context=dict)
    return asyncio.run(Identities(tokens).identify(metadata, connection))


def rewrite(path: Path, text: str, stamp: int) -> None:
    path.write_text(text)
    # Two writes within one tick of the clock of the disk would look alike.
    os.utime(path, ns=(stamp, stamp))


def test_a_token_in_the_clear_or_as_its_sum_names_its_owner(path: Path) -> None:
    tokens = Tokens(path)
    for token in ("token-of-alice", "new-token"):
        assert tokens.name_of(token) == "alice"
    assert tokens.name_of("token-of-bob") == "bob"
    for wrong in ("", "token-of", BOB, f"sha256:{BOB}", "Token-of-alice"):
        assert tokens.name_of(wrong) is None


NO_SUM = "bob sha256:" + "z" * 64


@pytest.mark.parametrize(
    "text", ["", "# nobody", "alice", "alice a b", "anonymous token", "a/b token", "bob sha256:12", NO_SUM]
)
def test_a_file_that_is_wrong_is_an_error_that_does_not_show_a_token(path: Path, text: str) -> None:
    path.write_text(f"{text}\n")
    with pytest.raises(InputError) as caught:
        Tokens(path)
    assert caught.value.reason == "SETTING_INVALID"
    assert "TARIFFS_TOKENS_FILE" in caught.value.message
    assert "token\n" not in caught.value.message


def in_place_of_another(path: Path, text: str, stamp: int) -> None:
    rewrite(path.with_name("other"), text, stamp)
    path.with_name("other").replace(path)


@pytest.mark.parametrize(
    ("change", "later"), [(rewrite, 1), (in_place_of_another, 0)], ids=["in its place", "another at its time"]
)
def test_a_token_replaced_by_one_of_the_same_length_counts_from_the_next_look(
    path: Path, change: Callable[[Path, str, int], None], later: int
) -> None:
    tokens, before = Tokens(path), path.stat()
    text = path.read_text().replace("token-of-alice", "token-of-alicf")
    change(path, text, before.st_mtime_ns + later)
    assert path.stat().st_size == before.st_size
    assert tokens.name_of("token-of-alice") == "alice"
    tokens.reload_if_changed()
    assert tokens.name_of("token-of-alice") is None
    assert tokens.name_of("token-of-alicf") == "alice"
    # A signal reads a file that looks the same.
    rewrite(path, text.replace("alicf", "alicg"), path.stat().st_mtime_ns)
    tokens.reload()
    assert tokens.name_of("token-of-alicg") == "alice"


def test_the_file_is_watched_off_the_event_loop_and_no_call_reads_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched_file, "LOOK_SECONDS", 0.01)
    looked: list[str] = []
    stat = Path.stat

    def watched(self: Path, **given: Any) -> os.stat_result:
        if self == path:
            looked.append(threading.current_thread().name)
            if len(looked) == 1:
                raise RuntimeError("A look that fails is not the last.")
        return stat(self, **given)

    with running(warm=no_warm_up, tokens_file=path) as server:
        monkeypatch.setattr(Path, "stat", watched)
        metadata = (("authorization", "Bearer token-of-bob"),)
        server.duty.CalculateDuty(line(), timeout=20, metadata=metadata)
        rewrite(path, "bob other-token\n", 1)

        def is_refused() -> bool:
            try:
                return not server.duty.CalculateDuty(line(), timeout=20, metadata=metadata)
            except grpc.RpcError as error:
                return fault_of(error).code is grpc.StatusCode.UNAUTHENTICATED

        until(is_refused)
        server.loop.call_soon_threadsafe(server.server.reload)
        until(lambda: len(looked) > 5)
    assert "server" not in looked


def test_a_file_that_cannot_be_read_any_more_locks_nobody_out_and_is_tried_until_it_can(path: Path) -> None:
    tokens = Tokens(path)
    with structlog.testing.capture_logs() as logged:
        rewrite(path, "half a li", 1)
        for _ in range(2):
            tokens.reload_if_changed()
            assert tokens.name_of("token-of-alice") == "alice"
        # As a file whose permission comes back, without a trace in its times.
        rewrite(path, "bob token", 1)
        tokens.reload_if_changed()
        assert (tokens.name_of("token-of-alice"), tokens.name_of("token")) == (None, "bob")
        path.unlink()
        tokens.reload_if_changed()
        assert tokens.name_of("token") == "bob"
    assert [entry["event"] for entry in logged] == ["tokens not read", "tokens read", "tokens not read"]


def test_without_tokens_a_caller_is_its_address() -> None:
    here = identified((), "ipv4:10.0.0.1:5000", None)
    assert here == identified((), "ipv4:10.0.0.1:6000", None) == Caller("anonymous", "ipv4:10.0.0.1")
    assert identified((), "ipv4:10.0.0.2:5000", None).key != here.key


@pytest.mark.parametrize(
    "given", ["", "token-of-alice", "Basic token-of-alice", "Bearer", "Bearer ", "Bearer x"]
)
def test_what_is_not_a_known_bearer_is_refused(path: Path, given: str) -> None:
    metadata = [("authorization", given)] if given else []
    with pytest.raises(ServiceError) as caught:
        identified(metadata, "", Tokens(path))
    assert caught.value.reason == "TOKEN_INVALID"
    assert "alice" not in str(caught.value)


def test_a_server_with_tokens_answers_who_has_one_and_logs_the_owner(
    path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with running(warm=no_warm_up, tokens_file=path) as server:
        fault = fails(lambda: server.duty.CalculateDuty(line(), timeout=TIMEOUT))
        assert (fault.code, fault.reason) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")
        for scheme in ("Bearer", "bearer", "BEARER"):
            metadata = (("authorization", f"{scheme} token-of-bob"),)
            answer = server.duty.CalculateDuty(line(), timeout=TIMEOUT, metadata=metadata)
    logged = capfd.readouterr().out
    assert "bob" in logged
    assert answer.provenance.run_digest in logged
    assert "token-of-bob" not in logged
