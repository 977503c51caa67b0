"""Compute a table at many points of a scenario's parameters: the verb behind `tariffs sweep`.

Points are computed in blocks of BLOCK_POINTS, so that an interrupted sweep continues with the first missing block.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Unpack

import polars as pl

from tariffs.engine.errors import InputError
from tariffs.engine.law.notes import Note
from tariffs.engine.line_duty.entry_dates import unread_of
from tariffs.engine.runs.column_names import AUTHORITY_COLUMNS, COLUMNS, FURTHER_COLUMNS
from tariffs.engine.runs.finish import group_rows, total_rows
from tariffs.engine.runs.impact import point_days, read_points
from tariffs.engine.runs.options import Point
from tariffs.engine.runs.outcomes.table_run import TableRun
from tariffs.engine.runs.stepwise_run import RunArguments, RunEnd, StepwiseRun
from tariffs.engine.runs.sums import Sums
from tariffs.engine.runs.sweeps.point_sums import PointEvaluator, SweepPoint
from tariffs.engine.runs.sweeps.sweep_points import (
    Points,
    check_count,
    invalid_value,
    point_frame,
    read_value,
)
from tariffs.engine.scenario import Scenario, scenario_notes
from tariffs.engine.tables.prepare import Table
from tariffs.run_spec.option import SWEEP

BLOCK_POINTS = 200
ROWS_AT_MOST = 5_000_000
"""Group rows of a block; some 700 bytes each until they are sent."""
ELASTICITY = "elasticity."
ELASTICITIES = ("sigma", "eta", "theta")
_NOTES_AT_MOST = 20
_SWITCH = "on_off"
"""Kind of the parameters that switch changes on and off."""


@dataclass(frozen=True, slots=True)
class SweepBlock:
    """Results of consecutive points: parameters, keys and result columns by group and in total, and notes."""

    groups: pl.DataFrame
    totals: pl.DataFrame
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class SweepPart:
    """Sums of consecutive points over a table or a part of one: a lane each, and their parameters."""

    points: pl.DataFrame
    sums: Sums
    notes: tuple[Note, ...]

    def finished(self) -> SweepBlock:
        """Make results of the sums."""
        rows = group_rows(self.sums)
        return SweepBlock(
            pl.concat([self.points[rows.lane], rows.frame], how="horizontal"),
            pl.concat([self.points, total_rows(self.sums)], how="horizontal"),
            self.notes,
        )


@dataclass(frozen=True, kw_only=True)
class Sweep(RunEnd):
    """Results of a sweep, and the end of the run.

    `points` has a row a point: the parameters, rates as fractions, on and off as 1 and 0, days as text. `groups` has a
    row a point and group: the parameters, the keys, the columns of the contract; `totals` a row a point.
    """

    points: pl.DataFrame
    groups: pl.DataFrame
    totals: pl.DataFrame


def sweep(
    table: Table,
    scenario: Scenario,
    points: Points,
    *,
    parameters: Mapping[str, str] | None = None,
    on: str = "",
    **how: Unpack[RunArguments],
) -> Sweep:
    """Compute a table at every point of a scenario's parameters.

    Args:
        table: a frame, a path, or None for the embedded table of US imports 2024.
        scenario: the scenario; see `Scenario.with_parameters`.
        points: values by parameter, as text; a parameter that a point leaves out has its default. The names
            `elasticity.sigma` and `elasticity.eta` multiply the elasticities of the response, such as `x0.5`, and
            `elasticity.theta` those of `exact_hat`.
        parameters: values of parameters that are the same at all points; they are no columns of the results.
        on: day of the law; empty for its as-of day. A line's own entry date beats it.
        how: law, options, progress and cancellation.

    Raises:
        InputError: PARAMETER_INVALID for no or too many points, or values that cannot be read; or as `impact`.
        ScenarioError: a parameter is unknown, or the scenario cannot be applied at some point.
        ServiceError: CANCELLED.
    """
    run = SweepRun(table, scenario, points, parameters=parameters, on=on, **how)
    return run.result(run.blocks())


def blocks_of(points: int) -> int:
    """Count the blocks of so many points."""
    return -(-points // BLOCK_POINTS)


class SweepRun(StepwiseRun):
    """Sweep computed one block of points at a time; arguments and errors as `sweep`."""

    verb = SWEEP

    def __init__(
        self,
        table: Table,
        scenario: Scenario,
        points: Points,
        *,
        parameters: Mapping[str, str] | None = None,
        on: str = "",
        **how: Unpack[RunArguments],
    ) -> None:
        check_points(scenario, points, parameters or {})
        ways = switched(scenario, points, parameters or {})
        super().__init__(table, ways, blocks_of(len(points)), **how)
        run, law = self.table_run, how["law"]
        self._scenario, self._points, self._fixed = scenario, points, parameters or {}
        defaults = {name: parameter.default for name, parameter in scenario.parameters.items()}
        defaults |= {ELASTICITY + name: "x1" for name in ELASTICITIES}
        self._frame = point_frame(points, defaults)
        _check_names(self._frame.columns, run.options.by)
        _check_rows(min(len(points), BLOCK_POINTS) * run.grouping.count)
        (self._day,), self._day_notes = read_points(law, [Point(scenario, on)], run.market)
        self._evaluate = PointEvaluator(run, scenario, self._day.on, points)

    def part(self, index: int) -> SweepPart:
        """Sum a block of points."""
        first, count = index * BLOCK_POINTS, len(self._points)
        points = points_at(self._points[first : first + BLOCK_POINTS], self._fixed)

        def step(done: int) -> None:
            self._context.step(f"point {first + done + 1:,} of {count:,}", (first + done) / count)

        results = self._evaluate(points, step)
        return SweepPart(self._frame.slice(first, BLOCK_POINTS), results.sums, shortened(results.notes))

    def result(self, blocks: Sequence[SweepBlock]) -> Sweep:
        """Assemble the result, once every block is computed."""
        return Sweep(
            points=self._frame,
            groups=pl.concat(block.groups for block in blocks),
            totals=pl.concat(block.totals for block in blocks),
            **vars(self.end(note for block in blocks for note in block.notes)),
        )

    def end(self, notes: Iterable[Note] = ()) -> RunEnd:
        """Assemble what ends the run, with the notes of all blocks, once every block is computed."""
        text = json.dumps([dict(point) for point in self._points], sort_keys=True, separators=(",", ":"))
        facts = {
            "points": len(self._points),
            "parameters": self._frame.columns,
            "digest": hashlib.sha256(text.encode()).hexdigest(),
        }
        filled = Point(self._scenario.with_parameters(self._fixed), self._day.on)
        return points_end(self.table_run, filled, self._day_notes, notes, sweep=facts)


def points_end(
    run: TableRun, filled: Point, day_notes: Iterable[Note], notes: Iterable[Note], **facts: object
) -> RunEnd:
    """Assemble what ends a run over points of one scenario on one day.

    Args:
        filled: the scenario with the values that are the same at all points, and the day.
        day_notes: those on the day as given.
        notes: those of the points.
        **facts: those of the verb, for the provenance.
    """
    run.context.step("done", 1.0)
    days = point_days(run.law, [filled], run.market)
    whole = (
        *day_notes,
        *run.notes(),
        *unread_of(run.law, days, run.options.known_on),
        *scenario_notes(run.law, filled.scenario, *days, *days),
        *notes,
    )
    provenance = run.provenance([filled.scenario], on=filled.on, **facts)
    return RunEnd(notes=shortened(whole), refused=run.refused(), provenance=provenance)


def points_at(points: Points, fixed: Mapping[str, str]) -> list[SweepPoint]:
    """Read the factors on elasticities of points.

    Args:
        points: values by parameter.
        fixed: values of parameters that are the same at all points.

    Raises:
        InputError: PARAMETER_INVALID for a factor that cannot be read.
    """
    found = []
    for values in ({**fixed, **each} for each in points):
        factors = {name: text for name, text in values.items() if name.startswith(ELASTICITY)}
        rest = {name: text for name, text in values.items() if name not in factors}
        read = {name.removeprefix(ELASTICITY): _factor(name, text) for name, text in factors.items()}
        found.append(SweepPoint(rest, read))
    return found


def switched(scenario: Scenario, points: Points, fixed: Mapping[str, str]) -> list[Scenario]:
    """List a scenario once for each way in which points switch its changes on and off; arguments as `points_at`."""
    names = sorted(name for name, parameter in scenario.parameters.items() if parameter.kind == _SWITCH)
    ways = {
        tuple((name, text) for name in names if (text := values.get(name, fixed.get(name))) is not None)
        for values in (points if names else [{}])
    }
    return [scenario.with_parameters(dict(way)) for way in sorted(ways)]


def check_points(scenario: Scenario, points: Points, fixed: Mapping[str, str]) -> None:
    """Check the number of points and the names of their parameters, before any is computed.

    Raises:
        TariffsError: as `sweep`; values other than those of the first point are read when they are computed.
    """
    check_count(len(points))
    names = list(dict.fromkeys(name for point in points for name in point))
    for name in fixed.keys() & set(names):
        raise invalid_value(name, "it is varied and has a fixed value", "Give one of the two.")
    if not names:
        raise invalid_value("points", "no parameter is varied", "Give values for one parameter or more.")
    known = scenario.parameters
    unknown = {name: "" for name in names if name not in known and not name.startswith(ELASTICITY)}
    scenario.with_parameters(unknown)
    first = {name: value for point in reversed(points) for name, value in point.items()}
    scenario.with_parameters(points_at([first], fixed)[0].values)


def shortened(notes: Iterable[Note]) -> tuple[Note, ...]:
    """List notes once each; of one reason at most 20, since texts may differ at every point."""
    kept: dict[str, list[Note]] = {}
    for note in dict.fromkeys(notes):
        others = kept.setdefault(note.reason, [])
        if len(others) < _NOTES_AT_MOST:
            others.append(note)
        elif len(others) == _NOTES_AT_MOST:
            others.append(Note(note.reason, "More notes of this kind, at other points, are left out."))
    return tuple(note for others in kept.values() for note in others)


def _factor(name: str, text: str) -> float:
    number = read_value(text)
    if name.removeprefix(ELASTICITY) not in ELASTICITIES:
        known = ", ".join(ELASTICITY + each for each in ELASTICITIES)
        raise invalid_value(name, "there is no such elasticity", f"Use {known}.")
    if number is None or not number[1].factor or number[0] <= 0:
        raise invalid_value(name, f"{text!r} is not a factor above 0", "Write x0.5 or x2.")
    return float(number[0])


def _check_names(names: Sequence[str], by: Sequence[str]) -> None:
    taken = {*COLUMNS, *FURTHER_COLUMNS, *AUTHORITY_COLUMNS, *by}
    for name in filter(taken.__contains__, names):
        fix = "Give the parameter another name in the scenario."
        raise invalid_value(name, "the results have a column of the same name", fix)


def _check_rows(rows: int) -> None:
    if rows > ROWS_AT_MOST:
        raise InputError(
            "BATCH_TOO_LARGE",
            f"The first {BLOCK_POINTS} points have {rows:,} group rows; the limit is {ROWS_AT_MOST:,}.",
            field="by",
            fix="Use coarser keys, or fewer points.",
            metadata={"found": str(rows), "limit": str(ROWS_AT_MOST)},
        )
