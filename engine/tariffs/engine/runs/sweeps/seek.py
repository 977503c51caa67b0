"""Find the value of a parameter at which a result meets a target: the verb behind `tariffs seek`.

The range is evaluated on a grid first, so that no zero is missed in silence: a zero between two points of it shows as
a change of sign, or as a turning point that comes near the target. Each is then refined within its cell.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Unpack

import polars as pl

from tariffs.engine.errors import InputError
from tariffs.engine.law.notes import Note
from tariffs.engine.line_duty.entry_dates import unread_of
from tariffs.engine.runs.impact import point_days, read_points, scenario_notes
from tariffs.engine.runs.options import Options, Point
from tariffs.engine.runs.outcomes.table_run import RunContext, TableRun
from tariffs.engine.runs.stepwise_run import RunArguments
from tariffs.engine.runs.sweeps.bracketing import Crossing, Plateau, Search
from tariffs.engine.runs.sweeps.point_sums import PointEvaluator
from tariffs.engine.runs.sweeps.seek_range import SeekRange, first_steps, seek_range
from tariffs.engine.runs.sweeps.seek_target import Target, check_where
from tariffs.engine.runs.sweeps.sweep import check_points, points_at, shortened
from tariffs.engine.runs.sweeps.sweep_points import float_of
from tariffs.engine.scenario import Scenario
from tariffs.engine.tables.prepare import Table
from tariffs.run_spec.option import SEEK

TOLERANCE = 1e-9
"""A target is met within this share of it."""
JUMP = 1e-6
"""Results of neighbouring values that differ by more than this share of the whole range are a jump."""
NOISE = 1e-12
"""Differences of results below this share of the largest are rounding."""
Value = float | str


@dataclass(frozen=True, slots=True)
class Vary:
    """Parameter that a seek varies, with the ends of its range as text, such as `0%` and `60%`."""

    name: str
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class Root:
    """Value at which the target is met, and the result there; `to` is the last one if it is met on a whole span."""

    value: Value
    achieved: float
    to: Value | None = None


@dataclass(frozen=True, slots=True)
class Jump:
    """Neighbouring values between which the result passes the target without meeting it."""

    value: Value
    achieved: float
    next_value: Value
    next_achieved: float


@dataclass(frozen=True, slots=True)
class Seek:
    """Results of a goal seek, in rising order of the value.

    `path` has all evaluations: `value` (numbers as Float64, rates as fractions; days as String) and `achieved`.
    `monotone` says whether the result never turns along it. `nearest` is the evaluation nearest to the target.
    """

    roots: tuple[Root, ...]
    jumps: tuple[Jump, ...]
    nearest: Root
    monotone: bool
    path: pl.DataFrame
    notes: tuple[Note, ...]
    refused: pl.DataFrame
    provenance: Mapping[str, object]


def seek(
    table: Table,
    scenario: Scenario,
    vary: Vary,
    target: Target,
    *,
    parameters: Mapping[str, str] | None = None,
    on: str = "",
    **how: Unpack[RunArguments],
) -> Seek:
    """Find the values of a parameter at which a result meets a target.

    Args:
        table: a frame, a path, or None for the embedded table of US imports 2024.
        scenario: the scenario.
        vary: the parameter and its range: rates, shares or factors of one form, days, or off and on.
        target: the result aimed at.
        parameters: values of the scenario's other parameters; missing ones have their defaults.
        on: day of the law; empty for its as-of day.
        how: law, options, progress and cancellation; `by` is that of `target.where`.

    Raises:
        InputError: PARAMETER_INVALID for a range, target or filter that cannot be used; or as `sweep`.
        ScenarioError: a parameter is unknown, or the scenario cannot be applied at some value.
        ServiceError: CANCELLED.
    """
    law, options = how["law"], how.get("options") or Options()
    options.refuse_untaken(SEEK)
    target.check()
    declared = scenario.parameters.get(vary.name)
    values = seek_range(vary.name, vary.low, vary.high, declared.kind if declared else "")
    fixed = parameters or {}
    check_points(scenario, [{vary.name: values.text(0)}, {vary.name: values.text(values.steps)}], fixed)
    options = replace(options, by=tuple(target.where))
    context = RunContext(how.get("progress"), how.get("cancelled"))
    run = TableRun(table, law, options, context, [scenario])
    check_where(run, target.where)
    (day,), day_notes = read_points(law, [Point(scenario, on)], run.market)
    evaluation = _Evaluation(run, scenario, fixed, vary.name, values, target, day.on)
    search = Search(evaluation, first_steps(values), lambda found: _tolerance(target, found))
    _check_defined(target, search.values.values())
    plateaus, crossings = search.run()
    context.step("done", 1.0)
    answer = _Answer(values, dict(sorted(evaluation.achieved.items())), target)
    filled = scenario.with_parameters(fixed)
    days = point_days(run.law, [day], run.market)
    notes = (
        *day_notes,
        *run.notes(),
        *unread_of(run.law, days, run.options.known_on),
        *scenario_notes(run.law, filled, *days, *days),
        *evaluation.notes,
    )
    facts = {
        "vary": [vary.name, vary.low, vary.high],
        "target": [target.column, target.value],
        "where": {key: list(allowed) for key, allowed in target.where.items()},
    }
    return Seek(
        *answer.roots_and_jumps(plateaus, crossings),
        answer.nearest(),
        answer.monotone(),
        answer.path(),
        shortened(notes),
        run.refused(),
        run.provenance([filled], on=day.on, seek=facts),
    )


class _Evaluation:
    """Distance from the target at steps of the range."""

    def __init__(
        self,
        run: TableRun,
        scenario: Scenario,
        fixed: Mapping[str, str],
        name: str,
        values: SeekRange,
        target: Target,
        on: str,
    ) -> None:
        self._run, self._fixed, self._name = run, fixed, name
        steps = (0, values.steps // 2, values.steps)
        self._evaluate = PointEvaluator(run, scenario, on, [{name: values.text(step)} for step in steps])
        self._values, self._target = values, target
        self._grid = 0
        self.achieved: dict[int, float] = {}
        self.notes: tuple[Note, ...] = ()

    def __call__(self, steps: Sequence[int]) -> dict[int, float]:
        """Evaluate steps; the first call is the grid, which is most of the work."""
        self._grid = self._grid or len(steps)
        texts = [self._values.text(step) for step in steps]
        points = points_at([{self._name: text} for text in texts], self._fixed)

        def step_done(done: int) -> None:
            count = len(self.achieved) + done
            fraction = count / (count + 1) if count >= self._grid else 0.9 * count / self._grid
            self._run.context.step(f"{self._name} {texts[done]}", fraction)

        results = self._evaluate(points, step_done)
        self.achieved |= dict(zip(steps, self._target.achieved(results.sums).tolist(), strict=True))
        self.notes = shortened((*self.notes, *results.notes))
        return {step: self.achieved[step] - self._target.value for step in steps}


@dataclass(frozen=True, slots=True)
class _Answer:
    """Reads the answer of a search: steps become values."""

    values: SeekRange
    achieved: Mapping[int, float]
    target: Target

    def roots_and_jumps(
        self, plateaus: Sequence[Plateau], crossings: Sequence[Crossing]
    ) -> tuple[tuple[Root, ...], tuple[Jump, ...]]:
        roots = [(span.first, self._root(span)) for span in plateaus]
        jumps = []
        for crossing in crossings:
            low, high = crossing.low, crossing.high
            if abs(self.achieved[high] - self.achieved[low]) <= JUMP * self._spread():
                nearer = min(low, high, key=self._distance)
                roots.append((nearer, self._root(Plateau(nearer, nearer))))
            else:
                jumps.append(
                    Jump(self._value(low), self.achieved[low], self._value(high), self.achieved[high])
                )
        return tuple(root for _, root in sorted(roots, key=lambda pair: pair[0])), tuple(jumps)

    def nearest(self) -> Root:
        """Find the lowest value that is as near to the target as any, but for rounding."""
        distances = {step: self._distance(step) for step in self.achieved}
        least = min(value for value in distances.values() if not math.isnan(value))
        step = next(step for step, value in distances.items() if value - least <= NOISE * self._size())
        return Root(self._value(step), self.achieved[step])

    def monotone(self) -> bool:
        """Return True if the result never turns along the path, but for rounding."""
        found = [value for value in self.achieved.values() if not math.isnan(value)]
        noise = NOISE * self._size()
        changes = [after - before for before, after in itertools.pairwise(found)]
        return all(change >= -noise for change in changes) or all(change <= noise for change in changes)

    def path(self) -> pl.DataFrame:
        values = [self._value(step) for step in self.achieved]
        kind = pl.String if any(isinstance(value, str) for value in values) else pl.Float64
        numbers = pl.Series("achieved", list(self.achieved.values()), dtype=pl.Float64).fill_nan(None)
        return pl.DataFrame([pl.Series("value", values, dtype=kind), numbers])

    def _root(self, span: Plateau) -> Root:
        value, achieved = self._value(span.first), self.achieved[span.first]
        return Root(value, achieved, self._value(span.last) if span.last > span.first else None)

    def _value(self, step: int) -> Value:
        text = self.values.text(step)
        number = float_of(text)
        return text if number is None else number

    def _distance(self, step: int) -> float:
        return abs(self.achieved[step] - self.target.value)

    def _size(self) -> float:
        return max(abs(value) for value in self.achieved.values() if not math.isnan(value))

    def _spread(self) -> float:
        found = [value for value in self.achieved.values() if not math.isnan(value)]
        return max(found) - min(found)


def _check_defined(target: Target, found: Iterable[float]) -> None:
    if all(map(math.isnan, found)):
        raise InputError(
            "PARAMETER_INVALID",
            f"{target.column} is undefined at every value of the range.",
            field="target",
            fix="Columns after the response need a response and a baseline; surplus needs groups of whole products.",
        )


def _tolerance(target: Target, distances: Sequence[float]) -> float:
    found = [value for value in distances if not math.isnan(value)]
    size = abs(target.value) or max(found, default=0.0) - min(found, default=0.0)
    return TOLERANCE * size
