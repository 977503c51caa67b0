"""A report prints on two sheets of A4, needs no sideways scroll on a telephone, and answers from its first screen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client

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
