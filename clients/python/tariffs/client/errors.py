"""Errors of the client, made from google.rpc.Status or from errors of the engine.

Match on the class or on `reason` (a stable name), never on the message.
"""
# ruff: noqa: N818 - the classes bear gRPC's own names for these states
# Help and a wrong option need no gRPC, so functions import what reads its messages.

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import grpc
    from google.rpc import status_pb2

USAGE_REASONS = frozenset(
    {
        "CLAIM_UNKNOWN", "COLUMN_MISSING", "COLUMN_TYPE_MISMATCH", "TABLE_EMPTY", "PARTITION_UNREADABLE",
        "TABLE_UNREADABLE", "ARROW_MALFORMED", "BATCH_TOO_LARGE", "BASELINE_REQUIRED", "PARAMETER_INVALID",
        "PARAMETER_UNKNOWN", "GROUP_UNKNOWN", "SWITCH_UNKNOWN", "SWITCH_RETIRED", "REQUEST_INVALID",
        "PAGE_TOKEN_INVALID", "TABLE_NOT_FOUND", "RUN_NOT_FOUND", "REQUEST_ID_REUSED", "SCENARIO_EXISTS",
        "RUN_NOT_FINISHED", "OFFSET_PAST_END", "ROW_QUOTA", "SETTING_INVALID", "NO_EQUILIBRIUM",
    }
)  # fmt: skip
LAW_REASONS = frozenset(
    {
        "SCENARIO_CHANGED", "SCENARIO_SYNTAX", "SCENARIO_UNKNOWN_KEY", "SCENARIO_CYCLE",
        "CHANGE_DATES_REVERSED", "SUSPENSION_NOT_FOUND", "NOTHING_MATCHED", "MEASURE_RETIRED", "SAME_AS_BASE",
        "CHANGE_HAS_NO_EFFECT", "NOT_MODELLED", "LAW_INVALID", "LAW_PACK_INVALID", "LAW_PACK_UNTRUSTED",
        "LAW_TEST_FAILED", "TOO_MANY_TESTS", "SCENARIO_NOT_FOUND", "MEASURE_NOT_FOUND", "LAW_VERSION_NOT_FOUND",
    }
)  # fmt: skip
_EXIT_BY_CODE = {"INVALID_ARGUMENT": 1, "NOT_FOUND": 4}
# What a status without details means: the call never reached, or never left, a handler of ours.
_REASON_BY_CODE = {
    "UNAVAILABLE": "SERVER_UNAVAILABLE",
    "DEADLINE_EXCEEDED": "DEADLINE",
    "RESOURCE_EXHAUSTED": "BATCH_TOO_LARGE",
    "INVALID_ARGUMENT": "REQUEST_INVALID",
}
_FIX_BY_REASON = {
    "SERVER_UNAVAILABLE": "Start a server with `tariffs serve`, choose another with target= or TARIFFS_TARGET, or "
    "compute in this process: Client.local().",
    "DEADLINE": "Give the call more time with timeout=.",
}


@dataclass(frozen=True, slots=True)
class Violation:
    """Request field or table column with an error, and its description."""

    field: str
    description: str


