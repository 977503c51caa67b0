"""Read the directory of law packs: an entry that cannot be read hides no other, and none makes a reader wait."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import structlog

from tariffs.engine.law.pack.archive import PACK_BYTES, pack_fault
from tariffs.service.server.watched_file import Signature, signature_of

_PACKS = "[!.]*.tar.zst"
_NOT_PLAIN = "it is no plain file"
_log = structlog.get_logger("tariffs.service")


@dataclass(frozen=True, slots=True)
class PackEntry:
    """Entry of the directory with the name of a pack.

    Attributes:
        signature: tells whether it has changed.
        fault: why it cannot be read; empty for a plain file.
    """

    signature: Signature
    fault: str = ""


class LawDirectory:
    """Directory of law packs.

    Args:
        path: the directory; None for none, which has no packs.

    Attributes:
        fault: why it could not be read at the last look; empty if it could.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.fault = ""

    def entries(self) -> dict[str, PackEntry] | None:
        """Return the packs by name; None if the directory cannot be read."""
        if self._path is None:
            return {}
        try:
            packs = sorted(path for path in self._path.iterdir() if fnmatchcase(path.name, _PACKS))
            found = {path.name: entry for path in packs if (entry := _entry(path)) is not None}
        except OSError as error:
            if str(error) != self.fault:
                _log.error("law directory not read", directory=str(self._path), message=str(error))
            self.fault = str(error)
            return None
        self.fault = ""
        return found

    def read(self, name: str) -> bytes:
        """Read a pack; of one that is too large one byte more than a pack may have.

        Raises:
            LawError: LAW_PACK_INVALID if it is no plain file.
            OSError: it cannot be read.
        """
        assert self._path is not None
        # It may have been replaced since it was listed, and a pipe would wait for a writer.
        descriptor = os.open(self._path / name, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise pack_fault(name, _NOT_PLAIN)
            return file.read(PACK_BYTES + 1)


def _entry(path: Path) -> PackEntry | None:
    """Look at an entry; None if it is gone. Raises OSError if that is forbidden by the directory."""
    try:
        own = path.lstat()
    except FileNotFoundError:
        return None
    try:
        return PackEntry(signature_of(path), "" if path.is_file() else _NOT_PLAIN)
    except OSError as error:
        signature = own.st_mtime_ns, own.st_size, own.st_ino
        return PackEntry(signature, f"it cannot be read ({error.strerror})")
