"""Access of callers to stored tables and runs: their own, those shared with their groups, and for admins all."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from tariffs.engine.errors import ServiceError
from tariffs.service.wire.identity import ADMIN, NAME_LIMIT, Caller, is_name
from tariffs.service.wire.status import request_invalid


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


def check_change(who: Caller, owner: str, name: str) -> None:
    """Refuse to change a table or run that a caller may only see.

    Raises:
        ServiceError: NOT_ALLOWED.
    """
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
    """Refuse a list of all owners to callers who are no admins.

    Raises:
        ServiceError: NOT_ALLOWED.
    """
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
