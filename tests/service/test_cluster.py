"""Runs on a Dask cluster of processes on the loopback: the bits of one process, whatever happens to workers."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from distributed import Client as DaskClient
from distributed import LocalCluster, SchedulerPlugin

from tariffs.client import Client, ImpactResult, Scenario
from tariffs.client.errors import TariffsError
from tariffs.engine.tables import partitions
from tariffs.service.workers import dask_tasks
from tests.law.packs import NEWER, TOYS, drop, newer_pack
from tests.service.harness import running
from tests.service.spread import BASELINE, assert_same, trade, verbs, write_files
from tests.tools.bench.scale_runs import peak_gib, run_sweep, write_shipments

WORKERS = 2
COLUMNS = ("hts", "origin", "customs_value")
LINES = pl.DataFrame({"hts": [TOYS["hts"]], "origin": ["CN"], "customs_value": [10_000.0]})
pytestmark = [
    pytest.mark.slow,
    # Dask leaves sockets and processes to the garbage collector when a cluster ends.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def _small_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "ROWS_PER_BUCKET", 300)
    monkeypatch.setattr(partitions, "ROWS_PER_SLICE", 250)


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(
        n_workers=WORKERS,
        threads_per_worker=1,
        processes=True,
        dashboard_address="127.0.0.1:0",
        host="127.0.0.1",
    ) as started:
        yield started


def test_one_table_has_the_bits_of_one_process(client: Client, cluster: LocalCluster) -> None:
    table = trade(400)
    found = verbs(client, table, cluster=cluster.scheduler_address)
    assert_same(found, verbs(client, table))


def test_a_partitioned_table_has_the_bits_of_one_process(
    client: Client, cluster: LocalCluster, tmp_path: Path
) -> None:
    folder = write_files(trade(900), tmp_path / "table", [100, 500])
    wanted = verbs(client, folder)
    assert_same(verbs(client, folder, cluster=cluster.scheduler_address), wanted)
    cluster.scale(3)
    cluster.wait_for_workers(3)
    assert_same(verbs(client, folder, cluster=cluster.scheduler_address), wanted)
    cluster.scale(WORKERS)


def test_sectors_limits_and_consumer_prices_have_the_bits_of_one_process(
    client: Client, cluster: LocalCluster, tmp_path: Path
) -> None:
    folder = write_files(trade(900), tmp_path / "table", [100, 500])
    text = """
schema: tariffs.scenario/v1
id: test-limit
title: Limits
basis: hypothesis
changes:
  - {op: shock_quantity, from: 2025-02-01, share: 0.5, origins: [CN], products: ["61"]}
  - {op: shock_quantity, from: 2025-02-01, limit: 20000000, origins: [CN], products: ["84", "85"]}
