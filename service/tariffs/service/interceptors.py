"""What surrounds every call: request id, logging context, the gate while starting and stopping, error mapping.

One interceptor for the services of this project; health, reflection and channelz pass untouched.
"""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import grpc
import grpc.aio
import structlog

from tariffs.engine.errors import ServiceError, TariffsError
from tariffs.service.status import INVARIANT, REQUEST_ID_KEY, grpc_code, status_of, trailers_of

PREFIX = "/tariffs.v1."
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_log = structlog.get_logger("tariffs.service")
Context = grpc.aio.ServicerContext[Any, Any]


@dataclass(slots=True)
class Gate:
    """Whether calls are let in: the server is warm, not stopping, and below its limit of calls at a time."""

    limit: int
    warm: bool = False
    stopping: bool = False
    inside: int = 0

    @contextmanager
    def call(self) -> Iterator[None]:
        """Let one call in for as long as it lasts.

        Raises:
            ServiceError: WARMING_UP, SHUTTING_DOWN or TOO_MANY_STREAMS.
        """
        self._check()
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    def _check(self) -> None:
        if self.stopping:
            raise ServiceError(
                "SHUTTING_DOWN", "The server is draining.", fix="Try another one, or again shortly."
            )
        if not self.warm:
            raise ServiceError("WARMING_UP", "The server is not ready yet.", fix="Try again shortly.")
        # grpc's own limit ends calls without saying why.
        if self.inside >= self.limit:
            raise ServiceError(
                "TOO_MANY_STREAMS",
                f"The server has {self.inside} calls in hand, its limit.",
                fix="Try again shortly.",
                metadata={"limit": str(self.limit)},
            )


class CallInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg] # generic in the stubs alone
    """Wraps the calls of this project's services."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any]]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any]:
        """Wrap the handler of a call."""
        handler: Any = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or not method.startswith(PREFIX):
            return handler  # type: ignore[no-any-return]
        coders = (handler.request_deserializer, handler.response_serializer)
        if handler.response_streaming:
            return grpc.unary_stream_rpc_method_handler(
                self._streaming(handler.unary_stream, method), *coders
            )
        return grpc.unary_unary_rpc_method_handler(self._unary(handler.unary_unary, method), *coders)

    def _unary(self, behaviour: Callable[..., Awaitable[Any]], method: str) -> Callable[..., Awaitable[Any]]:
        async def call(request: Any, context: Context) -> Any:
            record = _Record.begin(method, context)
            try:
                with self._gate.call():
                    answer = await behaviour(request, context)
            except Exception as error:
                await record.fail(error, context)
            except asyncio.CancelledError:
                record.end("CANCELLED")
                raise
            record.note(answer)
            record.end("OK")
            return answer

        return call

    def _streaming(
        self, behaviour: Callable[..., AsyncIterator[Any]], method: str
    ) -> Callable[..., AsyncIterator[Any]]:
        async def call(request: Any, context: Context) -> AsyncIterator[Any]:
            record = _Record.begin(method, context)
            try:
                with self._gate.call():
                    async for message in behaviour(request, context):
                        record.note(message)
                        yield message
            except Exception as error:
                await record.fail(error, context)
            except (asyncio.CancelledError, GeneratorExit):
                record.end("CANCELLED")
                raise
            record.end("OK")

        return call


class _Record:
    """One call as the log tells it: one line at its end."""

    def __init__(self, method: str, request_id: str) -> None:
        self._started = time.perf_counter()
        self._run_digest = ""
        self._request_id = request_id
        structlog.contextvars.bind_contextvars(rpc=method.removeprefix(PREFIX), request_id=request_id)

    @classmethod
    def begin(cls, method: str, context: Context) -> _Record:
        """Take the caller's request id, or make one; it goes back in the trailing metadata."""
        structlog.contextvars.clear_contextvars()
        given = [str(value) for key, value in context.invocation_metadata() or () if key == REQUEST_ID_KEY]
        request_id = given[0] if given and _REQUEST_ID.fullmatch(given[0]) else uuid.uuid4().hex
        context.set_trailing_metadata(((REQUEST_ID_KEY, request_id),))
        return cls(method, request_id)

    def note(self, message: Any) -> None:
        """Remember the run digest of an answer, or of the last message of a stream."""
        holder = (
            message.done if message.DESCRIPTOR.name in {"SimulateResponse", "TimelineResponse"} else message
        )
        self._run_digest = holder.provenance.run_digest or self._run_digest

    def end(self, code: str, **facts: Any) -> None:
        """Log the end of the call."""
        if self._run_digest:
            facts["run_digest"] = self._run_digest
        _log.info(
            "call", code=code, milliseconds=round((time.perf_counter() - self._started) * 1e3, 3), **facts
        )

    async def fail(self, error: Exception, context: Context) -> NoReturn:
        """Log what went wrong and end the call with its status; the stack of the unforeseen stays in the log."""
        if isinstance(error, grpc.aio.AbortError):
            raise error
        if not isinstance(error, TariffsError):
            _log.error("unforeseen", reason=INVARIANT, exc_info=error)
        status = status_of(error, self._request_id)
        self.end(grpc_code(status).name, reason=getattr(error, "reason", INVARIANT))
        await context.abort(grpc_code(status), status.message, trailers_of(status, self._request_id))
        raise AssertionError("abort returns never")
