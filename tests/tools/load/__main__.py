"""`python -m tests.tools.load [--quick] [--json FILE]`: measure the service under load and compare it with its targets.

Starts real servers on the loopback, prints one table, and exits with 1 if a target of targets.yaml is missed. A
scenario that fails or misses a target is run once more, and its rounds of both times count.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from tests.tools.load import (
    beside,
    cancelling,
    kills,
    law_swap,
    memory,
    overload,
    plan,
    quotes,
    readers,
    rows,
    servers,
    streams,
    sweeps,
    traffic,
)

Part = list[rows.Measured] | None
ALONE: Mapping[str, Callable[[plan.Plan], list[rows.Measured]]] = {
    "streams": streams.measure,
    "quotes": quotes.measure,
    "overload": overload.measure,
    "law": law_swap.measure,
    "worker": kills.one_worker,
    "mix": kills.one_server,
}
ON_ONE_SERVER: Mapping[str, Callable[[plan.Plan, servers.Server], list[rows.Measured]]] = {
    "sweeps": sweeps.measure,
    "traffic": traffic.measure,
    "beside": beside.measure,
    "cancelling": cancelling.measure,
    "readers": readers.measure,
    "memory": memory.measure,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.load", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short rounds and wider bounds")
    parser.add_argument("--json", type=Path, help="write the rows to this file too")
    parser.add_argument(
        "--only",
        choices=[*ALONE, *ON_ONE_SERVER],
        action="append",
        help="this scenario alone; may be repeated",
    )
    given = parser.parse_args(arguments)
    begun = time.monotonic()
    names = given.only or [*ALONE, *ON_ONE_SERVER]
    promised = rows.targets(given.quick)
    with tempfile.TemporaryDirectory(prefix="tariffs-load-") as folder:
        chosen = (plan.quick if given.quick else plan.full)(Path(folder))
        parts = _measured_twice_if_missed(chosen, names, promised)
    found = [one for part in parts.values() for one in part or ()]
    if given.only:
        promised = {one.name: promised[one.name] for one in found}
    table = rows.judge(found, promised)
    footer = _footer(given.quick, time.monotonic() - begun)
    sys.stdout.write(rows.table(table, footer) + "\n")
    if given.json:
        record = {"footer": footer, "rows": [dataclasses.asdict(row) for row in table]}
        given.json.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return int(None in parts.values() or any(row.met is False for row in table))


def _measured_twice_if_missed(
    chosen: plan.Plan, names: Sequence[str], promised: Mapping[str, rows.Target]
) -> dict[str, Part]:
    """Run the scenarios, and once more those that failed or missed a target; return their measurements by name."""
    first = _measure(chosen, names)
    again = [name for name in names if rows.missed(first[name], promised)]
    if not again:
        return first
    sys.stderr.write(f"measured once more, as they failed or missed a target: {', '.join(again)}\n")
    folder = chosen.folder / "again"
    folder.mkdir()
    second = _measure(dataclasses.replace(chosen, folder=folder), again)
    return {name: rows.joined(part, second[name]) if name in second else part for name, part in first.items()}


def _measure(chosen: plan.Plan, names: Sequence[str]) -> dict[str, Part]:
    """Run the scenarios; return their measurements by name, None for one that failed."""
    parts = {name: _told(name, partial(ALONE[name], chosen)) for name in names if name in ALONE}
    shared = [name for name in names if name in ON_ONE_SERVER]
    if shared:
        with servers.serving(chosen.folder / "one", workers=2, metrics_port=servers.free_port()) as server:
            parts |= {name: _told(name, partial(ON_ONE_SERVER[name], chosen, server)) for name in shared}
    return parts


def _told(name: str, measure: Callable[[], list[rows.Measured]]) -> Part:
    """Run a scenario; return its measurements, or None if it failed, after printing the traceback."""
    begun = time.monotonic()
    found = None
    try:
        found = measure()
    except Exception:
        traceback.print_exc()
    sys.stderr.write(f"{name}: {time.monotonic() - begun:.0f} s\n")
    return found


def _footer(quick: bool, seconds: float) -> list[str]:
    return [
        f"{'Quick' if quick else 'Full'} run in {seconds:.0f} s. Rounds of a comparison are interleaved; their median"
        " counts.",
        f"Client and servers share {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}: trust ratios, not"
        " times.",
    ]


if __name__ == "__main__":
    sys.exit(main())
