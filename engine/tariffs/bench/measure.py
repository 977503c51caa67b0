"""Measure rows as ratios to rivals, interleaved: a round measures each row once, its rival before and after."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from tariffs.engine.errors import ServiceError

AT_MOST, AT_LEAST, WITHIN = "at most", "at least", "within"
Progress = Callable[[str, float], None]
Bench = TypeVar("Bench")


class RivalDiffersError(RuntimeError):
    """A rival does not give the result of the engine, so that its time means nothing."""


class RowSkippedError(Exception):
    """A row cannot be measured here; the message says why, `fix` what would change that."""

    def __init__(self, reason: str, fix: str = "") -> None:
        super().__init__(reason)
        self.fix = fix


class Deadline:
    """Time after which the work of a row is cancelled, counted from the first test."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end: float | None = None

    def passed(self) -> bool:
        """Test whether the time is over; a run takes this function as `cancelled`."""
        now = time.perf_counter()
        if self._end is None:
            self._end = now + self._seconds
        return now > self._end


@dataclass(frozen=True, slots=True)
class Sample:
    """Measurement of one round: the ratio, and what it is a ratio of, in milliseconds, None if it has no rival.

    `stopped`: the work was cancelled at its deadline, so that the ratio is a lower bound.
    """

    ratio: float
    milliseconds: float | None = None
    rival_milliseconds: float | None = None
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """Bound of a row's ratio: at most or at least `value`, or within `tolerance` of it."""

    bound: str
    value: float
    tolerance: float = 0.0

    def met_by(self, ratio: float, slack: float = 1.0) -> bool:
        """Test whether a ratio meets the target, or one that is `slack` times as wide."""
        if self.bound == AT_MOST:
            return ratio <= self.value * slack
        if self.bound == AT_LEAST:
            return ratio >= self.value / slack
        return abs(ratio - self.value) <= self.tolerance * slack

    def __str__(self) -> str:
        if self.bound == WITHIN:
            return f"{self.value - self.tolerance:.3g} to {self.value + self.tolerance:.3g}"
        return f"{'<=' if self.bound == AT_MOST else '>='} {self.value:.3g}"


@dataclass(frozen=True)
class Row(Generic[Bench]):
    """Row of the table: what is measured beside what, and the target of the ratio.

    `rival` says in words what the row is a ratio to; `measure` measures one round. `floor` is the ratio that a check
    accepts of a row that does not reach half of its target yet.
    """

    name: str
    title: str
    rival: str
    target: Target
    measure: Callable[[Bench, Deadline], Sample]
    floor: float | None = None


@dataclass(frozen=True)
class Result:
    """Samples of a row, one a round, and its results: medians over the rounds."""

    row: Row[Any]
    samples: tuple[Sample, ...]

    @property
    def measured(self) -> float:
        """Median of the ratios."""
        return statistics.median(sample.ratio for sample in self.samples)

    @property
    def spread(self) -> float:
        """Difference of the largest and the smallest ratio, as a fraction of the median."""
        ratios = [sample.ratio for sample in self.samples]
        return (max(ratios) - min(ratios)) / abs(self.measured) if self.measured else 0.0

    @property
    def stopped(self) -> bool:
        """Test whether a round was cancelled at its deadline."""
        return any(sample.stopped for sample in self.samples)

    @property
    def met(self) -> bool:
        """Test whether the target is met, by rounds that were all measured to their end."""
        return self.row.target.met_by(self.measured) and not self.stopped

    @property
    def part_of_target(self) -> float | None:
        """Measured ratio over the target, above 1 where it is missed; None for a target with two bounds."""
        if self.row.target.bound == WITHIN:
            return None
        part = self.measured / self.row.target.value
        return part if self.row.target.bound == AT_MOST else 1 / part

    @property
    def accepted(self) -> bool:
        """Test whether a check accepts the row: it reaches half of its target, or its floor.

        A row that was cancelled is judged by the bound that is known of its ratio.
        """
        if self.row.target.met_by(self.measured, slack=2.0):
            return True
        floor = self.row.floor
        return floor is not None and replace(self.row.target, value=floor).met_by(self.measured)

    def milliseconds(self) -> tuple[float | None, float | None]:
        """Medians of the milliseconds of the row and of its rival."""
        return (
            _median([sample.milliseconds for sample in self.samples]),
            _median([sample.rival_milliseconds for sample in self.samples]),
        )


@dataclass(frozen=True)
class Skipped:
    """Row that was not measured, and why."""

    name: str
    reason: str
    fix: str


def seconds_of(work: Callable[[], object]) -> float:
    """Measure the seconds of one call."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def run_to_deadline(work: Callable[[], object]) -> tuple[float, bool]:
    """Measure the seconds of a call that may stop with CANCELLED, and tell if it did."""
    begun = time.perf_counter()
    try:
        work()
    except ServiceError as error:
        if error.reason != "CANCELLED":
            raise
        return time.perf_counter() - begun, True
    return time.perf_counter() - begun, False


def against(rival: Callable[[], object], subject: Callable[[], object]) -> Sample:
    """Measure a call beside a rival, which is called before and after, so that both meet the same machine.

    Args:
        subject: the call; it may stop with CANCELLED.
    """
    before = seconds_of(rival)
    taken, stopped = run_to_deadline(subject)
    return sample_of(taken, (before + seconds_of(rival)) / 2, stopped=stopped)


def sample_of(taken: float, rival: float, *, stopped: bool = False) -> Sample:
    """Make the sample of so many seconds beside so many of the rival."""
    return Sample(taken / rival, taken * 1e3, rival * 1e3, stopped)


def measure_rows(
    rows: Sequence[Row[Bench]], bench: Bench, *, rounds: int, seconds: float, progress: Progress
) -> tuple[list[Result], list[Skipped]]:
    """Measure rows in rounds, each row once a round.

    Args:
        bench: what the rows share: table, law, rivals.
        rounds: number of rounds.
        seconds: time for one row in all rounds but the first, which makes what rows share; the round in which it passes
            is the row's last, and so is one that is cancelled.
        progress: called with the name of the row and the fraction done.

    Returns:
        Results of the rows that were measured, and the rows that were skipped.

    Raises:
        RivalDiffersError: a rival does not give the result of the engine.
    """
    samples: dict[str, list[Sample]] = {row.name: [] for row in rows}
    left = dict.fromkeys(samples, seconds)
    skipped: dict[str, Skipped] = {}
    for step in range(rounds * len(rows)):
        row = rows[step % len(rows)]
        if row.name in skipped or left[row.name] <= 0:
            continue
        progress(row.name, step / (rounds * len(rows)))
        begun = time.perf_counter()
        try:
            sample = row.measure(bench, Deadline(seconds))
        except RowSkippedError as reason:
            skipped[row.name] = Skipped(row.name, str(reason), reason.fix)
            continue
        if samples[row.name]:
            left[row.name] -= time.perf_counter() - begun
        if sample.stopped:
            left[row.name] = 0.0
        samples[row.name].append(sample)
    results = [Result(row, tuple(samples[row.name])) for row in rows if samples[row.name]]
    return results, list(skipped.values())


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None
