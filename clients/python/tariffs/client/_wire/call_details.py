"""Details of a call as interceptors change them, and the base of the client's interceptors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import grpc


def with_entries(details: Any, entries: Iterable[tuple[str, str]]) -> Any:
    """Copy the details of a call, a named tuple of gRPC, with more metadata."""
    return details._replace(metadata=(*(details.metadata or ()), *entries))


class CallInterceptor(
    grpc.UnaryUnaryClientInterceptor,  # type: ignore[type-arg] # generic in the stubs alone
    grpc.UnaryStreamClientInterceptor,  # type: ignore[type-arg]
    grpc.StreamUnaryClientInterceptor,  # type: ignore[type-arg]
    grpc.StreamStreamClientInterceptor,  # type: ignore[type-arg]
):
    """Interceptor that treats calls of all four kinds by `call`."""

    def call(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        """Make the call, which `continuation` does with its details and request."""
        raise NotImplementedError

    def _intercept(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        return self.call(continuation, details, request)

    intercept_unary_unary: Any = _intercept
    intercept_unary_stream: Any = _intercept
    intercept_stream_unary: Any = _intercept
    intercept_stream_stream: Any = _intercept
