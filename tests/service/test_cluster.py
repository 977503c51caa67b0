"""Runs on a Dask cluster of processes on the loopback: the bits of one process, whatever happens to workers."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from distributed import Client as DaskClient
from distributed import LocalCluster, SchedulerPlugin

from tariffs.client import Client, Scenario
from tariffs.client.errors import TariffsError
from tariffs.engine.tables import partitions
from tariffs.service.workers import dask_tasks
from tests.law.packs import NEWER, TOYS, drop, newer_pack
from tests.service.harness import running
from tests.service.spread import BASELINE, ON, assert_same, trade, verbs
from tests.service.stored import until
from tests.tools.bench.scale_runs import peak_gib, run_sweep, write_shipments

WORKERS = 2
OPTIONS: dict[str, Any] = {"on": ON, "baseline": BASELINE, "horizon": "short"}
pytestmark = [
    pytest.mark.slow,
    # Dask leaves sockets and processes to the garbage collector when a cluster ends.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    here = {"dashboard_address": "127.0.0.1:0", "host": "127.0.0.1"}
    with LocalCluster(n_workers=WORKERS, threads_per_worker=1, processes=True, **here) as started:
        yield started


def test_a_table_or_its_files_have_the_bits_of_one_process(
    client: Client, cluster: LocalCluster, small_files: Path
) -> None:
    table = trade(400)
    assert_same(verbs(client, table, cluster=cluster.scheduler_address), verbs(client, table))
    wanted = verbs(client, small_files)
    assert_same(verbs(client, small_files, cluster=cluster.scheduler_address), wanted)
    cluster.scale(3)
    cluster.wait_for_workers(3)
    assert_same(verbs(client, small_files, cluster=cluster.scheduler_address), wanted)
    cluster.scale(WORKERS)


LIMIT = """
schema: tariffs.scenario/v1
id: test-limit
title: Limits
basis: hypothesis
changes:
  - {op: shock_quantity, from: 2025-02-01, limit: 20000000, origins: [CN], products: ["84", "85"]}
