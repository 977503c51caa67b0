"""Access of callers to stored tables and runs, and pages of them. Page tokens hold no secret."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from tariffs.engine.errors import InputError, ServiceError
from tariffs.service.storage.database import Database
from tariffs.service.wire.identity import ADMIN, NAME_LIMIT, Caller, is_name
from tariffs.service.wire.status import request_invalid

PAGE_DEFAULT = 100
PAGE_LIMIT = 1000
_NAME = re.compile(r"[0-9a-f]{1,64}")
Row = TypeVar("Row")


def listed(table: sa.Table, who: Caller) -> Any:
    """Make the condition for rows that a list shows to a caller: its own and those shared with its groups."""
    own = table.c.owner == who.owner
    return sa.or_(own, table.c.shared_with.in_(sorted(who.groups))) if who.groups else own


def visible(table: sa.Table, who: Caller) -> Any:
    """Make the condition for rows that a caller may see and use: those listed, and for admins all."""
    return sa.true() if who.has_role(ADMIN) else listed(table, who)


def count_owned(connection: sa.Connection, table: sa.Table, owner: str) -> int:
    """Count the rows of an owner."""
    count = sa.select(sa.func.count()).select_from(table).where(table.c.owner == owner)
    return int(connection.execute(count).scalar_one())


class OwnedRows(Generic[Row]):
    """Rows of one database table that belong to callers and may be shared with their groups. Every method blocks.

    Args:
        table: the table; has the columns `owner`, `shared_with` and `created`.
        key: the column that orders rows created at the same time.
        made: class of the rows, whose fields are the columns.
    """

    def __init__(
        self, database: Database, table: sa.Table, key: sa.Column[str], made: Callable[..., Row]
    ) -> None:
        self._database = database
        self._table = table
        self._key = key
        self._made = made

    def count(self, who: Caller) -> int:
        """Count the rows that a caller owns."""
        with self._database.read() as connection:
            return count_owned(connection, self._table, who.owner)

    def page(self, who: Caller, size: int, token: str, all_owners: bool = False) -> tuple[list[Row], str]:
        """Return one page of a caller's rows and those shared with it, newest first, and the next page's token.

        Args:
            token: the token of the previous page, or empty for the first page; the last page has an empty one.

        Raises:
            InputError: PAGE_TOKEN_INVALID.
            ServiceError: NOT_ALLOWED for all owners without the role admin.
        """
        check_all(who, all_owners)
        created = self._table.c.created
        query = sa.select(self._table).where(sa.true() if all_owners else listed(self._table, who))
        if token:
            place = sa.tuple_(*read_token(token, is_created_and_key))
            query = query.where(sa.tuple_(created, self._key) < place)
        query = query.order_by(created.desc(), self._key.desc()).limit(size + 1)
        with self._database.read() as connection:
            rows = [row._mapping for row in connection.execute(query)]
        found = [self._made(**row) for row in rows[:size]]
        if len(rows) <= size:
            return found, ""
        last = rows[size - 1]
        return found, write_token(last["created"], last[self._key.name])


def check_change(who: Caller, owner: str, name: str) -> None:
    """Refuse to change a table or run that a caller may only see; raises ServiceError NOT_ALLOWED."""
    if owner == who.owner or who.has_role(ADMIN):
        return
    raise ServiceError(
        "NOT_ALLOWED",
        f"{name} belongs to {owner!r} and is shared with you: you may see and use it, not change it.",
        fix="Ask its owner, or an admin.",
        metadata={"role": ADMIN},
    )


def check_group(who: Caller, group: str, field: str) -> None:
    """Refuse to share with a group that the caller is not in; nobody, the empty group, is always right.

    Raises:
        InputError: REQUEST_INVALID if it is no name of a group.
        ServiceError: NOT_ALLOWED.
    """
    if not group:
        return
    if not is_name(group):
        raise request_invalid(
            f"{group[:40]!r} is no name of a group.",
            field,
            f"A group is a text of at most {NAME_LIMIT} characters.",
        )
    if group in who.groups or who.has_role(ADMIN):
        return
    raise ServiceError(
        "NOT_ALLOWED",
        f"{who.owner!r} is not in the group {group!r}, and may not share with it.",
        field=field,
        fix="Share with one of your groups, or ask the operators of the server to add you.",
        metadata={"role": ADMIN},
    )


def check_all(who: Caller, all_owners: bool) -> None:
    """Refuse a list of all owners to callers who are no admins; raises ServiceError NOT_ALLOWED."""
    if all_owners and not who.has_role(ADMIN):
        raise ServiceError(
            "NOT_ALLOWED",
            "A list of all owners needs the role admin.",
            fix="Leave it out for your own and those shared with you.",
            metadata={"role": ADMIN},
        )


def quota_reached(quota: str, message: str, limit: int) -> ServiceError:
    """Make the error for a quota that only deleting, or the operators, can change."""
    return ServiceError(
        "ROW_QUOTA",
        message,
        fix=f"Delete what you no longer need, or ask the operators of the server for a higher quota `{quota}`.",
        metadata={"limit": str(limit), "quota": quota},
    )


def table_bytes(who: Caller, server_limit: int) -> int:
    """Return the largest table of a caller in bytes; a quota does not raise it, as workers load tables whole."""
    own = who.quotas.table_bytes
    return server_limit if own is None else min(own, server_limit)


def page_size(requested: int) -> int:
    """Return the page size to use for the requested one; raises InputError REQUEST_INVALID for less than 0."""
    if requested < 0:
        raise request_invalid(f"page_size is {requested}, below 0.", "page_size", f"Use 0 to {PAGE_LIMIT:,}.")
    return min(requested, PAGE_LIMIT) or PAGE_DEFAULT


def write_token(*place: Any) -> str:
    """Write the place of the last row of a page, values of JSON, as a token."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def read_token(token: str, is_place: Callable[[Any], bool]) -> Sequence[Any]:
    """Read the place in a token.

    Args:
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
    """Tell whether a place is that of a page of `OwnedRows`: the time of a row and its key."""
    if len(found) != 2:
        return False
    created, name = found
    return isinstance(created, float) and math.isfinite(created) and bool(_NAME.fullmatch(name))
