"""Read what the audit record holds of the end of a long run."""

from __future__ import annotations

import hashlib
from typing import Any

from google.rpc.code_pb2 import Code

from tariffs.service.observability.audit_facts import provenance_facts
from tariffs.service.storage.run_rows import RunRow
from tariffs.v1 import common_pb2


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
