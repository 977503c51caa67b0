"""Report progress of long runs: to a function, as a bar on a terminal, or not at all."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Report = Callable[[str, float], None]
Progress = bool | Report | None


@contextmanager
def reporting(progress: Progress) -> Iterator[Report]:
    """Yield a function that takes the name of a stage and the fraction done.

    `True` is a bar of tqdm in a notebook and one of rich on a terminal, if they are installed, else silence.
    """
    if callable(progress):
        yield progress
    elif progress and _in_notebook():
        with _notebook_bar() as report:
            yield report
    elif progress and sys.stderr.isatty():
        with _bar() as report:
            yield report
    else:
        yield silent


def silent(_stage: str, _fraction: float) -> None:
    """Report nothing."""


def _in_notebook() -> bool:
    """Test whether this process is the kernel of a Jupyter or marimo notebook."""
    if "ipykernel" in sys.modules:
        return True
    marimo = sys.modules.get("marimo")
    return marimo is not None and bool(marimo.running_in_notebook())


@contextmanager
def _notebook_bar() -> Iterator[Report]:
    try:
        tqdm: Any = importlib.import_module("tqdm.auto").tqdm
    except ModuleNotFoundError:
        yield silent
        return
    with tqdm(total=100, bar_format="{desc}: {percentage:.0f} % {bar}", leave=False) as bar:

        def report(stage: str, fraction: float) -> None:
            bar.set_description_str(stage, refresh=False)
            bar.n = round(100 * fraction)
            bar.refresh()

        yield report


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
