"""JSON Web Tokens of an OIDC issuer: signature, issuer, audience and times are verified, claims become an identity.

joserfc and not PyJWT: it checks the type of a key against the algorithm, has no way to verify with an algorithm that
is not listed, and leaves the loading of keys to us, where PyJWT's client blocks and forgets its keys in an outage.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import math
import ssl
import time
import urllib.request
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import structlog
from joserfc import jwt
from joserfc.errors import JoseError, MissingKeyError
from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey

from tariffs.engine.errors import InputError, ServiceError
from tariffs.service.settings.settings import Identity
from tariffs.service.wire.identity import ROLES, is_name
from tariffs.service.wire.status import invalid_token

TOKEN_LIMIT = 16 << 10
KEPT = 4096
GROUPS_LIMIT = 500
_FAULTS = (JoseError, ValueError, TypeError, RecursionError)
FLOOR_SECONDS = 10.0
"""Time between two fetches that tokens of unknown keys ask for: a flood of them must not reach the issuer."""
REFRESH_SECONDS = 300.0
RETRY_SECONDS = 15.0
FETCH_SECONDS = 5.0
LOOK_SECONDS = 1.0
SIZE_LIMIT = 1 << 20
WAITING_LIMIT = 16
_RSA_BITS = 2048
_log = structlog.get_logger("tariffs.service")


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

    async def verified(self, token: str) -> Verified:
        """Return the identity in a token; a key that is not in use is looked for once among those of the issuer.

        Raises:
            ServiceError: TOKEN_INVALID; SERVER_UNAVAILABLE before the keys were first read.
        """
        try:
            return self.verify(token)
        except KeyNotKnownError:
            await self.keys.renew()
        try:
            return self.verify(token)
        except KeyNotKnownError:
            pass
        if not self.keys.version:
            raise ServiceError(
                "SERVER_UNAVAILABLE",
                "The server could not read the keys that verify tokens yet.",
                fix="Try again shortly; the server's log says why.",
            )
        raise invalid_token("The call's token is signed with a key that its issuer does not publish.")

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


class Keys:
    """The keys of an issuer, from a JWKS file or URL, renewed while the server runs.

    The keys in use stay in use while the source cannot be read, so that an outage of the issuer locks nobody out. A set
    that can be read takes their place, also one without keys.

    Args:
        source: path of a file, or https URL; http on loopback alone.
        clock: seconds that only grow.

    Attributes:
        version: digest of the key set in use, empty before the first one.

    Raises:
        InputError: SETTING_INVALID if the file cannot be used; a URL may be away at the start.
    """

    def __init__(self, source: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._clock = clock
        self._is_url = "://" in source
        self._keys: tuple[Key, ...] = ()
        self._fetched_at = float("-inf")
        self._fetching: asyncio.Task[bool] | None = None
        self._waiting = 0
        self.version = ""
        if not self._is_url:
            self.load()

    def find(self, key_id: str | None) -> Key | None:
        """Return the key of an id, or without an id the only key; None if there is none."""
        if key_id is None:
            return self._keys[0] if len(self._keys) == 1 else None
        return next((key for key in self._keys if key.kid == key_id), None)

    @property
    def count(self) -> int:
        """Number of keys in use."""
        return len(self._keys)

    def load(self) -> None:
        """Load the keys now; raises InputError SETTING_INVALID if the source cannot be read."""
        self._use(self._load())

    async def renew(self) -> bool:
        """Load the keys again because a token names an unknown one; return False if it is too soon for that.

        Calls that come meanwhile wait for the same load, a bounded number of them.
        """
        if self._fetching is None:
            if self._clock() - self._fetched_at < FLOOR_SECONDS:
                return False
            self._fetched_at = self._clock()
            self._fetching = asyncio.create_task(self._refresh())
            self._fetching.add_done_callback(self._done)
        if self._waiting >= WAITING_LIMIT:
            return False
        self._waiting += 1
        try:
            await asyncio.shield(self._fetching)
        finally:
            self._waiting -= 1
        return True

    async def watch(self) -> None:
        """Load the keys now and from time to time until cancelled; after a failure sooner."""
        while True:
            self._fetched_at = self._clock()
            before = self.version
            failed = not await self._refresh()
            if not self._is_url:
                await asyncio.sleep(LOOK_SECONDS)
            elif failed:
                await asyncio.sleep(RETRY_SECONDS if before else LOOK_SECONDS)
            else:
                await asyncio.sleep(REFRESH_SECONDS)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._fetching = None

    async def _refresh(self) -> bool:
        """Load the keys off the event loop; log a failure and keep those in use."""
        try:
            self._use(await asyncio.to_thread(self._load))
        except InputError as error:
            _log.warning("keys not read", message=error.message, kept=len(self._keys))
            return False
        return True

    def _use(self, data: bytes) -> None:
        version = hashlib.sha256(data).hexdigest()
        if version == self.version:
            return
        keys = _keys_in(data, self._source)
        if not keys and not self.version:
            raise _invalid(self._source, "it has no public key for signatures")
        # An issuer that publishes no key any more has withdrawn all of them: no token is valid.
        self._keys, self.version = keys, version
        _log.log(logging.INFO if keys else logging.WARNING, "keys read", keys=len(keys))

    def _load(self) -> bytes:
        try:
            return _fetch(self._source) if self._is_url else Path(self._source).read_bytes()
        except (OSError, ValueError) as error:
            raise _invalid(self._source, f"it cannot be read ({error})") from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Refuses redirects, which could lead to a source without encryption."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none."""


def _fetch(url: str) -> bytes:
    handlers = (urllib.request.HTTPSHandler(context=ssl.create_default_context()), _NoRedirect)
    with urllib.request.build_opener(*handlers).open(url, timeout=FETCH_SECONDS) as answer:
        data: bytes = answer.read(SIZE_LIMIT + 1)
    if len(data) > SIZE_LIMIT:
        raise ValueError(f"it has more than {SIZE_LIMIT:,} bytes")
    return data


def _keys_in(data: bytes, source: str) -> tuple[Key, ...]:
    """Read a key set and keep its public keys for signatures."""
    try:
        content = json.loads(data)
        keys = KeySet.import_key_set(content).keys
    except MissingKeyError:
        if not isinstance(content["keys"], list):
            raise _invalid(source, "it is no JSON Web Key Set") from None
        return ()
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _invalid(source, f"it is no JSON Web Key Set ({type(error).__name__})") from None
    return tuple(key for key in keys if _usable(key))


def _usable(key: Key) -> bool:
    """Test for a public key that verifies: a shared secret here would let its readers sign."""
    if isinstance(key, RSAKey) and key.raw_value.key_size < _RSA_BITS:
        return False
    return isinstance(key, RSAKey | ECKey | OKPKey) and not key.is_private and key.get("use", "sig") == "sig"


def _invalid(source: str, why: str) -> InputError:
    return InputError(
        "SETTING_INVALID", f"TARIFFS_OIDC_KEYS {source}: {why}.", fix="Give a JWKS file or an https URL."
    )
