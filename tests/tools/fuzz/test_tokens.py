"""No authorization that a caller can send, nor any claim that an issuer can sign, raises anything but a refusal."""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tariffs.engine.errors import ServiceError
from tariffs.service.server.identities import Identities
from tariffs.service.server.jwt_tokens import JwtTokens, Keys
from tariffs.service.settings.settings import Settings
from tests.conftest import SCALE
from tests.service.jwt_issuer import CLEAR, OIDC, bearer, published, token
from tests.tools.fuzz.choices import ByteChoices
from tests.tools.fuzz.requests import LENGTH, metadata

CLAIMS = ("sub", "exp", "nbf", "iat", "iss", "aud", "tariffs_roles", "groups", "crit", "jti")
# Whole numbers of JSON have no bound, and Python reads some that no float can hold.
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**400), 10**400) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def identities(tmp_path_factory: pytest.TempPathFactory) -> Identities:
    path: Path = tmp_path_factory.mktemp("keys") / "keys.json"
    path.write_text(published("ed"), encoding="utf-8")
    chosen = Settings.model_validate({**OIDC, "oidc_keys": str(path)})
    return Identities(jwt=JwtTokens(chosen, Keys(str(path))))


def identify(identities: Identities, sent: Any) -> str:
    """The name of the caller, or the reason of the refusal."""
    try:
        return asyncio.run(identities.identify(sent, CLEAR)).owner
    except ServiceError as error:
        return error.reason


@cache
def valid() -> str:
    return token("ann", "ed")


@settings(max_examples=400 * SCALE)
@given(st.binary(min_size=LENGTH, max_size=LENGTH))
def test_hostile_metadata_identifies_nobody(identities: Identities, data: bytes) -> None:
    assert identify(identities, metadata(ByteChoices(data))) == "TOKEN_INVALID"


@settings(max_examples=400 * SCALE)
@given(st.dictionaries(st.sampled_from(CLAIMS), values, max_size=4))
def test_claims_that_the_issuer_signed_identify_or_are_refused(
    identities: Identities, claims: dict[str, Any]
) -> None:
    name = claims.pop("sub", "ann")
    found = identify(identities, bearer(token(name, "ed", **claims)))
    assert found == "TOKEN_INVALID" or found == name


@settings(max_examples=400 * SCALE)
@given(st.data())
def test_a_token_with_other_bytes_identifies_nobody(identities: Identities, data: st.DataObject) -> None:
    text = valid()
    place = data.draw(st.integers(0, len(text) - 1))
    piece = data.draw(st.text(st.characters(max_codepoint=127), max_size=3))
    changed = text[:place] + piece + text[place + data.draw(st.integers(0, 3)) :]
    found = identify(identities, bearer(changed))
    # White space around a token is none of it, and Base64 has several spellings of the last bits of a part.
    assert found == "TOKEN_INVALID" or changed.strip() == text or len(changed) == len(text)
