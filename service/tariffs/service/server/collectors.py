"""Metrics of a server that are read at every scrape."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, time
from functools import partial
from pathlib import Path

from prometheus_client.metrics_core import GaugeMetricFamily, InfoMetricFamily, Metric

from tariffs.engine.base.bounded_cache import cache_sizes
from tariffs.engine.base.provenance import engine_version
from tariffs.engine.errors import TariffsError
from tariffs.service.observability.metrics import Metrics
from tariffs.service.rpc.laws import LAWS
from tariffs.service.server.admission import Admission
from tariffs.service.server.law_watch import LawWatch
from tariffs.service.server.pools import Pools
from tariffs.service.storage.audit.writer import AuditWriter
from tariffs.service.storage.storage import Storage
from tariffs.service.workers.task_queue import Lane

# A scrape of Prometheus waits ten seconds by default.
_DATABASE_SECONDS = 2.0


def add_collectors(metrics: Metrics, admission: Admission, pools: Pools, storage: Storage) -> None:
    """Add what a server knows of itself at a scrape: build, law, calls, tasks, workers, caches, long runs, disk."""
    for collect in (_build, _when_warm(admission, _law), _caches, _when_warm(admission, _RunCounts(storage))):
        metrics.collect(collect)
    metrics.watch("serving", "1 while calls are admitted.", lambda: admission.warm and not admission.stopping)
    metrics.watch("calls_in_flight", "Calls in flight.", lambda: admission.limit.held)
    metrics.watch(
        "state_free_bytes", "Free space of the state directory.", lambda: _free_bytes(storage.directory)
    )
    for lane in (pools.task_queue.sweeps, pools.task_queue.shorts):
        _watch_lane(metrics, lane)
    metrics.watch(
        "workers_alive", "Worker processes.", lambda: sum(len(pool.processes) for pool in pools.workers)
    )
    metrics.watch_total(
        "worker_restarts",
        "Worker processes that died and were replaced, in all.",
        lambda: sum(pool.restarts for pool in pools.workers),
    )


def add_audit_collectors(metrics: Metrics, audit: AuditWriter) -> None:
    """Add what a server knows of its audit record at a scrape."""
    metrics.watch("audit_failing", "1 while audit entries cannot be written.", lambda: audit.failing)
    metrics.watch("audit_entries_waiting", "Audit entries that are not written yet.", lambda: audit.waiting)
    metrics.watch_total("audit_entries_written", "Audit entries written.", lambda: audit.written)
    metrics.watch_total("audit_entries_lost", "Audit entries lost.", lambda: audit.lost)


def _watch_lane(metrics: Metrics, lane: Lane) -> None:
    text = "Tasks being computed."
    metrics.watch("tasks_computing", text, lambda: len(lane.computing), lane=lane.name)
    text = "Tasks waiting for a worker."
    metrics.watch("tasks_waiting", text, lambda: len(lane.waiting), lane=lane.name)
    text = "Admitted tasks, including those that only wait for a slow reader."
    metrics.watch("tasks_admitted", text, lambda: len(lane.active), lane=lane.name)
    text = "Tasks admitted at most."
    metrics.watch("tasks_limit", text, lambda: lane.limit.total, lane=lane.name)


def watch_law_packs(metrics: Metrics, law_watch: LawWatch) -> None:
    """Add the state of the directory of packs, and the number of laws served, of packs being checked and refused."""

    def count(state: str) -> float:
        return law_watch.counts()[state]

    text = "Laws that calls may name, packs that are being checked, packs refused."
    for state in law_watch.counts():
        metrics.watch("law_packs", text, partial(count, state), state=state)
    text = (
        "1 while the directory of law packs cannot be read, or lacks what the default requires at the start."
    )
    metrics.watch("law_directory_failing", text, lambda: bool(law_watch.fault))


Collect = Callable[[], Iterator[Metric]]


def _when_warm(admission: Admission, collect: Collect) -> Collect:
    """Yield metrics once the server is warm: earlier the metrics thread would load the law or open the database."""

    def collect_when_warm() -> Iterator[Metric]:
        if admission.warm:
            yield from collect()

    return collect_when_warm


def _build() -> Iterator[Metric]:
    versions = {"version": engine_version(), "python": platform.python_version()}
    yield InfoMetricFamily("tariffs_build", "The program.", value=versions)


def _law() -> Iterator[Metric]:
    law = LAWS.default
    facts = {"version": law.version, "digest": law.digest}
    yield InfoMetricFamily("tariffs_law", "The law of calls that name none.", value=facts)
    for name, text, day in (
        ("read_to", "Last day whose acts have been looked for.", law.read_to),
        ("as_of", "Day of an answer that names no day.", law.as_of),
    ):
        seconds = datetime.combine(day, time(), UTC).timestamp()
        yield GaugeMetricFamily(f"tariffs_law_{name}_timestamp_seconds", text, value=seconds)


def _caches() -> Iterator[Metric]:
    found = GaugeMetricFamily("tariffs_cache_entries", "Entries of a cache of the server.", labels=["cache"])
    for name, size in cache_sizes().items():
        found.add_metric([name], size)
    yield found


class _RunCounts:
    """Counts of the long runs in the database; none while it does not answer, which must not fail the scrape."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="count-runs")
        self._query: Future[dict[str, int]] | None = None

    def __call__(self) -> Iterator[Metric]:
        """Yield the number of runs in each state."""
        self._query = query = self._query or self._thread.submit(self._storage.runs.counts)
        try:
            counts = query.result(_DATABASE_SECONDS)
        except TimeoutError:
            return
        except TariffsError:
            counts = {}
        self._query = None
        text = "Long runs in the database of the server, by state."
        found = GaugeMetricFamily("tariffs_long_runs", text, labels=["state"])
        for state, count in counts.items():
            found.add_metric([state], count)
        yield found


def _free_bytes(directory: Path) -> float:
    try:
        return shutil.disk_usage(directory).free
    except OSError:
        return 0.0
