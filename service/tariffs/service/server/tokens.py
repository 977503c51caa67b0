"""Bearer tokens of callers: a file of names and tokens, reread when it changes."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from tariffs.engine.errors import InputError, ServiceError, TariffsError
from tariffs.service.wire.identity import ANONYMOUS, Caller, Metadata, anonymous_at

AUTHORIZATION = "authorization"
LOOK_SECONDS = 1.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_HASHED = "sha256:"
_SCHEME = "bearer "
_log = structlog.get_logger("tariffs.service")


@dataclass(frozen=True, slots=True)
class _Known:
    """The names of one reading of the file, by keyed digests of tokens, and by the keyed tokens that have been met.

    One digest is one token's, so there are never more of the latter.
    """

    by_digest: Mapping[bytes, str]
    by_token: dict[bytes, str] = field(default_factory=dict)


class Tokens:
    """The names behind the tokens of a file of `name token` or `name sha256:HEX` lines; `#` begins a comment.

    A name may have several tokens, so that a new one can come before the old one goes.

    Args:
        path: the file.

    Raises:
        InputError: SETTING_INVALID if the file cannot be read or a line is wrong.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._key = secrets.token_bytes(32)
        self._told = ""
        self._seen = _signature(path)
        self._known = _Known(self._read())

    async def watch(self) -> None:
        """Look at the file every second until cancelled, in a thread: a slow disk must not stop the event loop."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await asyncio.to_thread(self.look)
            except Exception as error:
                _log.error("unforeseen", exc_info=error)

    def name_of(self, token: str) -> str | None:
        """The name beside a token, or None if the file has no such token; reads memory only."""
        known, given = self._known, token.encode()
        keyed = self._keyed(given)
        name = known.by_token.get(keyed)
        if name is None:
            name = known.by_digest.get(self._keyed(hashlib.sha256(given).digest()))
            if name is not None:
                known.by_token[keyed] = name
        return name

    def look(self) -> None:
        """Read the file if it has changed."""
        with self._lock:
            found = _signature(self._path)
            if found != self._seen and self._take():
                self._seen = found

    def reload(self) -> None:
        """Read the file whether or not it looks changed."""
        with self._lock:
            found = _signature(self._path)
            if self._take():
                self._seen = found

    def _take(self) -> bool:
        """Whether the file could be read; what could not is tried again at the next look."""
        try:
            self._known = _Known(self._read())
        except TariffsError as error:
            # Half a file must not lock everybody out: those known stay until it can be read again.
            if str(error) != self._told:
                self._told = str(error)
                _log.error("tokens not read", reason=error.reason, message=str(error))
            return False
        self._told = ""
        _log.info("tokens read", names=len(set(self._known.by_digest.values())))
        return True

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
            raise _invalid(self._path, "it holds no token")
        return names

    def _keyed(self, data: bytes) -> bytes:
        # Looked up under a key nobody outside knows, so how long a comparison takes tells nothing about a token.
        return hashlib.blake2b(data, key=self._key, digest_size=32).digest()


def caller_of(metadata: Metadata, peer: str, tokens: Tokens | None) -> Caller:
    """Who makes a call: by its token where the server asks for one, else by its address.

    Raises:
        ServiceError: TOKEN_INVALID.
    """
    if tokens is None:
        return anonymous_at(peer)
    given = next((str(value) for key, value in metadata if key == AUTHORIZATION), "")
    if not given:
        raise _unknown("The call carries no token.")
    if given[: len(_SCHEME)].lower() != _SCHEME:
        raise _unknown("The call's authorization is not `Bearer TOKEN`.")
    name = tokens.name_of(given[len(_SCHEME) :].strip())
    if name is None:
        raise _unknown("The call's token is not one the server knows.")
    return Caller(owner=name, key=name)


def _entry(fields: list[str], path: Path, number: int) -> tuple[str, bytes]:
    if len(fields) != 2:
        raise _invalid(path, f"line {number} is not `name token`")
    name, token = fields
    if not _NAME.fullmatch(name) or name == ANONYMOUS:
        raise _invalid(path, f"line {number} has a name that cannot be used")
    if not token.startswith(_HASHED):
        return name, hashlib.sha256(token.encode()).digest()
    try:
        digest = bytes.fromhex(token.removeprefix(_HASHED))
    except ValueError:
        digest = b""
    if len(digest) != hashlib.sha256().digest_size:
        raise _invalid(path, f"line {number} has a sha256: that is not 64 hexadecimal digits")
    return name, digest


def _signature(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def _invalid(path: Path, why: str) -> InputError:
    return InputError(
        "SETTING_INVALID",
        f"TARIFFS_TOKENS_FILE {path}: {why}.",
        fix="Write one `name token` or `name sha256:HEX` a line.",
    )


def _unknown(message: str) -> ServiceError:
    return ServiceError(
        "TOKEN_INVALID",
        message,
        fix="Send the metadata `authorization: Bearer TOKEN`; the client takes token= or TARIFFS_TOKEN.",
    )
