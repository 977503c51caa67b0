"""Compute duty on rows that arrive in batches, without a response, which would need the whole table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from tariffs.engine.base.provenance import law_facts, with_run_digest
from tariffs.engine.law.law import Law
from tariffs.engine.law.notes import Note
from tariffs.engine.line_duty.entry_dates import unread_of
from tariffs.engine.runs.impact import point_days, read_points
from tariffs.engine.runs.options import Options, Point, law_with_options
from tariffs.engine.runs.outcomes.table_run import Cancelled, RunContext, TableRun
from tariffs.engine.scenario import apply_scenario, components, scenario_facts, scenario_notes
from tariffs.engine.tables.dates import read_format


@dataclass(frozen=True)
class ValuedBatch:
    """Results of one batch: refused rows (numbered within it), the other rows under each point, notes and facts."""

    refused: pl.DataFrame
    lines: tuple[pl.DataFrame, ...]
    notes: tuple[Note, ...]
    switches: Mapping[str, str]
    bases: Mapping[str, str]
    digest: str


class LineStream:
    """Computation of batches of rows under points; scenarios are applied once.

    A row's own date takes precedence over that of a point. Of the options `known_on`, `switches`, `min_conf`,
    `direction` and `date_format` count.

    Raises:
        ScenarioError: a scenario cannot be applied.
        LawError: a switch is unknown.
        InputError: REQUEST_INVALID for the date format, or a day that cannot be read.
    """

    def __init__(self, points: Sequence[Point], *, law: Law, options: Options) -> None:
        market = options.goods_market(law)
        self.points, notes = read_points(law, points, market)
        self._law = law
        date_format = read_format(options.date_format)
        fixed = replace(options, baseline="", response="none", by=("origin",), include_lines=True)
        self._options = replace(fixed, date_format=date_format)
        under = law_with_options(law, self._options)
        self._laws = [
            [(float(weight), apply_scenario(under, part)) for weight, part in components(point.scenario)]
            for point in self.points
        ]
        days = point_days(law, self.points, market)
        all_notes = list(notes)
        for point, day in zip(self.points, days, strict=True):
            all_notes += scenario_notes(under, point.scenario, day, day)
        self.notes = tuple(dict.fromkeys([*all_notes, *unread_of(law, days, options.known_on)]))

    def value(self, frame: pl.DataFrame, cancelled: Cancelled | None = None) -> ValuedBatch:
        """Compute one batch.

        Raises:
            InputError: a fault of the batch as a whole, such as COLUMN_MISSING.
            ServiceError: CANCELLED.
        """
        table_run = TableRun(frame, self._law, self._options, RunContext(None, cancelled))
        lines, notes = [], list(table_run.notes())
        for point, laws in zip(self.points, self._laws, strict=True):
            outcomes = [
                table_run.outcome(law, table_run.dated(law, point.on), weight) for weight, law in laws
            ]
            notes += [note for outcome in outcomes for note in outcome.duties.notes]
            lines.append(table_run.lines(outcomes))
        return ValuedBatch(
            table_run.refused(),
            tuple(lines),
            tuple(dict.fromkeys(notes)),
            table_run.switch_report.switches,
            table_run.prepared.bases,
            table_run.prepared.digest,
        )

    def provenance(
        self, table_digest: str, batches: int, switches: Mapping[str, str], bases: Mapping[str, str]
    ) -> dict[str, object]:
        """Inputs needed to reproduce the rows; `table_digest` is that of the digests of the batches in order."""
        options = self._options
        facts: dict[str, object] = {
            **law_facts(self._law),
            "known_on": options.known_on or self._law.as_of.isoformat(),
            **options.goods_facts((options.goods_market(self._law),)),
            **scenario_facts(point.scenario for point in self.points),
            "table_digest": table_digest,
            "batches": batches,
            "response": options.response,
            "bases": dict(sorted(bases.items())),
            "switches": dict(sorted(switches.items())),
            "min_conf": options.min_confidence,
            "date_format": options.date_format,
            "points": [f"{point.scenario.id}@{point.on}" for point in self.points],
        }
        return with_run_digest(facts)
