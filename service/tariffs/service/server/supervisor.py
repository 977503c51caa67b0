"""Supervise several server processes on one port: start, watch, replace dead ones, drain together."""

from __future__ import annotations

import multiprocessing
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import FrameType
from typing import Any, NoReturn

import structlog
from pydantic import SecretStr

from tariffs.engine.errors import ServiceError
from tariffs.service.server.listener import Endpoint, cannot_listen
from tariffs.service.settings.settings import Settings

_BACKOFF_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_STEADY_SECONDS = 60.0
_POLL_SECONDS = 0.5
_PATIENCE_SECONDS = 10.0
_log = structlog.get_logger("tariffs.service")
Serve = Callable[[Settings, Endpoint, int, Callable[[], None]], int]


@dataclass
class _ServerSlot:
    """One of the server processes on the port, and its history of deaths."""

    endpoint: Endpoint
    process: SpawnProcess | None = None
    ready: Connection | None = None
    started: float = 0.0
    served: bool = False
    deaths: int = 0
    due: float = 0.0


class Supervisor:
    """Runs `settings.processes` servers on one port until SIGTERM or SIGINT, then drains them all.

    The parent reserves the port without listening on it, so that port 0 is one port for all and no other server gets
    it. An error that a restart cannot repair (a setting, the law data) appears before a process ever served, and ends
    the supervisor.

    Args:
        serve: serves in a process; must be importable by name.
    """

    def __init__(self, settings: Settings, serve: Serve) -> None:
        self._settings = settings
        self._serve = serve
        self._context = multiprocessing.get_context("spawn")
        self._slots = [_ServerSlot(Endpoint(index, shared=True)) for index in range(settings.processes)]
        self._stopping = False
        self._failed = 0

    def run(self) -> int:
        """Serve until a signal; return 0, or the exit code of a process that could not start to serve.

        Raises:
            ServiceError: SERVER_UNAVAILABLE if the address cannot be used.
        """
        with ExitStack() as stack:
            ports: dict[str, Any] = {"port": _keep(stack, self._settings)}
            if self._settings.http_port is not None:
                ports["http_port"] = _keep(
                    stack, self._settings.model_copy(update={"port": self._settings.http_port})
                )
            if self._settings.desk_key is None:
                ports["desk_key"] = SecretStr(secrets.token_hex(32))
            self._settings = self._settings.model_copy(update=ports)
            self._listen_to_signals()
            _log.info("supervisor started", host=self._settings.host, processes=len(self._slots), **ports)
            try:
                self._watch()
            finally:
                self._end()
            _log.info("supervisor stopped", port=ports["port"])
        return self._failed

    def _listen_to_signals(self) -> None:
        def stop(_number: int, _frame: FrameType | None) -> None:
            self._stopping = True

        def pass_on(number: int, _frame: FrameType | None) -> None:
            self._signal(number)

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGHUP, pass_on)

    def _watch(self) -> None:
        while not self._stopping:
            for slot in self._slots:
                self._check(slot)
            wait(self._watched(), _POLL_SECONDS)

    def _watched(self) -> list[Connection | int]:
        ready: list[Connection | int] = [slot.ready for slot in self._slots if slot.ready is not None]
        return ready + [slot.process.sentinel for slot in self._slots if slot.process is not None]

    def _check(self, slot: _ServerSlot) -> None:
        self._read_ready(slot)
        if slot.process is None:
            if time.monotonic() >= slot.due:
                self._start(slot)
        elif slot.process.exitcode is not None:
            self._clear(slot, slot.process, slot.process.exitcode)

    def _read_ready(self, slot: _ServerSlot) -> None:
        if slot.ready is None or not slot.ready.poll():
            return
        # A pipe that closes without a message belongs to a process that ended before it served.
        with suppress(EOFError):
            slot.served = bool(slot.ready.recv())
        slot.ready.close()
        slot.ready = None

    def _start(self, slot: _ServerSlot) -> None:
        ready, child_end = self._context.Pipe(duplex=False)
        process = self._context.Process(
            target=_child,
            args=(self._serve, self._settings, slot.endpoint, child_end),
            name=f"server-{slot.endpoint.index}",
        )
        process.start()
        child_end.close()
        slot.process, slot.ready, slot.started = process, ready, time.monotonic()

    def _clear(self, slot: _ServerSlot, process: SpawnProcess, exit_code: int) -> None:
        """Empty the slot of a dead process; the next start waits longer after each death."""
        _log.warning("process ended", index=slot.endpoint.index, process=process.pid, exit_code=exit_code)
        if exit_code > 0 and not slot.served:
            self._failed, self._stopping = exit_code, True
        steady = time.monotonic() - slot.started >= _STEADY_SECONDS
        slot.deaths = 0 if steady else slot.deaths
        slot.due = time.monotonic() + _BACKOFF_SECONDS[min(slot.deaths, len(_BACKOFF_SECONDS) - 1)]
        slot.deaths += 1
        process.close()
        slot.process = None

    def _signal(self, number: int) -> None:
        for slot in self._slots:
            process = slot.process
            if process is not None and process.pid is not None and process.exitcode is None:
                _send(process.pid, number)

    def _end(self) -> None:
        patience = self._settings.drain_seconds + self._settings.grace_seconds + _PATIENCE_SECONDS
        deadline = time.monotonic() + patience
        self._signal(signal.SIGTERM)
        for slot in self._slots:
            if slot.process is not None:
                slot.process.join(max(0.0, deadline - time.monotonic()))
                if slot.process.exitcode is None:
                    _log.error("process killed", index=slot.endpoint.index, process=slot.process.pid)
                    slot.process.kill()
                    slot.process.join()


def _child(serve: Serve, settings: Settings, endpoint: Endpoint, ready: Connection) -> NoReturn:
    parent = multiprocessing.parent_process()
    assert parent is not None
    sys.exit(serve(settings, endpoint, parent.sentinel, lambda: ready.send(True)))


def _send(process: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, number)


def _keep(stack: ExitStack, settings: Settings) -> int:
    """Reserve the port of the settings until the stack ends; return its number. Raises as `_reserve`."""
    sockets = _reserve(settings)
    for one in sockets:
        stack.enter_context(one)
    return int(sockets[0].getsockname()[1])


def _reserve(settings: Settings) -> list[socket.socket]:
    """Open sockets that reserve the address without listening, all on the port of the first."""
    if not hasattr(socket, "SO_REUSEPORT"):
        raise ServiceError(
            "SERVER_UNAVAILABLE",
            "This system cannot share a port between processes.",
            fix="Leave TARIFFS_PROCESSES at 1.",
        )
    sockets: list[socket.socket] = []
    port = settings.port
    try:
        addresses = socket.getaddrinfo(settings.host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, _, _, _, address in addresses:
            if port:
                # Without SO_REUSEPORT, so that a server already on the port is an error.
                _bind(family, (address[0], port), socket.SO_REUSEADDR).close()
            sockets.append(_bind(family, (address[0], port), socket.SO_REUSEPORT))
            port = int(sockets[0].getsockname()[1])
    except OSError:
        for one in sockets:
            one.close()
        raise cannot_listen(settings) from None
    return sockets


def _bind(family: int, address: tuple[str | int, int], option: int) -> socket.socket:
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        one.setsockopt(socket.SOL_SOCKET, option, 1)
        one.bind(address)
    except OSError:
        one.close()
        raise
    return one
