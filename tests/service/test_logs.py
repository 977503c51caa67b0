"""Logs are one JSON object a line, whatever is in them."""

from __future__ import annotations

import json
import logging
import os
import warnings
from contextvars import copy_context

import pytest
import structlog

from tariffs.service.observability.logs import configure_logs
from tariffs.service.wire.identity import Caller, set_current_call


@pytest.fixture(autouse=True)
def _no_handlers(_logs_as_they_were: None) -> None:
    # A handler that is set up anew closes those it replaces, among them pytest's own.
    logging.getLogger().handlers.clear()


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_a_line_is_one_object_with_process_level_time_and_the_names_of_its_call(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs("info", "json")

    def call() -> None:
        set_current_call(Caller("alice"), {"request_id": "r-1", "owner": "alice"})
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


def test_the_console_form_is_for_people_and_has_what_is_of_the_level(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs("warning", "console")
    structlog.get_logger().info("call")
    structlog.get_logger().warning("serving", port=7)
    (text,) = lines(capsys)
    assert "serving" in text
    assert "port=7" in text
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)


def test_what_libraries_log_is_an_object_a_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info", "json")
    try:
        raise RuntimeError("of a servicer")
    except RuntimeError:
        logging.getLogger("grpc._cython.cygrpc").exception("Unexpected [%s]\nraised", "x")
    logging.getLogger("asyncio").warning("slow")
    logging.getLogger("sqlalchemy").info("chatter")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    output = capsys.readouterr()
    assert output.err == ""
    found = [json.loads(text) for text in output.out.splitlines()]
    assert [(line["level"], line["logger"]) for line in found] == [
        ("error", "grpc._cython.cygrpc"),
        ("warning", "asyncio"),
        ("warning", "py.warnings"),
    ]
    assert found[0]["message"] == "Unexpected [x]\nraised"
    assert "RuntimeError: of a servicer" in found[0]["exception"]
