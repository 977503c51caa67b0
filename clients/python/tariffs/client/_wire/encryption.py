"""Explain a failed connection whose two ends do not agree on encryption: gRPC says only that a socket was closed."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable

from tariffs.client.errors import TariffsError, Unavailable

_PROBE_SECONDS = 1.0


def explained(
    error: TariffsError, target: str, places: Iterable[tuple[str, str]], *, encrypted: bool
) -> TariffsError:
    """The error that says which side encrypts, if that is why nobody answered; else the error itself.

    Args:
        error: of a call.
        target: as the caller wrote it.
        places: host and port of each server of the target.
        encrypted: whether the client encrypts.
    """
    if error.reason != "SERVER_UNAVAILABLE" or "target" not in error.metadata:
        return error
    found = (speaks_tls(host, int(port)) for host, port in places if port.isdecimal())
    asked = next((answer for answer in found if answer is not None), None)
    if asked is None or (encrypted == asked and "handshake" not in error.message):
        return error
    if not encrypted:
        message = f"The server at {target} asks for an encrypted connection."
        fix = "Set TARIFFS_TLS to `system`, or to a file with the authority of its certificate (in Python tls=)."
    elif not asked:
        message = f"The server at {target} does not encrypt its connections."
        fix = "Leave TARIFFS_TLS unset (in Python tls=), or name a server that encrypts."
    else:
        message = error.message.replace("No server answers at", "No encrypted connection is made to", 1)
        fix = "Set TARIFFS_TLS to a file with the authority of its certificate (in Python tls=)."
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
