"""Report progress of long runs: to a function, as a bar on a terminal, or not at all."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Report = Callable[[str, float], None]
Progress = bool | Report | None


@contextmanager
def reporting(progress: Progress) -> Iterator[Report]:
    """Yield a function that takes the name of a stage and the fraction done.

    `True` is a bar on standard error if rich is installed and that is a terminal, else silence.
    """
    if callable(progress):
        yield progress
    elif progress and sys.stderr.isatty():
        with _bar() as report:
            yield report
    else:
        yield silent


def silent(_stage: str, _fraction: float) -> None:
    """Report nothing."""


@contextmanager
def _bar() -> Iterator[Report]:
    try:
        from rich.console import Console
        from rich.progress import Progress as Bar
    except ModuleNotFoundError:
        yield silent
        return
    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=1.0)

        def report(stage: str, fraction: float) -> None:
            bar.update(task, description=stage, completed=fraction)

        yield report
