"""Read the run digest and the number of refused rows from any response, for log and metrics."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from tariffs.service.wire.arrow_headers import inspect_stream
from tariffs.v1 import common_pb2

_PROVENANCE = common_pb2.Provenance.DESCRIPTOR.full_name
# Fields that hold a message with a provenance.
_ENDS = ("done", "simulate", "timeline", "sweep")
_REFUSED = "refused"


def run_digest_of(message: Message) -> str:
    """Return the run digest in a response or in the last message of a stream; empty without one."""
    holder: Any = message
    own, ends = _digest_fields(message.DESCRIPTOR)
    if own:
        digest: str = holder.provenance.run_digest
        return digest
    return next((run_digest_of(getattr(holder, name)) for name in ends if message.HasField(name)), "")


def refused_rows_of(message: Message) -> int:
    """Count the refused rows in a response."""
    if not _has_refused(message.DESCRIPTOR) or not message.HasField(_REFUSED):
        return 0
    part: Any = getattr(message, _REFUSED)
    return inspect_stream(part.arrow).rows


@lru_cache(maxsize=256)
def _digest_fields(descriptor: Descriptor) -> tuple[bool, tuple[str, ...]]:
    """Return True if a message has a provenance, and its fields with messages that have one."""
    types = {name: field.message_type for name, field in descriptor.fields_by_name.items()}
    own = types.get("provenance")
    is_own = own is not None and own.full_name == _PROVENANCE
    return is_own, tuple(name for name in _ENDS if types.get(name) is not None)


@lru_cache(maxsize=256)
def _has_refused(descriptor: Descriptor) -> bool:
    field = descriptor.fields_by_name.get(_REFUSED)
    part = None if field is None else field.message_type
    return part is not None and field is not None and not field.is_repeated and "arrow" in part.fields_by_name
