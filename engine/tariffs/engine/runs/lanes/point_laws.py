"""Find the laws of the points of a sweep: points that differ in rates alone share one law.

The rows of a law whose rate a parameter sets are found by comparing the law at several values of the parameter: all
else about the rows must be equal, and the rate must be the same linear function of the value. Points are then grouped
so that stacking is the same within a group: no rate turns zero, and no two rates that are ranked change places.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools
from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.law.law import InForce, Law
from tariffs.engine.law.model import Row
from tariffs.engine.law.values import read_rate, read_step
from tariffs.engine.rating.patterns import HIGHEST
from tariffs.engine.scenario.model import Scenario


def points_of_step(text: str) -> Decimal:
    """Read a step in points, such as `+10pp`, as a fraction; raises ValueError for any other step."""
    step = read_step(text)
    if step.factor != 1:
        raise ValueError(f"{text!r} is a factor")
    return step.points


READERS: Mapping[str, Callable[[str], Decimal]] = {"rate": read_rate, "step": points_of_step}
"""Readers of the kinds of parameters that may move rates alone."""
Values = Mapping[str, str]
LawAt = Callable[[Values], Law]
InForceOf = Callable[[Law], Sequence[InForce]]
_PROBED = 3
"""Points in a group from which on it pays to compare laws."""
_DIFFERENT = 2
_LAWS_KEPT = 64
_ZERO = 1e-15


@dataclass(frozen=True)
class PointGroup:
    """Points with one law but for its rates.

    Attributes:
        points: places of the points.
        law: the law at the first of them.
        rates: per instant of the lines, the rate of each row of the law at each point (points x rows).
        moved: per instant, marks the rows whose rate differs between points of the sweep.
        history: rates on the days to which trade responds; None for a point that has its law alone.
    """

    points: Sequence[int]
    law: Law
    rates: Sequence[F64]
    moved: Sequence[Bools]
    history: RateHistory | None = None


@dataclass(frozen=True)
class RateHistory:
    """Rates on the days to which trade responds: rows with one rate as a function of the parameters share a function.

    Attributes:
        moved: per instant of these days, marks the rows whose rate differs between points of the sweep.
        function: per instant, function of each row, -1 where it does not move.
        values: rate of each function at each point (points x functions).
    """

    moved: Sequence[Bools]
    function: Sequence[I64]
    values: F64


@dataclass(frozen=True, slots=True)
class _RatedPoint:
    """Point of a sweep: its place, the values of its parameters, and those of rates and steps as numbers."""

    place: int
    values: Values
    numbers: Mapping[str, Decimal]


Line = tuple[Decimal, tuple[tuple[str, Decimal], ...]]
"""Rate as a linear function: that at 0, and the slopes by parameter."""


@dataclass(frozen=True)
class _Slope:
    """Rates of the rows of one instant as linear functions.

    `fixed` are the rates of all rows if all parameters were 0, `lines` the functions of the rows that move, by place.
    `ranked` are the places of the rows whose rates are compared with each other; none if no such row moves.
    """

    rows: Sequence[Row]
    fixed: F64
    lines: Mapping[int, Line]
    ranked: Sequence[int]

    @classmethod
    def of(
        cls, in_force: InForce, slopes: Mapping[str, Mapping[int, Decimal]], numbers: Mapping[str, Decimal]
    ) -> _Slope:
        """Make the functions of rows from their slopes by parameter, and their rates at the parameters `numbers`."""
        rows = _rows(in_force)
        rates = [row.rate or Decimal(0) for row in rows]
        own: dict[int, dict[str, Decimal]] = {}
        for name, each in slopes.items():
            for place, slope in each.items():
                rates[place] -= slope * numbers[name]
                own.setdefault(place, {})[name] = slope
        lines = {place: (rates[place], tuple(sorted(of_row.items()))) for place, of_row in own.items()}
        ranked = _ranked(in_force)
        return cls(
            rows, np.array(rates, dtype=np.float64), lines, sorted(ranked) if ranked & lines.keys() else []
        )

    def rates(self, points: Sequence[Mapping[str, Decimal]]) -> F64:
        """Rates of the rows at points (points x rows)."""
        rates = np.repeat(self.fixed[None, :], len(points), axis=0)
        if self.lines:
            rates[:, list(self.lines)] = values_at(list(self.lines.values()), points)
        return rates

    @cached_property
    def moved(self) -> Bools:
        """Mark the rows whose rate some parameter moves."""
        marks = np.zeros(len(self.rows), dtype=bool)
        marks[list(self.lines)] = True
        return marks

    def ranks(self, points: Sequence[Mapping[str, Decimal]]) -> list[bytes]:
        """Texts that are equal for points at which the ranked rows have the same order.

        Rates of metals are ranked where their content is not declared, and those of a group of which the highest is
        charged.
        """
        if not self.ranked:
            return [b""] * len(points)
        rates = self.rates(points)[:, self.ranked]
        return [np.unique(row, return_inverse=True)[1].tobytes() for row in rates]


def values_at(lines: Sequence[Line], points: Sequence[Mapping[str, Decimal]]) -> F64:
    """Compute linear functions at points (points x functions)."""
    values = np.repeat(np.array([[float(at_zero) for at_zero, _ in lines]]), len(points), axis=0)
    names = dict.fromkeys(name for _, slopes in lines for name, _ in slopes)
    for name in names:
        slopes = np.array([float(dict(each).get(name, 0)) for _, each in lines])
        values += np.array([point[name] for point in points], dtype=np.float64)[:, None] * slopes
    return values


@dataclass(frozen=True)
class _Slopes:
    """Rates as linear functions: of the instants of the lines, and of those of earlier days."""

    now: Sequence[_Slope]
    earlier: Sequence[_Slope]

    @cached_property
    def lines(self) -> dict[Line, int]:
        """Distinct functions of all instants, numbered."""
        found: dict[Line, int] = {}
        for slope in (*self.now, *self.earlier):
            for line in slope.lines.values():
                found.setdefault(line, len(found))
        return found

    @property
    def history(self) -> Sequence[_Slope]:
        """Those of the days to which trade responds."""
        return self.earlier or self.now

    def function(self, slope: _Slope) -> I64:
        """Function of each row of an instant, -1 for rows that do not move."""
        found = np.full(len(slope.rows), -1)
        found[list(slope.lines)] = [self.lines[line] for line in slope.lines.values()]
        return found


class PointLaws:
    """Laws of the points of a sweep over one scenario; what is found about its parameters serves all blocks.

    Args:
        scenario: the scenario with parameters.
        law_at: applies the scenario with its parameters filled in.
        in_force_of: the law at each instant of the lines.
        history_of: the law at each instant of the lines on the earlier days that matter.
        points: values of the parameters at all points; other blocks of them have the same bits.
    """

    def __init__(
        self,
        scenario: Scenario,
        law_at: LawAt,
        in_force_of: InForceOf,
        history_of: InForceOf,
        points: Sequence[Values],
    ) -> None:
        self._scenario = scenario
        self._law_at = law_at
        self._in_force_of = in_force_of
        self._history_of = history_of
        self._varied = _varied(scenario, points)
        self._slopes: dict[Hashable, _Slopes | None] = {}
        self._laws: BoundedCache[Hashable, Law] = BoundedCache(_LAWS_KEPT)

    def groups(self, points: Sequence[Values]) -> list[PointGroup]:
        """Group points by their law."""
        names = dict.fromkeys(name for values in points for name in values)
        rated = [name for name in names if name in self._varied]
        others = [name for name in names if name not in rated]
        alike: dict[Hashable, list[_RatedPoint]] = {}
        for place, values in enumerate(points):
            numbers = _numbers(self._scenario, values, rated)
            other = tuple(values.get(name) for name in others)
            fixed = tuple(None if numbers.get(name) else values.get(name, "") for name in rated)
            alike.setdefault((other, fixed), []).append(_RatedPoint(place, values, numbers))
        return [group for key, alike_points in alike.items() for group in self._grouped(key, alike_points)]

    def _grouped(self, key: Hashable, points: Sequence[_RatedPoint]) -> list[PointGroup]:
        if key not in self._slopes and len(points) >= _PROBED:
            self._slopes[key] = self._found(points)
        slopes = self._slopes.get(key)
        if slopes is None:
            return [self._alone(point) for point in points]
        numbers = [point.numbers for point in points]
        values = values_at(list(slopes.lines), numbers)
        # A rate is never below 0, so a step beyond it is not a linear function. A rate of 0 makes a row an exemption.
        below: Bools = np.any(values < 0.0, axis=1)
        zeros = np.ascontiguousarray(np.abs(values) < _ZERO)
        every = (*slopes.now, *slopes.earlier)
        ranks = zip(*(slope.ranks(numbers) for slope in every if slope.ranked), strict=True)
        orders = list(ranks) or [()] * len(points)
        members: dict[Hashable, list[int]] = {}
        for at, order in enumerate(orders):
            if not below[at]:
                members.setdefault((zeros[at].tobytes(), order), []).append(at)
        alone = [self._alone(points[at]) for at in np.flatnonzero(below).tolist()]
        return alone + [
            PointGroup(
                [points[at].place for at in chosen],
                self._kept_law((key, signature), points[chosen[0]].values),
                [slope.rates([numbers[at] for at in chosen]) for slope in slopes.now],
                [slope.moved for slope in slopes.now],
                RateHistory(
                    [slope.moved for slope in slopes.history],
                    [slopes.function(slope) for slope in slopes.history],
                    values[chosen],
                ),
            )
            for signature, chosen in members.items()
        ]

    def _kept_law(self, key: Hashable, values: Values) -> Law:
        """Law of a group of points; later blocks of the same group have the same one."""
        return self._laws.get(key, lambda: self._law_at(values))

    def _alone(self, point: _RatedPoint) -> PointGroup:
        law = self._law_at(point.values)
        rows = [_rows(in_force) for in_force in self._in_force_of(law)]
        return PointGroup(
            [point.place],
            law,
            [np.array([[float(row.rate or 0) for row in one]]) for one in rows],
            [np.zeros(len(one), dtype=bool) for one in rows],
        )

    def _found(self, points: Sequence[_RatedPoint]) -> _Slopes | None:
        """Compare laws to find how rates follow the parameters; None if more than rates does."""
        first, numbers = points[0].values, points[0].numbers
        law = self._law_at(first)
        now, earlier = self._in_force_of(law), self._history_of(law)
        start = [_rows(in_force) for in_force in (*now, *earlier)]
        slopes: list[dict[str, dict[int, Decimal]]] = [{} for _ in start]
        for name in [name for name, number in numbers.items() if number]:
            # Of two different values one is not that of the first point.
            text, number = next(pair for pair in self._varied[name] if pair[1] != numbers[name])
            moved = _differences(start, self._rows_at({**first, name: text}))
            if moved is None:
                return None
            for place, differences in enumerate(moved):
                slopes[place][name] = {
                    row: change / (number - numbers[name]) for row, change in differences.items()
                }
        found = [
            _Slope.of(in_force, slope, numbers)
            for in_force, slope in zip((*now, *earlier), slopes, strict=True)
        ]
        tested = points[-1], points[len(points) // 2]
        if not all(self._holds(found, point) for point in tested):
            return None
        return _Slopes(found[: len(now)], found[len(now) :])

    def _holds(self, slopes: Sequence[_Slope], point: _RatedPoint) -> bool:
        """Test that the slopes give the rates of a law that was not used to find them."""
        rows = self._rows_at(point.values)
        return _differences([slope.rows for slope in slopes], rows) is not None and all(
            abs(rate - float(row.rate or 0)) < _ZERO
            for slope, of_instant in zip(slopes, rows, strict=True)
            for rate, row in zip(slope.rates([point.numbers])[0], of_instant, strict=True)
        )

    def _rows_at(self, values: Values) -> list[list[Row]]:
        law = self._law_at(values)
        return [_rows(in_force) for in_force in (*self._in_force_of(law), *self._history_of(law))]


def _varied(
    scenario: Scenario, points: Sequence[Values]
) -> dict[str, tuple[tuple[str, Decimal], tuple[str, Decimal]]]:
    """Find two values, as text and number, of each parameter that moves rates alone; others have one law a value.

    At 0 a row is an exemption, so the two are not 0.
    """
    names = [name for name, parameter in scenario.parameters.items() if parameter.kind in READERS]
    pairs = {name: _different(scenario, name, points) for name in names}
    return {name: (each[0], each[1]) for name, each in pairs.items() if len(each) == _DIFFERENT}


def _different(scenario: Scenario, name: str, points: Sequence[Values]) -> list[tuple[str, Decimal]]:
    """Find the first two different values of a parameter that are not 0, as text and number."""
    found: dict[Decimal, str] = {}
    for values in points:
        number = _numbers(scenario, values, [name]).get(name)
        if number:
            found.setdefault(number, values[name])
        if len(found) == _DIFFERENT:
            break
    return [(text, number) for number, text in found.items()]


def _numbers(scenario: Scenario, values: Values, names: Sequence[str]) -> dict[str, Decimal]:
    """Read the rates and steps of a point; what cannot be read is left to the reader of the scenario."""
    numbers = {}
    for name in names:
        try:
            numbers[name] = READERS[scenario.parameters[name].kind](values[name].strip())
        except (KeyError, ValueError):
            continue
    return numbers


def _rows(in_force: InForce) -> list[Row]:
    return [row for active in in_force.actives for row in active.rows]


def _differences(
    one: Sequence[Sequence[Row]], other: Sequence[Sequence[Row]]
) -> list[dict[int, Decimal]] | None:
    """Difference of the rate of each row, by instant; None if the rows differ in anything else."""
    if list(map(len, one)) != list(map(len, other)):
        return None
    found: list[dict[int, Decimal]] = []
    for rows, others in zip(one, other, strict=True):
        changes: dict[int, Decimal] = {}
        for place, (row, changed) in enumerate(zip(rows, others, strict=True)):
            if row is changed or row == changed:
                continue
            if row.rate is None or changed.rate is None or changed._replace(rate=row.rate) != row:
                return None
            changes[place] = changed.rate - row.rate
        found.append(changes)
    return found


def _ranked(in_force: InForce) -> set[int]:
    """Places of the rows whose rates are compared with those of others."""
    ranked = set[int]()
    for rule in in_force.rules:
        if rule.rule.pick == HIGHEST:
            ranked |= set[int]().union(*rule.members)
    measures = [(active.index, row) for active in in_force.actives for row in active.rows]
    return {place for place, (index, row) in enumerate(measures) if row.metals or index in ranked}
