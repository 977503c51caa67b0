"""Check the health of the server in this container: exit 0 if it is SERVING, 1 otherwise.

Health needs no token. With TLS the server's own certificate is trusted; TARIFFS_HEALTH_NAME is the
name in it if that is not localhost. If clients need a certificate, the server's own is used.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc


def serving(target: str, seconds: float = 3.0, environment: Mapping[str, str] = os.environ) -> bool:
    """Return True if the health service at `target` answers SERVING within `seconds`."""
    with _channel(target, environment) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=seconds)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def _channel(target: str, environment: Mapping[str, str]) -> grpc.Channel:
    options: list[tuple[str, object]] = [("grpc.enable_http_proxy", 0)]
    certificate, key = environment.get("TARIFFS_TLS_CERTIFICATE"), environment.get("TARIFFS_TLS_KEY")
    if not certificate or not key:
        return grpc.insecure_channel(target, options)
    if name := environment.get("TARIFFS_HEALTH_NAME"):
        options.append(("grpc.ssl_target_name_override", name))
    chain = Path(certificate).read_bytes()
    own = (Path(key).read_bytes(), chain) if environment.get("TARIFFS_TLS_CLIENT_CA") else (None, None)
    return grpc.secure_channel(target, grpc.ssl_channel_credentials(chain, *own), options)


if __name__ == "__main__":
    sys.exit(not serving(f"localhost:{os.environ.get('TARIFFS_PORT', '50051')}"))
