"""Change one operator, number or condition of the code at a time and count the changes that the tests notice.

`make mutants` runs this with the Python of an environment that has cosmic-ray and coverage; the tests run in the
project's own. The checkout is never touched: changes are made in copies under `build/mutants`. A first run records
which tests reach which lines (`--record` does it anew); each change is tried by tests that reach it. A run that is
broken off goes on where it stopped; changes whose file and tests stay as they were are not tried again. `--seconds 600`
tries what was not noticed by more of its tests.
"""

from __future__ import annotations

import argparse
import difflib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.tools.mutants import changes, reach
from tests.tools.mutants.trial import Outcomes, Trial

ROOT = Path(__file__).resolve().parents[3]
BUILD = ROOT / "build" / "mutants"
ROOMS = ("engine/tariffs/engine", "engine/tariffs/firm", "service/tariffs/service")
ON_THE_PATH = ("engine", "service", "clients/python", "proto", ".")


def main(arguments: Sequence[str] | None = None) -> int:
    """Try a sample of changes; prints those that no test noticed and the share that one did."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="interpreter that runs the tests")
    parser.add_argument("--count", type=int, default=200, help="changes to try")
    parser.add_argument("--seed", type=int, default=0, help="which sample")
    parser.add_argument("--seconds", type=float, default=60.0, help="seconds of tests that try one change")
    parser.add_argument("--record", action="store_true", help="record anew which tests reach which lines")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="changes tried at a time")
    chosen = parser.parse_args(arguments)
    trees = [_copied(BUILD / f"tree-{number}") for number in range(chosen.processes)]
    if chosen.record or not (BUILD / "reach").exists():
        reach.record(trees[0], BUILD / "reach", chosen.python, _environment(trees[0]))
    reached = reach.read(trees[0], BUILD / "reach")
    paths = sorted(str(path.relative_to(ROOT)) for room in ROOMS for path in (ROOT / room).rglob("*.py"))
    drawn = changes.sample(trees[0], paths, chosen.count, chosen.seed)
    free: SimpleQueue[Path] = SimpleQueue()
    for tree in trees:
        free.put(tree)
    outcomes = Outcomes(BUILD / "outcomes.json")
    trial = Trial(chosen.python, reached, chosen.seconds, outcomes, free, _environment)
    noticed = _noticed(trial, drawn, chosen.processes)
    for change, test in noticed.items():
        if test is None:
            print(_shown(change))
    count = sum(test is not None for test in noticed.values())
    print(f"{count} of {len(drawn)} changes noticed: {count / len(drawn):.1%}")
    return 0


def _noticed(
    trial: Trial, drawn: Sequence[changes.Change], processes: int
) -> dict[changes.Change, str | None]:
    """Try changes, again where the test that noticed one fails without it; gives the test by change."""
    noticed: dict[changes.Change, str | None] = {}
    left = list(drawn)
    while left:
        with ThreadPoolExecutor(processes) as pool:
            noticed.update(zip(left, pool.map(trial.run, left), strict=True))
        unsound = trial.unsound({test for change in left if (test := noticed[change])})
        left = [change for change in left if noticed[change] in unsound]
    return noticed


def _copied(tree: Path) -> Path:
    """Make a copy anew from the files git knows, as they are in the checkout."""
    shutil.rmtree(tree, ignore_errors=True)
    listed = subprocess.run(("git", "ls-files", "-z"), cwd=ROOT, check=True, capture_output=True, text=True)
    for name in listed.stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)
    return tree


def _environment(tree: Path) -> dict[str, str]:
    """Environment of tests whose modules are those of a copy; kernels that were compiled before are shared."""
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(str(tree / room) for room in ON_THE_PATH),
        "PYTHONDONTWRITEBYTECODE": "1",
        "NUMBA_CACHE_DIR": str(BUILD / "kernels"),
    }


def _shown(change: changes.Change) -> str:
    source = (ROOT / change.path).read_text(encoding="utf-8")
    before, after = source.splitlines(), change.applied(source).splitlines()
    return "\n".join(difflib.unified_diff(before, after, change.path, change.operator, n=1, lineterm=""))


if __name__ == "__main__":
    sys.exit(main())
