"""Identity of a call's caller, from a token or a client certificate, with the roles that it has here.

A token goes first: who sends one wants to be known by it, and one that is not valid is refused even if the certificate
is. Of tokens, those of the file are looked up before a JSON Web Token is verified.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tariffs.engine.errors import InputError, ServiceError
from tariffs.service.server.callers import EVERYBODY, Callers
from tariffs.service.server.watched_file import WatchedFile
from tariffs.service.settings.settings import Settings
from tariffs.service.wire.identity import ANONYMOUS, READ, RUN, Caller, Metadata, anonymous_at, is_name
from tariffs.service.wire.status import invalid_token

if TYPE_CHECKING:
    from tariffs.service.server.jwt_tokens import JwtTokens

AUTHORIZATION = "authorization"
# What a name had before there were roles: everything of its own.
UNLISTED_ROLES = frozenset({READ, RUN})
_SCHEME = "bearer "
_NO_NAMES: frozenset[str] = frozenset()
_DOTS_OF_JWT = 2
# Names of gRPC for what it read from the certificate after it verified its chain.
_PROPERTIES = {"common_name": "x509_common_name", "dns": "peer_dns", "uri": "peer_uri", "email": "peer_email"}
Properties = Mapping[str, Iterable[bytes]]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_HASHED = "sha256:"


class Connection(Protocol):
    """Connection of a caller, as the context of a gRPC call gives it."""

    def peer(self) -> str:
        """Return the address of the caller."""

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        """Return the verified properties of the connection."""


class Identities:
    """Identifies callers.

    Args:
        certificate_kind: kind of the name in client certificates that identifies; empty for none.
        callers: roles, groups and quotas by name; without them a token or certificate has read and run, and a JSON
            Web Token the roles of its claim.
    """

    def __init__(
        self,
        tokens: Tokens | None = None,
        jwt: JwtTokens | None = None,
        certificate_kind: str = "",
        callers: Callers | None = None,
    ) -> None:
        self._tokens = tokens
        self._jwt = jwt
        self._certificate_kind = certificate_kind
        self._callers = callers
        self._open = tokens is None and jwt is None and not certificate_kind

    async def identify(self, metadata: Metadata, connection: Connection) -> Caller:
        """Return the caller of a call.

        Raises:
            ServiceError: TOKEN_INVALID; SERVER_UNAVAILABLE while the keys of the issuer were never read.
        """
        if self._open:
            return anonymous_at(connection.peer())
        authorization = next((str(value) for key, value in metadata if key == AUTHORIZATION), "")
        if authorization:
            return await self._by_token(authorization)
        if self._certificate_kind:
            name = certificate_name(connection.auth_context(), self._certificate_kind)
            if name is not None:
                return self._caller(name, self._unlisted)
        raise invalid_token("The call has no token.")

    def named(self, name: str) -> Caller:
        """Return the caller of a name outside of its calls: what the callers file grants it, no groups of tokens."""
        if self._callers is None:
            return Caller(owner=name, key=name, roles=_NO_NAMES)
        return self._callers.content.caller(name, _NO_NAMES, _NO_NAMES)

    def describe(self) -> Iterator[str]:
        """Describe each source of identities in words; keys at a URL are fetched to see that they can be.

        Raises:
            InputError: SETTING_INVALID if they cannot.
        """
        if self._open:
            yield "none: all callers are anonymous and have every role"
        if self._tokens is not None:
            yield f"tokens of {self._tokens.size} names"
        if self._certificate_kind:
            yield f"client certificates by {self._certificate_kind}"
        if self._jwt is not None:
            self._jwt.keys.load()
            yield f"JSON Web Tokens of {self._jwt.issuer}, {self._jwt.keys.count} keys"
        if self._callers is not None:
            yield f"callers file with {self._callers.size} entries"

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Watch files and keys for changes during the block."""
        watches = [asyncio.create_task(file.watch()) for file in self._files()]
        if self._jwt is not None:
            watches.append(asyncio.create_task(self._jwt.keys.watch()))
        try:
            yield
        finally:
            for watch in watches:
                watch.cancel()

    def reload(self) -> None:
        """Read the files again."""
        for file in self._files():
            file.reload()

    @property
    def _unlisted(self) -> frozenset[str]:
        return _NO_NAMES if self._callers is not None else UNLISTED_ROLES

    def _files(self) -> list[WatchedFile[Any]]:
        return [file for file in (self._tokens, self._callers) if file is not None]

    async def _by_token(self, authorization: str) -> Caller:
        if authorization[: len(_SCHEME)].lower() != _SCHEME:
            raise invalid_token("The call's authorization is not `Bearer TOKEN`.")
        token = authorization[len(_SCHEME) :].strip()
        name = None if self._tokens is None else self._tokens.name_of(token)
        if name is not None:
            return self._caller(name, self._unlisted)
        if self._jwt is None or token.count(".") != _DOTS_OF_JWT:
            raise invalid_token("The server does not know the call's token.")
        verified = await self._jwt.verified(token)
        return self._caller(verified.name, verified.roles, verified.groups)

    def _caller(self, name: str, roles: frozenset[str], groups: frozenset[str] = _NO_NAMES) -> Caller:
        if name in (ANONYMOUS, EVERYBODY) or not is_name(name):
            raise invalid_token(
                "The caller's name cannot be used: it is empty, reserved, too long or not text."
            )
        if self._callers is not None:
            return self._callers.content.caller(name, roles, groups)
        return Caller(owner=name, key=name, roles=roles, groups=groups)


