"""JSON Web Tokens identify callers; none that is forged, stale or meant for others does."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock, patch

import pytest
from joserfc.jwk import OctKey, RSAKey

from tariffs.engine.errors import InputError, ServiceError
from tariffs.service.server import jwt_tokens
from tariffs.service.server.identities import Identities
from tariffs.service.server.jwt_tokens import JwtTokens, Keys
from tariffs.service.settings.settings import Settings
from tariffs.service.wire.identity import Caller
from tests.service.jwt_issuer import AUDIENCE, CLEAR, ISSUER, KEYS, OIDC, bearer, key_server, published, token


def made(source: str | Keys, *clock: Callable[[], float], **given: Any) -> JwtTokens:
    keys = source if isinstance(source, Keys) else Keys(source)
    return JwtTokens(Settings.model_validate({**OIDC, "oidc_keys": "k", **given}), keys, *clock)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "keys.json"
    file.write_text(published("rsa", "ec", "ed"))
    return file


async def caller_by(tokens: JwtTokens, text: str) -> Caller:
    return await Identities(jwt=tokens).identify(bearer(text), CLEAR)


def identify(tokens: JwtTokens, text: str) -> Caller:
    return asyncio.run(caller_by(tokens, text))


def refusal(tokens: JwtTokens, text: str) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        identify(tokens, text)
    assert caught.value.reason == "TOKEN_INVALID"
    assert text[-20:] not in str(caught.value)
    return caught.value


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forged(header: Any, signature: Callable[[str], bytes]) -> str:
    """A token whose claims are right, signed by anything."""
    signed = f"{encoded(json.dumps(header).encode())}.{token().split('.')[1]}"
    return f"{signed}.{encoded(signature(signed))}"


@pytest.mark.parametrize("key", KEYS)
def test_a_token_of_the_issuer_names_its_caller_with_roles_and_groups(path: Path, key: str) -> None:
    text = token("ann", key, tariffs_roles=["run", "owner"], groups=["a", "b", 3, "", "a\0", "g" * 201])
    assert identify(made(str(path)), text) == Caller("ann", "ann", frozenset({"run"}), frozenset({"a", "b"}))
    assert identify(made(str(path)), token()).roles == frozenset()


def test_claims_are_read_where_the_settings_say(path: Path) -> None:
    names = {
        "oidc_name_claim": "user.mail",
        "oidc_roles_claim": "realm.roles",
        "oidc_groups_claim": "https://x.y/g",
    }
    tokens = made(str(path), **names, oidc_name_prefix="oidc:")
    text = token(**{"user": {"mail": "a@b"}, "realm": {"roles": ["read"]}, "https://x.y/g": "one two"})  # type: ignore[arg-type]
    assert identify(tokens, text) == Caller(
        "oidc:a@b", "oidc:a@b", frozenset({"read"}), frozenset({"one", "two"})
    )


PUBLIC_PEM = KEYS["rsa"][1].as_pem(private=False)  # type: ignore[union-attr]
OTHER = RSAKey.generate_key(2048, {"kid": "rsa"})


def hs256(secret: bytes) -> Callable[[str], bytes]:
    return lambda signed: hmac.new(secret, signed.encode(), hashlib.sha256).digest()


ATTACKS: dict[str, Callable[[], str]] = {
    "alg none": lambda: forged({"alg": "none"}, lambda _: b""),
    "alg none with key id": lambda: forged({"alg": "none", "kid": "rsa"}, lambda _: b""),
    "alg None": lambda: forged({"alg": "nOnE", "kid": "rsa"}, lambda _: b""),
    "no alg": lambda: forged({"kid": "rsa"}, lambda _: b"x"),
    "HMAC with the public key": lambda: forged({"alg": "HS256", "kid": "rsa"}, hs256(PUBLIC_PEM)),
    "HMAC with the JWK": lambda: forged({"alg": "HS256", "kid": "rsa"}, hs256(published("rsa").encode())),
    "algorithm of another key": lambda: token(header={"kid": "ec"}),
    "algorithm that is not listed": lambda: forged({"alg": "RS512", "kid": "rsa"}, lambda _: b"x" * 256),
    "signed by another": lambda: swapped(),
    "key in the header": lambda: forged(
        {"alg": "HS256", "jwk": OctKey.generate_key(256).as_dict()}, lambda _: b"x" * 32
    ),
    "wrong issuer": lambda: token(iss="https://evil.example.test/"),
    "issuer left out": lambda: token(iss=None),
    "issuers": lambda: token(iss=[ISSUER]),
    "wrong audience": lambda: token(aud="other"),
    "audience left out": lambda: token(aud=None),
    "part of the audience": lambda: token(aud=AUDIENCE[:-1]),
    "expired": lambda: token(exp=int(time.time()) - 61),
    "never expires": lambda: token(exp=None),
    "expiry as text": lambda: token(exp="9999999999"),
    "expiry true": lambda: token(exp=True),
    "expiry without end": lambda: token(exp=float("inf")),
    "not valid yet": lambda: token(nbf=int(time.time()) + 120),
    "issued in the future": lambda: token(iat=int(time.time()) + 120),
    "no name": lambda: token(sub=None),
    "empty name": lambda: token(sub=""),
    "name that is no text": lambda: token(sub=5),
    "reserved name": lambda: token("anonymous"),
    "everybody": lambda: token("*"),
    "name with a line": lambda: token("ann\nroot"),
    "long name": lambda: token("a" * 201),
    "changed claims": lambda: changed(),
    "claims that are no object": lambda: forged({"alg": "RS256", "kid": "rsa"}, lambda _: b"x"),
    "critical extension": lambda: forged({"alg": "RS256", "kid": "rsa", "crit": 5}, lambda _: b"x"),
    "deep header": lambda: encoded(b"[" * 300) + ".e30.AA",
    "huge": lambda: token(groups=["g" * 100] * 200),
    "not base64": lambda: "a.b.c",
    "dots": lambda: "..",
}


def swapped() -> str:
    """A token of another key with the id of a published one."""
    with patch.dict(KEYS, rsa=("RS256", OTHER)):
        return token()


def changed() -> str:
    """A token whose claims were changed after it was signed."""
    head, _, signature = token("ann").split(".")
    return f"{head}.{token('root').split('.')[1]}.{signature}"


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused(path: Path, attack: str) -> None:
    refusal(made(str(path)), ATTACKS[attack]())


@pytest.mark.parametrize("skew", [0, 60])
def test_clocks_may_differ_by_the_skew(path: Path, skew: int) -> None:
    tokens = made(str(path), oidc_skew_seconds=skew)
    late, early = token(exp=int(time.time()) - 30), token(nbf=int(time.time()) + 30)
    if skew:
        assert identify(tokens, late).owner == identify(tokens, early).owner == "ann"
    else:
        refusal(tokens, late)
        refusal(tokens, early)


def test_a_verified_token_is_not_verified_again_until_it_expires(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [time.time()]
    tokens = made(str(path), lambda: clock[0], oidc_skew_seconds=5)
    decode = Mock(side_effect=tokens._decode)
    monkeypatch.setattr(tokens, "_decode", decode)
    monkeypatch.setattr(jwt_tokens, "KEPT", 2)
    text = token()
    assert [identify(tokens, text).owner for _ in range(3)] == ["ann"] * 3
    assert decode.call_count == 1
    for name in ("bea", "cid"):
        identify(tokens, token(name))
    assert len(tokens._kept) == 2
    assert identify(tokens, text).owner == "ann"
    assert decode.call_count == 4
    # Remembered, and expired since: it is verified anew, and refused.
    clock[0] += 66
    refusal(tokens, text)
    assert decode.call_count == 5


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_a_file_of_keys_is_checked_at_the_start(tmp_path: Path) -> None:
    secret = OctKey.generate_key(256, {"kid": "x"}).as_dict()
    small = RSAKey.generate_key(1024, {"kid": "small"}).as_dict(private=False)
    private = KEYS["rsa"][1].as_dict(private=True)
    encrypting = {**KEYS["rsa"][1].as_dict(private=False), "use": "enc"}
    bad = [json.dumps({"keys": [key]}) for key in (secret, small, private, encrypting)]
    for text in (*bad, "", "[]", "{}", '{"keys": []}', '{"keys": [3]}', "[" * 100_000):
        file = tmp_path / "keys"
        file.write_text(text)
        with pytest.raises(InputError) as caught:
            Keys(str(file))
        assert caught.value.reason == "SETTING_INVALID"
        assert "TARIFFS_OIDC_KEYS" in caught.value.message
    with pytest.raises(InputError):
        Keys(str(tmp_path / "none"))


def test_a_rotated_key_is_fetched_once_and_a_withdrawn_one_ends_its_tokens() -> None:
    async def rotate() -> None:
        with key_server(published("rsa")) as source:
            clock = [0.0]
            tokens = made(Keys(source.url, lambda: clock[0]))
            old, new = token("old"), token("new", "ec")
            found = await asyncio.gather(*(caller_by(tokens, old) for _ in range(5)))
            assert {one.owner for one in found} == {"old"}
            assert source.asked == 1
            source.answer(published("ec"))
            for _ in range(3):
                with pytest.raises(ServiceError):
                    await caller_by(tokens, new)
            assert source.asked == 1
            clock[0] += jwt_tokens.FLOOR_SECONDS
            assert (await caller_by(tokens, new)).owner == "new"
            with pytest.raises(ServiceError):
                await caller_by(tokens, old)
            assert source.asked == 2

    asyncio.run(rotate())


def test_while_the_source_is_down_the_known_keys_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jwt_tokens, "REFRESH_SECONDS", 0.01)
    monkeypatch.setattr(jwt_tokens, "RETRY_SECONDS", 0.01)

    async def outage() -> None:
        with key_server(None) as source, key_server(published("ec")) as other:
            tokens = made(source.url)
            with pytest.raises(ServiceError) as caught:
                await caller_by(tokens, token())
            assert caught.value.reason == "SERVER_UNAVAILABLE"
            source.answer(published("rsa"))
            async with Identities(jwt=tokens).watching():
                await _until(lambda: bool(tokens.keys.version))
                assert (await caller_by(tokens, token())).owner == "ann"
                for text, status in ((None, 200), ("<html>", 200), (published("ec"), 302)):
                    source.answer(text, status, Location=other.url)
                    asked = source.asked
                    await _until(lambda asked=asked: source.asked > asked + 1)  # type: ignore[misc]
                    assert (await caller_by(tokens, token())).owner == "ann"
            assert not other.asked

    asyncio.run(outage())


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
@pytest.mark.parametrize("kept", [(), ("enc",), ("small",)])
def test_a_set_without_usable_keys_ends_all_tokens(tmp_path: Path, kept: tuple[str, ...]) -> None:
    others = {
        "enc": {**KEYS["ec"][1].as_dict(private=False), "use": "enc"},
        "small": RSAKey.generate_key(1024, {"kid": "rsa"}).as_dict(private=False),
    }
    file = tmp_path / "keys"
    file.write_text(published("rsa"))
    tokens = made(str(file))
    assert identify(tokens, token()).owner == "ann"
    file.write_text(json.dumps({"keys": [others[name] for name in kept]}))
    assert asyncio.run(tokens.keys._refresh())
    assert tokens.keys.count == 0
    # Also one that was verified before, whose key is not looked for again.
    refusal(tokens, token())
    # A file that is half written withdraws nothing, and keys that come back count again.
    for text in ('{"keys": [', "{}", '{"keys": ""}', '{"keys": {}}'):
        file.write_text(text)
        assert not asyncio.run(tokens.keys._refresh())
    file.write_text(published("rsa"))
    assert asyncio.run(tokens.keys._refresh())
    assert identify(tokens, token()).owner == "ann"


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.01)
