"""Metrics for Prometheus: what calls and runs took, what was refused, how the workers are."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Protocol
from wsgiref.simple_server import WSGIServer

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    start_http_server,
)
from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from tariffs.engine.errors import ServiceError

_CALL_BUCKETS = (
    1e-4,
    2.5e-4,
    5e-4,
    1e-3,
    2.5e-3,
    5e-3,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1,
    2.5,
    5,
    10,
    30,
    60,
)
_CHUNK_BUCKETS = (0, 1, 2, 3, 5, 10, 100)
_RUN_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900)


class StopObservation(Protocol):
    """How a task ended after it was cancelled."""

    @property
    def seconds(self) -> float:
        """How long it went on."""

    @property
    def chunks(self) -> int:
        """Kernel ranges that ended meanwhile."""


class TaskObservation(Protocol):
    """What a task took in its worker."""

    @property
    def seconds(self) -> float:
        """Wall time."""

    @property
    def kernel_seconds(self) -> float:
        """Time inside kernels, summed over threads."""

    @property
    def lines(self) -> int:
        """Lines valued."""

    @property
    def stop(self) -> StopObservation | None:
        """Its stop, if it was cancelled."""


class Metrics:
    """The numbers of one server, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self._calls = self._histogram("call_seconds", "Calls by their code.", ["rpc", "code"], _CALL_BUCKETS)
        self._failed = self._counter(
            "calls_failed", "Calls that failed, by reason of the catalogue.", ["reason"]
        )
        self._runs = self._histogram("run_seconds", "Tasks computed in workers.", ["task"], _RUN_BUCKETS)
        self._stops = self._histogram(
            "stop_seconds", "From a task's cancel to its end.", ["task"], _CALL_BUCKETS
        )
        self._stop_chunks = self._histogram(
            "stop_chunks", "Kernel ranges that ended after a task's cancel.", ["task"], _CHUNK_BUCKETS
        )
        self._kernels = self._counter("kernel_seconds", "Time inside kernels, over all threads.", ["task"])
        self._valued = self._counter("rows_valued", "Rows valued by kernels.", ["task"])
        self._refused = self._counter("rows_refused", "Rows refused as unusable.", ["rpc"])
        # A look-up by label costs as much as counting; what comes back is kept.
        self._seen: dict[tuple[str, str], Histogram] = {}
        self._gauges: dict[str, Gauge] = {}

    def called(self, rpc: str, code: str, seconds: float) -> None:
        """Count a call that has ended."""
        child = self._seen.get((rpc, code))
        if child is None:
            child = self._seen[rpc, code] = self._calls.labels(rpc, code)
        child.observe(seconds)

    def failed(self, reason: str) -> None:
        """Count the reason a call failed for."""
        self._failed.labels(reason).inc()

    def refused_rows(self, rpc: str, rows: int) -> None:
        """Count rows that could not be used."""
        if rows:
            self._refused.labels(rpc).inc(rows)

    def computed(self, task: str, spent: TaskObservation) -> None:
        """Count what a task took in its worker."""
        self._runs.labels(task).observe(spent.seconds)
        self._kernels.labels(task).inc(spent.kernel_seconds)
        self._valued.labels(task).inc(spent.lines)
        if spent.stop is not None:
            self._stops.labels(task).observe(spent.stop.seconds)
            self._stop_chunks.labels(task).observe(spent.stop.chunks)

    def watch(self, name: str, text: str, read: Callable[[], float], **labels: str) -> None:
        """Have a number read whenever the metrics are asked for."""
        gauge = self._gauges.get(name)
        if gauge is None:
            gauge = Gauge(f"tariffs_{name}", text, list(labels), registry=self.registry)
            self._gauges[name] = gauge
        (gauge.labels(**labels) if labels else gauge).set_function(read)

    def watch_total(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Have a number that only grows read whenever the metrics are asked for."""
        self.registry.register(_Total(f"tariffs_{name}", text, read))

    def _histogram(self, name: str, text: str, labels: list[str], buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"tariffs_{name}", text, labels, buckets=buckets, registry=self.registry)

    def _counter(self, name: str, text: str, labels: list[str]) -> Counter:
        return Counter(f"tariffs_{name}", text, labels, registry=self.registry)


class _Total(Collector):
    """A counter that something else counts."""

    def __init__(self, name: str, text: str, read: Callable[[], float]) -> None:
        self._name = name
        self._text = text
        self._read = read

    def describe(self) -> Iterator[Metric]:
        """Its name, without asking for the number."""
        yield CounterMetricFamily(self._name, self._text)

    def collect(self) -> Iterator[Metric]:
        """The number as it is now."""
        yield CounterMetricFamily(self._name, self._text, value=self._read())


class MetricsPort:
    """The port where Prometheus reads the metrics, served by a thread.

    Raises:
        ServiceError: SERVER_UNAVAILABLE if the address cannot be had.
    """

    def __init__(self, metrics: Metrics, host: str, port: int) -> None:
        self._server: WSGIServer
        self._thread: threading.Thread
        try:
            self._server, self._thread = start_http_server(port, host, metrics.registry)
        except OSError as error:
            raise ServiceError(
                "SERVER_UNAVAILABLE",
                f"Cannot offer the metrics at {host}:{port}: {error.strerror or error}.",
                fix="Choose another TARIFFS_METRICS_PORT, or 0 for a free one.",
            ) from None
        self.port = int(self._server.server_port)

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
