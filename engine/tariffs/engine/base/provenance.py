"""Versions and digests that a result records so that it can be reproduced."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol


class DatedLaw(Protocol):
    """Law with a version, a digest and a last day read."""

    @property
    def version(self) -> str:
        """Version, YYYY.MM.DD.n."""

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical data, in hex."""

    @property
    def read_to(self) -> date:
        """Last day up to which legal acts have been read."""


@cache
def engine_version() -> str:
    """Installed version of the project."""
    try:
        return version("tariffs")
    except PackageNotFoundError:
        return "0+unknown"


def law_facts(law: DatedLaw) -> dict[str, object]:
    """Version and digest of a law, the day up to which acts have been read, and the version of the engine."""
    return {
        "law_version": law.version,
        "law_digest": law.digest,
        "law_read_to": law.read_to.isoformat(),
        "engine_version": engine_version(),
    }


def with_run_digest(facts: Mapping[str, object]) -> dict[str, object]:
    """Add `run_digest` to the facts of a run: SHA-256 of their canonical JSON."""
    text = json.dumps(facts, sort_keys=True, default=str, separators=(",", ":"))
    return {**facts, "run_digest": hashlib.sha256(text.encode()).hexdigest()}
