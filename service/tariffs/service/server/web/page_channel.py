"""Channel to the methods of this server for its pages: calls of a reader pass the middleware of the gRPC port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, NoReturn

import grpc
import grpc.aio

from tariffs.service.handlers.methods import kind_of
from tariffs.service.server.identities import AUTHORIZATION
from tariffs.service.server.middleware import MethodRegistry
from tariffs.service.server.web.connect_methods import Details
from tariffs.service.server.web.http_call import CallEnd, HttpPeer, Trailers

_END: Any = object()


@dataclass(frozen=True, slots=True)
class Reader:
    """Reader of a page.

    Attributes:
        peer: connection that the page was asked on.
        token: token of the reader's sign-in; empty without one.
        certificate: properties of its certificate, by gRPC's names.
    """

    peer: HttpPeer
    token: str = ""
    certificate: Mapping[str, Iterable[bytes]] = field(default_factory=dict)


READER: ContextVar[Reader] = ContextVar("reader")
"""Reader that the current page is made for."""


class PageError(grpc.RpcError):
    """Error of a call, in the form of gRPC's client."""

    def __init__(self, code: grpc.StatusCode, message: str = "", trailers: Trailers = ()) -> None:
        super().__init__(message)
        self._facts = code, message, tuple(trailers)

    def code(self) -> grpc.StatusCode:
        """Return the status of the call."""
        return self._facts[0]

    def details(self) -> str:
        """Return the message of the status."""
        return self._facts[1]

    def trailing_metadata(self) -> Any:
        """Return the metadata behind the answer, which has the details of the status."""
        return self._facts[2]


class PageCall(CallEnd):
    """Call of a page, in the form of gRPC's context that middleware and handlers expect.

    Args:
        seconds: time it may take; None for any.
    """

    def __init__(self, reader: Reader, seconds: float | None) -> None:
        super().__init__()
        self._reader = reader
        self._deadline = None if seconds is None else asyncio.get_running_loop().time() + seconds
        self.error: PageError | None = None

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        """Return the metadata: the token of the reader."""
        token = self._reader.token
        return ((AUTHORIZATION, f"Bearer {token}"),) if token else ()

    def peer(self) -> str:
        """Return the address of the reader as gRPC writes it."""
        return self._reader.peer.peer()

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        """Return the properties of the reader's verified certificate."""
        return self._reader.certificate

    async def send_initial_metadata(self, _metadata: Trailers) -> None:
        """Do nothing: a page has no use for it."""

    def set_trailing_metadata(self, _trailers: Trailers) -> None:
        """Do nothing, likewise."""

    def time_remaining(self) -> float | None:
        """Return the seconds until the deadline; None without one."""
        return None if self._deadline is None else self._deadline - asyncio.get_running_loop().time()

    async def abort(self, code: grpc.StatusCode, message: str = "", trailers: Trailers = ()) -> NoReturn:
        """End the call with an error; raises AbortError, after which `error` has it."""
        self.error = PageError(code, message, trailers)
        raise grpc.aio.AbortError


class PageChannel(grpc.Channel):
    """Channel whose calls are answered by the methods of this process; the threads that make pages call on it."""

    def __init__(self, registry: MethodRegistry, loop: asyncio.AbstractEventLoop) -> None:
        self._registry = registry
        self._loop = loop

    def _method(
        self,
        method: str,
        request_serializer: Any = None,
        response_deserializer: Any = None,
        *_: Any,
        **__: Any,
    ) -> _PageMethod:
        handler: Any = self._registry.service(Details(method))  # type: ignore[arg-type] # as in connect_methods
        return _PageMethod(handler, request_serializer, response_deserializer, self._loop)

    # The stubs name classes of gRPC's own, which cannot be made without a connection.
    unary_unary: Any = _method
    unary_stream: Any = _method
    stream_unary: Any = _method
    stream_stream: Any = _method

    def subscribe(self, callback: Any, try_to_connect: bool | None = False) -> None:
        """Do nothing: there is no connection."""

    def unsubscribe(self, callback: Any) -> None:
        """Do nothing, likewise."""

    def close(self) -> None:
        """Do nothing, likewise."""

    def __enter__(self) -> PageChannel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _PageMethod:
    """A method of the channel."""

    def __init__(self, handler: Any, encode: Any, decode: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._handler = handler
        self._encode = encode
        self._decode = decode
        self._loop = loop

    def __call__(self, request: Any, timeout: float | None = None, **_: Any) -> Any:
        """Make the call; returns the answer, or an iterator over answers."""
        reader = READER.get()
        if self._handler is None:
            raise PageError(grpc.StatusCode.UNIMPLEMENTED, "There is no such method.")
        if self._handler.response_streaming:
            return _Answers(lambda take: self._stream(request, reader, timeout, take), self._loop)
        return asyncio.run_coroutine_threadsafe(self._answer(request, reader, timeout), self._loop).result()

    async def _answer(self, request: Any, reader: Reader, seconds: float | None) -> Any:
        async with _called(reader, seconds) as call:
            return self._read(await self._behaviour(self._sent(request), call))

    async def _stream(
        self, request: Any, reader: Reader, seconds: float | None, take: Callable[[Any], None]
    ) -> None:
        async with (
            _called(reader, seconds) as call,
            aclosing(self._behaviour(self._sent(request), call)) as messages,
        ):
            async for message in messages:
                take(self._read(message))

    @property
    def _behaviour(self) -> Any:
        return getattr(self._handler, kind_of(self._handler))

    def _read(self, answer: Any) -> Any:
        return self._decode(self._handler.response_serializer(answer))

    def _sent(self, request: Any) -> Any:
        """Encode a request, or an iterator over requests, which another thread reads."""
        if not self._handler.request_streaming:
            return self._encode(request)

        async def parts() -> AsyncIterator[bytes]:
            left = iter(request)
            while (part := await asyncio.to_thread(next, left, _END)) is not _END:
                yield self._encode(part)

        return parts()


@asynccontextmanager
async def _called(reader: Reader, seconds: float | None) -> AsyncIterator[PageCall]:
    """Provide the call of a request; its end is recorded, and an abort becomes an error of gRPC's client."""
    call = PageCall(reader, seconds)
    try:
        async with asyncio.timeout(seconds):
            yield call
    except grpc.aio.AbortError:
        raise call.error or PageError(grpc.StatusCode.UNKNOWN) from None
    except TimeoutError:
        call.cancel()
        raise PageError(grpc.StatusCode.DEADLINE_EXCEEDED, "The deadline passed.") from None
    except asyncio.CancelledError:
        call.cancel()
        raise
    finally:
        call.end()


class _Answers:
    """Iterator over the answers of a call, for a thread; `cancel` ends the call.

    The call is one task, since its caller is a variable of that task.
    """

    def __init__(
        self, stream: Callable[[Callable[[Any], None]], Any], loop: asyncio.AbstractEventLoop
    ) -> None:
        self._taken = SimpleQueue[Any]()
        self._call = asyncio.run_coroutine_threadsafe(stream(self._taken.put), loop)
        self._call.add_done_callback(lambda _: self._taken.put(_END))

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if (message := self._taken.get()) is not _END:
            return message
        if self._call.cancelled():
            raise PageError(grpc.StatusCode.CANCELLED, "The call was cancelled.")
        if (error := self._call.exception()) is not None:
            raise error
        raise StopIteration

    def cancel(self) -> None:
        """End the call, unless it has ended."""
        self._call.cancel()
