"""Commands of the server: serve until a signal, or check settings and self-test; both return an exit code."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

import structlog
import uvloop

from tariffs.engine.errors import TariffsError
from tariffs.service.observability.logs import configure_logs
from tariffs.service.server.identities import identities_of
from tariffs.service.server.law_report import law_lines
from tariffs.service.server.listener import Endpoint
from tariffs.service.server.server import TariffServer
from tariffs.service.server.supervisor import Supervisor
from tariffs.service.server.tls import server_credentials
from tariffs.service.server.warmup import warm_up
from tariffs.service.server.web import load_libraries
from tariffs.service.settings.settings import Settings, load_settings
from tariffs.service.settings.settings_table import effective
from tariffs.service.storage.database import Database

_SWITCH_SECONDS = 0.0005
"""Longest time a computing thread keeps the interpreter while the event loop has calls: a tenth of the default."""
_GARBAGE_THRESHOLDS = (700, 10, 1_000)
"""Those of Python but the last, which is 10 there. Requirement: what quotes compile stays in caches, and collecting the
oldest generation, which looks through all of it, holds the event loop up for 50 to 120 ms; the younger ones take 6."""
_log = structlog.get_logger("tariffs.service")


async def run(
    settings: Settings,
    endpoint: Endpoint | None = None,
    parent: int | None = None,
    on_serving: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGTERM or SIGINT, also while warming up; SIGHUP reloads tokens and callers.

    Args:
        settings: the settings.
        endpoint: position of this process among those that share the port.
        parent: file descriptor that becomes readable when the supervisor ends, None without a supervisor.
        on_serving: called once calls are admitted.
    """
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.set_threshold(*_GARBAGE_THRESHOLDS)
    server = TariffServer(settings, endpoint=endpoint)
    stop_requested = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop_requested.set)
    loop.add_signal_handler(signal.SIGHUP, server.reload)
    if parent is not None:
        loop.add_reader(parent, _stop_with_parent, loop, parent, stop_requested)
    starting = asyncio.create_task(server.start())
    stopping = asyncio.create_task(stop_requested.wait())
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            on_serving()
            await stopping
    finally:
        stopping.cancel()
        starting.cancel()
        await server.stop()


def serve(**arguments: Any) -> int:
    """Serve until a signal, with settings from arguments and environment; return the exit code."""
    return _exit_code(arguments, _serve)


def check(**arguments: Any) -> int:
    """Print settings, database's revision and laws that would be served, and self-test; return the exit code."""
    return _exit_code(arguments, lambda settings: _check(settings, arguments))


def serve_shared(settings: Settings, endpoint: Endpoint, parent: int, on_serving: Callable[[], None]) -> int:
    """Serve as one of several processes on a port; return the exit code."""

    def work() -> int:
        uvloop.run(run(settings, endpoint, parent, on_serving))
        return 0

    return _guarded(settings, work)


def _stop_with_parent(loop: asyncio.AbstractEventLoop, parent: int, stop_requested: asyncio.Event) -> None:
    loop.remove_reader(parent)
    stop_requested.set()


def _serve(settings: Settings) -> int:
    if settings.processes > 1:
        return Supervisor(settings, serve_shared).run()
    uvloop.run(run(settings))
    return 0


def _check(settings: Settings, arguments: Mapping[str, Any]) -> int:
    for line in effective(settings, arguments, os.environ):
        print(line)
    print(f"database: {_schema_text(settings)}")
    sys.stdout.flush()
    server_credentials(settings)
    if settings.http_port is not None:
        load_libraries()
    print(f"identities: {'; '.join(identities_of(settings).describe())}")
    sys.stdout.flush()
    warm_up()
    for line in law_lines(settings):
        print(line)
    sys.stdout.flush()
    _log.info("checked")
    return 0


def _schema_text(settings: Settings) -> str:
    with closing(Database(settings.database)) as database:
        return database.schema_state().text


def _exit_code(arguments: Mapping[str, Any], work: Callable[[Settings], int]) -> int:
    try:
        settings = load_settings(**arguments)
    except TariffsError as error:
        configure_logs("info", "json")
        return _failed(error)
    return _guarded(settings, lambda: work(settings))


def _guarded(settings: Settings, work: Callable[[], int]) -> int:
    configure_logs(settings.log_level, settings.log_format)
    try:
        return work()
    except TariffsError as error:
        return _failed(error)


def _failed(error: TariffsError) -> int:
    _log.error("failed", reason=error.reason, message=str(error))
    return error.exit_code
