"""Details of a call as interceptors change them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
