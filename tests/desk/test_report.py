"""A report prints on two sheets of A4, needs no sideways scroll on a telephone, and answers from its first screen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client

SCENARIOS = ["base", "ieepa-upheld-truce-lapsed"]
KINDS = ("impact", "timeline", "sweep", "seek")
LINES = pl.DataFrame(
    {
        "hts": ["9503.00.0073", "8471.30.0100", "6109.10.0012"],
        "origin": ["CN", "VN", "BD"],
        "customs_value": [1e9, 2e9, 3e9],
    }
)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Reports by kind of result, as files."""
    folder, own = tmp_path_factory.mktemp("reports"), {"baseline": "2025-01-01", "on": "2026-12-01"}
    asked: dict[str, Any] = {"scenario": "rates-by-country", "by": ["origin"], **own}
    with Client.local() as client:
        results = {
            "impact": client.impact(scenarios=SCENARIOS, on="2026-11-20", by=["origin"], attribute=True),
            "timeline": client.timeline(
                LINES, SCENARIOS, start="2025-01-01", end="2026-12-31", baseline="2025-01-01", by=["origin"]
            ),
            "sweep": client.sweep(LINES, vary={"cn": ["0%", "10%", "20%"], "vn": ["0%", "10%"]}, **asked),
            "seek": client.seek(LINES, vary=("cn", "0%", "60%"), target=("duty", 4e8), **asked),
        }
        for name, result in results.items():
            result.report(folder / f"{name}.html", law=client.legal_text(result))
    return {name: folder / f"{name}.html" for name in results}


@pytest.fixture
def sheet(browser: Any) -> Iterator[Any]:
    opened = browser.new_page(viewport={"width": 360, "height": 740})
    yield opened
    opened.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_fits_a_telephone_and_prints_on_two_sheets(
    kind: str, reports: dict[str, Path], sheet: Any
) -> None:
    asked: list[str] = []
    sheet.on("request", lambda request: asked.append(request.url))
    sheet.goto(reports[kind].as_uri())
    assert sheet.evaluate("document.documentElement.scrollWidth") == 360
    # Print of a folded part would be a third sheet.
    printed = sheet.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page[^s]", printed)) <= 2
    assert [one for one in asked if not one.startswith("file:")] == []


def test_the_first_screen_has_the_answer_and_the_chart_has_words(
    reports: dict[str, Path], sheet: Any
) -> None:
    sheet.goto(reports["impact"].as_uri())
    assert "USD" in sheet.locator(".answer").inner_text()
    assert sheet.locator(".answer").bounding_box()["y"] < 300
    for kind in KINDS:
        sheet.goto(reports[kind].as_uri())
        assert sheet.locator("figure").count() == 1
        assert "USD" in sheet.locator("figcaption").inner_text()


def test_a_timeline_names_at_most_eight_events(reports: dict[str, Path], sheet: Any) -> None:
    sheet.goto(reports["timeline"].as_uri())
    events = sheet.locator("figure li").all_inner_texts()
    assert 4 <= len(events) <= 8
    assert any("Reciprocal duty on China" in text for text in events)
    assert not any("_" in text for text in events)


def test_the_axis_of_a_sweep_is_the_title_of_its_parameter_in_percent(
    reports: dict[str, Path], sheet: Any
) -> None:
    sheet.goto(reports["sweep"].as_uri())
    assert "Rate on China, percent" in sheet.locator("figure svg").inner_html()
