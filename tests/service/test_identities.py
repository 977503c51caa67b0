"""Client certificates name callers, tokens go before them, and settings that cannot work are refused."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_channelz.v1 import channelz_pb2, channelz_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tariffs.engine.errors import InputError
from tariffs.service.server.callers import Callers
from tariffs.service.server.identities import identities_of
from tariffs.service.settings.settings import Settings, load_settings
from tariffs.service.wire.identity import is_name
from tariffs.v1 import duty_service_pb2_grpc
from tests.service.certificates import KINDS, LOCAL, NAMES, Pair, TestAuthority
from tests.service.harness import as_caller, caller_files, fails, line, no_warm_up, running
from tests.service.jwt_issuer import ISSUER, OIDC, bearer, key_server, published, token


@contextmanager
def connected(given: dict[str, Any], authority: TestAuthority, *pairs: Pair) -> Iterator[list[grpc.Channel]]:
    """Channels with these certificates to a server with these settings."""
    with running(warm=no_warm_up, **given) as server, ExitStack() as held:
        credentials = [
            grpc.ssl_channel_credentials(authority.certificate, pair.key, pair.certificate) for pair in pairs
        ]
        here = f"127.0.0.1:{server.port}"
        yield [held.enter_context(grpc.secure_channel(here, one)) for one in credentials]


def quote(channel: grpc.Channel, metadata: Any = ()) -> Any:
    duty = duty_service_pb2_grpc.DutyServiceStub(channel)
    return duty.CalculateDuty(line(), timeout=20, metadata=metadata)


def denied_to(channel: grpc.Channel, metadata: Any = ()) -> str:
    """Name of the caller, from the refusal of a call that it may not make."""
    request = channelz_pb2.GetServersRequest()
    stub = channelz_pb2_grpc.ChannelzStub(channel)
    fault = fails(lambda: stub.GetServers(request, timeout=20, metadata=metadata))
    assert fault.reason == "NOT_ALLOWED", fault
    return fault.message.split("'")[1]


NOT_ONE_NAME: dict[str, list[Any]] = {
    "common_name": [""], "dns": ["ann", LOCAL[0], LOCAL[0]], "uri": ["ann"], "email": ["ann"]
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_certificate_of_the_authority_with_one_name_of_the_kind_names_its_caller(
    authority: TestAuthority, encrypted: dict[str, Any], kind: str
) -> None:
    named, stranger = (one.issue("ann", *NAMES) for one in (authority, TestAuthority("authority")))
    other = authority.issue(*NOT_ONE_NAME[kind])
    given = {**encrypted, "tls_names": kind}
    with connected(given, authority, named, other, stranger) as (channel, nameless, unknown):
        assert denied_to(channel) == KINDS[kind]
        assert quote(channel).assessed
        fault = fails(lambda: quote(nameless))
        assert (fault.reason, kind in fault.message) == ("TOKEN_INVALID", True)
        assert code(lambda: quote(unknown)) == "UNAVAILABLE"


def test_of_several_identities_the_token_counts_and_a_wrong_one_is_refused(
    authority: TestAuthority, encrypted: dict[str, Any], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    keys, tokens = tmp_path / "keys", tmp_path / "tokens"
    keys.write_text(published("rsa"))
    signed, expired = token("jo", tariffs_roles=["read"]), token("jo", exp=1)
    tokens.write_text(f"tom token-of-tom\ntim {signed.replace('jo', 'x')}\n")
    given = {
        **encrypted, **OIDC, "tls_names": "common_name", "oidc_keys": str(keys), "tokens_file": tokens,
        "oidc_name_prefix": "oidc:",
    }  # fmt: skip
    with connected(given, authority, authority.issue("ann")) as (channel,):
        assert denied_to(channel) == "ann"
        assert denied_to(channel, bearer("token-of-tom")) == "tom"
        assert denied_to(channel, bearer(signed)) == "oidc:jo"
        for wrong in (expired, "token-of-tim", "a.b.c"):
            assert fails(lambda wrong=wrong: quote(channel, bearer(wrong))).reason == "TOKEN_INVALID"  # type: ignore[misc]
    logged = capfd.readouterr().out
    assert "jo" in logged
    for secret in ("token-of-tom", signed, expired, signed.split(".")[2]):
        assert secret not in logged


def code(call: Callable[[], Any]) -> str:
    try:
        call()
    except grpc.RpcError as error:
        return str(error.code().name)
    return "OK"


NO, OFF = "PERMISSION_DENIED", "UNIMPLEMENTED"


@pytest.mark.parametrize(
    ("reflection", "channelz", "root", "ann"),
    [
        ("on", "admin", ("OK", "OK"), ("OK", NO)),
        ("admin", "off", ("OK", OFF), (NO, OFF)),
        ("off", "admin", (OFF, "OK"), (OFF, NO)),
    ],
)
def test_reflection_and_channelz_are_there_for_whom_the_settings_say(
    tmp_path: Path, reflection: str, channelz: str, root: tuple[str, str], ann: tuple[str, str]
) -> None:
    given = caller_files(tmp_path, "root ann", "callers: {root: {roles: [admin]}, ann: {roles: [run]}}")
    with running(warm=no_warm_up, **given, reflection=reflection, channelz=channelz) as server:
        listing = reflection_pb2_grpc.ServerReflectionStub(server.channel)
        connections = channelz_pb2_grpc.ChannelzStub(server.channel)
        for name, wanted in (("root", root), ("ann", ann)):
            sent: Any = {"timeout": 20, **as_caller(name)}
            ask = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
            found = (
                code(lambda ask=ask, sent=sent: list(listing.ServerReflectionInfo(ask, **sent))),  # type: ignore[misc]
                code(lambda sent=sent: connections.GetServers(channelz_pb2.GetServersRequest(), **sent)),  # type: ignore[misc]
            )
            assert found == wanted


def test_the_check_says_what_identities_are_set(tmp_path: Path, encrypted: dict[str, Any]) -> None:
    assert list(identities_of(Settings()).describe()) == [
        "none: all callers are anonymous and have every role"
    ]
    given: dict[str, Any] = {**encrypted, **OIDC, "tls_names": "uri", "oidc_name_prefix": "oidc:"}
    given |= caller_files(tmp_path, "ann bob", "callers: {ann: {roles: [admin]}}")
    with given["tokens_file"].open("a") as tokens:
        tokens.write("ann another-token\n")
    with key_server(published("rsa", "ec")) as source:
        settings = Settings.model_validate({**given, "oidc_keys": source.url})
        assert list(identities_of(settings).describe()) == [
            "tokens of 2 names",
            "client certificates by uri",
            f"JSON Web Tokens of {ISSUER}, 2 keys",
            "callers file with 1 entries",
        ]
        source.answer(None)
        with pytest.raises(InputError, match="TARIFFS_OIDC_KEYS"):
            list(identities_of(settings).describe())


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"tls_names": "dns"}, "TARIFFS_TLS_CLIENT_CA"),
        ({"oidc_issuer": "x"}, "TARIFFS_OIDC_KEYS"),
        ({**OIDC, "oidc_keys": "http://id.example.test/keys"}, "https"),
        ({**OIDC, "oidc_keys": "ftp://id.example.test/keys"}, "https"),
        ({**OIDC, "oidc_keys": "k", "oidc_algorithms": "RS256,HS256"}, "TARIFFS_OIDC_ALGORITHMS"),
        ({**OIDC, "oidc_keys": "k", "oidc_algorithms": "none"}, "TARIFFS_OIDC_ALGORITHMS"),
        ({**OIDC, "oidc_keys": "k", "oidc_algorithms": ""}, "TARIFFS_OIDC_ALGORITHMS"),
        ({"callers_file": __file__}, "TARIFFS_CALLERS_FILE"),
        ({**OIDC, "oidc_keys": "k", "tokens_file": __file__}, "TARIFFS_OIDC_NAME_PREFIX"),
    ],
)
def test_settings_that_could_not_work_are_refused(given: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError) as caught:
        load_settings(**given)
    assert caught.value.reason == "SETTING_INVALID"
    assert named in caught.value.message


FORMAT_CONTROLS = [chr(code) for code in range(sys.maxunicode) if unicodedata.category(chr(code)) == "Cf"]


def test_bidirectional_and_invisible_controls_are_in_no_name() -> None:
    assert {"\u061c", "\u200e", "\u202e", "\u2066", "\u2069", "\u200b", "\ufeff"} <= set(FORMAT_CONTROLS)
    assert [one for one in FORMAT_CONTROLS if is_name(f"an{one}n")] == []
    assert all(map(is_name, ("ann", "spiffe://x/ann", "Ann Müller", "安娜", "أنا", "oidc:a@b")))


def test_a_name_with_a_bidirectional_control_is_refused_from_every_source(
    authority: TestAuthority, encrypted: dict[str, Any], tmp_path: Path
) -> None:
    spoofed, keys, callers = "ann\u202etoor", tmp_path / "keys", tmp_path / "callers"
    keys.write_text(published("rsa"))
    given: dict[str, Any] = {**encrypted, **OIDC, "tls_names": "common_name", "oidc_keys": str(keys)}
    with connected(given, authority, authority.issue(spoofed)) as (channel,):
        for metadata in ((), bearer(token(spoofed, tariffs_roles=["read"]))):
            assert fails(lambda given=metadata: quote(channel, given)).reason == "TOKEN_INVALID"  # type: ignore[misc]
        assert denied_to(channel, bearer(token("jo", groups=[spoofed]))) == "jo"
    for text in (
        f"callers: {{{spoofed}: {{}}}}",
        f"groups: {{{spoofed}: {{}}}}",
        f"callers: {{ann: {{groups: [{spoofed}]}}}}",
    ):
        callers.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match="visible"):
            Callers(callers)
