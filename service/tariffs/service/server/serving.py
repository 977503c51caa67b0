"""Commands of the server: serve until a signal, or check settings and self-test; both return an exit code."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import structlog
import uvloop

from tariffs.engine.errors import InputError, TariffsError
from tariffs.service.observability.logs import configure_logs
from tariffs.service.rpc.law import UnservedPack
from tariffs.service.rpc.laws import LAWS, ServedLaw
from tariffs.service.server.identities import identities_of
from tariffs.service.server.law_watch import LawWatch
from tariffs.service.server.listener import Endpoint
from tariffs.service.server.server import TariffServer
from tariffs.service.server.supervisor import Supervisor
from tariffs.service.server.tls import server_credentials
from tariffs.service.server.warmup import warm_up
from tariffs.service.server.web import load_libraries
from tariffs.service.settings.settings import Settings, load_settings
from tariffs.service.settings.settings_table import effective
from tariffs.service.storage.audit.opening import audit_place
from tariffs.service.storage.database import Database
from tariffs.service.storage.storage import Storage

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
    with closing(Database(settings.database)) as database:
        print(f"database: {database.schema_state().text}")
    print(f"audit record: {audit_place(settings)}")
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


def law_lines(settings: Settings) -> Iterator[str]:
    """Check the packs of the directory, and list the laws served, the newest first, and the packs refused.

    Raises:
        InputError: SETTING_INVALID if a server with these settings would not serve.
    """
    with TemporaryDirectory(prefix="tariffs-check-") as place:
        # Nothing is written to the state of a server that may be running.
        own = settings.model_copy(update={"state_dir": Path(place), "database_url": None})
        with closing(Storage(own, str)) as storage, closing(LawWatch(own, storage, (), 0.0)) as watch:
            watch.first_look()
            yield from map(_served_line, LAWS.served)
            yield from map(_refused_line, watch.unserved)
            if watch.fault:
                raise InputError(
                    "SETTING_INVALID",
                    f"A server would wait before it serves: {watch.fault.rstrip('.')}.",
                    fix="Mount the directory TARIFFS_LAW_DIR, and put the packs there.",
                )


def _served_line(one: ServedLaw) -> str:
    marks = [
        mark
        for mark, holds in (("latest", one is LAWS.served[0]), ("default", one.digest == LAWS.default.digest))
        if holds
    ]
    return f"law {one.version}: {', '.join(['served', *marks])}  ({one.pack or 'built in'})"


def _refused_line(one: UnservedPack) -> str:
    assert one.error is not None
    return f"pack {one.pack}: refused, {one.error.reason}: {one.error.message}"
