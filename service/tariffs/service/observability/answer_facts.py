"""Read the run digest and the number of refused rows from any response, for log and metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from tariffs.service.wire.arrow_headers import inspect_stream
from tariffs.v1 import common_pb2

_PROVENANCE = common_pb2.Provenance.DESCRIPTOR.full_name
# Fields that hold a message with a provenance.
_ENDS = ("done", "simulate", "timeline")
_REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Encoded:
    """A response that is already encoded.

    Attributes:
        data: the encoded message.
        run_digest: the run digest of its provenance.
    """

    data: bytes
    run_digest: str


def run_digest_of(message: Message | Encoded) -> str:
    """Return the run digest in a response or in the last message of a stream; empty without one."""
    if isinstance(message, Encoded):
        return message.run_digest
    return _digest_reader(message.DESCRIPTOR)(message)


def refused_rows_of(message: Message | Encoded) -> int:
    """Count the refused rows in a response."""
    if isinstance(message, Encoded) or not _has_refused(message.DESCRIPTOR) or not message.HasField(_REFUSED):
        return 0
    part: Any = getattr(message, _REFUSED)
    return inspect_stream(part.arrow).rows


@lru_cache(maxsize=256)
def _digest_reader(descriptor: Descriptor) -> Callable[[Any], str]:
    fields = descriptor.fields_by_name
    own = fields.get("provenance")
    if own is not None and own.message_type is not None and own.message_type.full_name == _PROVENANCE:
        return _own_digest
    ends = tuple(name for name in _ENDS if name in fields and fields[name].message_type is not None)
    if not ends:
        return lambda message: ""
    return lambda message: next(
        (run_digest_of(getattr(message, name)) for name in ends if message.HasField(name)), ""
    )


def _own_digest(message: Any) -> str:
    digest: str = message.provenance.run_digest
    return digest


@lru_cache(maxsize=256)
def _has_refused(descriptor: Descriptor) -> bool:
    field = descriptor.fields_by_name.get(_REFUSED)
    part = None if field is None else field.message_type
    return part is not None and field is not None and not field.is_repeated and "arrow" in part.fields_by_name
