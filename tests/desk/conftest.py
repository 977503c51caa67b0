"""Chromium before the desk: the page is served in this process by a client that records its answers."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tariffs.client import Client

SECONDS = 60
CHROMIUM = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)


@dataclass
class Recorder:
    """Client that keeps every answer it gives."""

    client: Client
    answers: list[Any] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self.client, name)

        def recorded(*given: Any, **named: Any) -> Any:
            answer = verb(*given, **named)
            self.answers.append(answer)
            return answer

        return recorded


@dataclass
class Desk:
    """Page that is served, and the recorder behind it."""

    address: str
    recorder: Recorder


@pytest.fixture(scope="session")
def desk() -> Iterator[Desk]:
    """Serve the page on a free port in a thread."""
    pytest.importorskip("marimo", reason="the extra `notebook` is not installed")
    from tariffs.client.desk import asgi, session

    with Client.local() as client, socket.create_server(("127.0.0.1", 0)) as listener:
        recorder = Recorder(client)
        session.share(recorder)  # type: ignore[arg-type]  # it has the verbs of a client
        server = asgi.server("127.0.0.1")
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield Desk(f"http://127.0.0.1:{listener.getsockname()[1]}/", recorder)
        finally:
            server.should_exit = True
            thread.join(SECONDS)
            session.share(client)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start Debian's Chromium without a window; while it runs, no other loop can run in this thread."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        # Chromium has no sandbox of its own where it runs as root in a container.
        running = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def page(desk: Desk, browser: Any) -> Iterator[Any]:
    """Open the page in a new context and wait until it can be used."""
    context = browser.new_context(viewport={"width": 1200, "height": 1500}, accept_downloads=True)
    context.set_default_timeout(SECONDS * 1000)
    opened = context.new_page()
    desk.recorder.answers.clear()
    opened.goto(desk.address)
    opened.get_by_role("button", name="Compute duty").wait_for()
    yield opened
    context.close()
