"""Run the rows of a size, and report them as JSON values."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from tariffs.bench.measure import Progress, Result, Skipped, measure_rows
from tariffs.bench.rows import COLD_ROWS, LONG_ROWS, QUICK_ROWS, SHIPMENT_ROWS, BenchRow
from tariffs.bench.workbench import QUICK, Counts, Workbench
from tariffs.engine.base.chunks import thread_count
from tariffs.engine.errors import InputError

ROWS = {
    "quick": QUICK_ROWS,
    "standard": (*QUICK_ROWS, *COLD_ROWS, *LONG_ROWS),
    "full": (*QUICK_ROWS, *COLD_ROWS, *LONG_ROWS, *SHIPMENT_ROWS),
}
COUNTS = {
    "quick": QUICK,
    "standard": Counts(),
    "full": replace(Counts(), table_sizes=(1, 4, 16, 60)),
}


@dataclass(frozen=True)
class Report:
    """Results of the rows, rows that were skipped, and facts of the machine."""

    machine: dict[str, object]
    results: tuple[Result, ...]
    skipped: tuple[Skipped, ...]

    def to_dict(self) -> dict[str, object]:
        """Convert to JSON values: the document of `tariffs bench --json`.

        `spread` is the difference of the largest and the smallest ratio over the median; `runs` the number of rounds.
        """
        return {
            "machine": self.machine,
            "rows": [_row(result) for result in self.results],
            "skipped": [{"name": one.name, "reason": one.reason, "fix": one.fix} for one in self.skipped],
        }

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the rows that a check does not accept."""
        return tuple(result.row.name for result in self.results if not result.accepted)


def run_bench(size: str, names: Sequence[str] = (), *, progress: Progress | None = None) -> Report:
    """Measure the rows of a size.

    Args:
        size: `quick`, `standard` or `full`.
        names: the rows to measure; all if empty.
        progress: called with the name of a row and the fraction done.

    Raises:
        InputError: REQUEST_INVALID for a row that the size does not have.
        RivalDiffersError: a rival does not give the result of the engine.
    """
    rows, counts = _chosen(size, names), COUNTS[size]
    results, skipped = measure_rows(
        rows,
        Workbench(counts),
        rounds=counts.rounds,
        seconds=counts.seconds,
        progress=progress or (lambda name, fraction: None),
    )
    return Report(machine_facts(), tuple(results), tuple(skipped))


def machine_facts() -> dict[str, object]:
    """Describe the machine: processor, cores, threads of kernels, memory, load, versions; no name of a host."""
    packages = ("tariffs", "numba", "numpy", "polars")
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "threads": thread_count(),
        "memory_gib": _of_system(lambda: os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "load_average": _of_system(lambda: os.getloadavg()[0]),
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def _row(result: Result) -> dict[str, object]:
    milliseconds, rival_milliseconds = result.milliseconds()
    row = result.row
    return {
        "name": row.name,
        "title": row.title,
        "measured": result.measured,
        "target": row.target.value,
        "target_text": str(row.target),
        "part_of_target": result.part_of_target,
        "met": result.met,
        "floor": row.floor,
        "accepted": result.accepted,
        "spread": result.spread,
        "runs": len(result.samples),
        "rival": row.rival,
        "milliseconds": milliseconds,
        "rival_milliseconds": rival_milliseconds,
        "stopped": result.stopped,
    }


def _chosen(size: str, names: Sequence[str]) -> list[BenchRow]:
    known = {row.name: row for row in ROWS[size]}
    for name in names:
        if name not in known:
            raise InputError(
                "REQUEST_INVALID",
                f"There is no row {name!r} in a {size} run.",
                field="row",
                fix=f"Use one of: {', '.join(known)}.",
            )
    return [known[name] for name in names] or list(known.values())


def _of_system(read: Callable[[], float]) -> float | None:
    """Read a figure that not every system has."""
    try:
        return round(read(), 2)
    except (AttributeError, OSError, ValueError):
        return None


def _processor() -> str:
    """Name of the processor, from /proc where there is one."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1] if found else platform.machine()
