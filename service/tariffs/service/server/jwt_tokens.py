"""JSON Web Tokens of an OIDC issuer: signature, issuer, audience and times are verified, claims become an identity.

joserfc and not PyJWT: it checks the type of a key against the algorithm, has no way to verify with an algorithm that
is not listed, and leaves the loading of keys to us, where PyJWT's client blocks and forgets its keys in an outage.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key

from tariffs.engine.errors import ServiceError
from tariffs.service.server.jwt_keys import Keys
from tariffs.service.settings.settings import Identity
from tariffs.service.wire.identity import ROLES, is_name

TOKEN_LIMIT = 16 << 10
KEPT = 4096
GROUPS_LIMIT = 500
_FAULTS = (JoseError, ValueError, TypeError, RecursionError)


class Verified(NamedTuple):
    """Identity in a verified token."""

    name: str
    roles: frozenset[str]
    groups: frozenset[str]


class KeyNotKnownError(Exception):
    """The token names a key that is not in use; the issuer may have a new one."""


class JwtTokens:
    """Verifies tokens, and remembers those verified until they expire.

    Args:
        settings: issuer, audience, algorithms and names of claims.
        keys: the issuer's keys.
        clock: seconds since 1970.
    """

    def __init__(self, settings: Identity, keys: Keys, clock: Callable[[], float] = time.time) -> None:
        self.keys = keys
        self.issuer = settings.oidc_issuer
        self._settings = settings
        self._clock = clock
        self._algorithms = settings.algorithms
        self._kept: OrderedDict[bytes, tuple[Verified, float]] = OrderedDict()
        self._kept_version = ""
        self._claims = jwt.JWTClaimsRegistry(
            now=lambda: int(clock()),
            leeway=int(settings.oidc_skew_seconds),
            iss={"essential": True, "value": settings.oidc_issuer},
            aud={"essential": True, "value": settings.oidc_audience},
            exp={"essential": True},
        )

    def verify(self, token: str) -> Verified:
        """Return the identity in a token.

        Raises:
            KeyNotKnownError: a key is named that is not in use; call again once the keys have been renewed.
            ServiceError: TOKEN_INVALID.
        """
        if len(token) > TOKEN_LIMIT:
            raise invalid_token(f"The call's token has more than {TOKEN_LIMIT:,} characters.")
        if self._kept_version != self.keys.version:
            # A key that the issuer has withdrawn must not live on in tokens verified by it.
            self._kept.clear()
            self._kept_version = self.keys.version
        digest = hashlib.sha256(token.encode()).digest()
        known = self._kept.get(digest)
        if known is not None and known[1] > self._clock():
            self._kept.move_to_end(digest)
            return known[0]
        verified, ends = self._decode(token)
        self._kept[digest] = verified, ends
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return verified

    def _decode(self, token: str) -> tuple[Verified, float]:
        try:
            claims = jwt.decode(token, self._key, self._algorithms).claims
            self._claims.validate(claims)
            return self._identity(claims), self._end(claims["exp"])
        except JoseError as error:
            # The library's description names claims and algorithms, never values of the token.
            raise invalid_token(f"The call's token is not valid: {error.error}.") from None
        except _FAULTS:
            raise invalid_token("The call's token cannot be read.") from None

    def _key(self, signature: Any) -> Key:
        key_id = signature.headers().get("kid")
        key = self.keys.find(key_id)
        if key is None:
            raise KeyNotKnownError(key_id)
        return key

    def _end(self, expires: Any) -> float:
        end = float(expires)
        if isinstance(expires, bool) or not math.isfinite(end):
            raise ValueError("exp is not a time")
        return end + int(self._settings.oidc_skew_seconds)

    def _identity(self, claims: Mapping[str, Any]) -> Verified:
        settings = self._settings
        name = _claim(claims, settings.oidc_name_claim)
        if not isinstance(name, str) or not name:
            raise invalid_token(f"The call's token has no claim {settings.oidc_name_claim} with a name.")
        roles = frozenset(_names(_claim(claims, settings.oidc_roles_claim)))
        groups = frozenset(_names(_claim(claims, settings.oidc_groups_claim)))
        return Verified(settings.oidc_name_prefix + name, roles.intersection(ROLES), groups)


def _claim(claims: Mapping[str, Any], name: str) -> Any:
    """Return a claim by its name, or by a path such as `realm_access.roles`."""
    if name in claims:
        return claims[name]
    value: Any = claims
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _names(value: Any) -> list[str]:
    """Read the names in a claim: a list of texts, or one text of words."""
    words = value.split() if isinstance(value, str) else value
    if not isinstance(words, list):
        return []
    return [word for word in words[:GROUPS_LIMIT] if isinstance(word, str) and is_name(word)]


def invalid_token(message: str) -> ServiceError:
    """Make the error for a call whose caller is not known."""
    return ServiceError(
        "TOKEN_INVALID",
        message,
        fix="Send the metadata `authorization: Bearer TOKEN`; the client takes token= or TARIFFS_TOKEN.",
    )
