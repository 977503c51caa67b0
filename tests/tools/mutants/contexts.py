"""Name the test that runs in the coverage data, and keep its seconds; a plugin of pytest.

A context is a test function without its parameters, or a file of cases. Processes that a test starts inherit the name
of that test from pytest itself (`PYTEST_CURRENT_TEST`).
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from coverage import Coverage

if TYPE_CHECKING:
    import pytest

_seconds: defaultdict[str, float] = defaultdict(float)


def context_of(nodeid: str) -> str:
    """Return the name under which the lines that a test reaches are kept.

    Args:
        nodeid: id of the test as pytest gives it, or the text of `PYTEST_CURRENT_TEST`.
    """
    path, _, name = nodeid.partition("::")
    return f"{path}::{name.partition('[')[0].partition(' ')[0]}" if path.endswith(".py") else path


def pytest_runtest_logstart(nodeid: str) -> None:
    """Count what follows, set-up included, to this test."""
    running = Coverage.current()
    if running is not None:
        running.switch_context(context_of(nodeid))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up the seconds of the phases of a test."""
    _seconds[context_of(report.nodeid)] += report.duration


def pytest_sessionfinish() -> None:
    """Write the seconds beside the coverage data, one file a process."""
    folder = Path(os.environ["MUTANTS_REACH"])
    (folder / f"seconds-{os.getpid()}.json").write_text(json.dumps(_seconds), encoding="utf-8")
