"""Entries of the audit record and the hash chain that they form.

An entry is one line of JSON without a line break. Its digest is the SHA-256 of the bytes of the line, and the next
entry of the chain holds it as `previous`; the first one holds ZERO.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

FORMAT = 1
MISSING_HEAD = "missing_head"
"""Field of an entry `recovered`: entries were there, and no head."""
ZERO = "0" * 64


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a chain: its number, from 1, and its digest."""

    seq: int = 0
    digest: str = ZERO

    @property
    def text(self) -> str:
        """Number and digest as `SEQ:DIGEST`."""
        return f"{self.seq}:{self.digest}"


def append(chain: str, head: Head, facts: Mapping[str, Any]) -> tuple[bytes, Head]:
    """Make the line of the next entry of a chain, and the head that it becomes."""
    entry = {"audit": FORMAT, "chain": chain, "seq": head.seq + 1, **facts, "previous": head.digest}
    line = json.dumps(entry, separators=(",", ":")).encode()
    return line, Head(head.seq + 1, digest_of_line(line))


def digest_of_line(line: bytes) -> str:
    """Digest a line, without its line break."""
    return hashlib.sha256(line).hexdigest()


def read_entry(line: bytes) -> dict[str, Any] | None:
    """Read an entry; None if the line is not one."""
    try:
        entry = json.loads(line)
        if (
            isinstance(entry["seq"], int)
            and isinstance(entry["previous"], str)
            and isinstance(entry["chain"], str)
        ):
            return dict(entry)
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    return None


def time_text(seconds: float) -> str:
    """Format seconds since 1970 as UTC text with microseconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
