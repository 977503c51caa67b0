"""Base of the groups of settings, small groups, and values: addresses of this machine, texts that show no secret."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "TARIFFS_"
AUDIT_OFF, AUDIT_DATABASE = "off", "database"
_SECRET_PLACE = re.compile(r"://.*@|\?.*")


class Group(BaseSettings):
    """Settings that belong together, with a heading of their own in the tables."""

    # Only the class of all settings is built, when it is first made.
    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, env_ignore_empty=True, defer_build=True)


class Stopping(Group):
    """Stopping."""

    drain_seconds: float = Field(default=0.5, ge=0)
    """Seconds after SIGTERM during which new calls get SHUTTING_DOWN, so that load balancers notice."""
    grace_seconds: float = Field(default=20.0, ge=0)
    """Seconds after that for running calls to finish, before they are cancelled."""


class AuditRecord(Group):
    """Audit record."""

    audit: str = AUDIT_OFF
    """Where each call and each end of a long run is recorded: `off`, `database`, or a directory for JSON lines."""
    audit_chain: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,99})?$",
        json_schema_extra={"default": "the host's name"},
    )
    """Name of this server's chains of entries, followed by the number of the process; the same after a restart."""
    audit_file_bytes: int = Field(default=64 << 20, ge=1024)
    """Size from which a file of the record is followed by another; each day has its own file too."""
    audit_failure: Literal["refuse", "continue"] = "refuse"
    """While the record cannot be written, as on a full disk: `refuse` calls with AUDIT_UNAVAILABLE, or `continue` and
    count the entries that are lost."""


def is_loopback(host: str) -> bool:
    """Return True if an address can be reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def shown(value: Any) -> str:
    """Format a setting for display; user, password and query of a URL are masked."""
    if value is None:
        return "none"
    if isinstance(value, SecretStr):
        return _SECRET_PLACE.sub(
            lambda match: "?***" if match[0][0] == "?" else "://***@", value.get_secret_value()
        )
    return str(value).lower() if isinstance(value, bool) else str(value)
