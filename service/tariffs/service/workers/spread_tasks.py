"""Compute tasks that are named, take bytes and give bytes: in this process, or on a cluster by the same interface."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tariffs.service.wire.status import Cancelled, check_cancelled
from tariffs.service.workers.tasks import import_name

Result = bytes | list[bytes]
TaskFunction = Callable[[bytes, bytes, Sequence[bytes], Cancelled], Result]
"""Takes what all tasks share, what this one is about, results of other tasks, and a test for cancellation."""
Handle = Any
"""Result of a task, wherever it is kept."""


def function_of(name: str) -> TaskFunction:
    """Import the function of a task."""
    found: TaskFunction = import_name(f"tariffs.service.{name}")
    return found


class OneProcess:
    """Computes tasks in this process when they are submitted; results wait on disk, so that memory is that of one."""

    at_once = 1

    def __init__(self, cancelled: Cancelled) -> None:
        self._cancelled = cancelled
        self._directory = tempfile.TemporaryDirectory(prefix="tariffs-")
        self._numbers = itertools.count()

    def __enter__(self) -> OneProcess:
        return self

    def __exit__(self, *error: object) -> None:
        self._directory.cleanup()

    def share(self, data: bytes) -> Handle:
        """Give data to all tasks."""
        return data

    def submit(self, function: str, shared: Handle, argument: bytes, inputs: Sequence[Handle] = ()) -> Handle:
        """Compute the task of a function, `rpc.module:function`; inputs are the results of other tasks."""
        check_cancelled(self._cancelled)
        found = function_of(function)(
            shared, argument, [path.read_bytes() for path in inputs], self._cancelled
        )
        return self._kept(found) if isinstance(found, bytes) else [self._kept(one) for one in found]

    def item(self, handle: Handle, index: int) -> Handle:
        """Select one of the results of a task that has a list of them."""
        return handle[index]

    def result(self, handle: Handle, cancelled: Cancelled) -> bytes:
        """Read a result."""
        data: bytes = handle.read_bytes()
        return data

    def forget(self, handles: Sequence[Handle]) -> None:
        """Delete results that no task needs any more."""
        for path in handles:
            with suppress(FileNotFoundError):
                path.unlink()

    def _kept(self, data: bytes) -> Path:
        path = Path(self._directory.name) / str(next(self._numbers))
        path.write_bytes(data)
        return path
