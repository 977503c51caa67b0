"""Keep which events were listed, and post new ones to a receiver: signed CloudEvents over https."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tariffs.client.errors import InvalidRequest, Unavailable
from tariffs.client.results.json_values import json_value
from tariffs.client.results.watch import WatchEvent, WatchResult

SIGNATURE = "Tariffs-Signature"
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
_SCHEMA = "tariffs.watch-state/v1"
_OVERLAP = timedelta(days=30)
"""Days that are listed again, since acts may become known to a newer law under an earlier day."""
_SECONDS = 30.0
_THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}


class Receiver(NamedTuple):
    """Address that takes events, and the secret that signs them; empty for none."""

    url: str
    secret: str


@dataclass
class Seen:
    """Events that were listed and posted before, by id, and the first day to list; without a path none."""

    path: Path | None
    since: str
    ids: frozenset[str]

    @classmethod
    def read(cls, path: Path | None) -> Seen:
        """Read a file of state; one that is not there yet is empty.

        Raises:
            InvalidRequest: the file is no state of this command.
        """
        if path is None or not path.exists():
            return cls(path, "", frozenset())
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if found["schema"] != _SCHEMA:
                raise ValueError(found["schema"])
            return cls(
                path, str(found["since"] and date.fromisoformat(found["since"])), frozenset(found["ids"])
            )
        except (OSError, KeyError, TypeError, ValueError) as error:
            message, fix = (
                f"{path} is no state of `watch events`: {error}.",
                "Name another file, or remove this one.",
            )
            raise InvalidRequest("REQUEST_INVALID", message, field="--state", fix=fix) from error

    def new(self, events: Iterable[WatchEvent]) -> tuple[WatchEvent, ...]:
        """Leave out events that were listed before."""
        return tuple(one for one in events if one.id not in self.ids)

    def write(self, result: WatchResult) -> None:
        """Replace the file by the state after a listing."""
        self.since = str(date.fromisoformat(str(result.provenance["known_on"])) - _OVERLAP)
        self.ids = frozenset(one.id for one in result.events)
        self.keep()

    def add(self, event: WatchEvent) -> None:
        """Note an event that its receiver has taken."""
        self.ids |= {event.id}

    def keep(self) -> None:
        """Replace the file by what is noted so far."""
        if self.path is None:
            return
        text = json.dumps({"schema": _SCHEMA, "since": self.since, "ids": sorted(self.ids)}, indent=1)
        draft = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        draft.write_text(text, encoding="utf-8")
        draft.replace(self.path)


def receiver_of(url: str, secret_file: Path | None) -> Receiver | None:
    """Check the address of a receiver and read the secret; None without an address.

    Raises:
        InvalidRequest: the address is neither https nor of this machine, or the secret cannot be read.
    """
    if not url:
        return None
    parts = urlsplit(url)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _THIS_MACHINE)
    if not is_safe or not parts.hostname:
        fix = "Give an https address."
        raise InvalidRequest(
            "REQUEST_INVALID", f"Events cannot be posted to {url!r}.", field="--post", fix=fix
        )
    try:
        secret = "" if secret_file is None else secret_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest("REQUEST_INVALID", f"{secret_file}: {error}.", field="--secret-file") from error
    return Receiver(url, secret)


def deliver(receiver: Receiver, events: Iterable[WatchEvent], seen: Seen) -> None:
    """Post events in their order, each noted as seen once it is taken; ends at the first that is not.

    Raises:
        Unavailable: the receiver did not take an event; those before it are in the state.
    """
    opener = urllib.request.build_opener(_NoRedirect)
    for event in events:
        body = cloud_event(event)
        headers = {"Content-Type": CONTENT_TYPE}
        if receiver.secret:
            headers[SIGNATURE] = signature(receiver.secret, body, int(time.time()))
        try:
            opener.open(
                urllib.request.Request(receiver.url, body, headers, method="POST"), timeout=_SECONDS
            ).close()
        except (OSError, http.client.HTTPException) as error:
            seen.keep()
            why = f"status {error.code}" if isinstance(error, urllib.error.HTTPError) else str(error)
            message = f"{receiver.url} did not take event {event.id}: {why}."
            raise Unavailable(
                "SERVER_UNAVAILABLE",
                message,
                code="UNAVAILABLE",
                fix="Run the command again; it goes on from there.",
            ) from error
        seen.add(event)


def signature(secret: str, body: bytes, now: int) -> str:
    """Sign a body at a time: HMAC-SHA256 of the seconds since 1970, a dot and the body."""
    digest = hmac.new(secret.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={now},v1={digest}"


def cloud_event(event: WatchEvent) -> bytes:
    """Write an event as CloudEvents 1.0 JSON: the same bytes whenever it is posted."""
    made = {
        "specversion": "1.0",
        "id": event.id,
        "source": "/tariffs/watch",
        "type": f"tariffs.watch.{event.kind}",
        "subject": event.line_id,
        "datacontenttype": "application/json",
        "data": json_value(event.to_json_dict()),
    }
    return json.dumps(made, sort_keys=True).encode()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Takes a redirect as a refusal: what is signed for one receiver goes to no other."""

    def redirect_request(self, *args: Any, **options: Any) -> None:
        return None
