"""Bearer tokens of callers, from a file of names and tokens that is reloaded when it changes."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
import threading
from collections.abc import Mapping
from pathlib import Path

import structlog

from tariffs.engine.errors import InputError, ServiceError, TariffsError
from tariffs.service.wire.identity import ANONYMOUS, READ, RUN, Caller, Metadata, anonymous_at

AUTHORIZATION = "authorization"
LOOK_SECONDS = 1.0
TOKEN_ROLES = frozenset({READ, RUN})
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_HASHED = "sha256:"
_SCHEME = "bearer "
_log = structlog.get_logger("tariffs.service")


class Tokens:
    """Names of callers by token, from a file of `name token` or `name sha256:HEX` lines; `#` begins a comment.

    A name may have several tokens, so that tokens can be rotated.

    Args:
        path: the file.

    Raises:
        InputError: SETTING_INVALID if the file cannot be read or a line is malformed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._key = secrets.token_bytes(32)
        self._logged_error = ""
        self._seen = _signature(path)
        self._names = self._read()

    async def watch(self) -> None:
        """Check the file every second until cancelled, in a thread: a slow disk must not block the event loop."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await asyncio.to_thread(self.reload_if_changed)
            except Exception as error:
                _log.error("unexpected error", exc_info=error)

    def name_of(self, token: str) -> str | None:
        """Return the name of a token; None if the file does not have it. Reads memory only."""
        return self._names.get(self._keyed(hashlib.sha256(token.encode()).digest()))

    def reload_if_changed(self) -> None:
        """Read the file if it has changed."""
        with self._lock:
            if _signature(self._path) != self._seen:
                self._reload()

    def reload(self) -> None:
        """Read the file."""
        with self._lock:
            self._reload()

    def _reload(self) -> None:
        """Replace the known tokens; a file that cannot be read is tried again at the next check."""
        signature = _signature(self._path)
        try:
            self._names = self._read()
        except TariffsError as error:
            # A half-written file must not lock all callers out: the known tokens stay valid meanwhile.
            if str(error) != self._logged_error:
                self._logged_error = str(error)
                _log.error("tokens not read", reason=error.reason, message=str(error))
            return
        self._seen, self._logged_error = signature, ""
        _log.info("tokens read", names=len(set(self._names.values())))

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


def caller_of(metadata: Metadata, peer: str, tokens: Tokens | None) -> Caller:
    """Identify the caller of a call: by token on a server with tokens, else by address.

    Raises:
        ServiceError: TOKEN_INVALID.
    """
    if tokens is None:
        return anonymous_at(peer)
    authorization = next((str(value) for key, value in metadata if key == AUTHORIZATION), "")
    if not authorization:
        raise _invalid_token("The call has no token.")
    if authorization[: len(_SCHEME)].lower() != _SCHEME:
        raise _invalid_token("The call's authorization is not `Bearer TOKEN`.")
    name = tokens.name_of(authorization[len(_SCHEME) :].strip())
    if name is None:
        raise _invalid_token("The server does not know the call's token.")
    return Caller(owner=name, key=name, roles=TOKEN_ROLES)


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


def _signature(path: Path) -> tuple[int, int, int]:
    try:
        stat = path.stat()
    except OSError:
        return (0, 0, 0)
    return (stat.st_mtime_ns, stat.st_size, stat.st_ino)


def _invalid(path: Path, why: str) -> InputError:
    return InputError(
        "SETTING_INVALID",
        f"TARIFFS_TOKENS_FILE {path}: {why}.",
        fix="Write one `name token` or `name sha256:HEX` a line.",
    )


def _invalid_token(message: str) -> ServiceError:
    return ServiceError(
        "TOKEN_INVALID",
        message,
        fix="Send the metadata `authorization: Bearer TOKEN`; the client takes token= or TARIFFS_TOKEN.",
    )
