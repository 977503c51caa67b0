"""Logs: structlog to standard output, one JSON object a line, carrying the names of the call in hand."""

from __future__ import annotations

import logging
import os
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor

from tariffs.service.callers import call_names


def add_call(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Add the names of the call in hand to a line that is about to be written."""
    return {**call_names(), **event}


def configure_logs(level: str, form: Literal["json", "console"]) -> None:
    """Set up structlog for the whole process."""
    renderer: Processor = (
        structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    process = os.getpid()

    def add_process(_logger: object, _method: str, event: EventDict) -> EventDict:
        event["pid"] = process
        return event

    structlog.configure(
        processors=[
            add_call,
            add_process,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(),
        cache_logger_on_first_use=False,
    )
