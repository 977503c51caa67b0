"""Open a gRPC channel to one or several servers: addresses, encryption, token, retries, and methods."""

from __future__ import annotations

import ipaddress
import json
import socket
import ssl
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import grpc
from google.longrunning import operations_pb2_grpc

from tariffs.client._wire.call_details import CallInterceptor, with_entries
from tariffs.client.config import SYSTEM, Config
from tariffs.client.errors import InvalidRequest, TariffsError, Unavailable, module_of
from tariffs.v1 import (
    duty_service_pb2_grpc,
    law_service_pb2_grpc,
    refund_service_pb2_grpc,
    scenario_service_pb2_grpc,
    simulation_service_pb2_grpc,
    sweep_service_pb2_grpc,
    table_service_pb2_grpc,
)

_SCHEMES = ("dns:", "ipv4:", "ipv6:", "unix:", "unix-abstract:", "vsock:", "xds:")
_LOCAL_SCHEMES = ("unix:", "unix-abstract:")
_PING_SECONDS = 30
_PING_ANSWER_SECONDS = 10
# A server that was killed and started again is found within seconds; gRPC's own wait grows to two minutes.
_FIRST_RECONNECT_MS = 250
_LAST_RECONNECT_MS = 5000
_OFF, _OTLP = "none", "otlp"
_TRACES = (_OFF, _OTLP, "application")
_METHODS_DONE_ONCE = (
    {"service": "tariffs.v1.TableService", "method": "DeleteTable"},
    {"service": "tariffs.v1.ScenarioService", "method": "DeleteScenario"},
    {"service": "google.longrunning.Operations", "method": "DeleteOperation"},
)
_PROBE_SECONDS = 1.0
_STUBS = (
    duty_service_pb2_grpc.DutyServiceStub,
    simulation_service_pb2_grpc.SimulationServiceStub,
    law_service_pb2_grpc.LawServiceStub,
    refund_service_pb2_grpc.RefundServiceStub,
    scenario_service_pb2_grpc.ScenarioServiceStub,
    sweep_service_pb2_grpc.SweepServiceStub,
    table_service_pb2_grpc.TableServiceStub,
    operations_pb2_grpc.OperationsStub,
)


def connect(target: str, config: Config) -> grpc.Channel:
    """Open a channel to `target`, one `host:port` or several separated by commas; sends nothing yet.

    Raises:
        InvalidRequest: REQUEST_INVALID if a token would travel in the clear beyond loopback; SETTING_INVALID if a file
            of the encryption cannot be read, or traces are set to another word.
        Unavailable: a name in a list of several has no address.
    """
    places = places_of(target)
    local = target.startswith(_LOCAL_SCHEMES) or all(is_loopback(host) for host, _ in places)
    if config.token and not (config.tls or local or config.token_in_clear):
        raise InvalidRequest(
            "REQUEST_INVALID",
            f"The token would be sent to {target} unencrypted.",
            field="token",
            fix="Use tls= or TARIFFS_TLS, or set TARIFFS_TOKEN_IN_CLEAR=true if something else encrypts.",
        )
    several = len(places) > 1
    address = _joined(places) if several else target
    options = _options(service_config(round_robin=several or target.startswith("dns:")), config)
    if local:
        # A proxy in the environment cannot reach this machine's own ports.
        options.append(("grpc.enable_http_proxy", 0))
    if config.tls:
        channel = grpc.secure_channel(address, _credentials(config), options + _name(config, places))
    else:
        channel = grpc.insecure_channel(address, options)
    interceptors = [_tracer(config.traces, target, places), _Token(config.token) if config.token else None]
    return grpc.intercept_channel(channel, *(one for one in interceptors if one is not None))


def service_config(*, round_robin: bool = False) -> str:
    """Make the gRPC service config as JSON: retries and load balancing.

    RESOURCE_EXHAUSTED is tried again when the server says after how long; where time mends nothing it says never.
    CANCELLED without a word is gRPC's own refusal of calls that a busy server had no time to look at.
    Deadlines are passed with each call and never stand here: grpcio fires them early and does not tell the
    server (grpc/grpc issues 34547 and 40633).
    """
    retry = {
        "maxAttempts": 4,
        "initialBackoff": "0.1s",
        "maxBackoff": "2s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED", "CANCELLED"],
    }
    methods = [{"name": [{}], "retryPolicy": retry}, {"name": list(_METHODS_DONE_ONCE)}]
    policy = "round_robin" if round_robin else "pick_first"
    config: dict[str, Any] = {"loadBalancingConfig": [{policy: {}}], "methodConfig": methods}
    if round_robin:
        # Servers that start or stop are watched and get no calls: a busy one takes seconds to say that it is not ready.
        config["healthCheckConfig"] = {"serviceName": ""}
    return json.dumps(config)


