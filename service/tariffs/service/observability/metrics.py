"""Prometheus metrics: durations of calls and tasks, refusals, workers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
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
from tariffs.service.observability.task_time import TaskTime

_CALL_BUCKETS = (
    1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
)  # fmt: skip
_CHUNK_BUCKETS = (0, 1, 2, 3, 5, 10, 100)
_TASK_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900)


class Metrics:
    """Metrics of one server, in a separate registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self._calls = self._histogram(
            "call_seconds", "Duration of calls, by method and status code.", ["rpc", "code"], _CALL_BUCKETS
        )
        # The library finds a series by making text of its labels under a lock.
        self._call_series: dict[tuple[str, str], Histogram] = {}
        self._failed = self._counter(
            "calls_failed", "Failed calls, by reason of the error catalogue.", ["reason"]
        )
        self._tasks = self._histogram(
            "task_seconds", "Duration of tasks in worker processes.", ["task"], _TASK_BUCKETS
        )
        self._stops = self._histogram(
            "stop_seconds", "Time from the cancellation of a task to its end.", ["task"], _CALL_BUCKETS
        )
        self._stop_chunks = self._histogram(
            "stop_chunks",
            "Kernel ranges that ended after the cancellation of a task.",
            ["task"],
            _CHUNK_BUCKETS,
        )
        self._kernels = self._counter(
            "kernel_seconds", "Time in compiled kernels, summed over threads.", ["task"]
        )
        self._valued = self._counter("rows_valued", "Rows valued by kernels.", ["task"])
        self._refused = self._counter("rows_refused", "Rows of tables that were refused.", ["rpc"])
        self._gauges: dict[str, Gauge] = {}

    def called(self, rpc: str, code: str, seconds: float, exemplar: dict[str, str] | None = None) -> None:
        """Count a call that has ended; an exemplar names its trace."""
        series = self._call_series.get((rpc, code))
        if series is None:
            series = self._call_series[rpc, code] = self._calls.labels(rpc, code)
        series.observe(seconds, exemplar)

    def failed(self, reason: str) -> None:
        """Count a failed call by its reason."""
        self._failed.labels(reason).inc()

    def refused_rows(self, rpc: str, rows: int) -> None:
        """Count refused rows."""
        if rows:
            self._refused.labels(rpc).inc(rows)

    def computed(self, task: str, spent: TaskTime) -> None:
        """Count a task that a worker has computed."""
        self._tasks.labels(task).observe(spent.seconds)
        self._kernels.labels(task).inc(spent.kernel_seconds)
        self._valued.labels(task).inc(spent.lines)
        if spent.stop is not None:
            self._stops.labels(task).observe(spent.stop.seconds)
            self._stop_chunks.labels(task).observe(spent.stop.chunks)

    def watch(self, name: str, text: str, read: Callable[[], float], **labels: str) -> None:
        """Add a gauge that calls `read` at every scrape."""
        gauge = self._gauges.get(name)
        if gauge is None:
            gauge = Gauge(f"tariffs_{name}", text, list(labels), registry=self.registry)
            self._gauges[name] = gauge
        (gauge.labels(**labels) if labels else gauge).set_function(read)

    def watch_total(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Add a counter that calls `read` at every scrape."""
        self.collect(lambda: iter([CounterMetricFamily(f"tariffs_{name}", text, value=read())]))

    def collect(self, collect: Callable[[], Iterator[Metric]]) -> None:
        """Add metrics that a function yields at every scrape."""
        self.registry.register(_Collected(collect))

    def _histogram(self, name: str, text: str, labels: list[str], buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"tariffs_{name}", text, labels, buckets=buckets, registry=self.registry)

    def _counter(self, name: str, text: str, labels: list[str]) -> Counter:
        return Counter(f"tariffs_{name}", text, labels, registry=self.registry)


class _Collected(Collector):
    """Metrics that a function yields."""

    def __init__(self, collect: Callable[[], Iterator[Metric]]) -> None:
        self._collect = collect

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: the registry would collect the metrics to learn their names."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics with their current values."""
        return self._collect()


class MetricsPort:
    """HTTP endpoint that Prometheus scrapes, served by a thread.

    Raises:
        ServiceError: SERVER_UNAVAILABLE if the address cannot be used.
    """

    def __init__(self, metrics: Metrics, host: str, port: int) -> None:
        self._server: WSGIServer
        self._thread: threading.Thread
        try:
            self._server, self._thread = start_http_server(port, host, metrics.registry)
        except OSError as error:
            raise ServiceError(
                "SERVER_UNAVAILABLE",
                f"Cannot serve metrics at {host}:{port}: {error.strerror or error}.",
                fix="Set TARIFFS_METRICS_PORT to another port, or to 0 for a free one.",
            ) from None
        self.port = int(self._server.server_port)

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
