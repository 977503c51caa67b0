"""Who makes the call in hand: set by its record, read by whatever runs within the call."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls.

    Attributes:
        owner: whose tables and runs these are: the name beside the token, or "anonymous" where no token is asked for.
        key: whose share of the server's calls and runs this is: the owner, or without tokens the peer's address.
    """

    owner: str = ANONYMOUS
    key: str = ANONYMOUS


_NOBODY = Caller()
_CURRENT: ContextVar[Caller] = ContextVar("caller", default=_NOBODY)


def caller() -> Caller:
    """Who makes the call in hand; outside of calls, the anonymous caller."""
    return _CURRENT.get()


def enter(who: Caller) -> None:
    """Say who makes the call that the current task answers; it holds to the end of that task."""
    _CURRENT.set(who)


def anonymous_at(peer: str) -> Caller:
    """The caller without a token at gRPC's name of a peer, such as `ipv4:127.0.0.1:50000`."""
    # The port differs from one connection to the next, the caller does not.
    return Caller(key=peer.rpartition(":")[0] or peer)
