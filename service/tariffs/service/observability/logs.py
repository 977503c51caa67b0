"""Configure logging: structlog to standard output, one JSON object a line, with the fields of the current call."""

from __future__ import annotations

import logging
import os
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor

from tariffs.service.wire.identity import call_log_fields
from tariffs.service.wire.trace_context import trace_log_fields


def add_call(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Add the fields of the current call and of its trace to a log line."""
    return {**call_log_fields(), **trace_log_fields(), **event}


class _LibraryHandler(logging.Handler):
    """Log handler that writes records of libraries (grpc.aio, asyncio, warnings) in the server's format."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        level = min(max(record.levelno // 10 * 10, logging.DEBUG), logging.CRITICAL)
        text = record.getMessage()
        structlog.get_logger().log(
            level, "library", logger=record.name, message=text, exc_info=record.exc_info
        )


def configure_logs(level: str, form: Literal["json", "console"]) -> None:
    """Configure structlog for the process, and pass on the log records of libraries."""
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
    # Records of libraries below warning do not help to operate the server.
    logging.basicConfig(handlers=[_LibraryHandler()], level=max(least, logging.WARNING), force=True)
    logging.captureWarnings(True)
