"""Names that metrics had in the release before: each is kept for one release, with the values of the new one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample


class RenamedMetric(NamedTuple):
    """New name of a metric, and the type it had under the old one."""

    new: str
    kind: str


RENAMED: Mapping[str, RenamedMetric] = {
    "tariffs_runs_active": RenamedMetric("tariffs_tasks_computing", "gauge"),
    "tariffs_runs_waiting": RenamedMetric("tariffs_tasks_waiting", "gauge"),
    "tariffs_runs_admitted": RenamedMetric("tariffs_tasks_admitted", "gauge"),
    "tariffs_run_seconds": RenamedMetric("tariffs_task_seconds", "histogram"),
    "tariffs_workers_restarted": RenamedMetric("tariffs_worker_restarts", "gauge"),
}
"""Renamed metrics by their old names; docs/migration.md lists them."""


class OldNames(Collector):
    """Collects renamed metrics again under their old names.

    Args:
        collectors: the metrics of the server by name.
    """

    def __init__(self, collectors: Mapping[str, Collector]) -> None:
        self._collectors = collectors

    def describe(self) -> Iterator[Metric]:
        """Yield the metrics without their values."""
        for old, (new, kind) in RENAMED.items():
            yield Metric(old, f"Renamed to {new}.", kind)

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics with their values."""
        for metric in self.describe():
            new, kind = RENAMED[metric.name]
            for found in self._collectors[new].collect() if new in self._collectors else ():
                metric.samples = [_renamed(sample, new, metric.name, kind) for sample in found.samples]
                yield metric


def _renamed(sample: Sample, new: str, old: str, kind: str) -> Sample:
    suffix = sample.name.removeprefix(new) if kind == "histogram" else ""
    return sample._replace(name=old + suffix, exemplar=None)
