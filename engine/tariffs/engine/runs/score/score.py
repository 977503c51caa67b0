"""Score scenarios by fiscal year of the United States: revenue of a timeline on the growth of CBO's imports.

The law goes on as scheduled after the days that its data cover. See docs/models/score.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Unpack

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.notes import Note
from tariffs.engine.response.inputs import invalid
from tariffs.engine.runs.column_names import BASE_DUTY, OWED_AFTER
from tariffs.engine.runs.options import Options, read_day
from tariffs.engine.runs.score.budget import (
    ALL,
    PAYMENTS,
    SOURCES,
    collected_shares,
    gdp_changes,
    macro_revenue,
    projection,
    tax_offset,
)
from tariffs.engine.runs.stepwise_run import RunArguments
from tariffs.engine.runs.sums import Sums
from tariffs.engine.runs.timeline import SPAN, ScenarioTimeline, TimelinePart, TimelineRun
from tariffs.engine.scenario import Scenario, library
from tariffs.engine.tables.prepare import Table

DEFAULT_OFFSET = "yale"
STATIC_NAMES = "duty", "duty_owed", "customs_value"
AFTER_NAMES = "duty_after", OWED_AFTER, "value_after"
"""Sums of duty assessed, duty owed and imports, before and after the response."""
_ROUNDING = 1e-12
"""Share of imports below which a sum of duty is rounding."""


class ScoreRun(TimelineRun):
    """Timeline whose blocks have a score too; arguments and errors as `TimelineRun`, and PARAMETER_INVALID.

    The period may end after the coverage of the law. Its whole fiscal years are scored.
    """

    def __init__(
        self, table: Table, scenarios: Sequence[Scenario], start: str, end: str, **how: Unpack[RunArguments]
    ) -> None:
        options = how.get("options") or Options()
        options.refuse(own_table=table is not None)
        if options.direction != IMPORT:
            raise invalid("direction", "A score is of imports into the United States.", "Leave it out.")
        self._projection, self._shares = projection(options.score), collected_shares(options.collected)
        if {*self._shares} - {ALL} and "origin" not in options.keys:
            fix = "Group by origin, or give the share of `all`."
            raise invalid("collected", "Shares by origin need results by origin.", fix)
        days = (start, "start"), (end, "end")
        first, last = (date.fromisoformat(read_day(text, name)) for text, name in days)
        self._years, known = _whole_years(first, last), self._projection.imports
        if not self._years or not known.keys() >= {*self._years}:
            fix = f"Give whole fiscal years (October to September) from {min(known)} to {max(known)}."
            raise invalid("end", "The period has no fiscal year, or one that CBO does not project.", fix)
        self._offset, self._gdp = options.tax_offset or DEFAULT_OFFSET, gdp_changes(options.gdp, self._years)
        covered = [day.date() for day in how["law"].coverage]
        how["law"] = _covering(how["law"], last + timedelta(days=1))
        super().__init__(table, scenarios, start, end, **how)
        self._law_days = covered[0], min(last, fiscal_year(max(PAYMENTS))[1])
        self._first: TimelinePart | None = None
        self._facts |= {"score": self._score_facts(options)}
        if last >= covered[1]:
            text = f"The data of the law end before {covered[1]}; from then on it is the law as its acts schedule it."
            self._period_notes = (*self._period_notes, Note("LAW_AS_SCHEDULED", text))

    def value(self, index: int) -> ScenarioTimeline:
        """Compute the block of a scenario, with its differences from the first one."""
        if index and self._first is None:
            self._first = self.part(0)
        found: ScenarioTimeline = super().value(index)
        return found

    def part(self, index: int) -> TimelinePart:
        """Sum the segments of one scenario, and score it."""
        part = super().part(index)
        part = replace(part, score=self._score(self._scenarios[index], part))
        self._first = self._first or part
        assert part.score is not None
        assert self._first.score is not None
        difference = part.score["conventional"] - self._first.score["conventional"]
        return replace(part, score=part.score.with_columns(conventional_vs=difference))

    def _score(self, scenario: Scenario, part: TimelinePart) -> pl.DataFrame:
        """Compute a row for each fiscal year."""
        years, sums, baseline = list(self._years), part.sums, self.table_run.baseline_duty
        weights = _year_weights(part.spans, years)
        growth = np.array([self._projection.growth(year) for year in years])

        def yearly(lanes: F64) -> F64:
            """Mean of the segments of each year at the values of the table, on the imports of the year."""
            return growth * (weights @ lanes)

        responds = "duty_after" in sums.groups
        after, owed, value = AFTER_NAMES if responds else STATIC_NAMES
        value_before, value_after = yearly(sums.total["customs_value"]), yearly(sums.total[value])

        def collected(groups: F64) -> F64:
            """Collected part of yearly duty by group, without the rounding of sums."""
            found = yearly(groups @ self._group_shares(sums))
            return np.where(np.abs(found) > _ROUNDING * value_before, found, 0.0)

        revenue = collected(sums.groups[after] - baseline)
        lost = collected(sums.groups[BASE_DUTY] - baseline) if responds else np.zeros(len(years))
        void = collected((sums.groups[after] - sums.groups[owed]) * self._is_new(part.spans)[:, None])
        offset = -np.array([tax_offset(self._offset, year) for year in years]) * revenue
        refunds = 0.0 - self._paid(scenario) - np.concatenate([[0.0], void[:-1]])
        gdp = ((year, self._gdp[year] * self._projection.gdp[year]) for year in years)
        macro = np.array([macro_revenue(*each) for each in gdp])
        macro = macro if self.table_run.options.gdp else np.full(len(years), np.nan)
        before = yearly(np.full(sums.lanes, baseline.sum()))
        conventional = revenue + offset + refunds
        columns = {
            "imports_before": value_before,
            "imports_after": value_after,
            "duty_before": before,
            "added_duty": revenue - lost,
            "lost_duty": lost,
            "revenue": revenue,
            "tax_offset": offset,
            "refunds": refunds,
            "conventional": conventional,
            "macro": macro,
            "dynamic": conventional + macro,
            "customs": before + revenue,
            "cbo_customs": np.array([self._projection.customs.get(year, np.nan) for year in years]),
        }
        numbers = {name: pl.Series(values, nan_to_null=True) for name, values in columns.items()}
        return pl.DataFrame({"fiscal_year": years, **numbers})

    def _group_shares(self, sums: Sums) -> F64:
        """Collected share of added duty by group."""
        others = self._shares.get(ALL, 1.0)
        if not {*self._shares} - {ALL}:
            return np.full(sums.count, others)
        return np.array([self._shares.get(origin, others) for origin in sums.keys["origin"]])

    def _paid(self, scenario: Scenario) -> F64:
        """Refunds of the duty that the law holds void, as far as it is void under a scenario too, by year."""
        both = np.minimum(self._void_of_law, self._void(scenario)).sum()
        whole = self._void_of_law.sum()
        share = float(both / whole) if whole > 0.0 else 0.0
        return np.array([share * PAYMENTS.get(year, 0.0) for year in self._years])

    def _is_new(self, spans: pl.DataFrame) -> F64:
        """Mark segments after the last day on which the law charged what it holds void: refunds of their own."""
        void = np.flatnonzero(self._void_of_law)
        last = self._law_days[0] + timedelta(days=int(void[-1])) if void.size else self._law_days[0]
        return (spans["start"] > last.isoformat()).to_numpy().astype(np.float64)

    @cached_property
    def _void_of_law(self) -> F64:
        return self._void(library()["base"])

    def _void(self, scenario: Scenario) -> F64:
        """Void duty by day at the values of the table, before the response, from the first day of the law."""
        static = self.table_run.options.imports()
        how: RunArguments = {"law": self.table_run.law, "options": replace(static, by=("region",))}
        first, last = self._law_days
        part = TimelineRun(None, [scenario], first.isoformat(), last.isoformat(), **how).part(0)
        void = part.sums.total["duty"] - part.sums.total["duty_owed"]
        return np.repeat(void, part.spans["days"].to_numpy())

    def _score_facts(self, options: Options) -> dict[str, object]:
        """Describe the score for the provenance."""
        return {
            "projection": options.score,
            "years": [self._years.start, self._years.stop - 1],
            "tax_offset": self._offset,
            "collected": dict(self._shares) or "assessed",
            "gdp": dict(options.gdp),
            "sources": SOURCES,
        }


def _covering(law: Law, until: date) -> Law:
    """Extend the coverage of a law to a day, on which it is as its acts schedule it; or return the law itself."""
    end = datetime.combine(until, time(), law.zones[IMPORT])
    return law if end <= law.coverage[1] else replace(law, coverage=(law.coverage[0], end))


def _year_weights(spans: pl.DataFrame, years: Sequence[int]) -> F64:
    """Weigh segments by their days in each fiscal year, over those of the year (years x segments)."""
    days_of = ([date.fromisoformat(day).toordinal() for day in spans[name]] for name in SPAN[:2])
    starts, ends = map(np.array, days_of)
    rows = []
    for year in years:
        first, last = (day.toordinal() for day in fiscal_year(year))
        days = np.minimum(ends, last) - np.maximum(starts, first) + 1
        rows.append(np.maximum(days, 0) / (last - first + 1))
    return np.array(rows)


def fiscal_year(year: int) -> tuple[date, date]:
    """First and last day of a fiscal year of the United States."""
    return date(year - 1, 10, 1), date(year, 9, 30)


def _whole_years(start: date, end: date) -> range:
    """List the whole fiscal years of a period."""
    first = start.year if start <= fiscal_year(start.year)[0] else start.year + 1
    last = end.year if end >= fiscal_year(end.year)[1] else end.year - 1
    return range(first, last + 1)
