"""Read the embedded tables of the response, and the constants that belong to no product, each with its source."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Container, Mapping
from functools import cache
from pathlib import Path

DATA = Path(__file__).parent / "data"


def table(name: str) -> list[dict[str, str]]:
    """Read an embedded table as text."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def table_bytes(name: str) -> bytes:
    """Read an embedded table as it is on disk, for digests."""
    return (DATA / name).read_bytes()


def digest(*parts: bytes) -> str:
    """Compute SHA-256 (hex) of parts one after the other."""
    return hashlib.sha256(b"".join(parts)).hexdigest()


def longest_prefix(code: str, prefixes: Container[str]) -> str | None:
    """Find the longest of the prefixes that a code starts with; None if it starts with none."""
    return next((code[:size] for size in range(len(code), 0, -1) if code[:size] in prefixes), None)


@cache
def constants() -> Mapping[str, tuple[float, str]]:
    """Read the constants by name: value and source."""
    return {row["name"]: (float(row["value"]), row["source"]) for row in table("constants.csv")}


def constant(name: str) -> float:
    """Look up a constant."""
    return constants()[name][0]
