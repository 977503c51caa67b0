"""Send an event to a webhook: a CloudEvent, signed, over one connection to an address that was checked.

By http.client, although urllib3 and requests are in the lock, for others: these resolve the name again after any check,
so that a second answer of the name server could lead to a private address, and they follow redirects.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ipaddress
import json
import socket
import ssl
import time
from typing import Any
from urllib.parse import quote, urlsplit

from tariffs.engine.errors import InputError
from tariffs.service.rpc.messages import time_text
from tariffs.service.rpc.portfolios import check_webhook, event_data
from tariffs.service.settings.group import Webhooks

SIGNATURE = "Tariffs-Signature"
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
_SECONDS = 10.0


class DeliveryError(Exception):
    """A receiver that has not taken an event; its text says why."""


def send(row: Any, portfolio: Any, settings: Webhooks) -> None:
    """Send an event of a portfolio to its webhook.

    Raises:
        DeliveryError: it was not taken; a redirect is not followed.
    """
    try:
        check_webhook(portfolio.webhook, portfolio.secret, settings)
    except InputError as error:
        raise DeliveryError(error.message) from None
    parts = urlsplit(portfolio.webhook)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    body = cloud_event(row)
    try:
        address = checked_address(parts.hostname or "", port, private=settings.webhook_private)
        connection = _CheckedConnection(
            parts.hostname or "", port, address, encrypted=parts.scheme == "https"
        )
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            headers = {
                "Content-Type": CONTENT_TYPE,
                SIGNATURE: signature(portfolio.secret, body, int(time.time())),
            }
            connection.request("POST", target, body, headers)
            status = connection.getresponse().status
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DeliveryError(f"{type(error).__name__}: {error}"[:200]) from None
    if not 200 <= status < 300:
        is_redirect = 300 <= status < 400
        raise DeliveryError(f"status {status}{', and redirects are not followed' if is_redirect else ''}")


def signature(secret: str, body: bytes, now: int) -> str:
    """Sign a body at a time: HMAC-SHA256 of the seconds since 1970, a dot and the body."""
    digest = hmac.new(secret.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={now},v1={digest}"


def cloud_event(row: Any) -> bytes:
    """Write an event as CloudEvents 1.0 JSON: the same bytes at each delivery."""
    data = event_data(row)
    event = {
        "specversion": "1.0",
        "id": row.id,
        "source": f"/portfolios/{quote(row.owner, safe='')}/{quote(row.name)}",
        "type": f"tariffs.watch.{data['kind']}",
        "subject": data["line_id"],
        "time": time_text(row.happened),
        "datacontenttype": "application/json",
        "data": data,
    }
    return json.dumps(event, sort_keys=True).encode()


def checked_address(host: str, port: int, *, private: bool) -> str:
    """Resolve a name once and return an address of it; none of them may be private, unless that is allowed.

    Raises:
        OSError: the name has no address, or one that is not allowed.
    """
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for text in found:
        address: Any = ipaddress.ip_address(text.partition("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        if not private and (not address.is_global or address.is_multicast):
            raise OSError(f"{host} has the address {address}, which is not public")
    return found[0]


class _CheckedConnection(http.client.HTTPConnection):
    """Connection to an address of a host, whose certificate must bear its name."""

    def __init__(self, host: str, port: int, address: str, *, encrypted: bool) -> None:
        super().__init__(host, port, timeout=_SECONDS)
        self._address = address
        self._context = ssl.create_default_context() if encrypted else None
        self.default_port = 443 if encrypted else 80

    def connect(self) -> None:
        """Connect to the checked address, and to no proxy."""
        self.sock = socket.create_connection((self._address, self.port), self.timeout)
        if self._context is not None:
            self.sock = self._context.wrap_socket(self.sock, server_hostname=self.host)
