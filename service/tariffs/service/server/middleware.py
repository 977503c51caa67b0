"""What surrounds every call: request id, who calls, logging context, metrics, the gate, error mapping.

One place for all services but health, which is open and has a queue of its own. Each method is surrounded once; an
interceptor of gRPC would do so anew at every call.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import aclosing
from typing import Any, TypeAlias

import grpc
import grpc.aio
import structlog
from google.protobuf.message import DecodeError, Message

from tariffs.engine.errors import InputError
from tariffs.service.observability.answer_facts import Encoded
from tariffs.service.observability.call_log import CallLog, Context
from tariffs.service.observability.metrics import Metrics
from tariffs.service.server.admission import Admission
from tariffs.service.server.tokens import Tokens, caller_of

_OWN = "/tariffs.v1."
_DECODE_ERRORS = (DecodeError, RecursionError, ValueError)
Behaviour = Callable[[Any, Context], Any]
Decode = Callable[[bytes], Message]
Encode = Callable[[Any], bytes]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Read = Callable[[Any], Any]


class Middleware:
    """Surrounds calls of all four kinds.

    Args:
        gate: lets calls in.
        metrics: counts them.
        tokens: whose calls they are; None lets everybody call.
    """

    def __init__(self, gate: Admission, metrics: Metrics, tokens: Tokens | None = None) -> None:
        self._gate = gate
        self._metrics = metrics
        self._tokens = tokens
        # Bound once: a logger that is not asks for its settings at every line, even one it does not write.
        self._log = structlog.get_logger("tariffs.service").bind()

    def surrounded(self, method: str, handler: Any) -> Handler:
        """The method of a service by its full name, surrounded."""
        rpc = method.removeprefix(_OWN).removeprefix("/")
        decode, encode = handler.request_deserializer, handler.response_serializer
        encode_one = _writes_one(encode)
        # grpc answers INTERNAL to bytes that are no message, and decodes before anybody could be turned away: so
        # bytes come in, and are decoded behind the gate.
        if handler.request_streaming and handler.response_streaming:
            call = self._streaming(handler.stream_stream, rpc, _reads_many(decode))
            return grpc.stream_stream_rpc_method_handler(call, None, encode)
        if handler.response_streaming:
            call = self._streaming(handler.unary_stream, rpc, _reads_one(decode))
            return grpc.unary_stream_rpc_method_handler(call, None, encode)
        if handler.request_streaming:
            answer = self._answering(handler.stream_unary, rpc, _reads_many(decode))
            return grpc.stream_unary_rpc_method_handler(answer, None, encode_one)
        answer = self._answering(handler.unary_unary, rpc, _reads_one(decode))
        return grpc.unary_unary_rpc_method_handler(answer, None, encode_one)

    def _answering(self, behaviour: Behaviour, rpc: str, read: Read) -> Callable[..., Awaitable[Any]]:
        async def call(raw: Any, context: Context) -> Any:
            record = CallLog(rpc, context, self._metrics, self._log)
            try:
                caller = self._identify(record, context)
                self._gate.enter(caller)
                try:
                    answer = await behaviour(read(raw), context)
                finally:
                    self._gate.leave(caller)
            except Exception as error:
                await record.fail(error)
            except asyncio.CancelledError:
                record.end("CANCELLED")
                raise
            record.note(answer)
            record.end("OK")
            return answer

        return call

    def _streaming(self, behaviour: Behaviour, rpc: str, read: Read) -> Callable[..., AsyncIterator[Any]]:
        async def call(raw: Any, context: Context) -> AsyncIterator[Any]:
            record = CallLog(rpc, context, self._metrics, self._log)
            try:
                with self._gate.call(self._identify(record, context)):
                    async with aclosing(behaviour(read(raw), context)) as messages:
                        async for message in messages:
                            record.note(message)
                            yield message
            except Exception as error:
                await record.fail(error)
            except (asyncio.CancelledError, GeneratorExit):
                record.end("CANCELLED")
                raise
            record.end("OK")

        return call

    def _identify(self, record: CallLog, context: Context) -> str:
        who = caller_of(record.metadata, context.peer(), self._tokens)
        record.of(who)
        return who.key


class Offering(grpc.GenericRpcHandler):  # type: ignore[type-arg] # generic in the stubs alone
    """The methods of a server, found by name; generated code adds to it as to a server.

    For each method that generated code registers with a server, grpc.aio would hold a request open, and wait for all
    of them anew at every call.

    Args:
        calls: surround them.
    """

    def __init__(self, calls: Middleware) -> None:
        self._calls = calls
        self._offered: list[Any] = []
        self._surrounded: dict[str, Handler] = {}

    def add_generic_rpc_handlers(self, handlers: Iterable[Any]) -> None:
        """Offer the methods of services."""
        self._offered.extend(handlers)

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Handler]) -> None:
        """Nothing: the same methods come to `add_generic_rpc_handlers`."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler | None:
        """The method of a call, surrounded; None if there is none of its name."""
        method: Any = handler_call_details.method
        found = self._surrounded.get(method)
        if found is not None:
            return found
        answers = (offered.service(handler_call_details) for offered in self._offered)
        handler = next((answer for answer in answers if answer is not None), None)
        if handler is None:
            return None
        self._surrounded[method] = surrounded = self._calls.surrounded(method, handler)
        return surrounded


def _reads_one(decode: Decode) -> Read:
    def read(raw: bytes) -> Message:
        try:
            return decode(raw)
        except _DECODE_ERRORS:
            raise InputError(
                "REQUEST_INVALID",
                "The request is not a message of this call.",
                fix="Build it from the .proto files of tariffs.v1.",
            ) from None

    return read


def _writes_one(encode: Encode) -> Encode:
    def write(answer: Any) -> bytes:
        return answer.data if isinstance(answer, Encoded) else encode(answer)

    return write


def _reads_many(decode: Decode) -> Read:
    read_one = _reads_one(decode)

    async def read(raws: AsyncIterator[bytes]) -> AsyncIterator[Message]:
        async for raw in raws:
            yield read_one(raw)

    return read
