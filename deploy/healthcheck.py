"""Ask the server in this container whether it serves; exit 0 if it says SERVING, 1 otherwise."""

from __future__ import annotations

import os
import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc


def serving(target: str, seconds: float = 3.0) -> bool:
    """Whether the health service at `target` answers SERVING within `seconds`."""
    with grpc.insecure_channel(target) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=seconds)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


if __name__ == "__main__":
    sys.exit(not serving(f"localhost:{os.environ.get('TARIFFS_PORT', '50051')}"))
