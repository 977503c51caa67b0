"""Payload frames: JSON facts and binary data in one message between server and worker."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_LENGTH_BYTES = 4


def pack(facts: Mapping[str, Any], body: bytes = b"") -> bytes:
    """Pack JSON facts and a body into one payload."""
    head = json.dumps(facts).encode()
    return len(head).to_bytes(_LENGTH_BYTES, "big") + head + body


def unpack(payload: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the facts and the body of a payload."""
    end = _LENGTH_BYTES + int.from_bytes(payload[:_LENGTH_BYTES], "big")
    return json.loads(payload[_LENGTH_BYTES:end]), payload[end:]
