"""What of a server is read at the moment its metrics are asked for."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.metrics_core import InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from tariffs.engine.law import load_law
from tariffs.service.observability.metrics import Metrics
from tariffs.service.server.admission import Admission
from tariffs.service.server.pools import Pools
from tariffs.service.workers.task_queue import Lane


def add_collectors(metrics: Metrics, gate: Admission, pools: Pools) -> None:
    """Add to the metrics the law in use, calls in hand, runs computed and waiting, and the workers."""
    metrics.registry.register(_LawCollector(gate))
    metrics.watch("calls_in_flight", "Calls in hand.", lambda: gate.inside)
    for lane in (pools.runs.sweeps, pools.runs.shorts):
        _watch_lane(metrics, lane)
    metrics.watch(
        "workers_alive",
        "Worker processes.",
        lambda: sum(len(pool.processes) for pool in pools.workers),
    )
    metrics.watch_total(
        "workers_restarted",
        "Worker processes that died and were replaced.",
        lambda: sum(pool.restarts for pool in pools.workers),
    )


def _watch_lane(metrics: Metrics, lane: Lane) -> None:
    text = "Tasks computed now."
    metrics.watch("runs_active", text, lambda: len(lane.computing), lane=lane.name)
    text = "Tasks that wait for a worker."
    metrics.watch("runs_waiting", text, lambda: len(lane.waiting), lane=lane.name)
    text = "Tasks let in, those included whose readers are slow."
    metrics.watch("runs_admitted", text, lambda: len(lane.active), lane=lane.name)


class _LawCollector(Collector):
    """Known once the server is warm; asking before would load the law in the thread of the metrics."""

    def __init__(self, gate: Admission) -> None:
        self._gate = gate

    def collect(self) -> Iterator[Metric]:
        """The law's version and digest."""
        if self._gate.warm:
            law = load_law()
            yield InfoMetricFamily(
                "tariffs_law", "The law in use.", value={"version": law.version, "digest": law.digest}
            )
