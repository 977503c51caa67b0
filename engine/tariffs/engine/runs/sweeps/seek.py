"""Find the value of a parameter at which a result meets a target: the verb behind `tariffs seek`.

The range is evaluated on a grid first, so that no zero is missed in silence: a zero between two points of it shows as
a change of sign, or as a turning point that comes near the target. Each is then refined within its cell. A target of
infinity seeks the largest value, such as the tariff that is best for a country of the world.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Unpack

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64
from tariffs.engine.errors import InputError
from tariffs.engine.law.notes import Note
from tariffs.engine.response.trade.trade_response import WORLD
from tariffs.engine.response.world import COLUMNS as WORLD_COLUMNS
from tariffs.engine.response.world import baseline
from tariffs.engine.response.world.world_result import mean_over
from tariffs.engine.runs.column_names import AUTHORITY, COLUMNS
from tariffs.engine.runs.finish import result_columns
from tariffs.engine.runs.impact import read_points
from tariffs.engine.runs.options import Options, Point
from tariffs.engine.runs.outcomes.table_run import RunContext, TableRun
from tariffs.engine.runs.stepwise_run import RunArguments, RunEnd
from tariffs.engine.runs.sums import Sums
from tariffs.engine.runs.sweeps.bracketing import Crossing, Plateau, Search, least
from tariffs.engine.runs.sweeps.point_sums import PointEvaluator, PointResults
from tariffs.engine.runs.sweeps.sweep import check_points, points_at, points_end, shortened
from tariffs.engine.runs.sweeps.sweep_points import (
    SeekRange,
    first_steps,
    float_of,
    invalid_value,
    seek_range,
)
from tariffs.engine.scenario import Scenario
from tariffs.engine.tables.prepare import Table
from tariffs.run_spec.option import SEEK

SUMS = tuple(
    name for name in COLUMNS if name not in {"effective_rate", "effective_rate_after", "quantity_hat"}
)
RATES = ("effective_rate", "effective_rate_after")
SHARE = "_share"
TOLERANCE = 1e-9
"""A target is met within this share of it."""
JUMP = 1e-6
"""Results of neighbouring values that differ by more than this share of the whole range are a jump."""
EXTREMES = {math.inf: "max", -math.inf: "min"}
"""Names of the values that seek an extreme."""
COUNTRY = "country"
"""Key of countries of the world."""
_COARSER, _WIDTHS = 5, 10**8
"""Of an extreme value every fifth step of the grid is computed, and the search ends at this part of the range."""
NOISE = 1e-12
"""Differences of results below this share of the largest are rounding."""
Value = float | str
Where = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Target:
    """Result that a seek aims at: a column, the value it shall have, and the groups that count.

    Columns are sums of the contract, `effective_rate`, `effective_rate_after`, and with `_share` appended to a sum the
    share of the groups in the whole table. `where` has the values that count by key; none is the whole table. Values of
    infinity and minus infinity seek the largest and the least value.
    """

    column: str
    value: float
    where: Where

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys by which the table is grouped."""
        return tuple(self.where)

    def distance(self, achieved: float) -> float:
        """Distance of a result from the target; of an extreme value one that is least there."""
        if math.isinf(self.value):
            return -achieved if self.value > 0.0 else achieved
        return achieved - self.value

    def achieved(self, results: PointResults) -> F64:
        """Compute the result in each lane; NaN where it is undefined."""
        sums = results.sums
        column, counted = self._share_of or self.column, self._counted(sums)
        found = result_columns(counted).get(column) if counted else None
        if found is None:
            return np.full(sums.lanes, np.nan)
        if self._share_of is None:
            return found
        whole = sums.total[column]
        return np.divide(found, whole, out=np.full_like(found, np.nan), where=whole != 0.0)

    def _counted(self, sums: Sums) -> Mapping[str, F64]:
        """Sum the groups that count in each lane: 0 without one, such as an authority that charges nothing."""
        if not self.where:
            return sums.total
        counts = np.ones(sums.count, dtype=bool)
        for key in self.where.keys() - {AUTHORITY}:
            counts &= sums.keys[key].cast(pl.String).is_in(list(self.where[key])).to_numpy()
        columns: Mapping[str, F64] = sums.groups
        if sums.charged is not None:
            columns, names = sums.charged.columns, np.array(sums.charged.names, dtype=object)
            is_named = np.isin(names, list(self.where[AUTHORITY]))
            counts = counts[sums.charged.group] & is_named[sums.charged.authority]
        return {name: values[:, counts].sum(axis=1) for name, values in columns.items()}

    @property
    def _share_of(self) -> str | None:
        sum_of = self.column.removesuffix(SHARE)
        return sum_of if self.column.endswith(SHARE) and sum_of in SUMS else None

    def check(self) -> None:
        """Check the column and the value; raises InputError PARAMETER_INVALID."""
        if self.column not in SUMS and self.column not in RATES and self._share_of is None:
            fix = f"Use {', '.join((*SUMS, *RATES))}, or a sum with {SHARE}, such as value_after{SHARE}."
            raise invalid_value("target", f"{self.column!r} is not a result", fix)
        self.check_value()

    def check_value(self) -> None:
        """Check the value; raises InputError PARAMETER_INVALID."""
        if math.isnan(self.value):
            raise invalid_value("target", f"{self.value} is no number", "Give a number, max or min.")


