"""Find the laws of the points of a sweep: points that differ in rates alone share one law.

The rows of a law whose rate a parameter sets are found by comparing the law at several values of the parameter: all
else about the rows must be equal, and the rate must be the same linear function of the value. Points are then grouped
so that stacking is the same within a group: no rate turns zero, and no two rates that are ranked change places.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools
from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.law.law import InForce, Law
from tariffs.engine.law.model import Row
from tariffs.engine.law.values import read_rate, read_step
from tariffs.engine.rating.patterns import HIGHEST
from tariffs.engine.runs.lanes.table_lanes import has_lanes
from tariffs.engine.runs.outcomes.table_run import TableRun
from tariffs.engine.scenario import Scenario, apply_scenario
from tariffs.engine.table_duty.rated_lines import RatedLines


def points_of_step(text: str) -> Decimal:
    """Read a step in points, such as `+10pp`, as a fraction; raises ValueError for any other step."""
    step = read_step(text)
    if step.factor != 1:
        raise ValueError(f"{text!r} is a factor")
    return step.points


READERS: Mapping[str, Callable[[str], Decimal]] = {"rate": read_rate, "step": points_of_step}
"""Readers of the kinds of parameters that may move rates alone."""
Values = Mapping[str, str]
_PROBED = 3
"""Points in a group from which on it pays to compare laws."""
_DIFFERENT = 2
_LAWS_KEPT = 64
_ZERO = 1e-15
Line = tuple[Decimal, tuple[tuple[str, Decimal], ...]]
"""Rate as a linear function: that at 0, and the slopes by parameter."""


@dataclass(frozen=True)
class PointGroup:
    """Points with one law but for its rates.

    Attributes:
        points: places of the points.
        law: the law at the first of them.
        values: rate of each function at each point (points x functions); rows with one rate as a function of the
            parameters share a function.
        now: per instant of the lines, function of each row of the law, -1 where its rate does not move.
        history: the same of the days to which trade responds; None for a point that has its law alone.
    """

    points: Sequence[int]
    law: Law
    values: F64
    now: Sequence[I64]
    history: Sequence[I64] | None = None

    def rates(self, rated: Sequence[RatedLines]) -> list[F64]:
        """Rate of each row of the law at each point (points x rows), by instant of the lines, which it has rated."""
        held = [lines.layers.slots.rate for lines in rated]
        return [_rates_at(*each, self.values) for each in zip(held, self.now, strict=True)]


@dataclass(frozen=True, slots=True)
class _RatedPoint:
    """Point of a sweep: its place, the values of its parameters, and those that may move rates alone as numbers."""

    place: int
    values: Values
    numbers: Mapping[str, Decimal]


@dataclass(frozen=True)
class _Functions:
    """Rates as linear functions of the parameters.

    Attributes:
        lines: the functions.
        now, history: as of `PointGroup`.
        ranked: by instant, the rates under one law, and the functions, of rows whose rates are compared.
    """

    lines: Sequence[Line]
    now: Sequence[I64]
    history: Sequence[I64]
    ranked: Sequence[tuple[F64, I64]]

    def at(self, points: Sequence[_RatedPoint]) -> F64:
        """Compute the functions at points (points x functions)."""
        values = np.repeat(np.array([[float(at_zero) for at_zero, _ in self.lines]]), len(points), axis=0)
        for name in dict.fromkeys(name for _, slopes in self.lines for name, _ in slopes):
            slopes = np.array([float(dict(slopes).get(name, 0)) for _, slopes in self.lines])
            values += np.array([point.numbers[name] for point in points], dtype=np.float64)[:, None] * slopes
        return values

    def signatures(self, values: F64) -> list[bytes]:
        """Texts that are equal for points with the same stacking, given the functions at each.

        A rate of 0 makes a row an exemption. Rates of metals are ranked where their content is not declared, and those
        of a group of which the highest is charged.
        """
        ranks = [
            np.array(
                [np.unique(rates, return_inverse=True)[1] for rates in _rates_at(held, function, values)]
            )
            for held, function in self.ranked
        ]
        return [marks.tobytes() for marks in np.hstack([np.abs(values) < _ZERO, *ranks])]


class PointLaws:
    """Laws of the points of a sweep over one scenario; what is found about its parameters serves all blocks.

    Args:
        on: day of the law, ISO text.
        points: values of the parameters at all points; other blocks of them have the same bits.
    """

    def __init__(self, run: TableRun, scenario: Scenario, on: str, points: Sequence[Values]) -> None:
        self._run, self._scenario, self._on = run, scenario, on
        self._readers = {
            name: READERS[parameter.kind]
            for name, parameter in scenario.parameters.items()
            if parameter.kind in READERS
        }
        pairs = {
            name: _different(read, dict.fromkeys(values[name] for values in points if name in values))
            for name, read in self._readers.items()
        }
        self._varied = {name: pair for name, pair in pairs.items() if len(pair) == _DIFFERENT}
        self._functions: dict[Hashable, _Functions | None] = {}
        self._laws: BoundedCache[Hashable, Law] = BoundedCache(_LAWS_KEPT)

    def groups(self, points: Sequence[Values]) -> list[PointGroup]:
        """Group points by their law."""
        alike: dict[Hashable, list[_RatedPoint]] = {}
        for place, values in enumerate(points):
            numbers = {
                name: number
                for name in self._varied
                if name in values and (number := _number(self._readers[name], values[name]))
            }
            key = frozenset({**values, **dict.fromkeys(numbers, "")}.items())
            alike.setdefault(key, []).append(_RatedPoint(place, values, numbers))
        return [group for key, alike_points in alike.items() for group in self._grouped(key, alike_points)]

    def _grouped(self, key: Hashable, points: Sequence[_RatedPoint]) -> list[PointGroup]:
        if key not in self._functions and len(points) >= _PROBED:
            self._functions[key] = self._found(points)
        functions = self._functions.get(key)
        if functions is None:
            return [self._alone(point) for point in points]
        values = functions.at(points)
        # A rate is never below 0, so a step beyond it is not a linear function.
        below: Bools = np.any(values < 0.0, axis=1)
        members: dict[bytes, list[int]] = {}
        for at, signature in enumerate(functions.signatures(values)):
            if not below[at]:
                members.setdefault(signature, []).append(at)
        alone = [self._alone(points[at]) for at in np.flatnonzero(below).tolist()]
        return alone + [
            PointGroup(
                [points[at].place for at in chosen],
                # Later blocks of the same group have the same law.
                self._laws.get((key, signature), partial(self._law_at, points[chosen[0]].values)),
                values[chosen],
                functions.now,
                functions.history,
            )
            for signature, chosen in members.items()
        ]

    def _law_at(self, values: Values) -> Law:
        return apply_scenario(self._run.law, self._scenario.with_parameters(values))

    def _alone(self, point: _RatedPoint) -> PointGroup:
        law = self._law_at(point.values)
        now = [np.full(len(_rows(in_force)), -1) for in_force in self._in_force(law)]
        return PointGroup([point.place], law, np.zeros((1, 0)), now)

    def _in_force(self, law: Law) -> list[InForce]:
        """List the law at the instants of the lines."""
        return [law.in_force(*moment) for moment in self._run.dated(law, self._on).moments]

    def _history(self, law: Law) -> list[InForce]:
        """List the law on the days since the baseline, where changes of duty respond by their age."""
        run = self._run
        if run.steps is None or not has_lanes(run):
            return []
        days = run.steps.days(law, run.dated(law, self._on))
        return [law.in_force(*moment) for _, then in days for moment in then.moments]

    def _found(self, points: Sequence[_RatedPoint]) -> _Functions | None:
        """Compare laws to find how rates follow the parameters; None if more than rates does."""
        first, law = points[0], self._law_at(points[0].values)
        now, history = self._in_force(law), self._history(law)
        start = [_rows(in_force) for in_force in (*now, *history)]
        slopes: list[dict[int, dict[str, Decimal]]] = [{} for _ in start]
        for name, number in first.numbers.items():
            # Of two different values one is not that of the first point.
            text, other = next(pair for pair in self._varied[name] if pair[1] != number)
            changes = _changes(start, self._rows_at({**first.values, name: text}))
            if changes is None:
                return None
            for of_instant, of_rows in zip(slopes, changes, strict=True):
                for place, change in of_rows.items():
                    of_instant.setdefault(place, {})[name] = change / (other - number)
        lines: dict[Line, int] = {}
        of_instants = []
        for rows, of_instant in zip(start, slopes, strict=True):
            function = np.full(len(rows), -1)
            for place, own in of_instant.items():
                moved = sum((slope * first.numbers[name] for name, slope in own.items()), Decimal(0))
                line = (rows[place].rate or Decimal(0)) - moved, tuple(sorted(own.items()))
                function[place] = lines.setdefault(line, len(lines))
            of_instants.append(function)
        rates = list(map(_rates_of, start))
        ranked = [_ranked(in_force) for in_force in (*now, *history)]
        found = _Functions(
            list(lines),
            of_instants[: len(now)],
            of_instants[len(now) :] or of_instants,
            [
                (held[places], function[places])
                for held, function, places in zip(rates, of_instants, ranked, strict=True)
                if (function[places] >= 0).any()
            ],
        )

        def holds(point: _RatedPoint) -> bool:
            """Test that the functions give the rates of a law that was not used to find them."""
            rows, values = self._rows_at(point.values), found.at([point])
            return _changes(start, rows) is not None and all(
                (np.abs(_rates_at(held, function, values)[0] - _rates_of(own)) < _ZERO).all()
                for held, function, own in zip(rates, of_instants, rows, strict=True)
            )

        return found if holds(points[-1]) and holds(points[len(points) // 2]) else None

    def _rows_at(self, values: Values) -> list[list[Row]]:
        law = self._law_at(values)
        return [_rows(in_force) for in_force in (*self._in_force(law), *self._history(law))]


def _different(read: Callable[[str], Decimal], texts: Iterable[str]) -> list[tuple[str, Decimal]]:
    """Find the first two different values that are not 0, at which a row is an exemption, as text and number."""
    found: dict[Decimal, str] = {}
    for text in texts:
        if number := _number(read, text):
            found.setdefault(number, text)
        if len(found) == _DIFFERENT:
            break
    return [(text, number) for number, text in found.items()]


def _number(read: Callable[[str], Decimal], text: str) -> Decimal | None:
    """Read a rate or step; what cannot be read is left to the reader of the scenario."""
    try:
        return read(text.strip())
    except ValueError:
        return None


def _rates_at(held: F64, function: I64, values: F64) -> F64:
    """Rates of rows at points (points x rows), given those under one law and the functions of rows that move."""
    rates, moved = np.repeat(held[None], len(values), axis=0), function >= 0
    rates[:, moved] = values[:, function[moved]]
    return rates


def _rates_of(rows: Sequence[Row]) -> F64:
    return np.array([float(row.rate or 0) for row in rows])


def _rows(in_force: InForce) -> list[Row]:
    return [row for active in in_force.actives for row in active.rows]


def _changes(one: Sequence[Sequence[Row]], other: Sequence[Sequence[Row]]) -> list[dict[int, Decimal]] | None:
    """Change of the rate of each row that changes, by instant; None if the rows differ in anything else."""
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


def _ranked(in_force: InForce) -> list[int]:
    """Places of the rows whose rates are compared with those of others."""
    ranked = {
        member for rule in in_force.rules if rule.rule.pick == HIGHEST for of in rule.members for member in of
    }
    measures = [(active.index, row) for active in in_force.actives for row in active.rows]
    return [place for place, (index, row) in enumerate(measures) if row.metals or index in ranked]
