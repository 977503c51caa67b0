"""Serve all methods of the contract on loopback, each by one function of its requests."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf.message import Message

from tariffs.client.testing.methods import Method, kind_of, methods

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
