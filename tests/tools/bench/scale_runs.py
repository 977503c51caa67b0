"""Measure a sweep over files of shipments: in one process, and on a Dask cluster of this machine.

`python -m tests.tools.bench.scale_runs --rows 2000000` writes the files, runs the sweep in a process of its own and on
`--workers` workers of one thread, checks that both have the same bits, and prints seconds, processor time and largest
memory as JSON.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

ROWS_PER_FILE = 1_000_000
PERIOD = "2025-01-02", "2026-11-20"
BASELINE = "2025-01-01"


def write_shipments(folder: Path, rows: int) -> None:
    """Write files of at most a million shipments each, grown from the table of imports."""
    from tariffs.bench.shipments import grown
    from tariffs.engine.schedule import reference_data

    table = reference_data.reference_table()
    for number, first in enumerate(range(0, rows, ROWS_PER_FILE)):
        shuffled = table.sample(fraction=1, shuffle=True, seed=number)
        part = grown(shuffled, min(ROWS_PER_FILE, rows - first), *PERIOD)
        part.write_parquet(folder / f"shipments-{number:04}.parquet")


def run_sweep(folder: str, points: int, response: str, cluster: str) -> dict[str, Any]:
    """Run the sweep and describe it: seconds, processor seconds of this process, digest of the results."""
    from tariffs.client import Client

    rates = [f"{place * 40 / max(1, points - 1):.2f}%" for place in range(points)]
    began, used = time.perf_counter(), time.process_time()
    result = Client.local().sweep(
        folder,
        "rates-by-country",
        vary={"cn": rates},
        on="2026-11-20",
        by=["origin"],
        response=response,
        baseline=BASELINE,
        horizon="short",
        cluster=cluster,
        timeout=86_400.0,
    )
    return {
        "seconds": round(time.perf_counter() - began, 1),
        "processor_seconds": round(time.process_time() - used, 1),
        "digest": _digest(result.groups, result.totals),
        "customs_value": float(result.totals["customs_value"][0]),
        "peak_gib": round(peak_gib(), 2),
    }


def on_cluster(folder: str, points: int, response: str, workers: int) -> dict[str, Any]:
    """Run the sweep on workers of one thread each; `worker_peaks_gib` is their largest memory."""
    from distributed import Client as DaskClient
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0", host="127.0.0.1",
        memory_limit="6GiB",
    ) as cluster:  # fmt: skip
        found = run_sweep(folder, points, response, cluster.scheduler_address)
        with DaskClient(cluster.scheduler_address, set_as_default=False) as client:
            peaks: Mapping[str, float] = client.run(peak_gib)
    return {**found, "worker_peaks_gib": sorted(round(peak, 2) for peak in peaks.values())}


def _digest(*frames: pl.DataFrame) -> str:
    digest = hashlib.sha256()
    for frame in frames:
        for column in frame.iter_columns():
            digest.update(repr(column.to_list()).encode())
    return digest.hexdigest()


def peak_gib() -> float:
    """Largest memory of this process so far in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _alone(folder: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Run the sweep in a process of its own, with as many threads as the cluster has workers."""
    words = ["--folder", folder, "--points", str(arguments.points), "--response", arguments.response]
    done = subprocess.run(
        [sys.executable, "-m", "tests.tools.bench.scale_runs", "--one", *words],
        check=True, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "TARIFFS_THREADS": str(arguments.workers)},
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    """Read the arguments, measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--points", type=int, default=16)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--response", default="none")
    parser.add_argument("--folder", default="", help="files that were written before")
    parser.add_argument("--one", action="store_true", help="one process alone")
    parser.add_argument("--no-one", action="store_true", help="the cluster alone")
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(run_sweep(arguments.folder, arguments.points, arguments.response, "")))
        return
    os.environ.setdefault("TARIFFS_THREADS", "1")
    with tempfile.TemporaryDirectory(prefix="tariffs-scale-") as own:
        folder = arguments.folder or own
        if not arguments.folder:
            write_shipments(Path(folder), arguments.rows)
        found = {"cluster": on_cluster(folder, arguments.points, arguments.response, arguments.workers)}
        if not arguments.no_one:
            found["one_process"] = _alone(folder, arguments)
            assert found["one_process"]["digest"] == found["cluster"]["digest"], "the bits differ"
    print(
        json.dumps(
            {"rows": arguments.rows, "points": arguments.points, "response": arguments.response, **found},
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
