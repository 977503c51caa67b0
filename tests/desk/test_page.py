"""The page of the desk in Chromium: what a reader without Python does, by mouse and by keyboard alone."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import fastexcel
import pytest

from tests.desk.conftest import Desk

SMALL = "hts,origin,customs_value\n9503.00.0073,CN,10000\n9403.60.8093,VN,20000\n"
BAD = f"{SMALL}95O3,CN,10\n9503.00.0073,Narnia,10\n9503.00.0073,CN,minus\n"
FOCUSED = """() => {
    let found = document.activeElement;
    while (found.shadowRoot?.activeElement) found = found.shadowRoot.activeElement;
    return found.innerText;
}"""
NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")


def open_part(page: Any, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()
    page.get_by_role("heading", name=name).wait_for()


def upload(page: Any, folder: Path, text: str, name: str = "mine.csv") -> None:
    (folder / name).write_text(text, encoding="utf-8")
    open_part(page, "Your table")
    page.locator("input[type=file]").first.set_input_files(folder / name)


def compare(page: Any, response: str = "none") -> None:
    open_part(page, "Compare")
    page.get_by_label("Response of trade").select_option(response)
    page.get_by_role("button", name="Compute comparison").click()
    page.get_by_text("Download report").wait_for()


def text_of(answer: Any) -> str:
    return unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", answer._repr_html_()))


def test_a_quote_shows_each_layer_and_why(page: Any) -> None:
    page.get_by_label("Day of entry").fill("2025-05-14")
    page.get_by_role("button", name="Compute duty").click()
    page.get_by_text("Duty 3,000.00 USD").wait_for()
    reasons = page.get_by_text("20% on the customs value. Assessed and not owed")
    assert not reasons.is_visible()
    page.get_by_text("Reasons of the layers").click()
    reasons.wait_for()
    assert page.get_by_role("cell", name="fent_cn").get_attribute("title")


def test_every_number_of_a_quote_and_a_comparison_is_an_answer_of_the_client(
    page: Any, desk: Desk, tmp_path: Path
) -> None:
    page.get_by_role("button", name="Compute duty").click()
    page.get_by_text("landed cost").first.wait_for()
    quoted = set(NUMBER.findall(page.locator("body").inner_text()))
    upload(page, tmp_path, SMALL)
    compare(page)
    compared = set(NUMBER.findall(page.locator("body").inner_text()))
    law, *_ = (answer for answer in desk.recorder.answers if hasattr(answer, "version"))
    answers = [text_of(answer) for answer in desk.recorder.answers if hasattr(answer, "_repr_html_")]
    assert len(answers) >= 3
    known = set(NUMBER.findall(" ".join([*answers, law.version, law.as_of])))
    assert quoted <= known
    assert compared <= known | {"20"}, "20 is in the example of a parameter"


def test_an_error_has_its_reason_and_fix_and_the_page_goes_on(page: Any) -> None:
    page.get_by_label("HTS code").fill("95O3")
    page.get_by_role("button", name="Compute duty").click()
    alert = page.get_by_role("alert").filter(has_text="HTS_CODE_MALFORMED")
    alert.wait_for()
    assert "Give 4, 6, 8 or 10 digits" in alert.inner_text()
    page.get_by_label("HTS code").fill("9503.00.0073")
    page.get_by_role("button", name="Compute duty").click()
    page.get_by_text("landed cost").first.wait_for()
    assert not alert.is_visible()


def test_an_upload_with_bad_rows_lists_each_of_them(page: Any, tmp_path: Path) -> None:
    upload(page, tmp_path, BAD)
    page.get_by_text("3 rows were refused").first.wait_for()
    for found in ("95O3", "Narnia", "minus"):
        page.get_by_role("cell", name=found, exact=True).wait_for()
    with page.expect_download() as caught:
        page.get_by_text("Download refused rows").click()
    assert caught.value.path().read_text(encoding="utf-8").count("\n") == 4
    upload(page, tmp_path, "a,b\n1,2\n", "other.csv")
    page.get_by_role("alert").filter(has_text="COLUMN_MISSING").wait_for()


def test_a_comparison_of_ones_own_table_is_handed_over(page: Any, tmp_path: Path) -> None:
    upload(page, tmp_path, SMALL)
    page.get_by_text("Every row can be used").wait_for()
    open_part(page, "Compare")
    page.get_by_label("Question, the title of the report").fill("What if China pays 20 percent?")
    compare(page, "armington")
    page.locator(".vega-embed").nth(2).wait_for()
    with page.expect_download() as caught:
        page.get_by_text("Download report").click()
    report = caught.value.path().read_text(encoding="utf-8")
    assert "<h1>What if China pays 20 percent?</h1>" in report
    assert "30,000" in report
    with page.expect_download() as caught:
        page.get_by_text("Download workbook").click()
    path = tmp_path / "out.xlsx"
    caught.value.save_as(path)
    assert {"totals", "groups", "provenance"} <= set(fastexcel.read_excel(path).sheet_names)


def test_figures_follow_the_table_and_the_scenario_without_another_click(page: Any, tmp_path: Path) -> None:
    upload(page, tmp_path, SMALL)
    page.get_by_text("Every row can be used").wait_for()
    open_part(page, "Compare")
    compare(page, "none")
    page.get_by_text("30,000.00").first.wait_for(state="attached")
    open_part(page, "Your table")
    upload(page, tmp_path, SMALL.replace("10000", "70000"), "second.csv")
    open_part(page, "Compare")
    page.get_by_text("90,000.00").first.wait_for(state="attached")
    open_part(page, "Your table")
    upload(page, tmp_path, "a,b\n1,2\n", "other.csv")
    open_part(page, "Compare")
    page.get_by_role("alert").filter(has_text="Your table cannot be used").wait_for()


def test_a_scenario_is_built_checked_and_computed(page: Any) -> None:
    open_part(page, "Scenario")
    page.get_by_text("for CN 12.5% in the first, 20% in the second").wait_for()
    page.get_by_label("Rate", exact=True).fill("40%")
    page.get_by_role("button", name="Add change").click()
    page.get_by_text("40% in the second").wait_for()
    text = page.get_by_label("Scenario in YAML")
    assert text.input_value().count("op: set_rate") == 2
    text.fill(text.input_value().replace("set_rate", "set_rat"))
    text.blur()
    page.get_by_text("cannot be run").wait_for()
    page.get_by_text("line 6, column 10").wait_for()


def test_days_and_points_are_shown(page: Any, tmp_path: Path) -> None:
    upload(page, tmp_path, SMALL)
    page.get_by_text("Every row can be used").wait_for()
    open_part(page, "Timeline")
    page.get_by_role("button", name="Compute timeline").click()
    page.get_by_text("segments of days").wait_for(state="attached")
    open_part(page, "Sweep")
    page.get_by_role("button", name="Compute sweep").click()
    page.get_by_text("the largest duties at cn = 0.0").wait_for()
    page.get_by_role("slider").press("ArrowRight")
    page.get_by_text("the largest duties at cn = 0.1").wait_for()


def test_the_keyboard_alone_is_enough(page: Any) -> None:
    keys = page.keyboard
    _tab_to(page, "Scenario")
    keys.press("Enter")
    page.get_by_text("What it changes").wait_for()
    _tab_to(page, "Quote")
    keys.press("Space")
    page.get_by_label("HTS code").wait_for()
    _tab_to(page, "Sweep")
    for value in ("8471.30.0100", "CN", "500", "2025-05-20"):
        keys.press("Tab")
        keys.press("Control+A")
        keys.type(value)
    _tab_to(page, "Compute duty")
    keys.press("Enter")
    page.get_by_text("Duty 100.00 USD").first.wait_for()
    _tab_to(page, "Reasons of the layers")
    keys.press("Enter")
    page.get_by_text("Exempt under 9903.01.32").first.wait_for()


def _tab_to(page: Any, name: str) -> None:
    """Press Tab until the element with this text has the focus."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if (page.evaluate(FOCUSED) or "").strip() == name:
            return
    pytest.fail(f"{name} cannot be reached by Tab")


def test_nothing_is_loaded_from_other_hosts(desk: Desk, browser: Any) -> None:
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(desk.address)
    page.get_by_role("button", name="Compute duty").wait_for(timeout=60_000)
    page.close()
    assert [url for url in asked if not url.startswith((desk.address, "data:", "blob:"))] == []
