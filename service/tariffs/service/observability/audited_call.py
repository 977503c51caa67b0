"""Call log that also writes the call's entry in the audit record."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Protocol

from google.protobuf.message import Message

from tariffs.service.observability.audit_facts import Facts, request_facts, response_facts
from tariffs.service.observability.call_log import BeginSpan, CallLog, Context
from tariffs.service.observability.metrics import Metrics
from tariffs.service.wire.identity import Caller

_NOT_AUDITED = "AUDIT_UNAVAILABLE"


class Audit(Protocol):
    """Takes entries of the audit record."""

    def check(self) -> None:
        """Refuse a call while entries cannot be written, if that is the setting."""

    def record(self, kind: str, facts: Mapping[str, Any]) -> None:
        """Queue an entry."""


class AuditedCall(CallLog):
    """One call from its start to its line in the log and its entry in the audit record."""

    def __init__(
        self,
        audit: Audit,
        rpc: str,
        context: Context,
        metrics: Metrics,
        log: Any,
        begin_span: BeginSpan | None = None,
    ) -> None:
        super().__init__(rpc, context, metrics, log, begin_span)
        self._audit = audit
        self._who: Caller | None = None
        self._request = hashlib.sha256()
        self._facts: Facts = {}
        self._rows: int | None = None

    def set_caller(self, who: Caller) -> None:
        """Set the caller of the call; raises ServiceError AUDIT_UNAVAILABLE while calls are refused."""
        super().set_caller(who)
        self._who = who
        self._audit.check()

    def read(self, read: Callable[[Any], Any], raw: Any) -> Any:
        """Read the request, and digest it as it came."""
        if not isinstance(raw, AsyncIterator):
            self._request.update(_bytes_of(raw))
            return self._noted(read(raw))
        return self._messages(read(self._digested(raw)))

    def add_response(self, message: Message) -> None:
        """Record what a response says of law, scenarios, table and run."""
        super().add_response(message)
        self._facts |= response_facts(message)

    def end(self, code: str, **facts: Any) -> None:
        """Log and count the call as ended, and record it."""
        super().end(code, **facts)
        reason = facts.get("reason", "")
        if reason == _NOT_AUDITED:
            return
        who = self._who
        self._audit.record(
            "call",
            {
                "who": who.owner if who else None,
                "roles": sorted(who.roles) if who else [],
                "verb": self._rpc,
                "request": self._request.hexdigest(),
                "tables": self._facts.get("tables", []),
                "scenarios": self._facts.get("scenarios", []),
                "law": self._facts.get("law"),
                "rows": self._facts.get("rows", self._rows),
                "code": code,
                "reason": reason,
                "run": self._facts.get("run"),
                "run_digest": self._facts.get("run_digest"),
                "request_id": self._request_id,
            },
        )

    async def _digested(self, raws: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for raw in raws:
            data = _bytes_of(raw)
            # Messages of a stream are told apart by their lengths.
            self._request.update(len(data).to_bytes(8, "big"))
            self._request.update(data)
            yield raw

    async def _messages(self, messages: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for message in messages:
            yield self._noted(message)

    def _noted(self, message: Any) -> Any:
        """Note the facts of a request: at once, or when the body that came is decoded."""
        if isinstance(message, Message):
            self._add_request(message)
            return message
        return _WatchedBody(message, self._add_request)

    def _add_request(self, message: Message) -> None:
        facts = request_facts(message)
        rows = facts.pop("rows", None)
        if rows is not None:
            self._rows = (self._rows or 0) + rows
        self._facts |= facts


class _WatchedBody:
    """Body as it came over HTTP, decoded within the call, that passes its message on to a function."""

    def __init__(self, body: Any, on_message: Callable[[Message], None]) -> None:
        self._body = body
        self._on_message = on_message

    async def message(self, kind: type[Message]) -> Message:
        """Decode the message."""
        message: Message = await self._body.message(kind)
        self._on_message(message)
        return message


def _bytes_of(raw: Any) -> bytes:
    data: bytes = raw if isinstance(raw, bytes) else raw.data
    return data
