"""Progress and cancellation of a run, and what a run reports of its switches and refused lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tariffs.engine.errors import ServiceError

Progress = Callable[[str, float], None]
Cancelled = Callable[[], bool]


class RunContext:
    """Progress and cancellation of one run."""

    def __init__(self, progress: Progress | None, cancelled: Cancelled | None) -> None:
        self._progress = progress or (lambda stage, fraction: None)
        self._cancelled = cancelled or (lambda: False)

    def check(self) -> None:
        """Raise ServiceError CANCELLED if the caller cancelled the run."""
        if self._cancelled():
            raise ServiceError("CANCELLED", "The caller cancelled the run.")

    def step(self, stage: str, fraction: float) -> None:
        """Report the stage and the fraction done."""
        self.check()
        self._progress(stage, fraction)


@dataclass(frozen=True)
class SwitchReport:
    """Switches that affected the results so far, and indices of lines refused for too many atoms."""

    switches: Mapping[str, str]
    too_many: tuple[int, ...]
