"""Explain failed connections where only one side uses TLS: gRPC reports only a closed socket."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable

from tariffs.client.errors import TariffsError, Unavailable

_PROBE_SECONDS = 1.0


def explained(
    error: TariffsError, target: str, places: Iterable[tuple[str, str]], *, encrypted: bool
) -> TariffsError:
    """Replace the error by one that names the side that uses TLS, if that is the cause.

    Args:
        error: of a call.
        target: as the caller wrote it.
        places: host and port of each server of the target.
        encrypted: whether the client encrypts.
    """
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
