"""Name of a caller in its verified client certificate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tariffs.engine.errors import ServiceError

# Names of gRPC for what it read from the certificate after it verified its chain.
_PROPERTIES = {
    "common_name": "x509_common_name",
    "dns": "peer_dns",
    "uri": "peer_uri",
    "email": "peer_email",
}
Properties = Mapping[str, Iterable[bytes]]


def certificate_name(properties: Properties, kind: str) -> str | None:
    """Return the name of a kind in the certificate of a connection; None without a certificate.

    Args:
        properties: the connection's, from gRPC.
        kind: common_name, dns, uri or email.

    Raises:
        ServiceError: TOKEN_INVALID if it has none or several of the kind: which one is the caller's would be a guess.
    """
    if "x509_pem_cert" not in properties:
        return None
    # A subject without a common name is given as an empty one.
    names = [name for name in properties.get(_PROPERTIES[kind], ()) if name]
    if len(names) == 1:
        return names[0].decode("utf-8", errors="replace")
    raise ServiceError(
        "TOKEN_INVALID",
        f"The client certificate has {len(names)} names of the kind {kind}, and the server needs one.",
        fix="Use a certificate with one such name; TARIFFS_TLS_NAMES of the server chooses the kind.",
    )
