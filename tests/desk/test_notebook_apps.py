"""Notebooks of the docs as apps: computed to their last line in Chromium, without an error."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.desk.conftest import SECONDS

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "notebooks"
# All five are computed by the tests of the client; as apps they differ in nothing, and these two are quick.
NOTEBOOKS = [FOLDER / "our_entries.py", FOLDER / "soybeans.py"]


@pytest.fixture
def apps() -> Iterator[str]:
    """Serve notebooks as apps, as `marimo run` serves one."""
    marimo = pytest.importorskip("marimo", reason="the extra `notebook` is not installed")
    uvicorn = pytest.importorskip("uvicorn")
    builder = marimo.create_asgi_app(quiet=True)
    sessions: list[Any] = []

    def noted(app: Any) -> Any:
        sessions.append(app.state.session_manager)
        return app

    for notebook in NOTEBOOKS:
        builder = builder.with_app(path=f"/{notebook.stem}", root=str(notebook), middleware=[noted])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(
            uvicorn.Config(builder.build(), log_level="warning", timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        for manager in sessions:
            manager.close_all_sessions()
        server.should_exit = True
        thread.join(SECONDS)


@pytest.mark.slow
def test_a_notebook_is_an_app(apps: str, browser: Any) -> None:
    pages = {notebook.stem: browser.new_page() for notebook in NOTEBOOKS}
    for name, page in pages.items():
        page.goto(f"{apps}/{name}/")
    for page in pages.values():
        page.get_by_text("Planning estimates, not rulings. Law").wait_for(timeout=2 * SECONDS * 1000)
        assert page.locator(".marimo-error").count() == 0
        page.close()
