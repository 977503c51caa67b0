"""Read provenance, refused rows and what the audit record holds of requests and responses: never goods."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from google.longrunning import operations_pb2
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from tariffs.service.wire.arrow_headers import MalformedError, inspect_stream
from tariffs.v1 import common_pb2, scenario_service_pb2, table_service_pb2

Facts = dict[str, Any]
_OPERATION = operations_pb2.Operation.DESCRIPTOR.full_name
_TABLE = table_service_pb2.Table.DESCRIPTOR.full_name
_STORED_SCENARIO = scenario_service_pb2.StoredScenario.DESCRIPTOR.full_name
_RUN, _TABLE_PREFIX, _STORED = "operations/", "tables/", "team/"
_NAME_SHOWN = 320
_PROVENANCE = common_pb2.Provenance.DESCRIPTOR.full_name
_REFUSED = "refused"


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


def run_digest_of(message: Message) -> str:
    """Return the run digest in a response or in the last message of a stream; empty without one."""
    provenance = provenance_in(message)
    return "" if provenance is None else provenance.run_digest


def provenance_in(message: Any) -> common_pb2.Provenance | None:
    """Return the provenance of a response or of the message that ends a stream; None without one."""
    fields = fields_of(message.DESCRIPTOR)
    if fields.get("provenance") == _PROVENANCE:
        return message.provenance if message.HasField("provenance") else None
    ends = (name for name in _ends(message.DESCRIPTOR) if message.HasField(name))
    return next((provenance_in(getattr(message, name)) for name in ends), None)


def refused_rows_of(message: Message) -> int:
    """Count the refused rows in a response."""
    if not _has_refused(message.DESCRIPTOR) or not message.HasField(_REFUSED):
        return 0
    part: Any = getattr(message, _REFUSED)
    return inspect_stream(part.arrow).rows


@lru_cache(maxsize=256)
def _ends(descriptor: Descriptor) -> tuple[str, ...]:
    """Return the fields whose messages have a provenance, or a field of such messages."""
    own = [(field.name, field.message_type) for field in descriptor.fields if not field.is_repeated]
    return tuple(
        name
        for name, kind in own
        if kind is not None
        and kind.file.package == descriptor.file.package
        and (fields_of(kind).get("provenance") == _PROVENANCE or _ends(kind))
    )


@lru_cache(maxsize=256)
def fields_of(descriptor: Descriptor) -> dict[str, str]:
    """Return the fields of a message, each with the full name of its message type or an empty text."""
    return {
        name: field.message_type.full_name if field.message_type is not None else ""
        for name, field in descriptor.fields_by_name.items()
    }


@lru_cache(maxsize=256)
def _has_refused(descriptor: Descriptor) -> bool:
    field = descriptor.fields_by_name.get(_REFUSED)
    part = None if field is None else field.message_type
    return part is not None and field is not None and not field.is_repeated and "arrow" in part.fields_by_name
