"""Several server processes on one port: started, watched, replaced when they die, drained together."""

from __future__ import annotations

import multiprocessing
import os
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
from typing import NoReturn

import structlog

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
    """One of the places on the port, and who sits there."""

    place: Endpoint
    process: SpawnProcess | None = None
    told: Connection | None = None
    started: float = 0.0
    served: bool = False
    deaths: int = 0
    due: float = 0.0


class Supervisor:
    """Keeps `settings.processes` servers on one port until SIGTERM or SIGINT, then drains them all.

    The parent holds the port and never listens on it, so that port 0 is one port for all and no other server gets it.
    What no new start mends (a setting, the law data) shows before a place ever served, and ends all.

    Args:
        settings: how to run.
        serve: serves in a process; must be importable by name.
    """

    def __init__(self, settings: Settings, serve: Serve) -> None:
        self._settings = settings
        self._serve = serve
        self._context = multiprocessing.get_context("spawn")
        self._seats = [_ServerSlot(Endpoint(index, shared=True)) for index in range(settings.processes)]
        self._stopping = False
        self._failed = 0

    def run(self) -> int:
        """Serve until told to stop; gives 0, or the exit code of a process that could not begin to serve.

        Raises:
            ServiceError: SERVER_UNAVAILABLE if the address cannot be had.
        """
        with ExitStack() as held:
            sockets = _reserve(self._settings)
            for one in sockets:
                held.enter_context(one)
            port = int(sockets[0].getsockname()[1])
            self._settings = self._settings.model_copy(update={"port": port})
            self._listen_to_signals()
            _log.info("supervising", host=self._settings.host, port=port, processes=len(self._seats))
            try:
                self._watch()
            finally:
                self._end()
            _log.info("supervised", port=port)
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
            for seat in self._seats:
                self._tend(seat)
            wait(self._watched(), _POLL_SECONDS)

    def _watched(self) -> list[Connection | int]:
        told: list[Connection | int] = [seat.told for seat in self._seats if seat.told is not None]
        return told + [seat.process.sentinel for seat in self._seats if seat.process is not None]

    def _tend(self, seat: _ServerSlot) -> None:
        self._hear(seat)
        if seat.process is None:
            if time.monotonic() >= seat.due:
                self._start(seat)
        elif seat.process.exitcode is not None:
            self._bury(seat, seat.process, seat.process.exitcode)

    def _hear(self, seat: _ServerSlot) -> None:
        if seat.told is None or not seat.told.poll():
            return
        # A pipe that closes without a word is a process that ended before it served.
        with suppress(EOFError):
            seat.served = bool(seat.told.recv())
        seat.told.close()
        seat.told = None

    def _start(self, seat: _ServerSlot) -> None:
        told, tell = self._context.Pipe(duplex=False)
        process = self._context.Process(
            target=_child,
            args=(self._serve, self._settings, seat.place, tell),
            name=f"server-{seat.place.index}",
        )
        process.start()
        tell.close()
        seat.process, seat.told, seat.started = process, told, time.monotonic()

    def _bury(self, seat: _ServerSlot, process: SpawnProcess, exit_code: int) -> None:
        _log.warning("process ended", index=seat.place.index, process=process.pid, exit_code=exit_code)
        if exit_code > 0 and not seat.served:
            self._failed, self._stopping = exit_code, True
        steady = time.monotonic() - seat.started >= _STEADY_SECONDS
        seat.deaths = 0 if steady else seat.deaths
        seat.due = time.monotonic() + _BACKOFF_SECONDS[min(seat.deaths, len(_BACKOFF_SECONDS) - 1)]
        seat.deaths += 1
        process.close()
        seat.process = None

    def _signal(self, number: int) -> None:
        for seat in self._seats:
            process = seat.process
            if process is not None and process.pid is not None and process.exitcode is None:
                _send(process.pid, number)

    def _end(self) -> None:
        patience = self._settings.drain_seconds + self._settings.grace_seconds + _PATIENCE_SECONDS
        deadline = time.monotonic() + patience
        self._signal(signal.SIGTERM)
        for seat in self._seats:
            if seat.process is not None:
                seat.process.join(max(0.0, deadline - time.monotonic()))
                if seat.process.exitcode is None:
                    _log.error("process killed", index=seat.place.index, process=seat.process.pid)
                    seat.process.kill()
                    seat.process.join()


def _child(serve: Serve, settings: Settings, place: Endpoint, tell: Connection) -> NoReturn:
    parent = multiprocessing.parent_process()
    assert parent is not None
    sys.exit(serve(settings, place, parent.sentinel, lambda: tell.send(True)))


def _send(process: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, number)


def _reserve(settings: Settings) -> list[socket.socket]:
    """Sockets that hold the address without listening; the first one's port is that of all."""
    if not hasattr(socket, "SO_REUSEPORT"):
        raise ServiceError(
            "SERVER_UNAVAILABLE",
            "This system cannot share a port between processes.",
            fix="Leave TARIFFS_PROCESSES at 1.",
        )
    held: list[socket.socket] = []
    port = settings.port
    try:
        found = socket.getaddrinfo(settings.host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, _, _, _, address in found:
            if port:
                # Without the right to share, so that a server that is there already is an error and no partner.
                _bind(family, (address[0], port), socket.SO_REUSEADDR).close()
            held.append(_bind(family, (address[0], port), socket.SO_REUSEPORT))
            port = int(held[0].getsockname()[1])
    except OSError:
        for one in held:
            one.close()
        raise cannot_listen(settings) from None
    return held


def _bind(family: int, address: tuple[str | int, int], option: int) -> socket.socket:
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        one.setsockopt(socket.SOL_SOCKET, option, 1)
        one.bind(address)
    except OSError:
        one.close()
        raise
    return one
