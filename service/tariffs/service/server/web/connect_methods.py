"""Methods of the services as endpoints of connectrpc, with the middleware of the gRPC port around them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Any

import grpc.aio
from connectrpc.code import Code
from connectrpc.errors import ConnectError
from connectrpc.method import IdempotencyLevel, MethodInfo, StreamType
from connectrpc.request import RequestContext
from connectrpc.server import Endpoint
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message

from tariffs.engine.errors import TariffsError
from tariffs.service.handlers.methods import kind_of, reading
from tariffs.service.server.middleware import MethodRegistry, Middleware
from tariffs.service.server.web.bodies import Body, message_too_large, raise_refusal
from tariffs.service.server.web.http_call import HttpCall
from tariffs.service.wire.status import cancelled_error, request_invalid

Request = RequestContext[Any, Any]


@dataclass(frozen=True, slots=True)
class Details:
    """Details of a call that a registry finds a handler by."""

    method: str
    invocation_metadata: tuple[()] = ()


def endpoints_of(
    services: Iterable[str], registry: MethodRegistry, middleware: Middleware
) -> dict[str, Endpoint[Any, Any]]:
    """Make the endpoints of services, which are given by their full names, by path."""
    pool = descriptor_pool.Default()
    methods = (method for name in services for method in pool.FindServiceByName(name).methods)
    made = ((path_of(method), _endpoint(method, registry, middleware)) for method in methods)
    return {path: endpoint for path, endpoint in made if endpoint is not None}


def path_of(method: MethodDescriptor) -> str:
    """Return the path of a method."""
    return f"/{method.containing_service.full_name}/{method.name}"


def _endpoint(
    method: MethodDescriptor, registry: MethodRegistry, middleware: Middleware
) -> Endpoint[Any, Any] | None:
    """Make the endpoint of a method; None if no handler answers it."""
    path = path_of(method)
    handler: Any = registry.find(Details(path))  # type: ignore[arg-type] # the stubs ask for a class of theirs
    if handler is None:
        return None
    kind, request = kind_of(handler), message_factory.GetMessageClass(method.input_type)
    inner = getattr(handler, kind)
    behaviour = (
        (lambda bodies, call: inner(_messages(bodies, request), call))
        if handler.request_streaming
        else reading(kind, inner, lambda body: body.message(request))
    )
    call = middleware.around(path, handler, behaviour, _unread)
    stream_type, answering, make = _KINDS[kind]
    info = MethodInfo(
        name=method.name,
        service_name=method.containing_service.full_name,
        input=Body,
        output=bytes,
        idempotency_level=_idempotency(method),
        stream_type=stream_type,
    )
    return make(info, answering(call))


def _idempotency(method: MethodDescriptor) -> IdempotencyLevel:
    level = method.GetOptions().idempotency_level
    return {
        MethodOptions.NO_SIDE_EFFECTS: IdempotencyLevel.NO_SIDE_EFFECTS,
        MethodOptions.IDEMPOTENT: IdempotencyLevel.IDEMPOTENT,
    }.get(level, IdempotencyLevel.UNKNOWN)


def _unread(received: Any) -> Any:
    """Leave what was received as it is: it is read inside the call, where reading may take a thread."""
    return received


async def _messages(bodies: AsyncIterator[Body], kind: type[Message]) -> AsyncIterator[Message]:
    try:
        async for body in bodies:
            yield await body.message(kind)
        raise_refusal()
    except ConnectError as error:
        raise _fault(error) from None


def _fault(error: ConnectError) -> TariffsError:
    """Return the catalogued error for a request stream that connectrpc could not read."""
    if error.code is Code.CANCELED:
        return cancelled_error()
    if error.code is Code.RESOURCE_EXHAUSTED:
        return message_too_large()
    return request_invalid(
        f"The stream cannot be read: {error.message}.", "", "Send the messages of the method."
    )


@contextmanager
def _called(request: Request) -> Iterator[HttpCall]:
    """Provide the call of a request; its end is recorded, and an abort becomes an error of connectrpc."""
    call = HttpCall(request)
    try:
        yield call
    except grpc.aio.AbortError:
        raise call.error from None
    except (asyncio.CancelledError, GeneratorExit):
        call.cancel()
        raise
    finally:
        call.end()


def _answering(method: Callable[[Any, Any], Any]) -> Any:
    async def answer(body: Body, request: Request) -> bytes:
        with _called(request) as call:
            return await body.answer(await method(body, call))

    return answer


def _answering_many(method: Callable[[Any, Any], Any]) -> Any:
    async def answer(bodies: AsyncIterator[Body], request: Request) -> Message:
        with _called(request) as call:
            message: Message = await method(bodies, call)
            return message

    return answer


def _streaming(method: Callable[[Any, Any], Any]) -> Any:
    async def stream(received: Any, request: Request) -> AsyncGenerator[Message, None]:
        with _called(request) as call:
            async with aclosing(method(received, call)) as messages:
                async for message in messages:
                    yield message

    return stream


_KINDS: dict[str, tuple[StreamType, Callable[[Any], Any], Callable[[Any, Any], Endpoint[Any, Any]]]] = {
    "unary_unary": (StreamType.UNARY, _answering, Endpoint.unary),
    "unary_stream": (StreamType.SERVER_STREAM, _streaming, Endpoint.server_stream),
    "stream_unary": (StreamType.CLIENT_STREAM, _answering_many, Endpoint.client_stream),
    "stream_stream": (StreamType.BIDI_STREAM, _streaming, Endpoint.bidi_stream),
}
