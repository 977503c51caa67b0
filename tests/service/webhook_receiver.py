"""Receive webhooks: check the signature, and keep each event in a file before the answer.

As a program: `python -m tests.service.webhook_receiver PORT FILE`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

SECRET = "0123456789abcdef"


class Receiver(ThreadingHTTPServer):
    """Receiver on the loopback; `statuses` are those of the first answers, then 204."""

    def __init__(self, port: int, path: Path, statuses: list[int]) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.path, self.statuses = path, statuses

    def events(self) -> list[dict[str, Any]]:
        """Return the events received, in order, those answered by an error too."""
        return [json.loads(text) for text in self.path.read_text().splitlines()] if self.path.exists() else []


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        now, _, digest = self.headers["Tariffs-Signature"].removeprefix("t=").partition(",v1=")
        wanted = hmac.new(SECRET.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
        event = {"signed": digest == wanted, "type": self.headers["Content-Type"], "body": json.loads(body)}
        with self.server.path.open("a") as file:
            file.write(json.dumps(event) + "\n")
            file.flush()
            os.fsync(file.fileno())
        status = self.server.statuses.pop(0) if self.server.statuses else 204
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Write no log."""


@contextmanager
def receiving(path: Path, *statuses: int, port: int = 0) -> Iterator[Receiver]:
    """A receiver in a thread, stopped at the end."""
    receiver = Receiver(port, path, list(statuses))
    thread = Thread(target=receiver.serve_forever)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.shutdown()
        thread.join()
        receiver.server_close()


if __name__ == "__main__":
    Receiver(int(sys.argv[1]), Path(sys.argv[2]), []).serve_forever()