def is_loopback(host: str) -> bool:
    """Test whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def places_of(target: str) -> list[tuple[str, str]]:
    """List host and port of each server; a target with a gRPC scheme is one server, unchanged."""
    if target.startswith(_SCHEMES):
        return [(target, "")]
    return [_place(part.strip()) for part in target.split(",") if part.strip()]


def _place(text: str) -> tuple[str, str]:
    host, separator, port = text.rpartition(":")
    if not separator or text.endswith("]"):
        host, port = text, ""
    return host.strip("[]"), port


def _joined(places: Sequence[tuple[str, str]]) -> str:
    """Join servers into one gRPC address; gRPC takes lists of numeric addresses of one family only."""
    for family, form in ((socket.AF_INET, "{}:{}"), (socket.AF_INET6, "[{}]:{}")):
        try:
            addresses = [
                socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)[0][4] for host, port in places
            ]
        except OSError:
            continue
        scheme = "ipv4" if family == socket.AF_INET else "ipv6"
        return f"{scheme}:{','.join(form.format(*address[:2]) for address in addresses)}"
    names = ", ".join(host for host, _ in places)
    raise Unavailable(
        "SERVER_UNAVAILABLE",
        f"Not all of {names} can be resolved.",
        code="UNAVAILABLE",
        fix="Give servers as host:port, with names that resolve.",
    )


def _options(service: str, config: Config) -> list[tuple[str, Any]]:
    return [
        ("grpc.service_config", service),
        ("grpc.max_receive_message_length", config.receive_limit),
        ("grpc.keepalive_time_ms", _PING_SECONDS * 1000),
        ("grpc.keepalive_timeout_ms", _PING_ANSWER_SECONDS * 1000),
        # A run may be silent for minutes; gRPC would stop asking after two pings.
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.initial_reconnect_backoff_ms", _FIRST_RECONNECT_MS),
        ("grpc.max_reconnect_backoff_ms", _LAST_RECONNECT_MS),
    ]


def _name(config: Config, places: Sequence[tuple[str, str]]) -> list[tuple[str, Any]]:
    # To gRPC the name of a list would be the list, which no certificate bears.
    name = config.tls_name or (places[0][0] if len(places) > 1 else None)
    return [("grpc.ssl_target_name_override", name)] if name else []


def _credentials(config: Config) -> grpc.ChannelCredentials:
    roots = None if config.tls in (None, SYSTEM) else _bytes(config.tls)
    if config.client_certificate is None or config.client_key is None:
        return grpc.ssl_channel_credentials(roots)
    return grpc.ssl_channel_credentials(roots, _bytes(config.client_key), _bytes(config.client_certificate))


def _tracer(traces: str, target: str, places: Sequence[tuple[str, str]]) -> Any:
    """Make the interceptor that traces the calls of a channel; None if they are not traced."""
    if traces == _OFF:
        return None
    if traces not in _TRACES:
        raise InvalidRequest(
            "SETTING_INVALID",
            f"traces is {traces!r}.",
            field="traces",
            fix=f"Use one of {', '.join(_TRACES)}, or unset TARIFFS_TRACES.",
        )
    spans = module_of("telemetry", "tariffs.client._wire.call_spans")
    return spans.CallTracer(spans.tracer(traces == _OTLP), target, places[0])


def _bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InvalidRequest(
            "SETTING_INVALID", f"{path} cannot be read: {error.strerror}.", fix="Name a PEM file."
        ) from None


class _Token(CallInterceptor):
    """Interceptor that adds the token to every call; gRPC's call credentials refuse unencrypted channels."""

    def __init__(self, token: str) -> None:
        self._entry = ("authorization", f"Bearer {token}")

    def call(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        """Make the call with the token."""
        return continuation(with_entries(details, [self._entry]), request)


def explained(
    error: TariffsError, target: str, places: Iterable[tuple[str, str]], *, encrypted: bool
) -> TariffsError:
    """Replace the error of a call by one that names the side that uses TLS, if that is the cause."""
    if error.reason != "SERVER_UNAVAILABLE" or "target" not in error.metadata:
        return error
    answers = (speaks_tls(host, int(port)) for host, port in places if port.isdecimal())
    server_encrypts = next((answer for answer in answers if answer is not None), None)
    if server_encrypts is None or (encrypted == server_encrypts and "handshake" not in error.message):
        return error
    if not encrypted:
        message = f"The server at {target} requires TLS."
        fix = "Set TARIFFS_TLS (in Python tls=) to `system`, or to a file with its certificate authority."
    elif not server_encrypts:
        message = f"The server at {target} does not use TLS."
        fix = "Leave TARIFFS_TLS (in Python tls=) unset, or choose a server with TLS."
    else:
        message = error.message.replace("No server answers at", "No TLS connection can be made to", 1)
        fix = "Set TARIFFS_TLS (in Python tls=) to a file with its certificate authority."
    return Unavailable(error.reason, message, code=error.code, fix=fix, metadata=error.metadata)


def speaks_tls(host: str, port: int) -> bool | None:
    """Test whether a server answers a TLS greeting; None if nobody listens or answers within a second."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Nothing is sent or believed: the certificate does not matter here.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    try:
        with (
            socket.create_connection((host, port), _PROBE_SECONDS) as connection,
            context.wrap_socket(connection, server_hostname=host),
        ):
            return True
    except ssl.SSLError as error:
        # An alert is an answer in TLS; what a server in the clear sends is no TLS at all.
        return "ALERT" in (error.reason or "")
    except (OSError, OverflowError, ValueError):
        # Refused, too late, or no address and port at all.
        return None


def open_channel(target: str, config: Config) -> tuple[grpc.Channel, dict[str, Any]]:
    """Open a channel, and return it with its methods by name; sends nothing yet, raises as `connect`."""
    channel = connect(target, config)
    return channel, methods_on(channel)


def methods_on(channel: grpc.Channel) -> dict[str, Any]:
    """Make the methods of all services on a channel, by name."""
    stubs = [vars(stub(channel)) for stub in _STUBS]
    return {method: call for stub in stubs for method, call in stub.items()}
