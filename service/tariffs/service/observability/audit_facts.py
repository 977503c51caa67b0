"""Read what the audit record holds of requests and responses: digests, names and counts, never goods."""

from __future__ import annotations

from typing import Any

from google.longrunning import operations_pb2
from google.protobuf.message import Message

from tariffs.service.observability.answer_facts import fields_of, provenance_in
from tariffs.service.wire.arrow_headers import MalformedError, inspect_stream
from tariffs.v1 import common_pb2, scenario_service_pb2, table_service_pb2

Facts = dict[str, Any]
_OPERATION = operations_pb2.Operation.DESCRIPTOR.full_name
_TABLE = table_service_pb2.Table.DESCRIPTOR.full_name
_STORED_SCENARIO = scenario_service_pb2.StoredScenario.DESCRIPTOR.full_name
_RUN, _TABLE_PREFIX, _STORED = "operations/", "tables/", "team/"
_NAME_SHOWN = 320


def request_facts(message: Any) -> Facts:
    """Return the stored table or scenario, the run and the number of rows that a request names or holds."""
    fields = fields_of(message.DESCRIPTOR)
    facts: Facts = {}
    handles = [getattr(message, name) for name in ("handle", "name") if name in fields]
    tables = [
        handle.removeprefix(_TABLE_PREFIX)[:64] for handle in handles if handle.startswith(_TABLE_PREFIX)
    ]
    if tables:
        facts["tables"] = tables
    if runs := [name[:80] for name in handles if name.startswith(_RUN)]:
        facts["run"] = runs[0]
    if stored := [name[:_NAME_SHOWN] for name in handles if name.startswith(_STORED)]:
        facts["scenarios"] = [{"stored": stored[0]}]
    rows = _rows(message, fields)
    if rows is not None:
        facts["rows"] = rows
    return facts


def response_facts(message: Any) -> Facts:
    """Return what a response, or the last message of a stream, says of law, scenarios, table and run."""
    name = message.DESCRIPTOR.full_name
    if name == _OPERATION:
        return {"run": message.name}
    if name == _TABLE:
        return {"tables": [message.name.removeprefix(_TABLE_PREFIX)], "rows": message.row_count}
    if name == _STORED_SCENARIO:
        return {"scenarios": [_scenario(message.id, message.digest, message.name, message.version)]}
    provenance = provenance_in(message)
    return {} if provenance is None else provenance_facts(provenance)


def provenance_facts(provenance: common_pb2.Provenance) -> Facts:
    """Return law, scenarios, table and run digest of a provenance."""
    facts: Facts = {"law": {"version": provenance.law_version, "digest": provenance.law_digest}}
    if provenance.scenarios:
        facts["scenarios"] = [
            _scenario(one.id, one.digest, one.stored_name, one.stored_version) for one in provenance.scenarios
        ]
    if provenance.table_digest:
        facts["tables"] = [provenance.table_digest]
    if provenance.run_digest:
        facts["run_digest"] = provenance.run_digest
    return facts


def _scenario(own_id: str, digest: str, stored_name: str, version: int) -> Facts:
    stored = {"stored": f"{stored_name}@{version}"} if stored_name else {}
    return {"id": own_id, "digest": digest, **stored}


def _rows(message: Any, fields: dict[str, str]) -> int | None:
    if "lines" in fields and not isinstance(message.lines, Message):
        return len(message.lines)
    if "line" in fields:
        return 1
    if "arrow" in fields and isinstance(message.arrow, bytes) and message.arrow:
        try:
            return inspect_stream(message.arrow).rows
        except (MalformedError, ValueError):
            return None
    return None
