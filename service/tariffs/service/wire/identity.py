"""Who makes the call in hand: set by its record, read by whatever runs within the call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass

ANONYMOUS = "anonymous"
Metadata = Iterable[tuple[str, str | bytes]]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls.

    Attributes:
        owner: whose tables and runs these are: the name beside the token, or "anonymous" where no token is asked for.
        key: whose share of the server's calls and runs this is: the owner, or without tokens the peer's address.
    """

    owner: str = ANONYMOUS
    key: str = ANONYMOUS


@dataclass(frozen=True, slots=True)
class _CurrentCall:
    """The call in hand: who makes it, and what a line of the log says of it."""

    who: Caller
    names: Mapping[str, str]


_NONE = _CurrentCall(Caller(), {})
_CURRENT: ContextVar[_CurrentCall] = ContextVar("call", default=_NONE)


def caller() -> Caller:
    """Who makes the call in hand; outside of calls, the anonymous caller."""
    return _CURRENT.get().who


def call_names() -> Mapping[str, str]:
    """What a line of the log says of the call in hand; nothing outside of calls."""
    return _CURRENT.get().names


def enter(who: Caller, names: Mapping[str, str]) -> None:
    """Say who makes the call that the current task answers, and its names; both hold to the end of that task."""
    _CURRENT.set(_CurrentCall(who, names))


def anonymous_at(peer: str) -> Caller:
    """The caller without a token at gRPC's name of a peer, such as `ipv4:127.0.0.1:50000`."""
    # The port differs from one connection to the next, the caller does not.
    return Caller(key=peer.rpartition(":")[0] or peer)
