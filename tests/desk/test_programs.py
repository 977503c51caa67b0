"""Programs ask the addresses of the pages with their token."""

from __future__ import annotations

from typing import Any

from tests.desk.conftest import Desk
from tests.desk.test_pages import QUOTE


def test_a_program_sends_its_token_and_gets_json_without_a_cookie(browser: Any, desk: Desk) -> None:
    context = browser.new_context(extra_http_headers={"accept": "application/json"})
    answers = {
        token: context.request.get(desk.address + QUOTE, headers={"authorization": f"Bearer {token}"})
        for token in ("secret-bob", "wrong")
    }
    assert answers["secret-bob"].json()["assessed"] == "3000.00"
    assert "set-cookie" not in answers["secret-bob"].headers
    assert answers["wrong"].status == 401
    assert answers["wrong"].json()["error"]["reason"] == "TOKEN_INVALID"
    context.close()
