"""Landed cost and trade volume of a table under scenarios: the public verb behind `tariffs impact`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import polars as pl

from tariffs.engine.attribution import attribute
from tariffs.engine.law.events import Change
from tariffs.engine.law.law import Law
from tariffs.engine.law.notes import Note
from tariffs.engine.results import compared_groups, compared_totals
from tariffs.engine.scenario import Scenario, components, library, lineage, problems_of
from tariffs.engine.scenario.words import words_of
from tariffs.engine.uncertainty import Drawing, Ranges
from tariffs.engine.valuation import (
    HORIZONS,
    RESPONSES,
    Cancelled,
    Options,
    Outcome,
    Point,
    Progress,
    Run,
    Table,
    Valuer,
)

__all__ = ["HORIZONS", "RESPONSES", "Impact", "Options", "Point", "ScenarioImpact", "Table", "impact"]


@dataclass(frozen=True)
class ScenarioImpact:
    """The results of one point. `groups` and `total` have the columns of the contract; `lines` only if asked for.

    `ranges` are those over the draws, if there are any. `attribution`, if asked for, splits the difference from the
    first scenario of the day by change and authority; see `attribution`.
    """

    id: str
    on: str
    groups: pl.DataFrame
    total: Mapping[str, float | None]
    lines: pl.DataFrame | None
    notes: tuple[Note, ...]
    ranges: Ranges | None = None
    attribution: pl.DataFrame | None = None


@dataclass(frozen=True)
class Impact:
    """The answer: one block per point, remarks on the table, the refused rows, and what is needed to replay it."""

    scenarios: tuple[ScenarioImpact, ...]
    notes: tuple[Note, ...]
    refused: pl.DataFrame
    provenance: Mapping[str, object]


def impact(
    table: Table,
    points: Sequence[Point],
    *,
    law: Law,
    options: Options | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Impact:
    """Value a table under each point.

    Args:
        table: a frame, a path, or None for the embedded table of US imports 2024.
        points: scenarios with their dates; `*_vs` columns compare with the first of each date.
        law: the law before any scenario.
        options: how to value it.
        progress: called with a stage and a fraction done.
        cancelled: asked between stages and chunks; if it says yes the run stops.

    Raises:
        InputError: BASELINE_REQUIRED, GROUP_UNKNOWN, PARAMETER_INVALID, or a fault of the table as a whole.
        ScenarioError: a scenario cannot be applied.
        ServiceError: CANCELLED.
    """
    run = Run(progress, cancelled)
    valuer = Valuer(table, law, options or Options(), run)
    points = [replace(point, on=point.on or law.as_of.isoformat()) for point in points]
    drawing = Drawing.of(valuer)
    results: list[ScenarioImpact] = []
    first: dict[str, ScenarioImpact] = {}
    scenarios: dict[str, Scenario] = {}
    for index, point in enumerate(points):
        stage = f"{point.scenario.id} on {point.on}"
        run.step(stage, (index + 1) / (len(points) + 1))
        outcomes = valuer.outcomes(point.scenario, point.on)
        found = _block(valuer, point, outcomes)
        if drawing is not None:
            tell = partial(_tell, run, stage, (index + 1) / (len(points) + 1), 1 / (len(points) + 1))
            keep = valuer.kept(outcomes)
            ranges = drawing.ranges(point.on, found.groups, found.total, outcomes, keep, tell)
            found = replace(found, ranges=ranges)
        first_of_day = scenarios.setdefault(point.on, point.scenario)
        if valuer.options.attribute and first_of_day is not point.scenario:
            found = replace(
                found, attribution=attribute(valuer, first_of_day, point.scenario, point.on).frame
            )
        results.append(_compared(found, first.setdefault(found.on, found), valuer.options.by))
    run.step("done", 1.0)
    marks = [f"{point.scenario.id}@{point.on}" for point in points]
    return Impact(
        tuple(results),
        valuer.notes(),
        valuer.refused(),
        valuer.provenance([point.scenario for point in points], points=marks),
    )


def _block(valuer: Valuer, point: Point, outcomes: Sequence[Outcome]) -> ScenarioImpact:
    lines = valuer.lines(outcomes) if valuer.options.lines else None
    notes = [note for outcome in outcomes for note in outcome.duties.notes]
    notes += remarks(valuer.law, point.scenario)
    unique = tuple(dict.fromkeys(notes))
    return ScenarioImpact(
        point.scenario.id, point.on, valuer.groups(outcomes), valuer.total(outcomes), lines, unique
    )


def _tell(run: Run, stage: str, done: float, share: float, part: float) -> None:
    run.step(f"{stage}: drawing", done + share * part)


def remarks(law: Law, scenario: Scenario) -> list[Note]:
    """What checking a scenario against the law warns of, and what of it charges nothing by itself."""
    found = [Note(problem.reason, problem.message) for problem in problems_of(scenario, law)]
    for _, part in components(scenario):
        for step in lineage(part, library()):
            found += [note for change in step.changes if (note := _remark(change))]
    return found


def _remark(change: Change) -> Note | None:
    if change.op == "announce":
        return Note("ANNOUNCED", f"{words_of(change)}: announced, without an instrument; it charges nothing.")
    if change.op == "shock_quantity":
        return Note(
            "QUANTITY_SHOCK",
            f"{words_of(change)}: it binds after the response, at the prices of the model; where it binds, surplus "
            "and welfare are not known. A static run does not move quantities.",
        )
    return None


def _compared(found: ScenarioImpact, first: ScenarioImpact, by: Sequence[str]) -> ScenarioImpact:
    """The block with its differences from the first scenario listed for the same date."""
    groups = compared_groups(found.groups, first.groups, by)
    return replace(found, groups=groups, total=compared_totals(found.total, first.total))
