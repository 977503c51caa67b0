"""Logs: structlog to standard output, one JSON object a line, carrying the names of the call in hand."""

from __future__ import annotations

import logging
import os
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor

from tariffs.service.wire.identity import call_names


def add_call(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Add the names of the call in hand to a line that is about to be written."""
    return {**call_names(), **event}


class _OfLibraries(logging.Handler):
    """Writes what libraries log (grpc.aio, asyncio, warnings) as lines of ours: one JSON object each."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        level = min(max(record.levelno // 10 * 10, logging.DEBUG), logging.CRITICAL)
        text = record.getMessage()
        structlog.get_logger().log(
            level, "library", logger=record.name, message=text, exc_info=record.exc_info
        )


def configure_logs(level: str, form: Literal["json", "console"]) -> None:
    """Set up structlog for the whole process, also for what libraries log."""
    least = logging.getLevelNamesMapping()[level.upper()]
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
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.WriteLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    # Their chatter below warnings is of no use to who runs the server.
    logging.basicConfig(handlers=[_OfLibraries()], level=max(least, logging.WARNING), force=True)
    logging.captureWarnings(True)
