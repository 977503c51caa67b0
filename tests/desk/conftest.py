"""Chromium before the pages of a server that knows two readers: one may run, the other may read."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

SECONDS = 60
CHROMIUM = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
READERS = {"alice": "run", "bob": "read"}


@dataclass
class Desk:
    """Server with pages, and its port."""

    server: Any
    port: int

    @property
    def address(self) -> str:
        """Address of the front page, without the slash."""
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Serve the pages from a thread of this process."""
    pytest.importorskip("connectrpc", reason="the extra `web` is not installed")
    from tests.service.harness import caller_files, no_warm_up, running

    rights = "".join(f"  {name}: {{roles: [{role}]}}\n" for name, role in READERS.items())
    files = caller_files(tmp_path_factory.mktemp("desk"), " ".join(READERS), f"callers:\n{rights}")
    with running(warm=no_warm_up, http_port=0, **files) as started:
        yield Desk(started.server, started.server.http_port)


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


def sign_in(context: Any, desk: Desk, name: str, path: str = "/quote") -> Any:
    """Open an address in a context of the browser as a reader signs in to it."""
    context.set_default_timeout(SECONDS * 1000)
    page = context.new_page()
    page.goto(desk.address + path)
    page.get_by_label("Your token").fill(f"token-of-{name}")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Sign out").wait_for()
    return page


@pytest.fixture(scope="module")
def alice(desk: Desk, browser: Any) -> Iterator[Any]:
    """Context of the browser in which alice has signed in."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    sign_in(context, desk, "alice").close()
    yield context
    context.close()


@pytest.fixture
def page(alice: Any) -> Iterator[Any]:
    """Tab of alice, where nothing may go wrong in a script."""
    opened, faults = alice.new_page(), list[str]()
    opened.on("pageerror", lambda error: faults.append(str(error)))
    yield opened
    opened.close()
    assert faults == []
