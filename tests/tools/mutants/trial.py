"""Try one change: run the tests that reach it and say whether one of them fails."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from tests.tools.mutants.changes import Change
from tests.tools.mutants.contexts import context_of
from tests.tools.mutants.reach import Reach

# Starting Python and a server, compiling kernels anew, and a machine that does other things beside.
_SECONDS_TO_START, _TIMES_SLOWER = 240.0, 6.0
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
    """Try changes with an interpreter, tests by line and seconds of them, in copies that are free."""

    python: str
    reached: Reach
    seconds: float
    outcomes: Outcomes
    free: SimpleQueue[Path]
    environment: Callable[[Path], dict[str, str]]
    _left_out: set[str] = field(default_factory=set)

    def run(self, change: Change) -> str | None:
        """Give the test that notices a change, if one does."""
        tree = self.free.get()
        try:
            return self._noticed_by(change, tree)
        finally:
            self.free.put(tree)

    def unsound(self, tests: Collection[str]) -> set[str]:
        """Find those of some tests that fail without any change, and leave them out from now on."""
        tree = self.free.get()
        try:
            found = set(self._failing(tree, sorted(tests))) if tests else set[str]()
        finally:
            self.free.put(tree)
        self._left_out |= found
        return found

    def _noticed_by(self, change: Change, tree: Path) -> str | None:
        original = (tree / change.path).read_text(encoding="utf-8")
        before = self.outcomes.of(change)
        known = before.get("noticed_by")
        tests = self._chosen(change, known)
        # One test that notices a change is enough; what none noticed is tried again where one of them changed.
        is_sound = known is None or known in tests
        if before and is_sound and before["tried_with"] == _tried_with(tree, original, tests, known):
            return known
        noticed_by = self._tried(change, tree, original, tests)
        self.outcomes.keep(change, _tried_with(tree, original, tests, noticed_by), noticed_by)
        said = "noticed" if noticed_by else "SURVIVED"
        print(f"{said}: {change.path}:{change.first} {noticed_by}", flush=True)
        return noticed_by

    def _chosen(self, change: Change, known: str | None) -> list[str]:
        """Choose the tests that try a change; one that noticed it before is the first."""
        lines = range(change.first, change.last + 1)
        reaching = self.reached.tests(change.path, lines, self.seconds)
        first = [known] if known in self.reached.seconds else []
        return [test for test in dict.fromkeys([*first, *reaching]) if test not in self._left_out]

    def _tried(self, change: Change, tree: Path, original: str, tests: Sequence[str]) -> str | None:
        """Run tests in a copy with a change, which is undone, up to the first that fails."""
        source = tree / change.path
        source.write_text(change.applied(original), encoding="utf-8")
        try:
            failing = self._failing(tree, tests, "-x") if tests else []
        finally:
            source.write_text(original, encoding="utf-8")
        return failing[0] if failing else None

    def _failing(self, tree: Path, tests: Sequence[str], *options: str) -> list[str]:
        """List the tests that fail; the first of all where they cannot be run or do not end."""
        command = (
            self.python,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--no-header",
            *options,
            *tests,
        )
        try:
            ended = subprocess.run(
                command, cwd=tree, env=self.environment(tree), check=False, capture_output=True, text=True,
                timeout=_SECONDS_TO_START + _TIMES_SLOWER * self.seconds,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return [tests[0]]
        if ended.returncode == 0:
            return []
        named = [context_of(name) for name in _FAILED.findall(ended.stdout) if name.startswith("tests/")]
        return named or [tests[0]]


def _tried_with(tree: Path, original: str, tests: Sequence[str], noticed_by: str | None) -> str:
    """Digest of a file and of the test that notices its change, or of all that do not, with their files."""
    chosen = [noticed_by] if noticed_by else sorted(tests)
    files = sorted({test.partition("::")[0] for test in chosen})
    texts = ((tree / file).read_text(encoding="utf-8") for file in files if (tree / file).is_file())
    return hashlib.sha256("\0".join((original, *chosen, *texts)).encode()).hexdigest()
