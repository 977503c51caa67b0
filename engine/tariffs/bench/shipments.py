"""Measure a sweep over millions of shipments, in a process of its own, so that its memory is its alone.

`python -m tariffs.bench.shipments SHIPMENTS SCENARIOS START END` prints the figures as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from tariffs.bench.measure import Deadline, Sample, sample_of, seconds_of
from tariffs.bench.workbench import BY_BOTH, Counts, Measure, Workbench, scenario_named
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.sweeps.sweep import SweepBlock, SweepRun

SEED = 20_260_102
_CLAIM = "usmca_share"


def beside_join(name: str) -> Measure:
    """Make the measurement of a figure, sweep or load, beside one join of the same shipments with a rate panel."""

    def measure(bench: Workbench, deadline: Deadline) -> Sample:
        found = _figures(bench)
        return sample_of(found[name], found["join"])

    return measure


def memory_of_shipments(bench: Workbench, deadline: Deadline) -> Sample:
    """Sample of the largest memory of the process over that of the loaded table and the results."""
    found = _figures(bench)
    return Sample(found["peak"] / (found["loaded"] + found["results"]))


def grown(table: pl.DataFrame, rows: int, start: str, end: str) -> pl.DataFrame:
    """Grow a table to shipments with days of their own over a period, a third of them with a declared share.

    Args:
        table: `hts, origin, customs_value`.
        rows: number of shipments.
    """
    random = np.random.default_rng(SEED)
    first = date.fromisoformat(start)
    days = random.integers(0, (date.fromisoformat(end) - first).days + 1, rows)
    part = random.random(rows)
    copies = -(-rows // table.height)
    goods = pl.concat([table.select("hts", "origin", "customs_value")] * copies).head(rows)
    return goods.with_columns(
        customs_value=pl.col("customs_value") * pl.Series(part) / copies,
        entry_date=pl.Series(np.datetime64(first) + days),
        **{_CLAIM: pl.Series(np.where(part < 1 / 3, np.round(part), np.nan)).fill_nan(None)},
    )


def _figures(bench: Workbench) -> Mapping[str, float]:
    """Figures of one process, measured once for the rows that share them."""
    counts = bench.counts
    words = [str(counts.shipments), str(counts.scenarios), *counts.period]

    def run() -> Mapping[str, float]:
        done = subprocess.run(
            [sys.executable, "-m", "tariffs.bench.shipments", *words],
            check=True,
            capture_output=True,
            text=True,
        )
        found: Mapping[str, float] = json.loads(done.stdout)
        return found

    return bench.shared("shipments", run)


def measure_shipments(shipments: int, scenarios: int, start: str, end: str) -> dict[str, float]:
    """Measure in this process.

    Returns:
        Seconds of `load`, `sweep` and `join`; bytes `loaded` once the table is prepared, of the `results`, and at
        `peak`.
    """
    bench = Workbench(Counts(scenarios=scenarios))
    panel = bench.panel
    with tempfile.TemporaryDirectory(prefix="tariffs-bench-") as folder:
        path = Path(folder) / "shipments.parquet"
        grown(bench.frame, shipments, start, end).write_parquet(path)
        points = bench.rate_points(scenario_named("rates"), scenarios)
        options = bench.dated(Options(response="none", by=BY_BOTH))
        runs: list[SweepRun] = []
        load = seconds_of(
            lambda: runs.append(
                SweepRun(path, scenario_named("rates"), points, law=bench.law, options=options)
            )
        )
        (run,) = runs
        loaded = _resident_bytes()
        blocks: list[SweepBlock] = []
        sweep = seconds_of(lambda: blocks.extend(run.value(index) for index in range(run.parts)))
        peak = _peak_bytes()
        results = sum(block.groups.estimated_size() + block.totals.estimated_size() for block in blocks)
        lines = pl.read_parquet(path, columns=["hts", "origin", "customs_value"])
    join = seconds_of(lambda: panel.join_with(lines))
    return {"load": load, "sweep": sweep, "join": join, "loaded": loaded, "results": results, "peak": peak}


def _resident_bytes() -> float:
    """Memory of this process now, from /proc; the largest so far where there is none."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return _peak_bytes()
    return float(pages * os.sysconf("SC_PAGE_SIZE"))


def _peak_bytes() -> float:
    """Largest memory of this process so far."""
    import resource  # not on every system; only the rows of shipments need it

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


if __name__ == "__main__":
    count, scenario_count, *period = sys.argv[1:]
    sys.stdout.write(json.dumps(measure_shipments(int(count), int(scenario_count), *period)) + "\n")
