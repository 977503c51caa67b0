"""Serve all methods of the contract on loopback, each by one function of its requests."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import grpc
from google.longrunning import operations_pb2
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from tariffs.client.errors import InvalidRequest
from tariffs.v1 import contract

_THREADS = 8


class ContractHandlers(grpc.GenericRpcHandler, ABC):  # type: ignore[type-arg] # generic in the stubs alone
    """All methods of the contract, answered by `responses`."""

    def __init__(self) -> None:
        self._by_path = {method.path: method for method in methods().values()}

    @abstractmethod
    def responses(self, method: Method, given: Any, context: grpc.ServicerContext) -> Iterable[Message]:
        """Answer a call: `given` is its request, or an iterator of its requests."""

    def has(self, path: str) -> bool:
        """Test whether a method of the contract is served."""
        return True

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """Make the handler of a call; None for a method that is not served."""
        path: Any = handler_call_details.method
        method = self._by_path.get(path)
        if method is None or not self.has(path):
            return None
        make = getattr(grpc, f"{kind_of(method)}_rpc_method_handler")
        call = self._streaming(method) if method.responses_stream else self._answering(method)
        return make(call, method.request.FromString, method.response.SerializeToString)

    def _answering(self, method: Method) -> Callable[[Any, grpc.ServicerContext], Message]:
        def call(given: Any, context: grpc.ServicerContext) -> Message:
            return next(iter(self.responses(method, given, context)))

        return call

    def _streaming(self, method: Method) -> Callable[[Any, grpc.ServicerContext], Iterator[Message]]:
        def call(given: Any, context: grpc.ServicerContext) -> Iterator[Message]:
            yield from self.responses(method, given, context)

        return call


@contextmanager
def served(handlers: ContractHandlers) -> Iterator[str]:
    """Serve on a free port of loopback as long as the block; gives `host:port`."""
    server = grpc.server(ThreadPoolExecutor(_THREADS), handlers=[handlers])
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield address
    finally:
        server.stop(None).wait()


@dataclass(frozen=True, slots=True)
class Method:
    """Method of the contract.

    Attributes:
        path: its full name, as gRPC writes it.
        request: class of its requests.
        response: class of its answers.
        requests_stream: True if a call sends several requests.
        responses_stream: True if a call has several answers.
    """

    path: str
    request: type[Message]
    response: type[Message]
    requests_stream: bool
    responses_stream: bool


@cache
def methods() -> dict[str, Method]:
    """All methods by their name, such as CalculateDuty."""
    return {
        method.name: Method(
            f"/{service.full_name}/{method.name}",
            GetMessageClass(method.input_type),
            GetMessageClass(method.output_type),
            method.client_streaming,
            method.server_streaming,
        )
        for service in (*contract.services(), operations_pb2.DESCRIPTOR.services_by_name["Operations"])
        for method in service.methods
    }


def method_named(name: str) -> Method:
    """Look up a method; raises InvalidRequest for a name that the contract does not have."""
    if name not in methods():
        raise InvalidRequest(
            "REQUEST_INVALID",
            f"The contract has no method {name!r}.",
            field="method",
            fix=f"Give one of {', '.join(sorted(methods()))}.",
        )
    return methods()[name]


def kind_of(method: Method) -> str:
    """Kind of the method in gRPC's words, such as unary_stream."""
    words = (
        "stream" if streaming else "unary" for streaming in (method.requests_stream, method.responses_stream)
    )
    return "_".join(words)
