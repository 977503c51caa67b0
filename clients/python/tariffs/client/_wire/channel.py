"""Backends of the client: a gRPC channel, or the engine in this process, with the same messages."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any, cast

import grpc
import polars as pl

from tariffs.client import _arguments as arguments
from tariffs.client import errors
from tariffs.client._wire import frames
from tariffs.client._wire.cancellation import SCOPE
from tariffs.client._wire.requests import name_law, with_law
from tariffs.client._wire.retry import RETRY_PAUSES, repeat
from tariffs.client._wire.uploads import Uploads
from tariffs.client.config import Config
from tariffs.client.results.table_handle import TableHandle
from tariffs.v1.law_service_pb2 import GetServerInfoRequest
from tariffs.v1.simulation_service_pb2 import SimulateLinesRequest, SimulateLinesResponse

_VERSION_SECONDS = 2.0
_OF_ENGINE = "numba"
# Rows compress to a tenth or less: so many times a message may fit into it.
_HELD_MESSAGES = 16


class RemoteBackend:
    """Backend that calls a server. Without a channel given, one is opened on the first call; all threads use it."""

    def __init__(self, target: str, config: Config, channel: grpc.Channel | None = None) -> None:
        self.target = target
        self._config = config
        self._lock = threading.Lock()
        self._channel = channel
        self._methods: dict[str, Any] = {}
        if channel is not None:
            from tariffs.client._wire.connection import methods_on

            self._methods = methods_on(channel)
        self._uploads = Uploads(config.message_limit)

    def unary(self, method: str, request: Any, timeout: float, table: frames.Table | None = None) -> Any:
        """Make a call that has one answer message; a table is sent with it, or uploaded first if it is large."""
        if table is not None:
            self.give(request, table)
        name_law(request, self._config.law_version)
        with _rpc_errors(self.target, self._config), self._missing(method):
            scope = SCOPE.get()
            if scope is None:
                return self._method(method)(request, timeout=timeout)
            answer = self._method(method).future(request, timeout=timeout)
            scope.add(answer)
            return answer.result()

    def over_table(
        self, method: str, request: Any, table: frames.Table | None, timeout: float
    ) -> Iterator[Any]:
        """Stream the messages of a run; the call is cancelled if they are not read to the end."""
        self.give(request, table)
        name_law(request, self._config.law_version)
        yield from self.stream(method, request, timeout)

    def give(self, request: Any, table: frames.Table | None) -> None:
        """Add a table to a request: its handle, or its rows, which are uploaded first if they are too large."""
        if frames.is_partitioned(table):
            raise errors.InvalidRequest(
                "TABLE_UNREADABLE",
                f"{table} is a partitioned table, and a server takes one table.",
                field="lines",
                fix="Give cluster=ADDRESS, or use Client.local(), which computes it in this process.",
            )
        if isinstance(table, TableHandle):
            request.handle = table.name
        elif table is not None:
            batches = frames.batches_of(table)
            held, complete = _first_batches(batches, self._config.message_limit)
            data = frames.encode(held) if complete else b""
            if complete and len(data) <= self._config.message_limit:
                request.arrow = data
            elif complete:
                request.handle = self.upload(held).name
            else:
                request.handle = self._stream(table, chain([held], batches), None).name

    def upload(self, table: frames.Table, timeout: float | None = None) -> TableHandle:
        """Upload a table to the server, in batches; one that was sent before is not sent again, lazy frames apart."""
        batches = frames.batches_of(table)
        held, complete = _first_batches(batches, self._config.message_limit)
        if not complete:
            return self._stream(table, chain([held], batches), timeout)
        seconds = arguments.seconds(timeout, self._config.deadlines.upload)
        return repeat(
            lambda: self._uploads.handle(held, lambda method, request: self.unary(method, request, seconds))
        )

    def _stream(
        self, table: frames.Table, batches: Iterable[pl.DataFrame], timeout: float | None
    ) -> TableHandle:
        seconds = arguments.seconds(timeout, self._config.deadlines.upload)
        key = frames.file_key(table)
        readings = chain([batches], (frames.batches_of(table) for _ in RETRY_PAUSES))
        return repeat(
            lambda: self._uploads.stream(
                next(readings), key, lambda method, request: self.unary(method, request, seconds)
            )
        )

    def stream(self, method: str, request: object, timeout: float) -> Iterator[Any]:
        """Make a call that has a stream of answer messages; it is cancelled if they are not read to the end."""
        with _rpc_errors(self.target, self._config), self._missing(method):
            call = self._method(method)(request, timeout=timeout)
            try:
                if (scope := SCOPE.get()) is not None:
                    scope.add(call)
                yield from call
            finally:
                call.cancel()

    def lines(
        self, requests: Iterator[SimulateLinesRequest], timeout: float
    ) -> Iterator[SimulateLinesResponse]:
        """Send rows while the answers are read."""
        yield from self.stream("SimulateLines", with_law(requests, self._config.law_version), timeout)

    def close(self) -> None:
        """Close the channel; the next call opens another."""
        with self._lock:
            channel, self._channel, self._methods = self._channel, None, {}
        if channel is not None:
            channel.close()

    @contextmanager
    def _missing(self, method: str) -> Iterator[None]:
        """Name a call that the server does not have, with both versions."""
        try:
            yield
        except grpc.RpcError as error:
            if not errors.is_bare_unimplemented(error):
                raise
            raise errors.method_unknown(
                method, self.target, self._server_version()
            ) from error.with_traceback(None)

    def _server_version(self) -> str:
        """Version of the server; empty if it does not say."""
        request = GetServerInfoRequest()
        try:
            return str(self._method("GetServerInfo")(request, timeout=_VERSION_SECONDS).version)
        except grpc.RpcError:
            return ""

    def _method(self, name: str) -> Any:
        with self._lock:
            if self._channel is None:
                # A process without a server does not load gRPC.
                from tariffs.client._wire.connection import open_channel

                self._channel, self._methods = open_channel(self.target, self._config)
            return self._methods[name]


class LocalBackend:
    """Backend that runs the engine in this process, through the functions that the server calls.

    Args:
        cluster: address of a Dask scheduler that computes impacts, timelines and sweeps; empty for this process.
        lines_to: directory or URL in which an impact writes the lines of a partitioned table; empty for none.

    Attributes:
        law_version: law of calls that name none; empty for the default of this process.
    """

    def __init__(self, cluster: str = "", lines_to: str = "") -> None:
        self._on = {"cluster": cluster} if cluster else {}
        self._lines = {"lines_to": lines_to} if lines_to else {}
        self.law_version = ""
        if find_spec(_OF_ENGINE) is None:
            raise errors.extra_missing("server", _OF_ENGINE)
        with engine_errors():
            # By name at run time: the client does not depend on the service, only this mode does.
            self._services = cast(Any, importlib.import_module("tariffs.service.local")).LocalServices()

    def add_law(self, law: str | Path) -> str:
        """Let calls name the law of a pack or directory while this backend is open; return its exact name."""
        with engine_errors():
            exact: str = self._services.add_law(Path(law))
            return exact

    def unary(self, method: str, request: Any, timeout: float, table: frames.Table | None = None) -> Any:
        """Make a call that has one answer message; a table is passed by reference, so it may have any size."""
        name_law(request, self.law_version)
        more = {} if table is None else {"table": _table(table)}
        with engine_errors():
            return getattr(self._services, method)(request, timeout=timeout, **more)

    def over_table(
        self, method: str, request: Any, table: frames.Table | None, timeout: float
    ) -> Iterator[Any]:
        """Stream the messages of a run; the table is passed by reference, so it may have any size."""
        name_law(request, self.law_version)
        more = self._on | (self._lines if method == "Simulate" else {})
        with engine_errors():
            run = getattr(self._services, method)
            yield from run(request, timeout=timeout, table=_table(table), **more)

    def lines(
        self, requests: Iterator[SimulateLinesRequest], timeout: float
    ) -> Iterator[SimulateLinesResponse]:
        """Compute rows while they are read."""
        with engine_errors():
            yield from self._services.SimulateLines(with_law(requests, self.law_version), timeout=timeout)

    def close(self) -> None:
        """Let go of the laws that were added; there is no connection."""
        self._services.close()


Backend = RemoteBackend | LocalBackend
"""Backend of a client, which makes its calls to a server or in this process."""


def _first_batches(batches: Iterator[pl.DataFrame], limit: int) -> tuple[pl.DataFrame, bool]:
    """Join the first batches to a few times the size of a message; the second value is True if these are all."""
    held = next(batches)
    while held.estimated_size() <= _HELD_MESSAGES * limit:
        following = next(batches, None)
        if following is None:
            return held, True
        held = pl.concat([held, following], rechunk=False)
    following = next(batches, None)
    return (held, True) if following is None else (pl.concat([held, following], rechunk=False), False)


def _table(table: frames.Table | None) -> pl.DataFrame | str | None:
    if table is None:
        return None
    return str(table) if frames.is_partitioned(table) else frames.read_table(table)


@contextmanager
def _rpc_errors(target: str, config: Config) -> Iterator[None]:
    try:
        yield
    except grpc.RpcError as error:
        typed = errors.from_rpc_error(error, target)
        # The frames within gRPC tell a reader nothing; they would be some eighty lines above ours.
        cause = error.with_traceback(None)
        from tariffs.client._wire.connection import explained, places_of

        raise explained(typed, target, places_of(target), encrypted=config.tls is not None) from cause


@contextmanager
def engine_errors() -> Iterator[None]:
    """Raise errors of the engine as typed errors, and a missing module of the engine as ExtraMissing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("tariffs"):
            raise errors.from_engine_error(error) from error
        raise errors.extra_missing("server", error.name) from error
    except errors.TariffsError:
        raise
    except Exception as error:
        raise errors.from_engine_error(error) from error
