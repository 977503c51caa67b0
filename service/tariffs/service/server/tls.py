"""TLS of both ports: server certificate and client authorities, reloaded when their files change."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import grpc
import structlog

from tariffs.engine.errors import InputError
from tariffs.service.settings.settings import Security

Read = TypeVar("Read")
_log = structlog.get_logger("tariffs.service")
CERTIFICATE_KEY = "certificate"
"""Name of a certificate's properties in the state of a request."""
_NAMES = {"DNS": "peer_dns", "URI": "peer_uri", "email": "peer_email"}


def server_credentials(settings: Security) -> grpc.ServerCredentials | None:
    """Return the credentials of the port; None without encryption.

    Certificates expire while the server runs, so each handshake checks whether a file has changed.

    Raises:
        InputError: SETTING_INVALID if certificate, key or authorities cannot be used.
    """
    files = CertificateFiles.of(settings)
    if files is None:
        return None
    changed: Any = partial(files.read_changed, files.configuration)
    credentials: grpc.ServerCredentials = grpc.dynamic_ssl_server_credentials(
        files.configuration(), changed, settings.tls_client_ca is not None
    )
    return credentials


class CertificateFiles:
    """PEM files of certificate, key and client authorities of one port.

    Args:
        client_ca: None if clients need no certificate.
    """

    def __init__(self, certificate: Path, key: Path, client_ca: Path | None) -> None:
        self._certificate = certificate
        self._key = key
        self._client_ca = client_ca
        self._seen = self._signature()

    @classmethod
    def of(cls, settings: Security) -> CertificateFiles | None:
        """Return the files that the settings name; None without encryption."""
        if settings.tls_certificate is None or settings.tls_key is None:
            return None
        return cls(settings.tls_certificate, settings.tls_key, settings.tls_client_ca)

    def configuration(self) -> Any:
        """Read the files for gRPC; raises as `context`."""
        self.context()
        root = None if self._client_ca is None else self._client_ca.read_bytes()
        pair = (self._key.read_bytes(), self._certificate.read_bytes())
        return grpc.ssl_server_certificate_configuration([pair], root)

    def context(self) -> ssl.SSLContext:
        """Read the files for Python's TLS.

        Raises:
            InputError: SETTING_INVALID if certificate, key or authorities cannot be used.
        """
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
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def read_changed(self, read: Callable[[], Read]) -> Read | None:
        """Call `read` if a file has changed, else return None, which keeps what is in use."""
        try:
            signature = self._signature()
            if signature == self._seen:
                return None
            found = read()
        except (OSError, InputError) as error:
            # Files are renewed one after the other, and do not match in between.
            _log.warning("certificate not read", message=str(error))
            return None
        self._seen = signature
        _log.info("certificate read")
        return found

    def _signature(self) -> tuple[tuple[int, int], ...]:
        paths = [path for path in (self._certificate, self._key, self._client_ca) if path is not None]
        return tuple((stat.st_mtime_ns, stat.st_size) for stat in map(Path.stat, paths))


def _invalid(names: str, error: Exception) -> InputError:
    return InputError(
        "SETTING_INVALID",
        f"{names} cannot be used: {error}.",
        fix="Use PEM files; the key must belong to the certificate and have no passphrase.",
    )


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
