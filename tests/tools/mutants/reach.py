"""Record which tests reach which lines, servers and other processes that they start included."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path

import coverage

from tests.tools.mutants.contexts import context_of
from tests.tools.mutants.kernels import KernelCalls

CHOSEN = "not slow and not kill and not wheel and not bench"
_SETTINGS = """\
[run]
source = {sources}
parallel = True
sigterm = True
data_file = {data}
context = ${{PYTEST_CURRENT_TEST-}}
"""


@dataclass(frozen=True)
class Reach:
    """Tests by line of each file, tests by file, and the seconds of each test."""

    by_line: dict[str, dict[int, set[str]]]
    seconds: dict[str, float]
    calls: KernelCalls

    def tests(self, path: str, lines: Collection[int], limit: float) -> list[str]:
        """Tests that try a change of some lines: one of each file of tests after the other, the quickest first.

        They take so many seconds together, as the recording measured them; there is one test at least.
        A line that runs as its module is loaded belongs to no test: those that reach the rest of its file try it.
        A line of a kernel is tried by those that reach a call of it, too.
        """
        of_file = self.by_line.get(path, {})
        reaching = set().union(*(of_file.get(line, ()) for line in lines))
        if path in self.calls:
            places = self.calls.places(path, lines)
            reaching |= set().union(*(self.by_line.get(name, {}).get(line, ()) for name, line in places))
        reaching = reaching or set().union(*of_file.values())
        by_tests: defaultdict[str, list[str]] = defaultdict(list)
        for test in sorted(reaching, key=lambda test: (self.seconds[test], test)):
            by_tests[test.partition("::")[0]].append(test)
        turns = chain.from_iterable(zip_longest(*by_tests.values()))
        return list(_within(limit, [test for test in turns if test], self.seconds))


def _within(limit: float, tests: Iterable[str], seconds: dict[str, float]) -> Iterator[str]:
    """The first tests and every later one that the seconds have room for."""
    taken = 0.0
    for test in tests:
        if not taken or taken + seconds[test] <= limit:
            taken += seconds[test]
            yield test


def record(tree: Path, folder: Path, python: str, environment: dict[str, str]) -> None:
    """Run the tests of a working day once in a copy and keep what they reach in a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    start = folder / "start"
    start.mkdir(parents=True)
    # Python runs a module of this name, where it finds one, at the start of every process.
    (start / "sitecustomize.py").write_text(
        "import coverage\n\ncoverage.process_startup()\n", encoding="utf-8"
    )
    (start / "coverage").symlink_to(Path(coverage.__file__).parent)
    settings = folder / "coverage.ini"
    sources = ",".join(str(tree / room / "tariffs") for room in ("engine", "service", "clients/python"))
    settings.write_text(_SETTINGS.format(sources=sources, data=folder / "lines"), encoding="utf-8")
    watched = {
        **environment,
        "PYTHONPATH": os.pathsep.join((str(start), environment["PYTHONPATH"])),
        "COVERAGE_PROCESS_START": str(settings),
        "MUTANTS_REACH": str(folder),
    }
    command = (
        python, "-m", "pytest", "-q", "-n", str((os.cpu_count() or 1) + 1), "--dist", "worksteal",
        "-p", "tests.tools.mutants.contexts", "-m", CHOSEN,
    )  # fmt: skip
    subprocess.run(command, cwd=tree, env=watched, check=False, stdout=sys.stderr)


def read(tree: Path, folder: Path) -> Reach:
    """Read what was recorded in a folder."""
    together = coverage.Coverage(data_file=str(folder / "together"), config_file=str(folder / "coverage.ini"))
    parts = [str(path) for path in folder.glob("lines.*")]
    if parts:
        together.combine(parts)
        together.save()
    together.load()
    seconds: Counter[str] = Counter()
    for path in folder.glob("seconds-*.json"):
        seconds.update(json.loads(path.read_text(encoding="utf-8")))
    data = together.get_data()
    return Reach(
        {
            str(Path(path).relative_to(tree)): {
                line: {test for context in contexts if (test := context_of(context)) in seconds}
                for line, contexts in data.contexts_by_lineno(path).items()
            }
            for path in data.measured_files()
            if Path(path).is_relative_to(tree)
        },
        dict(seconds),
        KernelCalls(tree),
    )
