"""Valuing a table under laws: what impact, timeline and attribution share.

Every law responds from the same baseline: values v0 and rates t0 of the law at the table's baseline
instant; t1 is the assessed rate under the law in question.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64, Bools
from tariffs.engine.base.dates import read_format
from tariffs.engine.base.provenance import law_facts, with_run_digest
from tariffs.engine.errors import InputError, ServiceError
from tariffs.engine.law.law import EXPORT, IMPORT, Law
from tariffs.engine.law.notes import Note
from tariffs.engine.line_duty.entry_line import (
    covered_moment,
    entry_instant,
    known_on_notes,
    known_on_text,
    moment_notes,
    read_known_on,
)
from tariffs.engine.rating.law_fingerprint import law_fingerprint
from tariffs.engine.response.draws import DEFAULT_SPREADS, GENERATOR, Spreads
from tariffs.engine.response.models import MODELS
from tariffs.engine.response.parameters import (
    DEFAULT_HORIZON,
    HORIZONS,
    ProductParameters,
    parameters_for,
)
from tariffs.engine.response.quantity_constraints import QuantityConstraints, adjusting
from tariffs.engine.response.trade_response import Response, TradeVolume, respond
from tariffs.engine.runs.expectation import expected_columns, expected_frames, expected_volume
from tariffs.engine.runs.grouping import AUTHORITY, Grouping, reduce_authority, reduce_groups
from tariffs.engine.runs.results import line_columns, lines_frame
from tariffs.engine.scenario import Scenario, apply_scenario, components
from tariffs.engine.table_duty.duties import Dated, Duties, duties_of
from tariffs.engine.tables.default_shares import basis_of
from tariffs.engine.tables.export_lines import prepared_for
from tariffs.engine.tables.line_arrays import LineArrays
from tariffs.engine.tables.prepare import OwnDates, lines_on_basis

Progress = Callable[[str, float], None]
Cancelled = Callable[[], bool]
Table = pl.DataFrame | pl.LazyFrame | str | Path | None
RESPONSES = ("armington", "passthrough", "smart", "none")
DIRECTIONS = (IMPORT, EXPORT)


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
    horizon: str = DEFAULT_HORIZON
    parameters: str = ""
    by: tuple[str, ...] = ("origin",)
    known_on: str = ""
    switches: Mapping[str, str] = field(default_factory=dict)
    min_conf: str = ""
    lines: bool = False
    attribute: bool = False
    draws: int = 0
    seed: int = 0
    spreads: Spreads = DEFAULT_SPREADS
    direction: str = IMPORT
    date_format: str = ""

    def __post_init__(self) -> None:
        # A key named twice groups once.
        object.__setattr__(self, "by", tuple(dict.fromkeys(self.by)))


def baseline_required() -> InputError:
    """The error of a behavioural run over a table whose values belong to no known day."""
    return InputError(
        "BASELINE_REQUIRED",
        "A behavioural run needs the day that the table's values belong to.",
        field="baseline",
        fix="Give --baseline DAY, or --response none for the static result.",
    )


class RunContext:
    """Progress and cancellation of one run."""

    def __init__(self, progress: Progress | None, cancelled: Cancelled | None) -> None:
        self._progress = progress or (lambda stage, fraction: None)
        self._cancelled = cancelled or (lambda: False)

    def check(self) -> None:
        """Stop if the caller has gone; raises ServiceError CANCELLED."""
        if self._cancelled():
            raise ServiceError("CANCELLED", "The caller cancelled the run.")

    def step(self, stage: str, fraction: float) -> None:
        """Tell where the run is."""
        self.check()
        self._progress(stage, fraction)


@dataclass(frozen=True)
class SwitchReport:
    """What valuing has met so far: the switches that mattered, and the lines that split into too many atoms."""

    switches: Mapping[str, str]
    too_many: tuple[int, ...]


@dataclass(frozen=True)
class Outcome:
    """The lines of a table under one law: `weight` is that of the law in a mixture, 1 for a law alone.

    `adjust` is what the law's prohibitions and bounds on quantities make of a volume; None where it has none.
    `notes` are on the duties and on what `adjust` does.
    """

    weight: float
    duties: Duties
    columns: Mapping[str, F64]
    volume: TradeVolume | None
    adjust: Callable[[TradeVolume], TradeVolume] | None = None
    notes: tuple[Note, ...] = ()


class TableRun:
    """One table with its baseline and response, ready to be valued under any number of laws.

    Args:
        table: a frame, a path, or None for the embedded table of US imports 2024; of exports there is none.
        law: the law before any scenario.
        options: how to value it.
        run: progress and cancellation.

    Raises:
        InputError: BASELINE_REQUIRED, GROUP_UNKNOWN, PARAMETER_INVALID, or a fault of the table as a whole.
    """

    def __init__(self, table: Table, law: Law, options: Options, run: RunContext) -> None:
        run.step("reading the table", 0.0)
        self.law = law_with_options(law, options)
        self.options, self._option_notes = _read_days(self.law, options)
        options = self.options
        self.run = run
        self.prepared = prepared_for(options.direction, table, self.law, options.date_format)
        self._lines = {basis_of(self.law): self.prepared.lines}
        self.grouping = Grouping.of(self.prepared, options.by)
        self._base = self._baseline()
        self.response: Response | None = None
        self.parameters: ProductParameters | None = None
        if self._base is not None and options.response != "none":
            self.parameters = parameters_for(
                self.prepared.products, horizon=options.horizon, set=options.parameters or None
            )
            self.response = respond(self.prepared, self._base, options.response, self.parameters)
        self._switches = dict(self._base.switches) if self._base is not None else {}
        self._too_many: set[int] = set()

    def _baseline(self) -> Duties | None:
        """Duties at the baseline, from which every law responds; None for a static run of a table without one."""
        options = self.options
        text = options.baseline or self.prepared.baseline
        if not text:
            if options.response != "none":
                raise baseline_required()
            return None
        instant = entry_instant(self.law, text, options.direction)
        dated = Dated([instant], [self.law.as_of], None, options.direction)
        return duties_of(self.law, self.prepared.lines, dated, self.run.check)

    @property
    def own_dates(self) -> OwnDates | None:
        """The entry dates of the lines on the clock of their direction; None if no line has one."""
        return self.prepared.own_dates(self.law.zones[self.options.direction])

    def dated(self, law: Law, on: str) -> Dated:
        """The lines' instants, `on` standing where a line has no date of its own."""
        direction, zone = self.options.direction, law.zones[self.options.direction]

        def known_at(moment: datetime) -> date:
            return read_known_on(law, self.options.known_on, moment.astimezone(zone).date())

        def segment(moment: datetime) -> Hashable:
            known = bisect_right(law.publication_days, known_at(moment))
            return bisect_right(law.boundaries, moment), known

        instants, of_line = self.prepared.entry_instants(entry_instant(law, on, direction), segment)
        return Dated(instants, [known_at(moment) for moment in instants], of_line, direction)

    def bounds(self, law: Law, dated: Dated) -> QuantityConstraints | None:
        """What bounds the quantities of the response under a law."""
        return QuantityConstraints.of(law, dated, self.prepared) if self.response else None

    def law_fingerprint(self, law: Law, dated: Dated) -> Hashable:
        """A value that is equal for laws and instants under which all lines are charged and respond alike."""
        return tuple(
            law_fingerprint(law, law.in_force(instant, known_on, dated.direction), instant, known_on)
            for instant, known_on in zip(dated.instants, dated.known_on, strict=True)
        )

    def lines_under(self, law: Law) -> LineArrays:
        """The lines with the sourced shares that a law's switches choose; those a line declares stay."""
        if not self.prepared.bases:
            return self.prepared.lines
        basis = basis_of(law)
        if basis not in self._lines:
            self._lines[basis] = lines_on_basis(self.prepared, law)
        return self._lines[basis]

    def _rebased(self, law: Law) -> tuple[Note, ...]:
        """That a law's switches choose other sourced shares than those of the run, if they do."""
        other = dict(basis_of(law)).items() - dict(basis_of(self.law)).items()
        if not other or not self.prepared.bases:
            return ()
        chosen = ", ".join(f"{name}={value}" for name, value in sorted(other))
        text = f"Shares that lines do not declare are those of {chosen}; rates at the baseline are those of the run."
        return (Note("SHARES_REBASED", text),)

    def outcome(self, law: Law, dated: Dated, weight: float = 1.0) -> Outcome:
        """Value the lines under one law."""
        lines = self.lines_under(law)
        duties = duties_of(law, lines, dated, self.run.check)
        bounds = self.bounds(law, dated)
        volume = self.response(duties) if self.response else None
        notes = (*duties.notes, *self._rebased(law))
        adjust = adjusting(self.response, duties.prohibited, bounds)
        if volume is not None:
            notes = (*notes, *(bounds.notes(volume) if bounds else ()))
            volume = adjust(volume) if adjust else volume
        self._switches |= duties.switches
        self._too_many |= set(duties.refused)
        return Outcome(weight, duties, line_columns(lines, duties, self._base, volume), volume, adjust, notes)

    def outcomes(self, scenario: Scenario, on: str) -> list[Outcome]:
        """Value the lines under a scenario: one outcome, or for a mixture one per component."""
        found = []
        for weight, component in components(scenario):
            law = apply_scenario(self.law, component)
            found.append(self.outcome(law, self.dated(law, on), float(weight)))
        return found

    def groups(self, outcomes: Sequence[Outcome]) -> pl.DataFrame:
        """The contract's columns by the keys of the options; a mixture gives what is expected."""
        if AUTHORITY in self.options.by:
            keep = self.kept(outcomes)
            frames = [
                (x.weight, reduce_authority(self.grouping, x.duties, x.columns, keep)) for x in outcomes
            ]
            return expected_frames(frames, self.options.by)
        return self._reduced(self.grouping, outcomes)

    def total(self, outcomes: Sequence[Outcome]) -> dict[str, float | None]:
        """The contract's columns of the whole table."""
        return self._reduced(Grouping.whole(self.prepared), outcomes).row(0, named=True)

    def lines(self, outcomes: Sequence[Outcome]) -> pl.DataFrame:
        """The usable rows with the contract's columns."""
        columns = expected_columns([(x.weight, x.columns) for x in outcomes])
        return lines_frame(self.prepared.frame, columns, self.kept(outcomes))

    def _reduced(self, grouping: Grouping, outcomes: Sequence[Outcome]) -> pl.DataFrame:
        columns = expected_columns([(x.weight, x.columns) for x in outcomes])
        volume = expected_volume([(x.weight, x.volume) for x in outcomes])
        return reduce_groups(grouping, columns, self.kept(outcomes), volume)

    def kept(self, outcomes: Sequence[Outcome]) -> Bools:
        """Which lines could be rated under all outcomes; those with too many atoms under a law could not."""
        keep = np.ones(self.prepared.lines.count, dtype=bool)
        for outcome in outcomes:
            keep[list(outcome.duties.refused)] = False
        return keep

    @property
    def touched(self) -> SwitchReport:
        """What valuing has met so far."""
        return SwitchReport(dict(sorted(self._switches.items())), tuple(sorted(self._too_many)))

    def recall(self, touched: SwitchReport) -> None:
        """Take over what an earlier run over the same table and laws met."""
        self._switches |= touched.switches
        self._too_many |= set(touched.too_many)

    def refused(self) -> pl.DataFrame:
        """The rows that could not be used, those with too many atoms under some law among them."""
        return self.prepared.refused_with(self._too_many)

    def notes(self) -> tuple[Note, ...]:
        """Remarks on the table and on the parameters."""
        remarks = self.parameters.notes if self.parameters else ()
        return (
            *self._option_notes,
            *self.prepared.notes,
            *(Note("PARAMETERS_AGGREGATED", text) for text in remarks),
        )

    def _basis_switches(self) -> dict[str, str]:
        """The switches that choose the sourced shares of this table."""
        law = self.law
        used = {claim.reference for claim in law.claims.values() if claim.id in self.prepared.bases}
        names = {law.references[name].switch for name in used if name in law.references} - {""}
        return {name: law.setting(name) for name in names}

    def provenance(self, scenarios: Sequence[Scenario], **facts: object) -> dict[str, object]:
        """What it takes to get the run again; `facts` are those of the verb, such as its points."""
        law, options, parameters = self.law, self.options, self.parameters
        return with_run_digest(
            {
                **law_facts(law),
                "known_on": options.known_on or law.as_of.isoformat(),
                "direction": options.direction,
                "scenarios": {scenario.id: scenario.digest for scenario in scenarios},
                "table_digest": self.prepared.digest,
                "baseline": options.baseline or self.prepared.baseline,
                "response": options.response,
                "horizon": options.horizon,
                "model": _model(options, parameters),
                "draws": _drawn(options),
                "parameters": parameters.set if parameters else "",
                "parameter_digest": parameters.digest if parameters else "",
                "bases": self.prepared.bases,
                "switches": dict(sorted((self._switches | self._basis_switches()).items())),
                "by": list(options.by),
                "min_conf": options.min_conf,
                "date_format": options.date_format,
                **facts,
            }
        )


