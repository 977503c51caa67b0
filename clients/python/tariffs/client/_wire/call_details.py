"""Details of a call as interceptors change them, and the base of the client's interceptors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import grpc


class CallDetails(NamedTuple):
    """Details of a call, by the protocol of gRPC's interceptors."""

    method: str
    timeout: float | None
    metadata: Sequence[tuple[str, str | bytes]]
    credentials: grpc.CallCredentials | None
    wait_for_ready: bool | None
    compression: grpc.Compression | None

    @classmethod
    def with_entries(cls, details: Any, entries: Iterable[tuple[str, str]]) -> CallDetails:
        """Copy the details of a call with more metadata."""
        return cls(
            details.method,
            details.timeout,
            (*(details.metadata or ()), *entries),
            details.credentials,
            details.wait_for_ready,
            details.compression,
        )


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
