"""Encryption of the HTTP port, with the files of the gRPC port; reloaded when they change."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

from tariffs.service.server.tls import CertificateFiles
from tariffs.service.settings.settings import Security

CERTIFICATE_KEY = "certificate"
"""Name of a certificate's properties in the state of a request."""
_NAMES = {"DNS": "peer_dns", "URI": "peer_uri", "email": "peer_email"}


def tls_context(settings: Security) -> ssl.SSLContext | None:
    """Return the context of the port; None without encryption.

    Each handshake checks whether a file has changed, as on the gRPC port.

    Raises:
        InputError: SETTING_INVALID if certificate, key or authorities cannot be used.
    """
    files = CertificateFiles.of(settings)
    if files is None:
        return None
    current = files.context()

    def renew(handshake: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        nonlocal current
        renewed: Any = files.read_changed(files.context)
        if renewed is not None:
            current = renewed
        handshake.context = current

    listening = files.context()
    listening.sni_callback = renew
    return listening


def certificate_properties(transport: Any) -> Mapping[str, tuple[bytes, ...]]:
    """Return the properties of the verified client certificate of a connection, by the names that gRPC gives them.

    Args:
        transport: the connection; without a verified certificate there are none.
    """
    connection = transport.get_extra_info("ssl_object")
    der = None if connection is None else connection.getpeercert(binary_form=True)
    if der is None:
        return {}
    found = connection.getpeercert()
    subject = [value for part in found.get("subject", ()) for key, value in part if key == "commonName"]
    properties = {"x509_pem_cert": [ssl.DER_cert_to_PEM_cert(der)], "x509_common_name": subject}
    for kind, name in found.get("subjectAltName", ()):
        if kind in _NAMES:
            properties.setdefault(_NAMES[kind], []).append(name)
    return {key: tuple(name.encode() for name in names) for key, names in properties.items()}
