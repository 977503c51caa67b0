"""Landed cost and trade volume of a table under scenarios: the public verb behind `tariffs impact`.

Every scenario responds from the same baseline: values v0 and rates t0 of the law at the table's baseline
instant; t1 is the scenario's assessed rate at its date (design: Baseline and response).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl

from tariffs.engine.assess import entry_instant, read_known_on
from tariffs.engine.duties import Dated, Duties, duties_of
from tariffs.engine.errors import InputError, ServiceError
from tariffs.engine.groups import AUTHORITY, Grouping, reduce_authority, reduce_groups
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.notes import Note
from tariffs.engine.provenance import digest_of, engine_version, touched_switches
from tariffs.engine.response.parameters import ProductParameters, parameters_for
from tariffs.engine.results import compared_groups, compared_totals, line_columns, lines_frame
from tariffs.engine.scenario import Scenario, apply_scenario, problems_of
from tariffs.engine.tables import PreparedTable, prepare_table
from tariffs.engine.volume import Volume, respond

Progress = Callable[[str, float], None]
Cancelled = Callable[[], bool]
Table = pl.DataFrame | pl.LazyFrame | str | Path | None
RESPONSES = ("armington", "passthrough", "smart", "none")
HORIZONS = ("impact", "short", "long")


@dataclass(frozen=True)
class Point:
    """A scenario at a date: what one block of results answers."""

    scenario: Scenario
    on: str


@dataclass(frozen=True)
class Options:
    """How a table is valued; see `impact`."""

    baseline: str = ""
    response: str = "armington"
    horizon: str = "long"
    parameters: str = ""
    by: tuple[str, ...] = ("origin",)
    known_on: str = ""
    switches: Mapping[str, str] = field(default_factory=dict)
    min_conf: str = ""
    lines: bool = False


@dataclass(frozen=True)
class ScenarioImpact:
    """The results of one point. `groups` and `total` have the columns of the contract; `lines` only if asked for."""

    id: str
    on: str
    groups: pl.DataFrame
    total: Mapping[str, float | None]
    lines: pl.DataFrame | None
    notes: tuple[Note, ...]


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
    options = options or Options()
    run = _Run(progress or (lambda stage, fraction: None), cancelled or (lambda: False))
    run.step("reading the table", 0.0)
    law = _settled(law, options)
    points = [replace(point, on=point.on or law.as_of.isoformat()) for point in points]
    prepared = prepare_table(table, law)
    grouping = Grouping.of(prepared, options.by)
    base = _baseline(law, prepared, options, run)
    response = _response(prepared, base, options)
    results: list[ScenarioImpact] = []
    first: dict[str, ScenarioImpact] = {}
    touched: set[str] = set()
    too_many: set[int] = set()
    for index, point in enumerate(points):
        run.step(f"{point.scenario.id} on {point.on}", (index + 1) / (len(points) + 1))
        scenario_law = apply_scenario(law, point.scenario)
        duties = duties_of(
            scenario_law, prepared.lines, _dated(scenario_law, prepared, point.on, options), run.check
        )
        volume = response[0](duties) if response else None
        found = _one(prepared, grouping, point, duties, base, volume, options)
        found = replace(found, notes=(*found.notes, *_warnings(law, point.scenario)))
        results.append(_compared(found, first.setdefault(found.on, found), options.by))
        touched |= duties.measures
        too_many |= set(duties.refused)
    run.step("done", 1.0)
    return Impact(
        tuple(results),
        _notes(prepared, response),
        prepared.refused_with(too_many),
        _provenance(law, prepared, points, options, touched, response[1] if response else None),
    )


class _Run:
    """Progress and cancellation of one run."""

    def __init__(self, progress: Progress, cancelled: Cancelled) -> None:
        self._progress = progress
        self._cancelled = cancelled

    def check(self) -> None:
        """Stop if the caller has gone."""
        if self._cancelled():
            raise ServiceError("CANCELLED", "The caller cancelled the run.")

    def step(self, stage: str, fraction: float) -> None:
        """Tell where the run is."""
        self.check()
        self._progress(stage, fraction)


def _settled(law: Law, options: Options) -> Law:
    if options.response not in RESPONSES:
        raise InputError(
            "PARAMETER_INVALID", f"{options.response!r} is no response model.", field="response",
            fix=f"Use one of: {', '.join(RESPONSES)}.",
        )  # fmt: skip
    if options.horizon not in HORIZONS:
        raise InputError(
            "PARAMETER_INVALID", f"{options.horizon!r} is no horizon.", field="horizon",
            fix=f"Use one of: {', '.join(HORIZONS)}.",
        )  # fmt: skip
    law = law.with_switches(options.switches)
    return law.with_min_conf(options.min_conf) if options.min_conf else law


def _dated(law: Law, prepared: PreparedTable, on: str, options: Options) -> Dated:
    instant = entry_instant(law, on)
    instants, of_line = prepared.entry_instants(instant)
    days = [moment.astimezone(law.zones[IMPORT]).date() for moment in instants]
    known = [read_known_on(law, options.known_on, day) for day in days]
    return Dated(instants, known, of_line)


def _baseline(law: Law, prepared: PreparedTable, options: Options, run: _Run) -> Duties | None:
    """Duties at the baseline, from which every scenario responds; None for a static run of a table without one."""
    text = options.baseline or prepared.baseline
    if not text:
        if options.response != "none":
            raise InputError(
                "BASELINE_REQUIRED",
                "A behavioural run needs the day that the table's values belong to.",
                field="baseline",
                fix="Give --baseline DAY, or --response none for the static result.",
            )
        return None
    instant = entry_instant(law, text)
    return duties_of(law, prepared.lines, Dated([instant], [law.as_of], None), run.check)


_Response = tuple[Callable[[Duties], Volume], ProductParameters]


def _response(prepared: PreparedTable, base: Duties | None, options: Options) -> _Response | None:
    if base is None or options.response == "none":
        return None
    parameters = parameters_for(prepared.products, horizon=options.horizon, set=options.parameters or None)
    return respond(prepared, base, options.response, parameters), parameters


def _one(
    prepared: PreparedTable,
    grouping: Grouping,
    point: Point,
    duties: Duties,
    base: Duties | None,
    volume: Volume | None,
    options: Options,
) -> ScenarioImpact:
    columns = line_columns(prepared.lines, duties, base, volume)
    keep = np.ones(prepared.lines.count, dtype=bool)
    keep[list(duties.refused)] = False
    if AUTHORITY in options.by:
        groups = reduce_authority(grouping, duties, columns, keep)
    else:
        groups = reduce_groups(grouping, columns, keep, volume)
    total = reduce_groups(Grouping.whole(prepared), columns, keep, volume).row(0, named=True)
    lines = lines_frame(prepared.frame, columns, keep) if options.lines else None
    return ScenarioImpact(point.scenario.id, point.on, groups, total, lines, duties.notes)


def _notes(prepared: PreparedTable, response: _Response | None) -> tuple[Note, ...]:
    remarks = response[1].notes if response else ()
    return (*prepared.notes, *(Note("PARAMETERS_AGGREGATED", text) for text in remarks))


def _warnings(law: Law, scenario: Scenario) -> list[Note]:
    """What checking the scenario against the law warns of."""
    return [Note(problem.reason, problem.message) for problem in problems_of(scenario, law)]


def _compared(found: ScenarioImpact, first: ScenarioImpact, by: Sequence[str]) -> ScenarioImpact:
    """The block with its differences from the first scenario listed for the same date."""
    groups = compared_groups(found.groups, first.groups, by)
    return replace(found, groups=groups, total=compared_totals(found.total, first.total))


def _provenance(
    law: Law,
    prepared: PreparedTable,
    points: Sequence[Point],
    options: Options,
    touched: set[str],
    parameters: ProductParameters | None,
) -> dict[str, object]:
    found: dict[str, object] = {
        "law_version": law.version,
        "law_digest": law.digest,
        "engine_version": engine_version(),
        "known_on": options.known_on or law.as_of.isoformat(),
        "scenarios": {point.scenario.id: point.scenario.digest for point in points},
        "points": [f"{point.scenario.id}@{point.on}" for point in points],
        "table_digest": prepared.digest,
        "baseline": options.baseline or prepared.baseline,
        "response": options.response,
        "horizon": options.horizon,
        "parameters": parameters.set if parameters else "",
        "parameter_digest": parameters.digest if parameters else "",
        "bases": prepared.bases,
        "switches": touched_switches(law, sorted(touched & law.measures.keys())),
        "by": list(options.by),
        "min_conf": options.min_conf,
    }
    return {**found, "run_digest": digest_of(found)}
