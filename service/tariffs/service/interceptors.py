"""What surrounds every call: request id, who calls, logging context, metrics, the gate, error mapping.

One interceptor for the services of this project and for its operations. Health is open; reflection and channelz pass
untouched, but for the token where the server asks for one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError, Message

from tariffs.engine.errors import InputError, ServiceError
from tariffs.service.gate import Gate
from tariffs.service.metrics import Metrics
from tariffs.service.records import Context, Record, request_id_of
from tariffs.service.status import grpc_code, status_of, trailers_of
from tariffs.service.tokens import Tokens, caller_of

_OWN = "/tariffs.v1."
_OPERATIONS = "/google.longrunning."
_OPEN = "/grpc.health.v1."
_DECODE_ERRORS = (DecodeError, RecursionError, ValueError)
Behaviour = Callable[[Any, Context], Any]
Decode = Callable[[bytes], Message]
Read = Callable[[Any], Any]


class CallInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg] # generic in the stubs alone
    """Wraps the calls of this project's services, of all four kinds.

    Args:
        gate: lets calls in.
        metrics: counts them.
        tokens: whose calls they are; None lets everybody call.
    """

    def __init__(self, gate: Gate, metrics: Metrics, tokens: Tokens | None = None) -> None:
        self._gate = gate
        self._metrics = metrics
        self._tokens = tokens

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any]]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any]:
        """Wrap the handler of a call."""
        handler: Any = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or method.startswith(_OPEN):
            return handler  # type: ignore[no-any-return]
        if method.startswith((_OWN, _OPERATIONS)):
            return self._wrapped(handler, method.removeprefix(_OWN).removeprefix("/"))
        try:
            caller_of(handler_call_details.invocation_metadata or (), "", self._tokens)
        except ServiceError as error:
            return _refusing(error)
        return handler  # type: ignore[no-any-return]

    def _wrapped(self, handler: Any, rpc: str) -> grpc.RpcMethodHandler[Any, Any]:
        decode, encode = handler.request_deserializer, handler.response_serializer
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
            return grpc.stream_unary_rpc_method_handler(answer, None, encode)
        answer = self._answering(handler.unary_unary, rpc, _reads_one(decode))
        return grpc.unary_unary_rpc_method_handler(answer, None, encode)

    def _answering(self, behaviour: Behaviour, rpc: str, read: Read) -> Callable[..., Awaitable[Any]]:
        async def call(raw: Any, context: Context) -> Any:
            record = Record(rpc, context, self._metrics)
            try:
                with self._gate.call(self._identify(record, context)):
                    answer = await behaviour(read(raw), context)
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
            record = Record(rpc, context, self._metrics)
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

    def _identify(self, record: Record, context: Context) -> str:
        who = caller_of(context.invocation_metadata() or (), context.peer(), self._tokens)
        record.of(who)
        return who.key


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


def _reads_many(decode: Decode) -> Read:
    read_one = _reads_one(decode)

    async def read(raws: AsyncIterator[bytes]) -> AsyncIterator[Message]:
        async for raw in raws:
            yield read_one(raw)

    return read


def _refusing(error: ServiceError) -> grpc.RpcMethodHandler[Any, Any]:
    """Ends a call of any kind without reading it."""

    async def refuse(_requests: Any, context: Context) -> None:
        request_id = request_id_of(context)
        status = status_of(error, request_id)
        await context.abort(grpc_code(status), status.message, trailers_of(status, request_id))

    return grpc.stream_stream_rpc_method_handler(refuse)
