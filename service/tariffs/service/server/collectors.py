"""Metrics of a server that are read at every scrape."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.metrics_core import InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from tariffs.engine.law import load_law
from tariffs.service.observability.metrics import Metrics
from tariffs.service.server.admission import Admission
from tariffs.service.server.pools import Pools
from tariffs.service.workers.task_queue import Lane


def add_collectors(metrics: Metrics, admission: Admission, pools: Pools) -> None:
    """Add the law in use, calls in flight, tasks computed and waiting, and the workers to the metrics."""
    metrics.registry.register(_LawCollector(admission))
    metrics.watch("calls_in_flight", "Calls in flight.", lambda: admission.limit.held)
    for lane in (pools.task_queue.sweeps, pools.task_queue.shorts):
        _watch_lane(metrics, lane)
    metrics.watch(
        "workers_alive",
        "Worker processes.",
        lambda: sum(len(pool.processes) for pool in pools.workers),
    )
    metrics.watch_total(
        "workers_restarted",
        "Worker processes that died and were replaced, in all.",
        lambda: sum(pool.restarts for pool in pools.workers),
    )


def _watch_lane(metrics: Metrics, lane: Lane) -> None:
    text = "Tasks being computed."
    metrics.watch("runs_active", text, lambda: len(lane.computing), lane=lane.name)
    text = "Tasks waiting for a worker."
    metrics.watch("runs_waiting", text, lambda: len(lane.waiting), lane=lane.name)
    text = "Admitted tasks, including those that only wait for a slow reader."
    metrics.watch("runs_admitted", text, lambda: len(lane.active), lane=lane.name)


class _LawCollector(Collector):
    """Law version and digest, once the server is warm: earlier the metrics thread would load the law."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission

    def collect(self) -> Iterator[Metric]:
        """Yield the law's version and digest."""
        if self._admission.warm:
            law = load_law()
            yield InfoMetricFamily(
                "tariffs_law", "The law in use.", value={"version": law.version, "digest": law.digest}
            )
