"""Middleware for every RPC: request id, authentication, logging, metrics, admission, errors.

It serves all services except health, which is open and has its own queue. Each method is wrapped once; a gRPC
interceptor would wrap it at every call.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import grpc
import grpc.aio
import structlog
from google.protobuf.message import Message

from tariffs.service.handlers.methods import kind_of
from tariffs.service.observability.audited_call import Audit, AuditedCall
from tariffs.service.observability.call_log import BeginSpan, CallLog, Context
from tariffs.service.observability.metrics import Metrics
from tariffs.service.server.admission import Admission
from tariffs.service.server.identities import Connection, Identities
from tariffs.service.wire.identity import ADMIN, Caller, Metadata, set_identify
from tariffs.service.wire.requests import read_request
from tariffs.service.wire.roles import ROLES_NEEDED, check_role

if TYPE_CHECKING:
    from tariffs.service.observability.otel_tracing import OtlpTracing

_OWN = "/tariffs.v1."
Behaviour = Callable[[Any, Context], Any]
Decode = Callable[[bytes], Message]
Encode = Callable[[Any], bytes]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Read = Callable[[Any], Any]


class _Method(NamedTuple):
    """A method: its short name, the role it needs, how its requests are read, and its spans begun, if they are."""

    rpc: str
    role: str
    read: Read
    begin_span: BeginSpan | None


class Middleware:
    """Wraps methods of all four streaming kinds.

    Args:
        identities: identifies callers; None lets every caller in.
        roles: the role that each method needs; one that is not there needs admin.
    """

    def __init__(
        self,
        admission: Admission,
        metrics: Metrics,
        identities: Identities | None = None,
        roles: Mapping[str, str] = ROLES_NEEDED,
        tracing: OtlpTracing | None = None,
        audit: Audit | None = None,
    ) -> None:
        self._admission = admission
        self._metrics = metrics
        self._identities = identities or Identities()
        self._roles = roles
        self._tracing = tracing
        self._begin = CallLog if audit is None else partial(AuditedCall, audit)
        # Bound once: an unbound logger reads its configuration at every line, even one below the log level.
        self._log = structlog.get_logger("tariffs.service").bind()

    def wrap(self, method: str, handler: Any) -> Handler:
        """Return the handler of a method, given by its full name, with the middleware around it."""
        decode, encode = handler.request_deserializer, handler.response_serializer
        # gRPC would decode before admission and answer INTERNAL to malformed messages, so bytes are decoded here.
        read = (_reads_many if handler.request_streaming else _reads_one)(decode)
        kind = kind_of(handler)
        call: Any = self.around(method, handler, getattr(handler, kind), read)
        made: Handler = getattr(grpc, f"{kind}_rpc_method_handler")(call, None, encode)
        return made

    def around(self, method: str, handler: Any, behaviour: Behaviour, read: Read) -> Callable[..., Any]:
        """Return a function with the middleware around it.

        Args:
            handler: its handler, which says whether the answer is a stream.
            behaviour: the function, called with what `read` returns and the call's context.
            read: called with what the transport received, once the call is admitted.
        """
        rpc = method.removeprefix(_OWN).removeprefix("/")
        wrap = self._streaming if handler.response_streaming else self._answering
        begin_span = None if self._tracing is None else partial(self._tracing.call, method.removeprefix("/"))
        return wrap(behaviour, _Method(rpc, self._roles.get(method, ADMIN), read, begin_span))

    def _answering(self, behaviour: Behaviour, method: _Method) -> Callable[..., Awaitable[Any]]:
        async def call(raw: Any, context: Context) -> Any:
            call_log = self._begin(method.rpc, context, self._metrics, self._log, method.begin_span)
            try:
                key = await self._admit(call_log, method, context)
                try:
                    response = await behaviour(call_log.read(method.read, raw), context)
                finally:
                    self._admission.leave(key)
            except Exception as error:
                await call_log.fail(error)
            except asyncio.CancelledError:
                call_log.end("CANCELLED")
                raise
            call_log.add_response(response)
            call_log.end("OK")
            return response

        return call

    def _streaming(self, behaviour: Behaviour, method: _Method) -> Callable[..., AsyncIterator[Any]]:
        async def call(raw: Any, context: Context) -> AsyncIterator[Any]:
            call_log = self._begin(method.rpc, context, self._metrics, self._log, method.begin_span)
            try:
                key = await self._admit(call_log, method, context)
                set_identify(partial(self._identified, call_log, method, context))
                try:
                    async with aclosing(behaviour(call_log.read(method.read, raw), context)) as messages:
                        async for message in messages:
                            call_log.add_response(message)
                            yield message
                finally:
                    self._admission.leave(key)
            except Exception as error:
                await call_log.fail(error)
            except (asyncio.CancelledError, GeneratorExit):
                call_log.end("CANCELLED")
                raise
            call_log.end("OK")

        return call

    async def identify(self, method: str, metadata: Metadata, connection: Connection) -> None:
        """Refuse a caller before its request is read; `around` identifies it again, within its call.

        Args:
            metadata: what the caller sent before its request.

        Raises:
            ServiceError: TOKEN_INVALID, NOT_ALLOWED, or SERVER_UNAVAILABLE.
        """
        who = await self._identities.identify(metadata, connection)
        check_role(who, self._roles.get(method, ADMIN), method)

    async def _admit(self, call_log: CallLog, method: _Method, context: Context) -> str:
        """Identify the caller of a call, check its role and admit it; return the caller's key."""
        who = await self._identities.identify(call_log.metadata, context)
        call_log.set_caller(who)
        check_role(who, method.role, method.rpc)
        self._admission.enter(who)
        return who.key

    async def _identified(self, call_log: CallLog, method: _Method, context: Context) -> Caller:
        """Identify the caller of a call again, and check its role."""
        who = await self._identities.identify(call_log.metadata, context)
        check_role(who, method.role, method.rpc)
        return who


