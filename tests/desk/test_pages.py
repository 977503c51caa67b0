"""The pages in Chromium: an address is a question, and its figures never go stale."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import fastexcel
import pytest

from tariffs.client.desk import access
from tariffs.client.desk.unsaved import packed
from tests.desk.conftest import Desk, sign_in

LINE = {"hts": "9503.00.0073", "origin": "CN", "value": "10000", "on": "2025-05-14"}
QUOTE = f"/quote?{urlencode(LINE)}"
COMPARE = "/compare?s=base&s=forced-labor-20-on-china&on=2027-01-11&by=origin&response=none"
SWEEP = "/sweep?s=rates-by-country&vary=cn%3D0%25:20%25:5%25&on=2027-01-11&by=origin&response=none"
HOSTILE = "<img src=x onerror=alert(1)>"
TIMELINE = "/timeline?s=base&start=2026-01-01&end=2026-03-31&by=origin"
OPTIONS = f"/options?{urlencode(LINE)}"
VIEWS = (
    "/", "/?q=toys", QUOTE, "/quote?origin=Narnia&value=x", COMPARE, TIMELINE, SWEEP, "/law", "/law/fent_cn",
    "/source?hts=9503.00.0073&unit_cost=10&s=base&s=ieepa-upheld-truce-lapsed", OPTIONS, "/bom", "/watch",
    "/law/diff?first=2026-11-01&second=2026-11-24", "/scenario", "/tables", "/collections", "/score", "/hindcast",
)  # fmt: skip
ROWS = "hts,origin,customs_value,note\n9503.00.0073,CN,10000,=1+1\n9403.60.8093,VN,20000,@b\n"
BAD = "95O3,CN,10,\n9503.00.0073,Narnia,10,\n9503.00.0073,CN,minus,\n"


def json_of(page: Any, address: str) -> Any:
    answer = page.request.get(address, headers={"accept": "application/json"})
    return json.loads(answer.text())


def test_a_quote_shows_each_layer_and_why_and_is_the_json_of_its_address(page: Any, desk: Desk) -> None:
    page.goto(desk.address + QUOTE)
    plain = json_of(page, desk.address + QUOTE)
    assert plain["schema"] == "tariffs.duty/v1"
    assert plain["assessed"] == "3000.00"
    assert page.locator(".big strong").inner_text() == "USD 3,000.00"
    assert page.locator(".layers .amount").all_inner_texts() == [
        f"{float(layer['amount']):,.2f}" for layer in plain["layers"]
    ]
    reasons = page.get_by_text("20% on the customs value. Assessed and not owed")
    assert not reasons.is_visible()
    page.locator(".layers summary").filter(has_text="fentanyl").click()
    reasons.wait_for()
    page.get_by_role("link", name="2025-03-04").click()
    page.wait_for_url("**on=2025-03-04*")
    assert page.locator(".big strong").inner_text() == "USD 2,000.00"


def test_a_program_sends_its_token_and_gets_json_without_a_cookie(browser: Any, desk: Desk) -> None:
    context = browser.new_context(extra_http_headers={"accept": "application/json"})
    right, wrong = (
        context.request.get(desk.address + QUOTE, headers={"authorization": f"Bearer {token}"})
        for token in ("token-of-bob", "wrong")
    )
    assert right.json()["assessed"] == "3000.00"
    assert "set-cookie" not in right.headers
    assert (wrong.status, wrong.json()["error"]["reason"]) == (401, "TOKEN_INVALID")
    context.close()


def test_every_view_is_small_fits_a_telephone_and_names_its_fields(page: Any, desk: Desk) -> None:
    sizes = dict[str, int]()
    page.on("response", lambda answer: sizes.update({answer.url: len(answer.body())}))
    page.set_viewport_size({"width": 360, "height": 740})
    for view in VIEWS:
        sizes.clear()
        page.goto(desk.address + view, wait_until="networkidle")
        assert [url for url in sizes if not url.startswith((desk.address, "data:"))] == []
        assert sum(sizes.values()) < 150_000, view
        assert page.evaluate("document.documentElement.scrollWidth") == 360, view
        nameless = page.evaluate(
            "[...document.querySelectorAll('input:not([type=hidden]),select,textarea')]"
            ".filter(one => !one.labels.length && !one.ariaLabel).length"
        )
        assert nameless == 0, view
        assert page.locator("h1").count() == 1, view
        if view == TIMELINE:
            events = page.locator("ol.rows li").all_inner_texts()
            assert any("fentanyl and 14 others: void" in text for text in events)
            assert page.locator(".plot .mark").count() == len(events)
    page.set_viewport_size({"width": 1280, "height": 900})


def test_edit_and_compare_twice_reload_back_and_a_second_tab(page: Any, alice: Any, desk: Desk) -> None:
    def figures() -> list[str]:
        found: list[str] = page.locator(".answer td").all_inner_texts()
        return found

    page.goto(desk.address + COMPARE)
    first = figures()
    page.get_by_label("Day", exact=True).fill("2025-05-14")
    page.get_by_label("Day", exact=True).press("Enter")
    page.wait_for_url("**on=2025-05-14*")
    second = figures()
    assert second != first
    page.reload()
    assert figures() == second
    page.get_by_label("Laws and scenarios 2").select_option("")
    page.get_by_role("button", name="Compute").click()
    page.wait_for_url(lambda url: "forced-labor" not in url)
    page.go_back()
    assert figures() == second
    page.go_back()
    assert figures() == first
    other = alice.new_page()
    other.goto(page.url)
    assert other.locator(".answer td").all_inner_texts() == first
    other.close()
    with page.expect_download() as caught:
        page.get_by_role("link", name="Workbook (xlsx)").click()
    assert {"totals", "groups"} <= set(fastexcel.read_excel(caught.value.path().read_bytes()).sheet_names)


def test_the_slider_of_a_sweep_moves_over_points_that_came_with_the_page(page: Any, desk: Desk) -> None:
    page.goto(desk.address + SWEEP)
    slider, seen = page.get_by_role("slider"), page.locator("#point-groups")
    before = seen.inner_text()
    asked = list[str]()
    page.on("request", lambda request: asked.append(request.url))
    slider.focus()
    began = time.perf_counter()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.getElementById('point-label').textContent.includes('5 %')")
    assert time.perf_counter() - began < 1.0
    assert seen.inner_text() != before
    assert asked == []
    page.wait_for_url("**point=1*")
    page.reload()
    assert "5 %" in page.locator("#point-label").inner_text()


def test_all_errors_of_a_form_are_seen_at_once_and_at_their_fields(page: Any, desk: Desk) -> None:
    page.goto(f"{desk.address}/quote?hts=95O3&origin=CN&value=1")
    assert "Give 4, 6, 8 or 10 digits" in page.get_by_role("alert").inner_text()
    page.goto(f"{desk.address}/quote?hts=9503.00.0073&origin=Narnia&value=ten&on=2025-05-14")
    assert page.get_by_role("alert").locator("li").count() == 2
    for label in ("Country of origin", "Customs value"):
        field = page.get_by_label(label)
        assert field.get_attribute("aria-invalid") == "true"
        about = field.get_attribute("aria-describedby").split()[-1]
        assert page.locator(f"[id='{about}']").inner_text()
    page.get_by_label("Country of origin").fill("CN")
    page.get_by_label("Customs value").fill("10,000")
    page.keyboard.press("Enter")
    page.locator(".big").wait_for()
    assert page.get_by_role("alert").count() == 0


def test_hostile_texts_are_shown_as_text(page: Any, desk: Desk) -> None:
    said = list[str]()
    page.on("dialog", lambda dialog: said.append(dialog.message))
    words = urlencode({"hts": HOSTILE, "origin": HOSTILE, "value": HOSTILE})
    goods = packed(f"line_id,hts,origin,customs_value\n{HOSTILE},9503.00.0073,CN,1\nb,{HOSTILE},CN,1\n")
    parts = packed(
        f"part,parent,hts,origin,supplier,unit_cost\n{HOSTILE},,,,,\np,{HOSTILE},{HOSTILE},CN,{HOSTILE},1\n"
    )
    for address in (
        f"/quote?{words}",
        f"/options?{words}",
        f"/watch?rows={goods}",
        f"/bom?rows={parts}",
        f"/?{urlencode({'q': HOSTILE})}",
        f"/compare?{urlencode({'s': HOSTILE, 'by': HOSTILE, 'table': HOSTILE})}",
        f"/sweep?{urlencode({'s': 'base', 'vary': HOSTILE})}",
    ):
        answer = page.goto(desk.address + address)
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert page.locator("img").count() == 0
        assert HOSTILE in page.locator("body").inner_text() or HOSTILE in page.content().replace(
            "&lt;", "<"
        ).replace("&gt;", ">")
    assert said == []


def test_a_shared_link_shows_each_reader_what_it_may_see(browser: Any, desk: Desk, page: Any) -> None:
    page.goto(desk.address + COMPARE)
    context = browser.new_context()
    other = sign_in(context, desk, "bob", QUOTE)
    assert other.locator(".big strong").inner_text() == "USD 3,000.00"
    answer = other.goto(desk.address + COMPARE)
    assert answer.status == 403
    assert "NOT_ALLOWED" in other.get_by_role("alert").inner_text()
    assert other.locator(".spoken").count() == 0
    context.close()


def test_a_sign_in_that_expires_leads_back_to_the_question(
    browser: Any, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = browser.new_context()
    opened = sign_in(context, desk, "alice", QUOTE)
    (cookie,) = context.cookies()
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    assert "secret" not in cookie["value"]
    # A part of the page that is still being answered would get a cookie of the later time.
    opened.wait_for_load_state("networkidle")
    later = time.time() + access.IDLE_SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert opened.goto(desk.address + QUOTE).status == 401
    monkeypatch.undo()
    opened.get_by_label("Your token").fill("wrong")
    opened.keyboard.press("Enter")
    opened.get_by_role("alert").filter(has_text="TOKEN_INVALID").wait_for()
    opened.get_by_label("Your token").fill("token-of-alice")
    opened.keyboard.press("Enter")
    opened.locator(".big strong").wait_for()
    assert opened.url == desk.address + QUOTE
    opened.get_by_role("button", name="Sign out").click()
    opened.get_by_label("Your token").wait_for()
    assert opened.goto(desk.address + QUOTE).status == 401
    context.close()


def test_a_measure_is_a_page_and_two_days_differ_by_its_acts(page: Any, desk: Desk) -> None:
    page.goto(f"{desk.address}/law?q=fentanyl+china")
    page.get_by_role("link", name="IEEPA duty on China and Hong Kong, fentanyl").click()
    page.wait_for_url("**/law/fent_cn")
    periods = json_of(page, page.url)["periods"]
    assert page.locator("h3").count() == len(periods)
    assert all(page.get_by_text(period["citations"][0]).count() for period in periods)
    page.get_by_role("link", name="All changes of this measure").click()
    page.wait_for_url("**/law/diff?**")
    assert page.get_by_text("Learning Resources v. Trump").count()
    assert page.goto(f"{desk.address}/law/no_such_measure").status == 404
    assert "MEASURE_NOT_FOUND" in page.get_by_role("alert").inner_text()


def test_a_scenario_is_checked_as_it_is_written_and_saved_for_its_link(page: Any, desk: Desk) -> None:
    page.goto(f"{desk.address}/scenario")
    text = page.get_by_label("Scenario in YAML")
    written = text.input_value()
    text.fill(written.replace("set_rate", "set_rat").replace("Your scenario", f"'{HOSTILE}'"))
    page.get_by_text("It cannot be run yet").wait_for()
    page.get_by_text("Line 6, column 10").wait_for()
    text.fill(written.replace("Your scenario", f"'{HOSTILE}'"))
    page.get_by_text("for CN 12.5% now, 20% under the scenario").wait_for()
    page.get_by_label("Measure").fill("fl301")
    page.get_by_label("Only these countries").fill("VN")
    page.get_by_label("Rate").fill("40%")
    page.get_by_role("button", name="Add to the text").click()
    page.get_by_text("40% under the scenario").first.wait_for()
    assert page.get_by_label("Scenario in YAML").input_value().count("op: set_rate") == 2
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/scenario?s=team**")
    assert HOSTILE in page.locator("aside").inner_text()
    assert page.locator("img").count() == 0
    page.get_by_role("link", name="Compare it with the law").click()
    page.locator(".spoken").wait_for()


def test_the_address_keeps_a_text_that_is_not_saved(browser: Any, page: Any, desk: Desk) -> None:
    page.goto(f"{desk.address}/scenario")
    text = page.get_by_label("Scenario in YAML")
    written = text.input_value().replace("Your scenario", "Mine <b>").replace("20%", "35%")
    text.fill(written)
    page.get_by_text("35% under the scenario").wait_for()
    page.wait_for_url("**/scenario?s=~**")
    page.reload()
    assert text.input_value() == written
    context = browser.new_context()
    other = sign_in(context, desk, "bob", page.url.removeprefix(desk.address))
    assert other.get_by_label("Scenario in YAML").input_value() == written
    context.close()
    page.get_by_role("link", name="Compare it with the law").click()
    page.locator(".spoken").filter(has_text="Mine <b>").wait_for()
    assert "Mine <b> (not saved)" in page.get_by_label("Laws and scenarios 2").inner_text()
    page.goto(f"{desk.address}/scenario")
    long = "".join(f"# {hash(place):x}{place**9:x}\n" for place in range(600))
    text.fill(long + written)
    page.get_by_text("The text is too long for a link").wait_for()


def test_a_table_is_uploaded_mapped_by_hand_and_computed_on(
    browser: Any, page: Any, desk: Desk, tmp_path: Path
) -> None:
    good, odd = tmp_path / "<img src=x>.csv", tmp_path / "odd.csv"
    good.write_text(ROWS + BAD)
    odd.write_text("Tariff No,Land,Worth\n9503.00.0073,CN,10000\n")
    page.goto(f"{desk.address}/tables")
    page.get_by_label("File").set_input_files(good)
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url("**table=**")
    assert page.locator(".big").inner_text() == "2 of 5 rows can be used"
    for found in ("95O3", "Narnia", "minus"):
        page.get_by_role("cell", name=found, exact=True).wait_for()
    own = page.url.partition("?")[2]
    compare = f"{desk.address}/compare?{own}&s=base&by=note&response=none&on=2026-11-24"
    page.goto(compare)
    assert "USD 30,000" in page.locator(".spoken").inner_text()
    assert "your table" in page.locator(".answer").inner_text()
    rows = page.request.get(f"{compare}&as=csv").text()
    assert {line.split(",")[2] for line in rows.splitlines()[1:]} == {"'=1+1", "'@b"}
    page.goto(f"{desk.address}/tables")
    page.get_by_label("File").set_input_files(odd)
    page.get_by_role("button", name="Upload").click()
    for label, column in (("hts", "Tariff No"), ("origin", "Land"), ("customs value", "Worth")):
        page.get_by_label(label).select_option(column)
    file = page.request.get(desk.address + page.locator("#mapping-file").get_attribute("href") + "&as=toml")
    assert 'hts = ["Tariff No"]' in file.text()
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url("**table=**")
    assert page.locator(".big").inner_text() == "1 of 1 rows can be used"
    page.get_by_role("button", name="Delete this table").click()
    page.wait_for_url("**/tables")
    assert page.goto(f"{desk.address}/tables?{own}").status == 200
    assert page.goto(f"{desk.address}/tables?table=tables/{'0' * 64}").status == 404
    context = browser.new_context()
    other = sign_in(context, desk, "bob", "/tables")
    assert other.goto(f"{desk.address}/tables?{own}").status in {403, 404}
    assert "30,000" not in other.locator("body").inner_text()
    context.close()


def test_the_keyboard_alone_is_enough(page: Any, desk: Desk) -> None:
    page.goto(desk.address)
    _tab_to(page, "Quote")
    page.keyboard.press("Enter")
    page.wait_for_url("**/quote")
    _tab_to(page, "", "hts")
    for value in ("8471.30.0100", "CN", "500"):
        page.keyboard.type(value)
        page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.locator(".big").wait_for()
    _tab_to(page, "Ordinary duty, column 1")
    page.keyboard.press("Enter")
    page.get_by_text("Ordinary rate Free").wait_for()


def _tab_to(page: Any, text: str, name: str = "") -> None:
    """Press Tab until the element with this text or name has the focus."""
    for _ in range(40):
        page.keyboard.press("Tab")
        found = page.evaluate("[document.activeElement.innerText, document.activeElement.name]")
        if (name and found[1] == name) or (text and re.match(rf"\W*{re.escape(text)}", found[0] or "")):
            return
    pytest.fail(f"{text or name} cannot be reached by Tab")
