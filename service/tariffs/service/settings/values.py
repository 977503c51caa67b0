"""Values of settings: addresses that stay on this machine, and texts that show no secret."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from pydantic import SecretStr

_SECRET_PLACE = re.compile(r"://.*@|\?.*")


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
