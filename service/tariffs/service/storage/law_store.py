"""Packs of laws that a server serves or a long run needs, by digest, and the results of the checks of packs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # elsewhere than on Unix
    fcntl = None  # type: ignore[assignment]

from tariffs.engine.law import load_law
from tariffs.engine.law.files import HERE
from tariffs.service.storage import files

STORE_VARIABLE = "TARIFFS_LAW_STORE"
"""Variable by which a server tells its workers where the packs are."""
_SUFFIX = ".tar.zst"


class LawStore:
    """Directory of packs, each named by the digest of its law; it is made when it is needed."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @classmethod
    def of_environment(cls) -> LawStore:
        """Open the store that the server of this process named; one that holds nothing without a server."""
        return cls(Path(os.environ.get(STORE_VARIABLE, os.devnull)))

    def find(self, digest: str) -> Path | None:
        """Return the pack of a law; None if it is not there."""
        path = self.path(digest)
        return path if path.is_file() else None

    def path(self, digest: str) -> Path:
        """Return where the pack of a law is or will be."""
        return self.directory / f"{digest}{_SUFFIX}"

    def add(self, digest: str, pack: bytes) -> Path:
        """Store a pack, whole or not at all."""
        path = self.path(digest)
        if not path.is_file():
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            files.write_whole(path, lambda draft: draft.write_bytes(pack))
        return path

    def keep_builtin(self) -> None:
        """Store a pack of the law built in, for a run that a later release will continue."""
        digest = load_law().digest
        if self.find(digest) is None:
            # Packs need libraries that a process without runs does not load.
            from tariffs.engine.law.pack.build import build_pack

            self.add(digest, build_pack(HERE))

    def touch(self, digest: str) -> None:
        """Mark the pack of a law as in use."""
        files.touch(self.path(digest))

    def sweep(self, is_needed: Callable[[str], bool], idle_seconds: float) -> None:
        """Delete the packs of laws that nothing needs and nothing has used for a while."""
        if self.directory.is_dir():
            files.sweep(self.directory, lambda name: is_needed(name.removesuffix(_SUFFIX)), idle_seconds)


class LawChecks:
    """Results of the checks of law packs, so that servers of one state directory check a pack once."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def result(self, key: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return the result of a check, made once; an error of `make` leaves none.

        Args:
            key: digest of all that the result depends on.
            make: checks, and returns the result as JSON data.
        """
        path = self.directory / f"{key}.json"
        with _locked(path.with_suffix(".lock")):
            with suppress(OSError, ValueError):
                found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
                files.touch(path)
                return found
            made = make()
            files.write_whole(path, lambda draft: draft.write_text(json.dumps(made), encoding="utf-8"))
        return made

    def sweep(self, idle_seconds: float) -> None:
        """Delete the results that nothing has asked for in a while."""
        files.sweep(self.directory, lambda name: False, idle_seconds)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock that ends with its process; on a system or disk without locks, go on without."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("wb") as file:
        with suppress(OSError):
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX)
        yield