"""


def test_limits_draws_and_consumer_prices_have_the_bits_of_one_process(
    client: Client, cluster: LocalCluster, small_files: Path
) -> None:
    options = OPTIONS | {"draws": 16, "consumer_prices": "yale"}
    found, wanted = (
        client.impact(small_files, [Scenario.from_text(LIMIT)], **options, cluster=address)
        for address in (cluster.scheduler_address, "")
    )
    assert wanted.total["rent_importer"].to_numpy().max() > 0.0
    assert_same({"impact": found}, {"impact": wanted})
    for name in ("groups", "total", "tornado"):
        assert getattr(found.ranges, name).equals(getattr(wanted.ranges, name))


def test_cancelling_stops_the_tasks(client: Client, cluster: LocalCluster, small_files: Path) -> None:
    seen = list[float]()

    def stop(stage: str, fraction: float) -> None:
        seen.append(fraction)
        if fraction > 0.2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.impact(small_files, on=ON, baseline=BASELINE, cluster=cluster.scheduler_address, progress=stop)
    assert seen == sorted(seen)
    with DaskClient(cluster.scheduler_address, set_as_default=False) as observer:
        until(lambda: not any(observer.processing().values()), 60)


@pytest.mark.kill
def test_killed_workers_change_nothing(client: Client, cluster: LocalCluster, small_files: Path) -> None:
    wanted, lost = client.impact(small_files, **OPTIONS), list[int]()

    def kill(stage: str, fraction: float) -> None:
        """Kill a worker after each of the first three buckets; note how many tasks that can repeat."""
        if stage == "computing" and len(lost) < 3:
            cluster.wait_for_workers(1)
            lost.append(int(cluster.sync(_kill_and_count, cluster.scheduler)))

    with _computing(cluster) as computed:
        found = client.impact(small_files, **OPTIONS, cluster=cluster.scheduler_address, progress=kill)
    assert_same({"impact": found}, {"impact": wanted})
    assert len(lost) == 3
    table = partitions.PartitionedTable.of(str(small_files))
    # The job that all share, slices with their pieces, buckets.
    tasks = 1 + len(table.slices) * (1 + table.buckets) + table.buckets
    assert tasks <= computed.count <= tasks + sum(lost)


class _Computed(SchedulerPlugin):
    """Counts how often a task has been computed."""

    count = 0

    def transition(self, key: Any, start: Any, finish: Any, *args: Any, **facts: Any) -> None:
        self.count += (start, finish) == ("processing", "memory")


@contextmanager
def _computing(cluster: LocalCluster) -> Iterator[_Computed]:
    computed = _Computed()
    scheduler: Any = cluster.scheduler
    scheduler.add_plugin(computed, name="computed")
    try:
        yield computed
    finally:
        scheduler.remove_plugin("computed")


async def _kill_and_count(scheduler: Any) -> int:
    """Kill the worker with the most tasks that it holds or computes; return how many tasks this can repeat."""
    # In the loop of the scheduler, so that no task is handed out between the count and the signal.
    worker = max(scheduler.workers.values(), key=lambda one: len(one.has_what) + len(one.processing))
    repeated = set[Any]()
    needed = [*worker.has_what, *worker.processing]
    while needed:
        task = needed.pop()
        if task not in repeated:
            repeated.add(task)
            # A piece of a slice is cut again from the slice, which is not kept once it is cut.
            needed += [one for one in task.dependencies if one.state != "memory"]
    os.kill(worker.pid, signal.SIGKILL)
    return len(repeated)


def test_millions_of_shipments_fit_and_have_the_same_bits(
    cluster: LocalCluster, tmp_path: Path, scale: int
) -> None:
    write_shipments(tmp_path, 1_100_000 if scale == 1 else 2_000_000)
    assert partitions.PartitionedTable.of(str(tmp_path)).buckets == 2
    found = run_sweep(str(tmp_path), 16, "none", cluster.scheduler_address)
    assert found["digest"] == run_sweep(str(tmp_path), 16, "none", "")["digest"]
    with DaskClient(cluster.scheduler_address, set_as_default=False) as observer:
        assert max(observer.run(peak_gib).values()) < 6.0


def test_other_versions_a_missing_scheduler_and_errors_of_the_engine_have_their_reasons(
    client: Client, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusal(address: str, said: str, **options: Any) -> str:
        with pytest.raises(TariffsError, match=said) as caught:
            client.impact(trade(20), response="none", cluster=address, **options)
        return caught.value.reason

    assert refusal(cluster.scheduler_address, "nowhere", by=["nowhere"]) == "GROUP_UNKNOWN"
    monkeypatch.setattr(dask_tasks, "CONNECT_SECONDS", 1.0)
    assert refusal("tcp://127.0.0.1:1", "no scheduler answers") == "CLUSTER_UNAVAILABLE"
    own = {**dask_tasks.node_facts(), "law": "another"}
    monkeypatch.setattr(dask_tasks, "node_facts", lambda: own)
    assert refusal(cluster.scheduler_address, "has law") == "CLUSTER_MISMATCH"


def test_long_runs_under_the_law_of_a_pack_have_the_bits_of_one_process(
    client: Client, cluster: LocalCluster, tmp_path: Path
) -> None:
    """Workers of a cluster have the law built in alone: a job brings its own with it."""
    drop(newer_pack(tmp_path), tmp_path / "packs", "law.tar.zst")
    toys = pl.DataFrame({"hts": [TOYS["hts"]], "origin": ["CN"], "customs_value": [10_000.0]})
    table = pl.concat([trade(200).select(toys.columns), toys])
    options = OPTIONS | {"on": TOYS["entry"]}
    with (
        _computing(cluster) as computed,
        running(cluster=cluster.scheduler_address, law_dir=tmp_path / "packs", law_unsigned=True) as server,
        Client(f"127.0.0.1:{server.port}", law_version=NEWER) as remote,
    ):
        run = remote.start(table, **options)
        run.wait(timeout=600.0)
        found: Any = run.result()
        wanted = remote.impact(table, **options)
    assert computed.count > 0
    assert_same({"impact": found}, {"impact": wanted})
    assert found.provenance["law_version"] == wanted.provenance["law_version"] == NEWER
    with Client.local(law=tmp_path / "packs" / "law.tar.zst") as own:
        direct = own.impact(table, **options, cluster=cluster.scheduler_address)
    assert direct.groups.equals(wanted.groups)
    assert not client.impact(table, **options).groups.equals(wanted.groups)