def _read_days(law: Law, options: Options) -> tuple[Options, tuple[Note, ...]]:
    """The options with their days as ISO text, and notes on those that were written otherwise."""
    notes = known_on_notes(law, options.known_on)
    found = replace(
        options,
        known_on=known_on_text(law, options.known_on) if options.known_on else "",
        date_format=read_format(options.date_format),
    )
    if not options.baseline:
        return found, notes
    moment = covered_moment(law, options.baseline, "baseline", options.direction)
    return replace(found, baseline=moment.text), (*moment_notes("baseline", moment), *notes)


def _model(options: Options, parameters: ProductParameters | None) -> dict[str, object]:
    """What responded and what it leaves out; `none` where nothing did."""
    model = MODELS[options.response if parameters else "none"]
    found: dict[str, object] = {"title": model.title, "form": model.form, "ignores": list(model.ignores)}
    return found | ({"horizon": options.horizon, "set": parameters.set} if parameters else {})


def _drawn(options: Options) -> dict[str, object] | str:
    if not options.draws:
        return ""
    spreads = asdict(options.spreads)
    return {"count": options.draws, "seed": options.seed, "generator": GENERATOR, "spreads": spreads}


def law_with_options(law: Law, options: Options) -> Law:
    """The law with the switches and the least confidence of the options.

    Raises:
        InputError: PARAMETER_INVALID for an unknown response or horizon, REQUEST_INVALID for a direction.
        LawError: SWITCH_UNKNOWN.
    """
    if options.response not in RESPONSES:
        raise InputError(
            "PARAMETER_INVALID", f"{options.response!r} is no response model.", field="response",
            fix=f"Use one of: {', '.join(RESPONSES)}.",
        )  # fmt: skip
    if options.direction not in DIRECTIONS:
        raise InputError(
            "REQUEST_INVALID", f"{options.direction!r} is no direction of goods.", field="direction",
            fix=f"Use one of: {', '.join(DIRECTIONS)}.",
        )  # fmt: skip
    if options.horizon not in HORIZONS:
        raise InputError(
            "PARAMETER_INVALID", f"{options.horizon!r} is no horizon.", field="horizon",
            fix=f"Use one of: {', '.join(HORIZONS)}.",
        )  # fmt: skip
    law = law.with_switches(options.switches)
    return law.with_min_conf(options.min_conf) if options.min_conf else law