class TariffsError(Exception):
    """Base of all errors of the client.

    Attributes:
        reason: stable name from the catalogue of errors.
        message: description of the error and of the value found.
        code: canonical gRPC status name, the same in local mode.
        field: request field, table column or scenario path with the error, if any.
        fix: suggested correction.
        metadata: further facts by name, as text.
        violations: every field with an error.
        retry_after: seconds after which a retry may help, or None.
        request_id: the server's id of the request, for its operators.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        code: str = "INVALID_ARGUMENT",
        field: str | None = None,
        fix: str = "",
        metadata: Mapping[str, str] | None = None,
        violations: Iterable[Violation] = (),
        retry_after: float | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.code = code
        self.field = field
        self.fix = fix
        self.metadata = dict(metadata or {})
        self.violations = tuple(violations)
        self.retry_after = retry_after
        self.request_id = request_id

    @property
    def exit_code(self) -> int:
        """Exit code of the command line: 1 refused rows, 2 usage, 3 server or extra, 4 law or scenario."""
        if self.reason in USAGE_REASONS:
            return 2
        if self.reason in LAW_REASONS:
            return 4
        return _EXIT_BY_CODE.get(self.code, 3)

    def to_json_dict(self) -> dict[str, object]:
        """Convert to plain data: `{"reason", "message", "field", "fix", "metadata"}`."""
        return {
            "reason": self.reason,
            "message": self.message,
            "field": self.field,
            "fix": self.fix,
            "metadata": self.metadata,
        }

    def __str__(self) -> str:
        return f"{self.message} {self.fix}".strip()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.reason}: {self})"

    def _repr_html_(self) -> str:
        name = f"{type(self).__name__} {self.reason}"
        return f"<p><strong>{escape(name)}</strong>: {escape(self.message)} <em>{escape(self.fix)}</em></p>"

    def _render_traceback_(self) -> list[str]:
        """Lines that IPython and Jupyter show in place of a traceback; the error of gRPC is `__cause__`."""
        return [f"{type(self).__name__} {self.reason}: {self}"]


class InvalidRequest(TariffsError):
    """A line, table, option or scenario of the caller cannot be used."""


class NotFound(TariffsError):
    """No scenario, measure, law, table or run of that name."""


class Unauthenticated(TariffsError):
    """The server requires a token, and the client has none or an unknown one."""


class PermissionDenied(TariffsError):
    """The caller lacks the role that the call needs; `metadata["role"]` names it."""


class ResourceExhausted(TariffsError):
    """The server is at its limit; `retry_after` says when to try again."""


class Unavailable(TariffsError):
    """No server answers, or it is starting or stopping."""


class DeadlineExceeded(TariffsError):
    """The deadline passed before the answer."""


class Unsupported(TariffsError):
    """The server is older than the client: it lacks the call, or a field of the request."""


class Cancelled(TariffsError):
    """The call was cancelled."""


class InternalError(TariffsError):
    """Internal error of the engine or server; give `request_id` to its operators."""


class ExtraMissing(TariffsError):
    """An optional part is not installed; `fix` is the command that installs it."""


_CLASS_BY_CODE: Mapping[str, type[TariffsError]] = {
    "INVALID_ARGUMENT": InvalidRequest,
    "NOT_FOUND": NotFound,
    "ALREADY_EXISTS": InvalidRequest,
    "FAILED_PRECONDITION": InvalidRequest,
    "OUT_OF_RANGE": InvalidRequest,
    "RESOURCE_EXHAUSTED": ResourceExhausted,
    "UNAUTHENTICATED": Unauthenticated,
    "PERMISSION_DENIED": PermissionDenied,
    "UNAVAILABLE": Unavailable,
    "DEADLINE_EXCEEDED": DeadlineExceeded,
    "CANCELLED": Cancelled,
    "UNIMPLEMENTED": Unsupported,
}


def extra_missing(extra: str, module: str | None) -> ExtraMissing:
    """Make the error of an extra, such as `server`, that is not installed, as a module could not be imported."""
    what = f" ({module} is not installed)" if module else ""
    return ExtraMissing(
        "EXTRA_MISSING",
        f"This requires the optional part [{extra}]{what}.",
        code="INTERNAL",
        fix=f"pip install 'tariffs[{extra}]'",
        metadata={"extra": extra},
    )


def from_rpc_error(error: grpc.RpcError, target: str) -> TariffsError:
    """Convert a failed call to `target` into a typed error, from google.rpc.Status details where there are any."""
    code, details = _code_and_details(error)
    status = _status_of(error)
    typed = None if status is None else _from_details(status, code)
    return _bare(code, details, target) if typed is None else typed


def is_bare_unimplemented(error: grpc.RpcError) -> bool:
    """Test whether gRPC itself found no method; a server that knows the method answers with details."""
    return _code_and_details(error)[0] == "UNIMPLEMENTED" and _status_of(error) is None


def from_status(status: status_pb2.Status) -> TariffsError:
    """Convert a status within an answer into a typed error, such as the error of a failed run."""
    from google.rpc import code_pb2

    code = code_pb2.Code.Name(status.code)
    return _from_details(status, code) or InternalError("ENGINE_INVARIANT", status.message, code=code)


def _from_details(status: status_pb2.Status, code: str) -> TariffsError | None:
    from google.rpc import error_details_pb2

    info, request_info = error_details_pb2.ErrorInfo(), error_details_pb2.RequestInfo()
    bad, retry = error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
    parts = (info, request_info, bad, retry)
    seen = {part.DESCRIPTOR.name for part in parts for detail in status.details if detail.Unpack(part)}
    if "ErrorInfo" not in seen:
        return None
    violations = [Violation(v.field, v.description) for v in bad.field_violations]
    metadata = dict(info.metadata)
    message = _unknown_field(metadata) if info.reason == "FIELD_UNKNOWN" else status.message
    return _CLASS_BY_CODE.get(code, InternalError)(
        info.reason,
        message,
        code=code,
        field=violations[0].field if violations else metadata.pop("field", None),
        fix=metadata.pop("fix", "") or _FIX_BY_REASON.get(info.reason, ""),
        metadata=metadata,
        violations=violations,
        retry_after=retry.retry_delay.ToTimedelta().total_seconds() if "RetryInfo" in seen else None,
        request_id=request_info.request_id or metadata.get("request_id"),
    )


def method_unknown(method: str, target: str, server_version: str) -> Unsupported:
    """Make the error of a call that the server does not have; its version is empty if it does not say."""
    server = f"(tariffs {server_version})" if server_version else "(which does not name its version)"
    return Unsupported(
        "METHOD_UNKNOWN",
        f"The server at {target} {server} has no {method}; this client is tariffs {client_version()}.",
        code="UNIMPLEMENTED",
        fix="Use a server of the version of the client, or compute in this process: Client.local().",
        metadata={"method": method, "server_version": server_version, "client_version": client_version()},
    )


def client_version() -> str:
    """Version of this package."""
    from importlib.metadata import version

    return version("tariffs")


def _unknown_field(metadata: dict[str, str]) -> str:
    """Name the field that a server does not know, from its number, by the contract of this client."""
    from tariffs.v1.contract import field_name

    name, metadata["client_version"] = metadata.get("message", ""), client_version()
    field = field_name(name, int(metadata.get("number", "0")))
    return (
        f"The server (tariffs {metadata.get('server_version')}) does not know {field} of {name}; this client is "
        f"tariffs {client_version()}."
    )


def from_engine_error(error: Exception) -> TariffsError:
    """Convert an error that the engine raised in this process into a typed error.

    The engine is not imported for it: its errors are known by their `reason`, `message` and `code`. Anything
    else is a broken promise of the engine.
    """
    reason, code = getattr(error, "reason", None), getattr(error, "code", None)
    if not isinstance(reason, str) or not isinstance(code, str):
        return InternalError(
            "ENGINE_INVARIANT",
            f"Internal error of the engine: {type(error).__name__}: {error}",
            code="INTERNAL",
        )
    if reason == "EXTRA_MISSING":
        return ExtraMissing(reason, _text(error, "message"), code=code, fix=_text(error, "fix"))
    metadata = {str(k): str(v) for k, v in dict(getattr(error, "metadata", None) or {}).items()}
    for name in ("path", "line", "column"):
        if (value := getattr(error, name, None)) not in (None, ""):
            metadata.setdefault(name, str(value))
    field, message = getattr(error, "field", None), _text(error, "message")
    return _CLASS_BY_CODE.get(code, InternalError)(
        reason,
        message,
        code=code,
        field=field,
        fix=_text(error, "fix"),
        metadata=metadata,
        violations=[Violation(field, message)] if field else [],
    )


def _text(error: Exception, name: str) -> str:
    return str(getattr(error, name, "") or "")


def _bare(code: str, details: str, target: str) -> TariffsError:
    if code == "CANCELLED":
        # Who cancels a call does not wait for its error: this is gRPC's own refusal at the server.
        return Unavailable(
            "SERVER_UNAVAILABLE",
            f"The server at {target} is too busy to accept calls, or is stopping.",
            code="UNAVAILABLE",
            fix="Try again later, with fewer calls at the same time.",
            metadata={"target": target},
        )
    reason = _REASON_BY_CODE.get(code, "ENGINE_INVARIANT")
    what = "No server answers at" if reason == "SERVER_UNAVAILABLE" else f"The call failed ({code}) at"
    return _CLASS_BY_CODE.get(code, InternalError)(
        reason,
        f"{what} {target}: {details or 'no details'}.",
        code=code,
        fix=_FIX_BY_REASON.get(reason, ""),
        metadata={"target": target},
    )


def _code_and_details(error: grpc.RpcError) -> tuple[str, str]:
    # What a failed call raises is its call too; the stubs of grpc know nothing of it.
    call: Any = error
    if hasattr(call, "code") and hasattr(call, "details"):
        return call.code().name, call.details() or ""
    return "UNKNOWN", str(error)


def _status_of(error: grpc.RpcError) -> status_pb2.Status | None:
    from grpc_status import rpc_status

    call: Any = error
    try:
        return rpc_status.from_call(call)
    except (AttributeError, ValueError):  # no call at all, or details that contradict its own code
        return None


def module_of(extra: str, name: str) -> Any:
    """Import a module of an optional part, such as `server` for those of the engine; raises ExtraMissing."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise extra_missing(extra, error.name) from error
