"""Bearer tokens of callers, from a file of names and tokens that is reloaded when it changes."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from tariffs.engine.errors import InputError
from tariffs.service.server.watched_file import WatchedFile
from tariffs.service.wire.identity import ANONYMOUS

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_HASHED = "sha256:"


class Tokens(WatchedFile[Mapping[bytes, str]]):
    """Names of callers by token, from a file of `name token` or `name sha256:HEX` lines; `#` begins a comment.

    A name may have several tokens, so that tokens can be rotated.

    Args:
        path: the file.

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
