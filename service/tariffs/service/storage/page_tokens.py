"""Page tokens: where a list goes on. They hold no secret and say nothing about other callers."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re

from tariffs.engine.errors import InputError

PAGE_DEFAULT = 100
PAGE_LIMIT = 1000
_NAME = re.compile(r"[0-9a-f]{1,64}")


def page_size(asked: int) -> int:
    """How many to give.

    Raises:
        InputError: REQUEST_INVALID for less than 0.
    """
    if asked < 0:
        raise InputError(
            "REQUEST_INVALID",
            f"page_size is {asked}.",
            field="page_size",
            fix=f"Give 0 to {PAGE_LIMIT:,}.",
        )
    return min(asked, PAGE_LIMIT) or PAGE_DEFAULT


def write_token(created: float, name: str) -> str:
    """The token that goes on after the entry of that time and name."""
    return base64.urlsafe_b64encode(json.dumps([created, name]).encode()).decode()


def read_token(token: str) -> tuple[float, str]:
    """The time and name a token goes on after.

    Raises:
        InputError: PAGE_TOKEN_INVALID.
    """
    try:
        created, name = json.loads(base64.b64decode(token.encode("ascii"), b"-_", validate=True))
        if isinstance(created, float) and math.isfinite(created) and _NAME.fullmatch(name):
            return created, name
    except (ValueError, TypeError, binascii.Error):
        pass
    raise InputError(
        "PAGE_TOKEN_INVALID",
        f"The page token {token[:40]!r} is not one of a list.",
        field="page_token",
        fix="Give next_page_token of the answer before, or nothing to begin anew.",
    )
