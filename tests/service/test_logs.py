"""Logs are one JSON object a line, whatever is in them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextvars import copy_context

import pytest
import structlog

from tariffs.service.callers import Caller, enter
from tariffs.service.logs import configure_logs


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_a_line_is_one_object_with_process_level_time_and_the_names_of_its_call(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs("info", "json")

    def call() -> None:
        enter(Caller("alice"), {"request_id": "r-1", "owner": "alice"})
        structlog.get_logger().info("call", code="OK", text='two\nlines and a "quote"')

    copy_context().run(call)
    (text,) = lines(capsys)
    line = json.loads(text)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "call",
        "level": "info",
        "pid": os.getpid(),
        "request_id": "r-1",
        "owner": "alice",
        "code": "OK",
        "text": 'two\nlines and a "quote"',
    }


def test_a_stack_stays_within_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info", "json")
    try:
        raise RuntimeError("of the engine")
    except RuntimeError as error:
        structlog.get_logger().error("unforeseen", exc_info=error)
    (text,) = lines(capsys)
    assert "RuntimeError: of the engine" in json.loads(text)["exception"]


def test_what_is_below_the_level_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("warning", "json")
    structlog.get_logger().info("call")
    structlog.get_logger().warning("worker died")
    assert [json.loads(text)["event"] for text in lines(capsys)] == ["worker died"]


def test_the_console_form_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info", "console")
    structlog.get_logger().info("serving", port=7)
    (text,) = lines(capsys)
    assert "serving" in text
    assert "port=7" in text
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)
