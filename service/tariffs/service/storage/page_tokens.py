"""Page sizes and page tokens of lists. Tokens hold no secret and reveal nothing about other callers."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from tariffs.engine.errors import InputError
from tariffs.service.wire.status import request_invalid

PAGE_DEFAULT = 100
PAGE_LIMIT = 1000
_NAME = re.compile(r"[0-9a-f]{1,64}")


def page_size(requested: int) -> int:
    """Return the page size to use for the requested one.

    Raises:
        InputError: REQUEST_INVALID for less than 0.
    """
    if requested < 0:
        raise request_invalid(f"page_size is {requested}, below 0.", "page_size", f"Use 0 to {PAGE_LIMIT:,}.")
    return min(requested, PAGE_LIMIT) or PAGE_DEFAULT


def read_page(
    connection: sa.Connection, table: sa.Table, key: sa.Column[str], shown: Any, size: int, token: str
) -> tuple[list[Any], str]:
    """Read one page of the rows that a caller is shown, newest first.

    Args:
        connection: an open transaction.
        table: has the column `created`.
        key: the column that orders rows created at the same time.
        shown: condition of the rows.
        size: rows of a page.
        token: the token of the previous page, or empty for the first page.

    Returns:
        The rows, and the token of the next page; empty after the last one.

    Raises:
        InputError: PAGE_TOKEN_INVALID.
    """
    query = sa.select(table).where(shown)
    if token:
        query = query.where(
            sa.tuple_(table.c.created, key) < sa.tuple_(*read_token(token, is_created_and_key))
        )
    query = query.order_by(table.c.created.desc(), key.desc()).limit(size + 1)
    rows = list(connection.execute(query))
    if len(rows) <= size:
        return rows, ""
    last = rows[size - 1]._mapping
    return rows[:size], write_token(last["created"], last[key.name])


def write_token(*place: Any) -> str:
    """Write the place of the last row of a page, values of JSON, as a token."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def read_token(token: str, is_place: Callable[[Any], bool]) -> Sequence[Any]:
    """Read the place in a token.

    Args:
        token: the token.
        is_place: tells whether a value of JSON is a place in the list.

    Raises:
        InputError: PAGE_TOKEN_INVALID.
    """
    try:
        place = json.loads(base64.b64decode(token.encode("ascii"), b"-_", validate=True))
        if isinstance(place, list) and is_place(place):
            return place
    except (ValueError, TypeError, binascii.Error, RecursionError):
        pass
    raise InputError(
        "PAGE_TOKEN_INVALID",
        f"The page token {token[:40]!r} was not returned by a list call.",
        field="page_token",
        fix="Use next_page_token of the previous response, or omit it to start from the first page.",
    )


def is_created_and_key(found: Sequence[Any]) -> bool:
    """Tell whether a place is that of `read_page`: the time of a row and its key."""
    if len(found) != 2:
        return False
    created, name = found
    return isinstance(created, float) and math.isfinite(created) and bool(_NAME.fullmatch(name))
