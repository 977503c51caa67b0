"""Open the audit record that the settings ask for."""

from __future__ import annotations

import re
import socket
from pathlib import Path

from tariffs.service.settings.audit import AUDIT_DATABASE, AUDIT_OFF
from tariffs.service.settings.settings import Settings
from tariffs.service.storage.audit.file_chain import FileChain
from tariffs.service.storage.audit.table_chain import TableChain
from tariffs.service.storage.audit.writer import AuditChain, AuditWriter
from tariffs.service.storage.database import Database


def audit_writer(settings: Settings, process: int) -> AuditWriter | None:
    """Return the writer of a server process's own chain; None if the audit record is off.

    Args:
        settings: the settings.
        process: number of the process among those that share the port.
    """
    if settings.audit == AUDIT_OFF:
        return None
    host = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname()) or "server"
    name = f"{settings.audit_chain or host}-{process}"
    chain: AuditChain
    if settings.audit == AUDIT_DATABASE:
        chain = TableChain(Database(settings.database), name)
    else:
        chain = FileChain(Path(settings.audit), name, settings.audit_file_bytes)
    return AuditWriter(chain, refuse=settings.audit_failure == "refuse")