def identities_of(settings: Settings) -> Identities:
    """Make the identities of a server from its settings; raises InputError SETTING_INVALID if a file cannot be read."""
    return Identities(
        tokens=None if settings.tokens_file is None else Tokens(settings.tokens_file),
        jwt=_jwt_of(settings) if settings.oidc_issuer else None,
        certificate_kind="" if settings.tls_names == "none" else settings.tls_names,
        callers=None if settings.callers_file is None else Callers(Path(settings.callers_file)),
    )


def _jwt_of(settings: Settings) -> JwtTokens:
    # Libraries that verify signatures take .05 s to load, which most servers never use.
    from tariffs.service.server.jwt_tokens import JwtTokens, Keys

    return JwtTokens(settings, Keys(settings.oidc_keys))


def certificate_name(properties: Properties, kind: str) -> str | None:
    """Return the name of a kind in the certificate of a connection; None without a certificate.

    Args:
        kind: common_name, dns, uri or email.

    Raises:
        ServiceError: TOKEN_INVALID if it has none or several of the kind: which one is the caller's would be a guess.
    """
    if "x509_pem_cert" not in properties:
        return None
    # A subject without a common name is given as an empty one.
    names = [name for name in properties.get(_PROPERTIES[kind], ()) if name]
    if len(names) == 1:
        return names[0].decode("utf-8", errors="replace")
    raise ServiceError(
        "TOKEN_INVALID",
        f"The client certificate has {len(names)} names of the kind {kind}, and the server needs one.",
        fix="Use a certificate with one such name; TARIFFS_TLS_NAMES of the server chooses the kind.",
    )


class Tokens(WatchedFile[Mapping[bytes, str]]):
    """Names of callers by token, from a file of `name token` or `name sha256:HEX` lines; `#` begins a comment.

    A name may have several tokens, so that tokens can be rotated.

    Raises:
        InputError: SETTING_INVALID if the file cannot be read or a line is malformed.
    """

    def __init__(self, path: Path) -> None:
        self._key = secrets.token_bytes(32)
        super().__init__(path, "tokens")

    @property
    def size(self) -> int:
        """Number of names."""
        return len(set(self.content.values()))

    def name_of(self, token: str) -> str | None:
        """Return the name of a token; None if the file does not have it. Reads memory only."""
        return self.content.get(self._keyed(hashlib.sha256(token.encode()).digest()))

    def _read(self) -> Mapping[bytes, str]:
        try:
            text = self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            raise _invalid(self._path, f"it cannot be read ({error})") from None
        names: dict[bytes, str] = {}
        for number, line in enumerate(text.splitlines(), 1):
            if fields := line.partition("#")[0].split():
                name, digest = _entry(fields, self._path, number)
                names[self._keyed(digest)] = name
        if not names:
            raise _invalid(self._path, "it has no token")
        return names

    def _keyed(self, data: bytes) -> bytes:
        # Keyed with a secret, so the time of a look-up reveals nothing about a token.
        return hashlib.blake2b(data, key=self._key, digest_size=32).digest()


def _entry(fields: list[str], path: Path, number: int) -> tuple[str, bytes]:
    if len(fields) != 2:
        raise _invalid(path, f"line {number} is not `name token`")
    name, token = fields
    if not _NAME.fullmatch(name) or name == ANONYMOUS:
        raise _invalid(path, f"line {number} has an invalid name")
    if not token.startswith(_HASHED):
        return name, hashlib.sha256(token.encode()).digest()
    try:
        digest = bytes.fromhex(token.removeprefix(_HASHED))
    except ValueError:
        digest = b""
    if len(digest) != hashlib.sha256().digest_size:
        raise _invalid(path, f"line {number} has a sha256: that is not 64 hexadecimal digits")
    return name, digest


def _invalid(path: Path, why: str) -> InputError:
    return InputError(
        "SETTING_INVALID",
        f"TARIFFS_TOKENS_FILE {path}: {why}.",
        fix="Write one `name token` or `name sha256:HEX` a line.",
    )
