"""Write instants of the wire as text."""

from __future__ import annotations

from datetime import UTC, datetime


def time_text(seconds: float | None) -> str:
    """Format a time of the server as RFC 3339; empty for None."""
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
