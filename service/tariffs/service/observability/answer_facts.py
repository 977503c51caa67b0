"""Read the provenance and the number of refused rows from any response, for log, metrics and audit."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from tariffs.service.wire.arrow_headers import inspect_stream
from tariffs.v1 import common_pb2

_PROVENANCE = common_pb2.Provenance.DESCRIPTOR.full_name
_REFUSED = "refused"


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
