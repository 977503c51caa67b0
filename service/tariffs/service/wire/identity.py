"""Caller identity of the current request, in a context variable set by the middleware."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

ANONYMOUS = "anonymous"
READ, RUN, ADMIN = "read", "run", "admin"
ROLES = (READ, RUN, ADMIN)
"""Roles, each with the rights of those before it."""
ALL_ROLES = frozenset(ROLES)
NAME_LIMIT = 200
"""Characters of a name or group at most: the width of its column in the database."""
_PEERS_KEPT = 1024
Metadata = Iterable[tuple[str, str | bytes]]


@dataclass(frozen=True, slots=True)
class Quotas:
    """Quotas of a caller; None where the limit of the server applies.

    Attributes:
        calls: calls at once.
        calls_per_second: calls begun a second.
        runs: runs over tables at once, waiting ones included.
        runs_kept: long runs stored, ended ones included.
        tables: tables stored.
        table_bytes: largest table in bytes of memory.
        sweep_points: points of one sweep.
    """

    calls: int | None = None
    calls_per_second: float | None = None
    runs: int | None = None
    runs_kept: int | None = None
    tables: int | None = None
    table_bytes: int | None = None
    sweep_points: int | None = None


SERVER_LIMITS = Quotas()


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller.

    Attributes:
        owner: owner of tables and runs: the caller's name, or "anonymous" on a server without identities.
        key: key for the limits of a caller: the owner, or without identities the peer's address.
        roles: the roles granted; everybody has all on a server without identities.
        groups: groups of callers that tables and runs can be shared with.
        quotas: limits of this caller.
    """

    owner: str = ANONYMOUS
    key: str = ANONYMOUS
    roles: frozenset[str] = ALL_ROLES
    groups: frozenset[str] = frozenset()
    quotas: Quotas = SERVER_LIMITS

    def has_role(self, role: str) -> bool:
        """Return True if the caller has a role, or one that includes it."""
        return not self.roles.isdisjoint(ROLES[ROLES.index(role) :])


class _CurrentCall(NamedTuple):
    """The current call: its caller and the fields of its log lines."""

    caller: Caller
    log_fields: Mapping[str, str]


_NONE = _CurrentCall(Caller(), {})
_CURRENT: ContextVar[_CurrentCall] = ContextVar("call", default=_NONE)
_IDENTIFY: ContextVar[Callable[[], Awaitable[Caller]] | None] = ContextVar("identify", default=None)


def is_name(text: str) -> bool:
    """Test whether a text can be the name of a caller or group: visible text, neither empty nor too long."""
    # Bidirectional controls and the like are not printable: by them one name would be shown as another.
    return 0 < len(text) <= NAME_LIMIT and text.isprintable() and text == text.strip()


def caller() -> Caller:
    """Return the caller of the current call; the anonymous caller outside of calls."""
    return _CURRENT.get().caller


async def caller_now() -> Caller:
    """Identify the caller of the current stream again: its token may have expired, its groups may have changed.

    Raises:
        ServiceError: TOKEN_INVALID, or NOT_ALLOWED without the role of the method any more.
    """
    identify = _IDENTIFY.get()
    return caller() if identify is None else await identify()


def set_identify(identify: Callable[[], Awaitable[Caller]]) -> None:
    """Set what identifies the caller again for the rest of the current asyncio task."""
    _IDENTIFY.set(identify)


def call_log_fields() -> Mapping[str, str]:
    """Return the fields that log lines of the current call carry; empty outside of calls."""
    return _CURRENT.get().log_fields


def set_current_call(who: Caller, log_fields: Mapping[str, str]) -> None:
    """Set caller and log fields for the rest of the current asyncio task."""
    _CURRENT.set(_CurrentCall(who, log_fields))


@lru_cache(maxsize=_PEERS_KEPT)
def anonymous_at(peer: str) -> Caller:
    """Make the caller without a token at a gRPC peer such as `ipv4:127.0.0.1:50000`."""
    # The port differs between connections of one caller.
    return Caller(key=peer.rpartition(":")[0] or peer)
