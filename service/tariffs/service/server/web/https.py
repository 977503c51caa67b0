"""Encryption of the HTTP port, with the files of the gRPC port; reloaded when they change."""

from __future__ import annotations

import ssl
from typing import Any

from tariffs.service.server.tls import CertificateFiles
from tariffs.service.settings.settings import Security


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