"""
    options: dict[str, Any] = {
        "on": "2025-08-15", "baseline": BASELINE, "horizon": "short", "market": "sector", "consumer_prices": "yale",
    }  # fmt: skip
    scenarios = [Scenario.from_text(text)]
    found = client.impact(folder, scenarios, **options, cluster=cluster.scheduler_address)
    wanted = client.impact(folder, scenarios, **options)
    assert wanted.total["rent_importer"].to_numpy().max() > 0.0
    assert_same({"impact": found}, {"impact": wanted})


@pytest.mark.parametrize("files", [False, True])
def test_draws_have_the_bits_of_one_process(
    client: Client, cluster: LocalCluster, tmp_path: Path, files: bool
) -> None:
    table = trade(400)
    lines = write_files(table, tmp_path / "table", [150]) if files else table
    options: dict[str, Any] = {"on": "2025-08-15", "baseline": BASELINE, "draws": 16, "horizon": "short"}
    found = client.impact(lines, ["base"], **options, cluster=cluster.scheduler_address).ranges
    wanted = client.impact(lines, ["base"], **options).ranges
    assert found is not None
    assert wanted is not None
    for name in ("groups", "total", "tornado"):
        assert getattr(found, name).equals(getattr(wanted, name))


def test_cancelling_stops_the_tasks(client: Client, cluster: LocalCluster, tmp_path: Path) -> None:
    folder = write_files(trade(2_400), tmp_path / "table", [600, 1_200, 1_800])
    seen = list[float]()

    def stop(stage: str, fraction: float) -> None:
        seen.append(fraction)
        if fraction > 0.2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.impact(
            folder,
            ["base"],
            on="2025-08-15",
            baseline=BASELINE,
            cluster=cluster.scheduler_address,
            progress=stop,
        )
    assert seen == sorted(seen)
    with DaskClient(cluster.scheduler_address, set_as_default=False) as observer:
        give_up = time.monotonic() + 60.0
        while observer.processing() and any(observer.processing().values()) and time.monotonic() < give_up:
            time.sleep(0.2)
        assert not any(observer.processing().values())


@pytest.mark.kill
def test_killed_workers_change_nothing(client: Client, cluster: LocalCluster, tmp_path: Path) -> None:
    folder = write_files(trade(1_500), tmp_path / "table", [400, 800, 1_200])
    options: dict[str, Any] = {"on": "2025-08-15", "baseline": BASELINE, "horizon": "short"}
    wanted, lost = client.impact(folder, ["base"], **options), list[int]()

    def kill(stage: str, fraction: float) -> None:
        """Kill a worker after each of the first three buckets; note how many tasks that can repeat."""
        if stage == "computing" and len(lost) < 3:
            lost.append(_kill_one(cluster))

    with _computing(cluster) as computed:
        found = client.impact(folder, ["base"], **options, cluster=cluster.scheduler_address, progress=kill)
    assert_same({"impact": found}, {"impact": wanted})
    assert len(lost) == 3
    tasks = _tasks_of(folder)
    assert tasks <= computed.count <= tasks + sum(lost)


def _tasks_of(folder: Path) -> int:
    table = partitions.PartitionedTable.of(str(folder))
    # The job that all share, slices with their pieces, buckets.
    return 1 + len(table.slices) * (1 + table.buckets) + table.buckets


class _Computed(SchedulerPlugin):
    """Counts how often a task has been computed."""

    def __init__(self) -> None:
        self.count = 0

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


def _kill_one(cluster: LocalCluster) -> int:
    """Kill the worker with the most tasks that it holds or computes; return how many tasks this can repeat."""
    cluster.wait_for_workers(1)
    return int(cluster.sync(_kill_and_count, cluster.scheduler))


async def _kill_and_count(scheduler: Any) -> int:
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


def test_a_lost_scheduler_is_an_error(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The client tries again before it gives up.
    monkeypatch.setattr(dask_tasks, "CONNECT_SECONDS", 1.0)
    folder = write_files(trade(2_400), tmp_path / "table", [600, 1_200, 1_800])
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0", host="127.0.0.1"
    ) as own:

        def stop(stage: str, fraction: float) -> None:
            if stage == "computing":
                own.close()

        with pytest.raises(TariffsError, match="The cluster at") as caught:
            client.impact(
                folder, ["base"], on="2025-08-15", baseline=BASELINE, horizon="short",
                cluster=own.scheduler_address, progress=stop,
            )  # fmt: skip
    assert caught.value.reason == "CLUSTER_UNAVAILABLE"


def test_millions_of_shipments_fit_and_have_the_same_bits(
    cluster: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scale: int
) -> None:
    monkeypatch.undo()
    write_shipments(tmp_path, 1_100_000 if scale == 1 else 2_000_000)
    assert partitions.PartitionedTable.of(str(tmp_path)).buckets == 2
    found = run_sweep(str(tmp_path), 16, "none", cluster.scheduler_address)
    assert found["digest"] == run_sweep(str(tmp_path), 16, "none", "")["digest"]
    with DaskClient(cluster.scheduler_address, set_as_default=False) as observer:
        assert max(observer.run(peak_gib).values()) < 6.0


def test_other_versions_are_refused_before_the_work(
    client: Client, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {**dask_tasks.node_facts(), "law": "another"}
    monkeypatch.setattr(dask_tasks, "node_facts", lambda: own)
    with pytest.raises(TariffsError, match="has law") as caught:
        client.impact(trade(20), ["base"], response="none", cluster=cluster.scheduler_address)
    assert caught.value.reason == "CLUSTER_MISMATCH"


def test_a_missing_scheduler_is_an_error(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_tasks, "CONNECT_SECONDS", 1.0)
    with pytest.raises(TariffsError, match="no scheduler answers") as caught:
        client.impact(trade(20), ["base"], response="none", cluster="tcp://127.0.0.1:1")
    assert caught.value.reason == "CLUSTER_UNAVAILABLE"


def test_errors_of_the_engine_arrive_as_they_are(client: Client, cluster: LocalCluster) -> None:
    with pytest.raises(TariffsError) as caught:
        client.impact(trade(20), ["base"], by=["nowhere"], response="none", cluster=cluster.scheduler_address)
    assert caught.value.reason == "GROUP_UNKNOWN"


def _detached_and_direct(
    remote: Client, table: pl.DataFrame, options: dict[str, Any], seconds: float
) -> tuple[ImpactResult, ImpactResult]:
    """Compute a table by a long run, which must end in so many seconds, and by a call that waits."""
    run = remote.start(table, ["base"], **options)
    run.wait(timeout=seconds)
    found = run.result()
    assert isinstance(found, ImpactResult)
    return found, remote.impact(table, ["base"], **options)


def test_long_runs_of_a_server_go_to_the_cluster(cluster: LocalCluster) -> None:
    table = trade(200)
    options: dict[str, Any] = {"on": "2025-08-15", "baseline": BASELINE, "horizon": "short"}
    with (
        _computing(cluster) as computed,
        running(cluster=cluster.scheduler_address) as server,
        Client(f"127.0.0.1:{server.port}") as remote,
    ):
        found, wanted = _detached_and_direct(remote, table, options, 120.0)
    assert computed.count > 0
    assert found.groups.equals(wanted.groups)


def test_runs_under_the_law_of_a_pack_have_the_bits_of_one_process(
    client: Client, cluster: LocalCluster, tmp_path: Path
) -> None:
    """Workers of a cluster have the law built in alone: a job brings its own with it."""
    drop(newer_pack(tmp_path), tmp_path / "packs", "law.tar.zst")
    table = pl.concat([trade(200).select(COLUMNS), LINES.select(COLUMNS)])
    options: dict[str, Any] = {"on": TOYS["entry"], "baseline": BASELINE, "horizon": "short"}
    with (
        _computing(cluster) as computed,
        running(cluster=cluster.scheduler_address, law_dir=tmp_path / "packs", law_unsigned=True) as server,
        Client(f"127.0.0.1:{server.port}", law_version=NEWER) as remote,
    ):
        found, wanted = _detached_and_direct(remote, table, options, 600.0)
    assert computed.count > 0
    assert found.provenance["law_version"] == wanted.provenance["law_version"] == NEWER
    assert found.groups.equals(wanted.groups)
    assert found.total.equals(wanted.total)
    with Client.local(law=tmp_path / "packs" / "law.tar.zst") as own:
        direct = own.impact(table, ["base"], **options, cluster=cluster.scheduler_address)
    assert direct.groups.equals(wanted.groups)
    assert not client.impact(table, ["base"], **options).groups.equals(wanted.groups)
