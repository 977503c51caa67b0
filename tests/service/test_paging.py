"""Page tokens and names from outside: read back, or refused before any database sees them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tariffs.engine.errors import InputError
from tariffs.service.storage.access import (
    PAGE_DEFAULT,
    PAGE_LIMIT,
    is_created_and_key,
    page_size,
    read_token,
    write_token,
)
from tariffs.service.storage.run_rows import id_of
from tariffs.service.storage.table_store import digest_of


def test_a_token_is_read_back() -> None:
    assert tuple(read_token(write_token(12.5, "0af9"), is_created_and_key)) == (12.5, "0af9")


def token(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    "text",
    [
        "no token",
        "é",
        token([1, "a"]),
        token([1.5, "a\x00"]),
        token([1.5, "a'; drop table runs"]),
        token([float("nan"), "a"]),
        token([1.5]),
        token([1.5, 2]),
        token({"created": 1.5}),
    ],
)
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        read_token(text, is_created_and_key)
    assert caught.value.reason == "PAGE_TOKEN_INVALID"


def test_pages_have_a_size_between_one_and_the_limit() -> None:
    assert [page_size(asked) for asked in (0, 1, 10**9)] == [PAGE_DEFAULT, 1, PAGE_LIMIT]
    with pytest.raises(InputError):
        page_size(-1)


@pytest.mark.parametrize(
    "text", ["", "base", "operations/", "operations/../x", "operations/" + "g" * 32, "operations/\x00"]
)
def test_what_is_no_name_of_a_run_is_not_found(text: str) -> None:
    with pytest.raises(InputError) as caught:
        id_of(text)
    assert caught.value.reason == "RUN_NOT_FOUND"


@pytest.mark.parametrize(
    "text", ["", "tables/", "tables/../../etc/passwd", "tables/" + "A" * 64, "tables/" + "0" * 63]
)
def test_what_is_no_handle_is_not_found(text: str) -> None:
    with pytest.raises(InputError) as caught:
        digest_of(text)
    assert caught.value.reason == "TABLE_NOT_FOUND"