class CountryTarget(Target):
    """Result of countries of the world that a seek aims at: a column of its countries, weighted by spending.

    `where` has their codes by the key `country`.
    """

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys by which the table is grouped: none."""
        return ()

    def achieved(self, results: PointResults) -> F64:
        """Compute the result at each point; NaN where it is undefined."""
        countries = self.where[COUNTRY]
        return np.array([mean_over(frame, countries, self.column) for frame in results.countries])

    def check(self) -> None:
        """Check column, countries and value; raises InputError PARAMETER_INVALID."""
        if self.column not in WORLD_COLUMNS:
            raise invalid_value(
                "target", f"{self.column!r} is no result of countries", f"Use {', '.join(WORLD_COLUMNS)}."
            )
        unknown = set(self.where[COUNTRY]) - set(baseline().countries)
        if unknown or len(self.where) > 1:
            why = (
                f"the world has no country {' or '.join(sorted(unknown))}"
                if unknown
                else "country is one of several keys"
            )
            raise invalid_value(
                "where", why, "Give country=USA, alpha-3 codes of the world, and no other key."
            )
        self.check_value()


def check_where(run: TableRun, where: Where) -> None:
    """Check that some group of the table has the values of each key; authorities show only in results."""
    keys = run.grouping.keys
    for key, values in where.items():
        if key not in keys.columns:
            continue
        known = keys[key].cast(pl.String)
        if not known.is_in(list(values)).any():
            shown = ", ".join(value for value in known.head(10) if value is not None)
            raise invalid_value(
                "where",
                f"no line of the table has {key} {' or '.join(map(repr, values))}",
                f"Values in the table are {shown}{', ...' if len(known) > 10 else ''}.",
            )


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


@dataclass(frozen=True, kw_only=True)
class Seek(RunEnd):
    """Results of a goal seek, in rising order of the value, and the end of the run.

    `path` has all evaluations: `value` (numbers as Float64, rates as fractions; days as String) and `achieved`.
    `monotone` says whether the result never turns along it. `nearest` is the evaluation nearest to the target.
    """

    roots: tuple[Root, ...]
    jumps: tuple[Jump, ...]
    nearest: Root
    monotone: bool
    path: pl.DataFrame


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
    if options.response == WORLD and COUNTRY in target.where:
        target = CountryTarget(**vars(target))
    target.check()
    declared = scenario.parameters.get(vary.name)
    values = seek_range(vary.name, vary.low, vary.high, declared.kind if declared else "")
    fixed = parameters or {}
    check_points(scenario, [{vary.name: values.text(0)}, {vary.name: values.text(values.steps)}], fixed)
    options = replace(options, by=target.keys)
    context = RunContext(how.get("progress"), how.get("cancelled"))
    run = TableRun(table, law, options, context, [scenario])
    run.options.refuse(verb=SEEK, dates=run.own_dates is not None)
    check_where(run, target.where)
    (day,), day_notes = read_points(law, [Point(scenario, on)], run.market)
    evaluation = _Evaluation(run, day, fixed, vary.name, values, target)
    plateaus, crossings = _searched(evaluation, target, values)
    if all(map(math.isnan, evaluation.achieved.values())):
        why = f"{target.column} is undefined at every value of the range"
        fix = "Columns after the response need a response and a baseline; surplus needs groups of whole products."
        raise InputError("PARAMETER_INVALID", f"{why}.", field="target", fix=fix)
    evaluation.achieved = dict(sorted(evaluation.achieved.items()))
    facts = {
        "vary": [vary.name, vary.low, vary.high],
        "target": [target.column, EXTREMES.get(target.value, target.value)],
        "where": {key: list(allowed) for key, allowed in target.where.items()},
    }
    filled = Point(scenario.with_parameters(fixed), day.on)
    roots, jumps = evaluation.roots_and_jumps(plateaus, crossings)
    return Seek(
        roots=roots,
        jumps=jumps,
        nearest=evaluation.nearest(),
        monotone=evaluation.monotone(),
        path=evaluation.path(),
        **vars(points_end(run, filled, day_notes, evaluation.notes, seek=facts)),
    )


@dataclass
class _Evaluation:
    """Results at steps of the range, and the answer to read from them; `fixed` are values of the other parameters."""

    run: TableRun
    day: Point
    fixed: Mapping[str, str]
    name: str
    values: SeekRange
    target: Target
    achieved: dict[int, float] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    _grid: int = 0

    def __post_init__(self) -> None:
        ends = (0, self.values.steps // 2, self.values.steps)
        points = [{self.name: self.values.text(step)} for step in ends]
        self._evaluate = PointEvaluator(self.run, self.day.scenario, self.day.on, points)

    def __call__(self, steps: Sequence[int]) -> dict[int, float]:
        """Compute distances from the target at steps; the first call is the grid, which is most of the work."""
        self._grid = self._grid or len(steps)
        texts = [self.values.text(step) for step in steps]
        points = points_at([{self.name: text} for text in texts], self.fixed)

        def step_done(done: int) -> None:
            count = len(self.achieved) + done
            fraction = count / (count + 1) if count >= self._grid else 0.9 * count / self._grid
            self.run.context.step(f"{self.name} {texts[done]}", fraction)

        results = self._evaluate(points, step_done)
        self.achieved |= dict(zip(steps, self.target.achieved(results).tolist(), strict=True))
        self.notes = shortened((*self.notes, *results.notes))
        return {step: self.target.distance(self.achieved[step]) for step in steps}

    def roots_and_jumps(
        self, plateaus: Sequence[Plateau], crossings: Sequence[Crossing]
    ) -> tuple[tuple[Root, ...], tuple[Jump, ...]]:
        roots, jumps = list(plateaus), []
        known = [value for value in self.achieved.values() if not math.isnan(value)]
        if math.isinf(self.target.value):
            return (self.nearest(),), ()
        for low, high in crossings:
            before, after = self.achieved[low], self.achieved[high]
            if abs(after - before) <= JUMP * (max(known) - min(known)):
                nearer = min(low, high, key=self._distance)
                roots.append(Plateau(nearer, nearer))
            else:
                jumps.append(Jump(self._value(low), before, self._value(high), after))
        return tuple(map(self._root, sorted(roots))), tuple(jumps)

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
        distance = self.target.distance(self.achieved[step])
        return distance if math.isinf(self.target.value) else abs(distance)

    def _size(self) -> float:
        return max(abs(value) for value in self.achieved.values() if not math.isnan(value))


def _searched(
    evaluation: _Evaluation, target: Target, values: SeekRange
) -> tuple[Sequence[Plateau], Sequence[Crossing]]:
    """Evaluate the range where the target is near; list where it is met, of an extreme value nothing."""
    steps = first_steps(values)
    if math.isinf(target.value):
        least(evaluation, steps[::_COARSER], max(values.steps // _WIDTHS, 1))
        return [], []
    return Search(evaluation, steps, lambda found: _tolerance(target, found)).run()


def _tolerance(target: Target, distances: Sequence[float]) -> float:
    found = [value for value in distances if not math.isnan(value)]
    size = abs(target.value) or max(found, default=0.0) - min(found, default=0.0)
    return TOLERANCE * size
