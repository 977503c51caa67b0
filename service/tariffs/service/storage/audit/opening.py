"""Open the audit record that the settings ask for, and read what it holds of the end of a long run."""

from __future__ import annotations

import hashlib
import re
import socket
import tempfile
from pathlib import Path
from typing import Any

from google.rpc.code_pb2 import Code

from tariffs.service.observability.audit_facts import provenance_facts
from tariffs.service.settings.group import AUDIT_DATABASE, AUDIT_OFF
from tariffs.service.settings.settings import Settings
from tariffs.service.storage.audit.file_chain import FileChain
from tariffs.service.storage.audit.table_chain import TableChain
from tariffs.service.storage.audit.writer import AuditWriter, cannot_write
from tariffs.service.storage.database import Database
from tariffs.service.storage.run_rows import RunRow
from tariffs.v1 import common_pb2


def audit_writer(settings: Settings, process: int) -> AuditWriter | None:
    """Return the writer of a server process's own chain; None if the audit record is off.

    Args:
        process: number of the process among those that share the port.
    """
    if settings.audit == AUDIT_OFF:
        return None
    host = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname()) or "server"
    name = f"{settings.audit_chain or host}-{process}"
    chain: FileChain | TableChain
    if settings.audit == AUDIT_DATABASE:
        chain = TableChain(Database(settings.database), name)
    else:
        chain = FileChain(Path(settings.audit), name, settings.audit_file_bytes)
    return AuditWriter(chain, refuse=settings.audit_failure == "refuse")


def audit_place(settings: Settings) -> str:
    """Return where the record is written, for `tariffs serve --check`, after a try to write to its disk.

    The try leaves nothing behind; a directory that is not there yet is not made.

    Raises:
        ServiceError: AUDIT_UNAVAILABLE.
    """
    if settings.audit in (AUDIT_OFF, AUDIT_DATABASE):
        return settings.audit
    directory = Path(settings.audit)
    place = next(one for one in (directory, *directory.absolute().parents) if one.exists())
    try:
        with tempfile.TemporaryFile(dir=place, buffering=0) as file:
            file.write(b"\n")
    except OSError as error:
        raise cannot_write(error) from error
    return str(directory)


def run_facts(run: RunRow) -> dict[str, Any]:
    """Return the facts of an ended run, in the fields of a call."""
    facts: dict[str, Any] = {}
    if run.provenance is not None:
        facts = provenance_facts(common_pb2.Provenance.FromString(run.provenance))
    failure = run.failure
    return {
        "who": run.owner,
        "roles": [],
        "verb": f"run/{run.kind}",
        "request": hashlib.sha256(run.request).hexdigest(),
        "tables": facts.get("tables", []),
        "scenarios": facts.get("scenarios", []),
        "law": facts.get("law"),
        "rows": None,
        "code": Code.Name(Code.Value(failure.code)) if failure else "OK",
        "reason": failure.reason if failure else "",
        "run": run.name,
        "run_digest": facts.get("run_digest"),
        "request_id": run.request_id,
    }
