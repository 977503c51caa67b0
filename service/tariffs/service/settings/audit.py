"""Settings of the audit record."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tariffs.service.settings.group import Group

AUDIT_OFF, AUDIT_DATABASE = "off", "database"


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
