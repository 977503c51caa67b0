"""Reports fit a telephone and two sheets of A4, and notebooks of the docs are computed to their last line as apps."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client
from tests.desk.conftest import SECONDS

SCENARIOS = ["base", "ieepa-upheld-truce-lapsed"]
GOODS = [("9503.00.0073", "CN", 1e9), ("8471.30.0100", "VN", 2e9), ("6109.10.0012", "BD", 3e9)]
LINES = pl.DataFrame(GOODS, ["hts", "origin", "customs_value"], orient="row")


def test_reports_fit_a_telephone_print_on_two_sheets_and_name_what_is_seen(
    client: Client, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    own: dict[str, Any] = {"baseline": "2025-01-01", "on": "2026-12-01", "by": ["origin"]}
    period: dict[str, Any] = {"start": "2025-01-01", "end": "2026-12-31", "baseline": "2025-01-01"}
    vary: Any = {"cn": ["0%", "10%", "20%"], "vn": ["0%", "10%"]}
    results: dict[str, Any] = {
        "impact": client.impact(scenarios=SCENARIOS, on="2026-11-20", by=["origin"], attribute=True),
        "timeline": client.timeline(LINES, SCENARIOS, by=["origin"], **period),
        "sweep": client.sweep(LINES, "rates-by-country", vary=vary, **own),
        "seek": client.seek(LINES, "rates-by-country", vary=("cn", "0%", "60%"), target=("duty", 9e8), **own),
    }
    for kind, result in results.items():
        result.report(tmp_path / f"{kind}.html", law=client.legal_text(result))
    # While the browser runs, no other loop can run in this thread.
    sheet = request.getfixturevalue("browser").new_page(viewport={"width": 360, "height": 740})
    asked: list[str] = []
    sheet.on("request", lambda request: asked.append(request.url))
    for kind in results:
        sheet.goto((tmp_path / f"{kind}.html").as_uri())
        assert sheet.evaluate("document.documentElement.scrollWidth") == 360, kind
        # Print of a folded part would be a third sheet.
        printed = sheet.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page[^s]", printed)) <= 2, kind
        assert [one for one in asked if not one.startswith("file:")] == []
        assert "USD" in sheet.locator(".answer").inner_text()
        assert sheet.locator(".answer").bounding_box()["y"] < 300, kind
        assert sheet.locator("figure").count() == 1
        assert "USD" in sheet.locator("figcaption").inner_text()
        if kind == "timeline":
            events = sheet.locator("figure li").all_inner_texts()
            assert 4 <= len(events) <= 8
            assert any("Reciprocal duty on China" in text for text in events)
            assert not any("_" in text for text in events)
        if kind == "sweep":
            assert "Rate on China, percent" in sheet.locator("figure svg").inner_html()
    sheet.close()


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
