"""Convert errors to google.rpc.Status with details from the error catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.code_pb2 import Code
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RequestInfo, RetryInfo
from google.rpc.status_pb2 import Status

from tariffs.engine.errors import InputError, ScenarioError, ServiceError, TariffsError

Cancelled = Callable[[], bool]
"""Tells between steps whether a call or run is to end."""
Detail = TypeVar("Detail", bound=Message)
DOMAIN = "tariffs.internal"
DETAILS_KEY = "grpc-status-details-bin"
REQUEST_ID_KEY = "x-request-id"
PUSHBACK_KEY = "grpc-retry-pushback-ms"
_NEVER = "-1"
RETRY_AFTER_SECONDS = {"TOO_MANY_STREAMS": 2, "WARMING_UP": 1, "SHUTTING_DOWN": 1, "STORAGE_UNAVAILABLE": 2}
INVARIANT = "ENGINE_INVARIANT"
# gRPC itself refuses calls with these codes too, so clients retry them unless the trailers say otherwise.
_RETRIED = frozenset({Code.RESOURCE_EXHAUSTED, Code.CANCELLED})
# Every server of a database meets the same state, so another one is no help, and a restart takes seconds.
_PUSHED_BACK = frozenset({"STORAGE_UNAVAILABLE"})


def status_of(error: Exception, request_id: str) -> Status:
    """Return the status for a caller: reason and facts of a catalogued error, only the request id of any other."""
    if not isinstance(error, TariffsError):
        return _internal(request_id)
    return _catalogued(error, {"request_id": request_id}, [RequestInfo(request_id=request_id)])


def failure_of(error: TariffsError) -> Status:
    """Return the status of one failed item inside a response."""
    return _catalogued(error, {}, [])


def _catalogued(error: TariffsError, request_facts: Mapping[str, str], request: Sequence[Message]) -> Status:
    metadata = {**error.metadata, **_place(error), **request_facts}
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
    """Return the trailing metadata that carries a status and the request id."""
    trailers = ((DETAILS_KEY, status.SerializeToString()), (REQUEST_ID_KEY, request_id))
    info = detail_in(status, ErrorInfo)
    if status.code not in _RETRIED and (info is None or info.reason not in _PUSHED_BACK):
        return trailers
    return (*trailers, (PUSHBACK_KEY, _pushback(status)))


def _pushback(status: Status) -> str:
    """Milliseconds until a client may retry; never for a quota, which has the code of a temporary limit."""
    retry = detail_in(status, RetryInfo)
    return _NEVER if retry is None else str(retry.retry_delay.ToMilliseconds())


def detail_in(status: Status, kind: type[Detail]) -> Detail | None:
    """Return the first detail of a type; None without one."""
    return next((found for packed in status.details if packed.Unpack(found := kind())), None)


def reason_of(error: Exception) -> str:
    """Return the reason of an error: that of the catalogue, ENGINE_INVARIANT for any other."""
    return error.reason if isinstance(error, TariffsError) else INVARIANT


def grpc_code(status: Status) -> grpc.StatusCode:
    """Return the status code as grpc's enum."""
    return grpc.StatusCode[Code.Name(status.code)]


def _place(error: TariffsError) -> dict[str, str]:
    if not isinstance(error, ScenarioError):
        return {}
    place = {"path": error.path, "line": error.line, "column": error.column}
    return {name: str(value) for name, value in place.items() if value}


def _internal(request_id: str) -> Status:
    info = ErrorInfo(reason=INVARIANT, domain=DOMAIN, metadata={"request_id": request_id})
    message = f"Internal error; see the server log, request id {request_id}."
    return _status(Code.INTERNAL, message, [info, RequestInfo(request_id=request_id)])


def _status(code: int, message: str, details: list[Message]) -> Status:
    status = Status(code=code, message=message)
    for detail in details:
        packed = Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status


def server_busy(message: str, limit: int) -> ServiceError:
    """Make the error for a call or run that is refused because a limit is reached."""
    return ServiceError(
        "TOO_MANY_STREAMS",
        f"Server busy: {message}",
        fix="Try again shortly.",
        metadata={"limit": str(limit)},
    )


def quota_busy(message: str, quota: str, limit: float) -> ServiceError:
    """Make the error for a call or run beyond a quota of its caller that ends by itself."""
    return ServiceError(
        "TOO_MANY_STREAMS",
        f"Server busy: {message}, your quota `{quota}`.",
        fix="Try again shortly, or ask the operators of the server for a higher quota.",
        metadata={"limit": f"{limit:g}", "quota": quota},
    )


def request_invalid(message: str, field: str, fix: str) -> InputError:
    """Make the error for an invalid request field."""
    return InputError("REQUEST_INVALID", message, field=field, fix=fix)


def too_large(message: str, field: str, fix: str, found: int, limit: int) -> InputError:
    """Make the error for a part of a request that is over its size limit."""
    metadata = {"limit": str(limit), "found": str(found)}
    return InputError("BATCH_TOO_LARGE", message, field=field, fix=fix, metadata=metadata)


def invalid_token(message: str) -> ServiceError:
    """Make the error for a call whose caller is not known."""
    return ServiceError(
        "TOKEN_INVALID",
        message,
        fix="Send the metadata `authorization: Bearer TOKEN`; the client takes token= or TARIFFS_TOKEN.",
    )


def cancelled_error() -> ServiceError:
    """Make the error of a cancelled call or run."""
    return ServiceError("CANCELLED", "The caller cancelled the run.")


def check_cancelled(cancelled: Cancelled) -> None:
    """Raise ServiceError CANCELLED once a call or run is cancelled."""
    if cancelled():
        raise cancelled_error()
