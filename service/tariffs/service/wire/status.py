"""Errors on the wire: the engine's errors as google.rpc.Status with details from the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.code_pb2 import Code
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RequestInfo, RetryInfo
from google.rpc.status_pb2 import Status

from tariffs.engine.errors import ScenarioError, ServiceError, TariffsError

DOMAIN = "tariffs.internal"
DETAILS_KEY = "grpc-status-details-bin"
REQUEST_ID_KEY = "x-request-id"
PUSHBACK_KEY = "grpc-retry-pushback-ms"
_NEVER = "-1"
RETRY_AFTER_SECONDS = {"TOO_MANY_STREAMS": 2, "WARMING_UP": 1, "SHUTTING_DOWN": 1}
INVARIANT = "ENGINE_INVARIANT"
# Codes that gRPC itself gives too, when it turns calls away; clients try them again unless they are told otherwise.
_TRIED_AGAIN = frozenset({Code.RESOURCE_EXHAUSTED, Code.CANCELLED})


def status_of(error: Exception, request_id: str) -> Status:
    """The status a caller gets: the catalogue's reason and facts, or, for what nobody foresaw, the request id only."""
    if not isinstance(error, TariffsError):
        return _unforeseen(request_id)
    return _foreseen(error, {"request_id": request_id}, [RequestInfo(request_id=request_id)])


def failure_of(error: TariffsError) -> Status:
    """The status of one part of a request, told inside an answer."""
    return _foreseen(error, {}, [])


def _foreseen(error: TariffsError, known: Mapping[str, str], request: Sequence[Message]) -> Status:
    metadata = {**error.metadata, **_place(error), **known}
    if error.fix:
        metadata["fix"] = error.fix
    info = ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=metadata)
    details: list[Message] = [info, *request]
    if error.field:
        violation = BadRequest.FieldViolation(field=error.field, description=str(error), reason=error.reason)
        details.append(BadRequest(field_violations=[violation]))
    if error.reason in RETRY_AFTER_SECONDS:
        details.append(RetryInfo(retry_delay=Duration(seconds=RETRY_AFTER_SECONDS[error.reason])))
    return _status(Code.Value(error.code), error.message, details)


def trailers_of(status: Status, request_id: str) -> tuple[tuple[str, str | bytes], ...]:
    """The trailing metadata that carries a status and the request id."""
    told = ((DETAILS_KEY, status.SerializeToString()), (REQUEST_ID_KEY, request_id))
    if status.code not in _TRIED_AGAIN:
        return told
    return (*told, (PUSHBACK_KEY, _pushback(status)))


def _pushback(status: Status) -> str:
    """When a client may try again by itself: a limit that time does not mend has the code of one that it does."""
    retry = RetryInfo()
    for detail in status.details:
        if detail.Unpack(retry):
            return str(retry.retry_delay.ToMilliseconds())
    return _NEVER


def grpc_code(status: Status) -> grpc.StatusCode:
    """The status code as grpc names it."""
    return grpc.StatusCode[Code.Name(status.code)]


def _place(error: TariffsError) -> dict[str, str]:
    if not isinstance(error, ScenarioError):
        return {}
    place = {"path": error.path, "line": error.line, "column": error.column}
    return {name: str(value) for name, value in place.items() if value}


def _unforeseen(request_id: str) -> Status:
    info = ErrorInfo(reason=INVARIANT, domain=DOMAIN, metadata={"request_id": request_id})
    message = "The server met an error it did not foresee; its log has the details under the request id."
    return _status(Code.INTERNAL, message, [info, RequestInfo(request_id=request_id)])


def _status(code: int, message: str, details: list[Message]) -> Status:
    status = Status(code=code, message=message)
    for detail in details:
        packed = Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status


def server_busy(message: str, limit: int) -> ServiceError:
    """The error of a call or run for which there is no place now."""
    return ServiceError("TOO_MANY_STREAMS", message, fix="Try again shortly.", metadata={"limit": str(limit)})