class MethodRegistry(grpc.GenericRpcHandler):  # type: ignore[type-arg] # generic in the stubs alone
    """Registry of a server's methods by name; generated code adds to it as to a server.

    Requirement: for each method registered with the server itself, grpc.aio keeps a request open and waits for all of
    them at every call.

    Args:
        around: wraps a method inside of the middleware, given its handler and its full name; None for none.
    """

    def __init__(self, middleware: Middleware, around: Callable[[Any, str], Any] | None = None) -> None:
        self._middleware = middleware
        self._around = around
        self._services: list[Any] = []
        self._wrapped: dict[str, Handler] = {}

    def add_generic_rpc_handlers(self, handlers: Iterable[Any]) -> None:
        """Add the methods of services."""
        self._services.extend(handlers)

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Handler]) -> None:
        """Do nothing: the same methods are passed to `add_generic_rpc_handlers`."""

    def find(self, details: grpc.HandlerCallDetails) -> Handler | None:
        """Return the handler of a method without the middleware; None for an unknown name."""
        handlers = (service.service(details) for service in self._services)
        found = next((handler for handler in handlers if handler is not None), None)
        if found is None or self._around is None:
            return found
        method: Any = details.method
        inner: Handler = self._around(found, method)
        return inner

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler | None:
        """Return the wrapped method of a call; None for an unknown name."""
        method: Any = handler_call_details.method
        wrapped = self._wrapped.get(method)
        if wrapped is not None:
            return wrapped
        handler = self.find(handler_call_details)
        if handler is None:
            return None
        self._wrapped[method] = wrapped = self._middleware.wrap(method, handler)
        return wrapped


def _reads_one(decode: Decode) -> Read:
    def read(raw: bytes) -> Message:
        return read_request(raw, decode)

    return read


def _reads_many(decode: Decode) -> Read:
    read_one = _reads_one(decode)

    async def read(raws: AsyncIterator[bytes]) -> AsyncIterator[Message]:
        async for raw in raws:
            yield read_one(raw)

    return read
