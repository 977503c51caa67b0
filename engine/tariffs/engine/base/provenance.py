"""What a result needs so that it can be replayed: versions, digests, switches."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol


class DatedLaw(Protocol):
    """A law as its provenance tells it."""

    @property
    def version(self) -> str:
        """Its version, YYYY.MM.DD.n."""

    @property
    def digest(self) -> str:
        """SHA-256 of its canonical data, in hex."""

    @property
    def read_to(self) -> date:
        """The day to which acts have been read."""


@cache
def engine_version() -> str:
    """The installed version of the project."""
    try:
        return version("tariffs")
    except PackageNotFoundError:
        return "0+unknown"


def law_facts(law: DatedLaw) -> dict[str, object]:
    """Which law answered: its version and digest, the day to which acts have been read, and the engine's version."""
    return {
        "law_version": law.version,
        "law_digest": law.digest,
        "law_read_to": law.read_to.isoformat(),
        "engine_version": engine_version(),
    }


def digest_of(value: Mapping[str, object]) -> str:
    """SHA-256 of the canonical JSON of a mapping of plain values."""
    text = json.dumps(value, sort_keys=True, default=str, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
