"""Long sweeps begin under a law, and end under it, while a newer one takes its place."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import psutil
import pytest

from tariffs.client import Client, NotFound, Sweep
from tariffs.client._verbs.run_handle import Run
from tests.conftest import SCALE
from tests.law.packs import CHARGED, EXEMPT, NEWER, TOYS, drop, key_pair, newer_pack
from tests.service.processes import served
from tests.service.stored import until

BLOCK = 200
"""Points of a part of a long run."""
SECONDS = 20.0 if SCALE > 1 else 9.0
"""What a sweep takes: longer than the swap."""
FEWEST, MOST = 4, 90
"""Blocks of a sweep, whatever the machine."""
MEASURED = 4
"""Blocks by which their cost is measured."""
SAMPLE = 20
"""Each twentieth point is computed again elsewhere."""
FOLLOWING = "2026.12.05.1"
FILE = "law.tar.zst"
HELD: dict[str, Any] = {"scenario": "rates-by-country", "by": ("origin",), "horizon": "short"}


@pytest.mark.kill
@pytest.mark.slow
def test_long_runs_keep_their_law_while_a_newer_one_is_served(tmp_path: Path) -> None:
    private, public = key_pair(tmp_path)
    old = newer_pack(tmp_path, key=private)
    new = newer_pack(tmp_path, FOLLOWING, key=private, origin="VN")
    packs = tmp_path / "packs"
    file = drop(old, packs, FILE)
    kept = tmp_path / "old.tar.zst"
    kept.write_bytes(old)
    with (
        serving(tmp_path / "state", packs, public) as (server, client, log),
        ThreadPoolExecutor(2) as threads,
    ):
        assert quoted(client) == (EXEMPT, NEWER)
        points = rates(blocks_for(client, server))
        run = client.start_sweep(points=points, **HELD)
        until(lambda: run.status().finished_parts >= 1)
        # Before the other run begins, the worker that computes is the one of the long run.
        worker = busiest(server)
        streamed = threads.submit(timed, lambda: client.sweep(points=points, timeout=600.0, **HELD))
        drop(new, packs, FILE)
        assert file.read_bytes() == new
        until(lambda: quoted(client) == (CHARGED, FOLLOWING))
        assert_running(run, streamed)
        # The old law can no longer be named, though both runs have it.
        with pytest.raises(NotFound, match=FOLLOWING):
            quoted(client, NEWER)
        worker.kill()
        assert log.until("worker died")["worker"] == worker.pid
        assert_running(run, streamed)
        found, seconds = streamed.result()
        resumed = run.result()
        assert isinstance(resumed, Sweep)
    for one in (found, resumed):
        assert one.provenance["law_version"] == NEWER
        assert one.points.height == len(points)
    assert seconds >= SECONDS / 2
    assert_same(found, resumed)
    assert_same(sampled(found), in_this_process(kept, points[::SAMPLE]))
    assert not sampled(found).groups.equals(in_this_process(file, points[::SAMPLE]).groups)


@contextmanager
def serving(state: Path, packs: Path, keys: Path) -> Iterator[tuple[psutil.Process, Client, Any]]:
    """One server with two workers whose calls without a name get the newest pack."""
    with (
        served(
            state,
            TARIFFS_PROCESSES="1",
            TARIFFS_WORKERS="2",
            TARIFFS_LAW_DIR=str(packs),
            TARIFFS_LAW_KEYS=str(keys),
            TARIFFS_LAW_DEFAULT="latest",
        ) as (process, log),
        Client(f"127.0.0.1:{log.until('serving')['port']}") as client,
    ):
        yield psutil.Process(process.pid), client, log


def quoted(client: Client, law_version: str = "latest") -> tuple[str, str]:
    quote = client.duty(TOYS["hts"], TOYS["origin"], TOYS["entry"], 10_000, law_version=law_version)
    return f"{quote.assessed:.2f}", str(quote.provenance["law_version"])


def rates(blocks: int) -> list[dict[str, str]]:
    """Points that differ in the rate on China."""
    return [{"cn": f"{0.01 * number:.2f}%"} for number in range(blocks * BLOCK)]


def blocks_for(client: Client, server: psutil.Process) -> int:
    """Count the blocks that take `SECONDS` here, beside what a sweep takes before its first.

    A busy machine takes longer for the swap too, so there it is seconds of processor time.
    """

    def cost(blocks: int) -> float:
        before = worked(server)
        _, seconds = timed(lambda: client.sweep(points=rates(blocks), **HELD))
        return min(seconds, worked(server) - before)

    first, several = cost(1), cost(1 + MEASURED)
    return max(FEWEST, min(MOST, math.ceil(SECONDS * MEASURED / max(several - first, 0.01))))


def worked(server: psutil.Process) -> float:
    """Seconds of processor time of all workers."""
    return sum(sum(one.cpu_times()[:2]) for one in server.children())


def timed(compute: Callable[[], Sweep]) -> tuple[Sweep, float]:
    began = time.monotonic()
    return compute(), time.monotonic() - began


def busiest(server: psutil.Process) -> psutil.Process:
    """The child that computes most in half a second."""
    before = {one: one.cpu_times().user for one in server.children()}
    time.sleep(0.5)
    return max(before, key=lambda one: one.cpu_times().user - before[one])


def assert_running(run: Run, streamed: Future[Any]) -> None:
    assert run.status().state == "running", "the long run ended too soon"
    assert not streamed.done(), "the run ended too soon"


def sampled(found: Sweep) -> Sweep:
    points, groups, totals = (
        one.filter((pl.col("cn") * 10_000).round().cast(pl.Int64) % SAMPLE == 0) for one in frames(found)
    )
    return replace(found, points=points, groups=groups, totals=totals)


def frames(found: Sweep) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    return found.points, found.groups, found.totals


def in_this_process(law: Path, points: list[dict[str, str]]) -> Sweep:
    with Client.local(law=law) as client:
        return client.sweep(points=points, **HELD)


def assert_same(one: Sweep, other: Sweep) -> None:
    for first, second in zip(frames(one), frames(other), strict=True):
        assert first.equals(second)
    assert one.provenance["law_version"] == other.provenance["law_version"]
