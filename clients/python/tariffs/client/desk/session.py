"""Client that all sessions of the page share; the command sets it before the page is served."""

from __future__ import annotations

from dataclasses import dataclass

from tariffs.client.client import Client


@dataclass(slots=True)
class _Shared:
    client: Client | None = None
    target: str = ""


_SHARED = _Shared()


def share(client: Client, target: str = "") -> None:
    """Set the client; `target` names its server, empty for this process."""
    _SHARED.client, _SHARED.target = client, target


def client() -> Client:
    """Get the client; without one that was set it computes in this process."""
    if _SHARED.client is None:
        _SHARED.client = Client.local()
    return _SHARED.client


def place() -> str:
    """Say where the page computes."""
    return f"computed by the server {_SHARED.target}" if _SHARED.target else "computed in this process"
