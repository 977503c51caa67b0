"""Settings of the end of a server."""

from __future__ import annotations

from pydantic import Field

from tariffs.service.settings.group import Group


class Stopping(Group):
    """Stopping."""

    drain_seconds: float = Field(default=0.5, ge=0)
    """Seconds after SIGTERM during which new calls get SHUTTING_DOWN, so that load balancers notice."""
    grace_seconds: float = Field(default=20.0, ge=0)
    """Seconds after that for running calls to finish, before they are cancelled."""
