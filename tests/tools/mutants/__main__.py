"""Change one operator, number or condition of the code at a time and count the changes that the tests notice.

`make mutants` runs this with the Python of an environment that has cosmic-ray alone; the tests run in the project's
own. The checkout is never touched: mutants are made in a copy under `build/mutants`. A session that is broken off
goes on where it stopped when it is run again with the same sample.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkItem, WorkResult

ROOT = Path(__file__).resolve().parents[3]
BUILD = ROOT / "build" / "mutants"
TREE = BUILD / "tree"
ENGINE = "engine/tariffs/engine"
STATE = "service/tariffs/service/storage"
SECONDS_A_MUTANT = 600
# `|` stands in annotations, which nothing evaluates; a decorator taken off most often leaves a class nobody can make.
NEVER = ("BitOr", "RemoveDecorator")


@dataclass(frozen=True)
class Area:
    """Modules that are changed, as patterns from the top, and the tests that should notice, quickest first."""

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]


AREAS = (
    Area(
        "law",
        (f"{ENGINE}/law/*.py",),
        (
            "tests/unit/test_measure_state.py", "tests/unit/test_stacking.py", "tests/unit/test_revive.py",
            "tests/unit/test_scenario_verbs.py", "tests/unit/test_scenario_apply.py", "tests/law/golden",
            "tests/law/test_interpreter.py", "tests/law/test_boundaries.py",
        ),
    ),
    Area(
        "rating",
        (f"{ENGINE}/rating/*.py", f"{ENGINE}/line_duty/rounding.py", f"{ENGINE}/tables/atoms.py"),
        (
            "tests/unit/test_atoms.py", "tests/unit/test_undeclared_metals.py", "tests/law/golden",
            "tests/law/test_interpreter.py", "tests/law/test_golden_everywhere.py", "tests/law/test_rates.py",
        ),
    ),
    Area(
        "tables",
        (f"{ENGINE}/schedule/*.py", f"{ENGINE}/tables/*.py"),
        (
            "tests/unit/test_table_check.py", "tests/unit/test_table_codes_units.py",
            "tests/unit/test_data_rates.py", "tests/unit/test_data_schedule.py",
            "tests/unit/test_data_reference.py", "tests/unit/test_impact.py",
        ),
    ),
    Area(
        "storage",
        (f"{STATE}/*.py",),
        ("tests/service/test_run_store.py", "tests/service/test_tables.py", "tests/service/test_paging.py"),
    ),
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a sample of mutants over the areas; prints those that no test noticed and the share that one did.

    Returns:
        0, or 1 if the tests of an area fail without any change.
    """
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="interpreter that runs the tests")
    parser.add_argument("--count", type=int, default=200, help="mutants in all, shared out by size of area")
    parser.add_argument("--seed", type=int, default=0, help="which sample")
    parser.add_argument("--area", choices=[area.name for area in AREAS], action="append", help="only these")
    chosen = parser.parse_args(arguments)
    areas = [area for area in AREAS if not chosen.area or area.name in chosen.area]
    _copy_tree()
    sessions = [_session(area, chosen.python) for area in areas]
    sizes = [len(_candidates(session)) for session in sessions]
    killed = tried = 0
    for area, session, size in zip(areas, sessions, sizes, strict=True):
        _sample(session, round(chosen.count * size / sum(sizes)), chosen.seed)
        print(f"== {area.name}: {size} changes possible", flush=True)
        if _ray("baseline", str(session.with_suffix(".toml"))):
            print(f"The tests of {area.name} fail without any change; mend them first.", file=sys.stderr)
            return 1
        _ray("exec", str(session.with_suffix(".toml")), str(session))
        noticed, survived = _outcome(session)
        for result in survived:
            print(result.diff, flush=True)
        print(f"== {area.name}: {noticed} of {noticed + len(survived)} noticed", flush=True)
        killed, tried = killed + noticed, tried + noticed + len(survived)
    print(f"{killed} of {tried} changes noticed: {killed / max(tried, 1):.0%}")
    return 0


def _copy_tree() -> None:
    """Make the copy anew from the files git knows, as they are in the checkout."""
    shutil.rmtree(TREE, ignore_errors=True)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    for name in listed.stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (TREE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, TREE / name)


def _session(area: Area, python: str) -> Path:
    """Find every change that the area allows; gives the file of the session."""
    session = BUILD / f"{area.name}.sqlite"
    modules = sorted(str(path.relative_to(TREE)) for pattern in area.modules for path in TREE.glob(pattern))
    tests = " ".join(area.tests)
    quoted = ", ".join(f'"{module}"' for module in modules)
    session.with_suffix(".toml").write_text(
        "[cosmic-ray]\n"
        f"module-path = [{quoted}]\n"
        f"timeout = {SECONDS_A_MUTANT}\n"
        "excluded-modules = []\n"
        f'test-command = "{python} -m pytest -q -x -p no:cacheprovider {tests}"\n'
        '[cosmic-ray.distributor]\nname = "local"\n',
        encoding="utf-8",
    )
    if not session.exists() and _ray("init", str(session.with_suffix(".toml")), str(session)):
        raise SystemExit(f"cosmic-ray found no changes for {area.name}")
    return session


def _ray(*arguments: str) -> int:
    """Run cosmic-ray in the copy; its modules and tests are those of the copy."""
    roots = [TREE / "engine", TREE / "service", TREE / "clients" / "python", TREE / "proto", TREE]
    tool = Path(sys.executable).with_name("cosmic-ray")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, roots)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.run([tool, *arguments], cwd=TREE, env=environment, check=False).returncode


def _opened(session: Path) -> WorkDB:
    return use_db(str(session), WorkDB.Mode.open)


def _place(item: WorkItem) -> tuple[str, str, int]:
    (change,) = item.mutations
    return str(change.module_path), change.operator_name, change.occurrence


def _candidates(session: Path) -> list[WorkItem]:
    """Changes worth a try, in an order that does not depend on the ids that cosmic-ray draws."""
    with _opened(session) as work:
        items = sorted(work.work_items, key=_place)
    return [item for item in items if not any(word in item.mutations[0].operator_name for word in NEVER)]


def _sample(session: Path, count: int, seed: int) -> None:
    """Leave a random sample to do and mark the rest as skipped."""
    candidates = _candidates(session)
    wanted = {item.job_id for item in random.Random(seed).sample(candidates, min(count, len(candidates)))}
    with _opened(session) as work:
        done = {item.job_id for item, _ in work.completed_work_items}
        rest = [item.job_id for item in work.work_items if item.job_id not in wanted | done]
        work.set_multiple_results(rest, WorkResult(WorkerOutcome.SKIPPED))


def _tried(session: Path) -> Iterator[WorkResult]:
    with _opened(session) as work:
        for _, result in work.completed_work_items:
            if result.worker_outcome == WorkerOutcome.NORMAL:
                yield result


def _outcome(session: Path) -> tuple[int, list[WorkResult]]:
    """How many changes were noticed, and the others."""
    results = list(_tried(session))
    survived = [result for result in results if result.test_outcome == TestOutcome.SURVIVED]
    return len(results) - len(survived), survived


if __name__ == "__main__":
    sys.exit(main())
