"""TLS credentials of the port: server certificate and client authorities, reloaded when their files change."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import grpc
import structlog

from tariffs.engine.errors import InputError
from tariffs.service.settings.settings import Security

_log = structlog.get_logger("tariffs.service")


def server_credentials(settings: Security) -> grpc.ServerCredentials | None:
    """Return the credentials of the port; None without encryption.

    Certificates expire while the server runs, so each handshake checks whether a file has changed.

    Raises:
        InputError: SETTING_INVALID if certificate, key or authorities cannot be used.
    """
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    files = _Files(settings.tls_certificate, settings.tls_key, settings.tls_client_ca)
    credentials: grpc.ServerCredentials = grpc.dynamic_ssl_server_credentials(
        files.read(), files.read_changed, settings.tls_client_ca is not None
    )
    return credentials


class _Files:
    def __init__(self, certificate: Path, key: Path, client_ca: Path | None) -> None:
        self._certificate = certificate
        self._key = key
        self._client_ca = client_ca
        self._seen = self._signature()

    def read(self) -> Any:
        """Read the configuration from the files."""
        self._check()
        root = None if self._client_ca is None else self._client_ca.read_bytes()
        pair = (self._key.read_bytes(), self._certificate.read_bytes())
        return grpc.ssl_server_certificate_configuration([pair], root)

    def read_changed(self) -> Any:
        """Read the configuration if a file has changed, else return None, which keeps the one in use."""
        try:
            signature = self._signature()
            if signature == self._seen:
                return None
            configuration = self.read()
        except (OSError, InputError) as error:
            # Files are renewed one after the other, and do not match in between.
            _log.warning("certificate not read", message=str(error))
            return None
        self._seen = signature
        _log.info("certificate read")
        return configuration

    def _check(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self._certificate, self._key)
        except (ssl.SSLError, OSError) as error:
            raise _invalid("TARIFFS_TLS_CERTIFICATE and TARIFFS_TLS_KEY", error) from None
        if self._client_ca is not None:
            try:
                context.load_verify_locations(self._client_ca)
            except (ssl.SSLError, OSError) as error:
                raise _invalid("TARIFFS_TLS_CLIENT_CA", error) from None

    def _signature(self) -> tuple[tuple[int, int], ...]:
        paths = [path for path in (self._certificate, self._key, self._client_ca) if path is not None]
        return tuple((stat.st_mtime_ns, stat.st_size) for stat in map(Path.stat, paths))


def _invalid(names: str, error: Exception) -> InputError:
    return InputError(
        "SETTING_INVALID",
        f"{names} cannot be used: {error}.",
        fix="Use PEM files; the key must belong to the certificate and have no passphrase.",
    )
