"""A page in Chromium that asks for a quote by fetch, from an origin that may and from one that may not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.desk.conftest import browser
from tests.service.harness import Running, no_warm_up, running

pytest.importorskip("connectrpc", reason="the extra `web` is not installed")
__all__ = ["browser"]

HERE = Path(__file__).resolve().parent
SECONDS = 60


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Write nothing."""


@pytest.fixture(scope="module")
def pages() -> Iterator[int]:
    """Port of a site that holds the page."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(HERE))) as site:
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        try:
            yield site.server_address[1]
        finally:
            site.shutdown()
            thread.join(SECONDS)


@pytest.fixture(scope="module")
def server(pages: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    tokens = tmp_path_factory.mktemp("tokens") / "tokens"
    tokens.write_text("page secret-of-the-page\n")
    origins = f"http://127.0.0.1:{pages}"
    with running(warm=no_warm_up, http_port=0, http_origins=origins, tokens_file=tokens) as started:
        yield started


def shown(browser: Any, address: str, server: Running) -> str:
    """The text of the page once the server has answered."""
    page = browser.new_page()
    try:
        page.goto(f"{address}/page.html?server=http://127.0.0.1:{server.server.http_port}")
        page.wait_for_function(
            "document.getElementById('answer').textContent !== 'asking'", timeout=SECONDS * 1000
        )
        return str(page.text_content("#answer"))
    finally:
        page.close()


def test_a_page_of_an_allowed_origin_gets_its_quote_and_of_another_nothing(
    browser: Any, pages: int, server: Running
) -> None:
    assert shown(browser, f"http://127.0.0.1:{pages}", server) == "200 3000.00 true"
    # The same address by another name is another origin.
    assert shown(browser, f"http://localhost:{pages}", server) == "refused: TypeError"
