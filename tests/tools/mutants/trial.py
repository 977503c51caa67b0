"""Try one change: run the tests that reach it and say whether one of them fails."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from tests.tools.mutants.changes import Change
from tests.tools.mutants.contexts import context_of
from tests.tools.mutants.reach import SECONDS_OF_TESTS, Reach

# Starting Python and a server, compiling kernels anew, and a machine that does other things beside.
SECONDS_A_CHANGE = 240 + 6 * SECONDS_OF_TESTS
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S.*?)(?: - .*)?$", re.MULTILINE)


class Outcomes:
    """Outcomes of changes in a file: by the change, what it was tried with and which test noticed it."""

    def __init__(self, path: Path) -> None:
        """Read the file if there is one."""
        self._path = path
        self._lock = threading.Lock()
        self._kept: dict[str, dict[str, Any]] = {}
        if path.exists():
            self._kept = json.loads(path.read_text(encoding="utf-8"))

    def of(self, change: Change) -> dict[str, Any]:
        """Outcome of a change that was tried before, or nothing."""
        return self._kept.get(change.key, {})

    def keep(self, change: Change, tried_with: str, noticed_by: str | None) -> None:
        """Write an outcome."""
        with self._lock:
            place = f"{change.path}:{change.first} {change.operator}"
            self._kept[change.key] = {"place": place, "tried_with": tried_with, "noticed_by": noticed_by}
            self._path.write_text(json.dumps(self._kept, indent=1), encoding="utf-8")


@dataclass
class Trial:
    """What all changes are tried with: interpreter, tests by line, copies of the checkout that are free."""

    python: str
    reached: Reach
    outcomes: Outcomes
    free: SimpleQueue[Path]
    environment: Callable[[Path], dict[str, str]]
    _sound: dict[str, bool] = field(default_factory=dict)

    def run(self, change: Change) -> bool:
        """Test whether a change is noticed: a test fails with it that passes without."""
        tree = self.free.get()
        try:
            return self._noticed(change, tree)
        finally:
            self.free.put(tree)

    def _noticed(self, change: Change, tree: Path) -> bool:
        before = self.outcomes.of(change)
        tests = self.reached.tests(change.path, range(change.first, change.last + 1))
        first = before.get("noticed_by")
        if first and (tree / first.partition("::")[0]).exists():
            tests = [first, *(test for test in tests if test != first)]
        source = tree / change.path
        original = source.read_text(encoding="utf-8")
        tried_with = _digest(original, *sorted(_text(tree, test) for test in tests))
        if before.get("tried_with") == tried_with:
            return before["noticed_by"] is not None
        noticed_by = None
        while tests:
            source.write_text(change.applied(original), encoding="utf-8")
            try:
                noticed_by = self._failing(tree, tests)
            finally:
                source.write_text(original, encoding="utf-8")
            if noticed_by is None or self._is_sound(tree, noticed_by):
                break
            tests, noticed_by = [test for test in tests if test != noticed_by], None
        self.outcomes.keep(change, tried_with, noticed_by)
        print(
            f"{'noticed' if noticed_by else 'SURVIVED'}: {change.path}:{change.first} {noticed_by}",
            flush=True,
        )
        return noticed_by is not None

    def _is_sound(self, tree: Path, test: str) -> bool:
        """Test whether a test passes without any change."""
        if test not in self._sound:
            self._sound[test] = self._failing(tree, [test]) is None
        return self._sound[test]

    def _failing(self, tree: Path, tests: Sequence[str]) -> str | None:
        """The first test that fails; the first of all where they cannot be run or do not end."""
        command = (self.python, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--no-header", *tests)
        try:
            ended = subprocess.run(
                command, cwd=tree, env=self.environment(tree), check=False, capture_output=True, text=True,
                timeout=SECONDS_A_CHANGE,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return tests[0]
        if ended.returncode == 0:
            return None
        named = _FAILED.search(ended.stdout)
        return context_of(named[1]) if named and named[1].startswith("tests/") else tests[0]


def _text(tree: Path, test: str) -> str:
    path = tree / test.partition("::")[0]
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
