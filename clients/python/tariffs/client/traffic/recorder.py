"""Stand between a program and its server, pass calls on unread, and record those with one request message."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import IO, Any

import grpc

from tariffs.client.traffic.calls import RecordedCall, methods
from tariffs.client.traffic.redaction import PrivateCallError, redacted

_THREADS = 32
_ANY_SIZE = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
_OF_CONNECTION = ("user-agent", "grpc-", "content-type", "te", ":")


class Recorder(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # generic in the stubs alone
    """Handler of every method of the service that passes calls on and writes those that can be sent again.

    Attributes:
        written: number of calls written.
        left_out: calls that were passed on and not written, by reason.
    """

    def __init__(self, channel: grpc.Channel, file: IO[str]) -> None:
        self._channel, self._file = channel, file
        self._methods = methods()
        self._lock = threading.Lock()
        self._begun = time.monotonic()
        self.written = 0
        self.left_out: Counter[str] = Counter()

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Find the handler of a method; every other method of the server is passed on unread too."""
        name = details.method
        method = self._methods.get(name)
        if method is None or method.requests_stream:
            reason = "other methods" if method is None else "streams of requests"
            call = self._channel.stream_stream(name, None, None)
            return grpc.stream_stream_rpc_method_handler(_passing(call, lambda _: self._leave_out(reason)))
        if method.responses_stream:
            asked = self._channel.unary_stream(name, None, None)
            return grpc.unary_stream_rpc_method_handler(_passing(asked, partial(self._note, name)))
        return grpc.unary_unary_rpc_method_handler(self._answering(name))

    def _answering(self, name: str) -> Callable[[bytes, grpc.ServicerContext], Any]:
        call = self._channel.unary_unary(name, None, None)

        def answer(request: bytes, context: grpc.ServicerContext) -> Any:
            self._note(name, request)
            with _errors_of(context):
                response, made = call.with_call(
                    request, timeout=context.time_remaining(), metadata=_metadata(context)
                )
                context.set_trailing_metadata(made.trailing_metadata() or ())
                return response

        return answer

    def _note(self, name: str, data: bytes) -> None:
        method = self._methods[name]
        try:
            request = redacted(method.request.FromString(data))
        except PrivateCallError as error:
            self._leave_out(str(error))
            return
        with self._lock:
            call = RecordedCall(time.monotonic() - self._begun, name, request, method.responses_stream)
            self._file.write(call.to_line() + "\n")
            self._file.flush()
            self.written += 1

    def _leave_out(self, reason: str) -> None:
        with self._lock:
            self.left_out[reason] += 1


@contextmanager
def recording(channel: grpc.Channel, file: IO[str], address: str) -> Iterator[tuple[Recorder, int]]:
    """Listen on an address such as `127.0.0.1:0`; yields the recorder and the port, and stops at the end.

    Raises:
        RuntimeError: nothing can listen there.
    """
    recorder = Recorder(channel, file)
    server = grpc.server(ThreadPoolExecutor(_THREADS), handlers=[recorder], options=_ANY_SIZE)
    port = server.add_insecure_port(address)
    server.start()
    try:
        yield recorder, port
    finally:
        server.stop(grace=1.0).wait()


def _passing(call: Any, note: Callable[[Any], None]) -> Callable[[Any, grpc.ServicerContext], Iterator[Any]]:
    """Make the handler that passes on a call with a stream of answers, and notes what is sent."""

    def answer(sent: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        note(sent)
        answers = call(sent, timeout=context.time_remaining(), metadata=_metadata(context))
        context.add_callback(answers.cancel)
        with _errors_of(context):
            yield from answers
            context.set_trailing_metadata(answers.trailing_metadata() or ())

    return answer


@contextmanager
def _errors_of(context: grpc.ServicerContext) -> Iterator[None]:
    try:
        yield
    except grpc.RpcError as error:
        call: Any = error
        context.set_trailing_metadata(call.trailing_metadata() or ())
        context.abort(call.code(), call.details() or "")


def _metadata(context: grpc.ServicerContext) -> tuple[tuple[str, str | bytes], ...]:
    """Read the metadata of the caller, tokens among them, which are passed on and never written."""
    given = context.invocation_metadata()
    return tuple((key, value) for key, value in given if not key.startswith(_OF_CONNECTION))
