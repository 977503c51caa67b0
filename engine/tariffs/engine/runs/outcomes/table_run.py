"""Compute a table under laws: the common part of impact, timeline and attribution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64, Bools, sum_of
from tariffs.engine.base.bounded_cache import KeptWith
from tariffs.engine.base.chunks import thread_count
from tariffs.engine.base.provenance import law_facts, with_run_digest
from tariffs.engine.base.stages import stage
from tariffs.engine.law.law import EXPORT, Law
from tariffs.engine.law.notes import Note
from tariffs.engine.response.trade.trade_response import Response
from tariffs.engine.response.trade.world_response import WorldResponse
from tariffs.engine.response.world import baseline
from tariffs.engine.response.world.retaliation import BY_LAW
from tariffs.engine.response.world.world_result import mean_of
from tariffs.engine.runs.column_names import BASELINE_DUTY, LINES
from tariffs.engine.runs.grouping import Grouping
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.outcomes.duty_sums import DutySums, GroupedDuties
from tariffs.engine.runs.outcomes.outcome import Outcome
from tariffs.engine.runs.outcomes.rated_table import Cancelled, Progress, RunContext
from tariffs.engine.runs.outcomes.responding_table import RespondingTable
from tariffs.engine.runs.outcomes.response_sums import ResponseSums
from tariffs.engine.runs.outcomes.world_duties import duty_changes, exports_by_partner, rates_of
from tariffs.engine.runs.results import lines_frame
from tariffs.engine.runs.sums import AfterSums, ChargedDuties, Sums, stacked
from tariffs.engine.scenario import Scenario, apply_scenario, components, scenario_facts
from tariffs.engine.table_duty.baseline_values import kept_at_baseline
from tariffs.engine.table_duty.duties import Dated
from tariffs.engine.tables.atoms import atoms_of
from tariffs.engine.tables.export_lines import DESTINATION

_LAWS = 64
_CHARGED: KeptWith[tuple[float, ...]] = KeptWith(_LAWS)
"""Keeps duties that partners charge by their law, by law and day, with the run."""

__all__ = ["Cancelled", "Progress", "RunContext", "SwitchReport", "TableRun"]


@dataclass(frozen=True)
class SwitchReport:
    """Switches that affected the results so far, and indices of lines refused for too many atoms."""

    switches: Mapping[str, str]
    too_many: tuple[int, ...]


class TableRun(RespondingTable):
    """One table with its baseline and response, to be computed under any number of laws; as `RespondingTable`."""

    def grouped_by(self, by: Sequence[str]) -> TableRun:
        """Give the run with other keys of its groups; it shares everything else."""
        run, grouping = copy(self), Grouping.of(self.prepared, tuple(dict.fromkeys(by)))
        run.grouping = replace(grouping, by_authority=self.grouping.by_authority)
        return run

    def outcome(self, law: Law, dated: Dated, weight: float = 1.0) -> Outcome:
        """Compute the lines under one law."""
        outcome = Outcome(self, law, dated, weight)
        self.record(outcome)
        return outcome

    def record(self, outcome: Outcome) -> None:
        """Add the switches and refused lines of an outcome to those of the run."""
        self._switches |= outcome.duties.switches
        self._too_many |= set(outcome.duties.refused)

    def keep_response(self, outcome: Outcome, sums: AfterSums) -> None:
        """Keep the sums after the response of an outcome that are computed already, by authority if results are."""
        outcome.responses[self.grouping.id] = self.grouping.by_authority, sums

    def outcomes(self, scenario: Scenario, on: str) -> list[Outcome]:
        """Compute the lines under a scenario: one outcome, or one per component of a mixture."""
        laws = [(weight, apply_scenario(self.law, part)) for weight, part in components(scenario)]
        dated = [(float(weight), law, self.dated(law, on)) for weight, law in laws]
        self.share_compile([(law, when) for _, law, when in dated])
        return [self.outcome(law, when, weight) for weight, law, when in dated]

    def sums(self, outcomes: Sequence[Outcome]) -> Sums:
        """Sum one lane by the keys of the options; a mixture gives expected values."""
        keep = self.kept(outcomes)
        lanes = stacked([self.outcome_sums(outcome, keep) for outcome in outcomes])
        return lanes if len(outcomes) == 1 else lanes.weighted([[outcome.weight for outcome in outcomes]])

    def charged_by_partners(self, law: Law, dated: Dated) -> tuple[float, ...]:
        """Change of the duty that each country of the world charges on our exports; empty if none answers by law."""
        if self.options.retaliation != BY_LAW:
            return ()
        day = dated.instants[0].astimezone(law.zones[self.market]).date().isoformat()
        return _CHARGED.get(self._of_partners, (law,), day, lambda: self._charged_on(law, day))

    def _charged_on(self, law: Law, day: str) -> tuple[float, ...]:
        run = self._exports
        duties = duty_changes(run.sums([run.outcome(law, run.dated(law, day))]), run.baseline_duty)
        return tuple(rates_of(baseline(), duties, DESTINATION, exports_by_partner()).tolist())

    @cached_property
    def _of_partners(self) -> dict[Any, Any]:
        return {}

    @cached_property
    def _exports(self) -> TableRun:
        """Static run over the embedded exports, with the baseline and the day of knowledge of this run."""
        given = self.options
        options = Options(
            response="none",
            by=(DESTINATION,),
            direction=EXPORT,
            baseline=given.baseline,
            known_on=given.known_on,
        )
        return TableRun(None, self.law, options, self.context)

    def countries(self, outcomes: Sequence[Outcome]) -> pl.DataFrame | None:
        """Find the changes by country, expected ones under a mixture; None but for the response of the world."""
        if not isinstance(self.response, WorldResponse):
            return None
        found = []
        for outcome in outcomes:
            response = outcome.responding(self.response)
            assert isinstance(response, WorldResponse)
            found.append((outcome.weight, response.countries(outcome.duties)))
        return mean_of(found)

    def outcome_sums(self, outcome: Outcome, keep: Bools) -> Sums:
        """Sum one outcome over the lines kept; its weight does not count."""
        groups = {LINES: self.grouping.lines(keep), **self._static_sums(outcome)}
        if self.has_incidence:
            groups[BASELINE_DUTY] = self.baseline_duty
        total = {name: values.sum(keepdims=True) for name, values in groups.items()}
        lane = {name: values[None] for name, values in groups.items()}
        after = self._after(outcome, keep, by_authority=self.grouping.by_authority)
        if after is not None:
            lane, total = {**lane, **after.groups}, {**total, **after.total}
        charged = self._charged(outcome, after) if self.grouping.by_authority else None
        return Sums(self.grouping.keys, lane, total, charged)

    def charged(self, outcome: Outcome) -> ChargedDuties:
        """Sum the duty of an outcome by the keys of the options and authority."""
        return self._charged(outcome, self._after(outcome, self.kept([outcome]), by_authority=True))

    def _charged(self, outcome: Outcome, after: AfterSums | None) -> ChargedDuties:
        duty, owed = outcome.grouped(self.grouping).by_authority
        columns = {"duty": duty, "duty_owed": owed}
        if after is not None:
            columns["duty_after"] = after.duty_after[0].reshape(duty.shape)
        return ChargedDuties.of_table(outcome.duties.authorities, columns)

    @property
    def has_incidence(self) -> bool:
        """True if results have columns of incidence: a response, and no value added tax."""
        return self.response is not None and self.prepared.lines.vat is None

    @property
    def baseline_duty(self) -> F64:
        """Duty of the baseline by the keys of the options, in dollars; raises ValueError without one."""
        if self.base is None:
            raise ValueError("a run without a baseline has no duty at it")
        return self.grouping.sums([self.base.duty], self.usable)[:, 0]

    def lines(self, outcomes: Sequence[Outcome]) -> pl.DataFrame:
        """Add the result columns to the usable rows."""
        names = outcomes[0].columns
        columns = {name: sum_of([(x.weight, x.columns[name]) for x in outcomes]) for name in names}
        return lines_frame(self.prepared.frame, columns, self.kept(outcomes))

    def after(self, outcome: Outcome) -> AfterSums:
        """Sum an outcome after the response, by authority if results are."""
        sums = self._after(outcome, self.kept([outcome]), by_authority=self.grouping.by_authority)
        assert sums is not None
        return sums

    def _after(self, outcome: Outcome, keep: Bools, *, by_authority: bool) -> AfterSums | None:
        """Sum an outcome after the response, once; None without one."""
        if self.response is None:
            return None
        has_authorities, sums = outcome.responses.get(self.grouping.id, (False, None))
        if sums is None or by_authority > has_authorities:
            sums = self._summed(self.response, outcome, keep, by_authority)
            outcome.responses[self.grouping.id] = by_authority, sums
        return sums

    @stage("respond")
    def _summed(self, response: Response, outcome: Outcome, keep: Bools, by_authority: bool) -> AfterSums:
        authorities = outcome.duties.authorities if by_authority else ()
        run = self.prepared, self.grouping, response, outcome, keep, authorities, thread_count()
        return ResponseSums(*run)([response.parameters])

    @property
    def is_static(self) -> bool:
        """True if results by group are sums of duties alone: no response, and no tax that differs by line."""
        return self.response is None and self.prepared.lines.vat is None

    def _static_sums(self, outcome: Outcome) -> Mapping[str, F64]:
        """Sum the columns before the response by the keys of the options."""
        if self.prepared.lines.vat is None:
            return self.static_columns(self.grouping, outcome.grouped(self.grouping).sums)
        columns = outcome.static_columns
        sums = self.grouping.sums(list(columns.values()), self.kept([outcome]))
        return dict(zip(columns, sums.T, strict=True))

    def static_columns(self, grouping: Grouping, sums: DutySums) -> dict[str, F64]:
        """Result columns by group of sums of duty, with the change of landed cost from the baseline."""
        lines, key = self.prepared.lines, grouping.id
        # Customs value, and freight with insurance, by group, of the lines that are not refused.
        constants: dict[tuple[str, ...], F64] = lines.cache.setdefault("constant sums", {})
        if key not in constants:
            constants[key] = grouping.sums([lines.value, lines.freight + lines.insurance], self.usable).T
        columns = sums.columns(*constants[key])
        if self.base is not None:
            grouped = GroupedDuties(self.law, self.base, self.base_dated, grouping)

            def landed() -> F64:
                return grouped.sums.columns(*constants[key])["landed"]

            columns["landed_change"] = columns["landed"] - kept_at_baseline(
                ("landed", key), lines, self.base, landed
            )
        return columns

    @property
    def usable(self) -> Bools:
        """Mark the lines that are not refused for too many atoms."""
        usable = np.ones(self.prepared.lines.count, dtype=bool)
        usable[atoms_of(self.law.claims, self.prepared.lines).refused] = False
        return usable

    def kept(self, outcomes: Sequence[Outcome]) -> Bools:
        """Mark the lines rated under all outcomes; lines with too many atoms under a law are not."""
        keep = np.ones(self.prepared.lines.count, dtype=bool)
        for outcome in outcomes:
            keep[list(outcome.duties.refused)] = False
        return keep

    @property
    def switch_report(self) -> SwitchReport:
        """Switches and refused lines of all outcomes so far."""
        return SwitchReport(dict(sorted(self._used_switches().items())), tuple(sorted(self._too_many)))

    def resume(self, report: SwitchReport) -> None:
        """Add the report of an earlier run over the same table and laws."""
        self._switches |= report.switches
        self._too_many |= set(report.too_many)

    def refused(self) -> pl.DataFrame:
        """List the rows that could not be used, including lines with too many atoms under some law."""
        return self.prepared.refused_with(self._too_many)

    def notes(self) -> tuple[Note, ...]:
        """List notes on the options, the table and the parameters."""
        own = list[Note]()
        if p := self.parameters:
            own += [Note("PARAMETERS_AGGREGATED", text) for text in p.notes]
            text = "{} has no sigma of its own: that of the US is used."
            own += [Note("PARAMETERS_FOREIGN", text.format(one)) for one in p.foreign]
        return (*self._option_notes, *self.prepared.notes, *own)

    def _used_switches(self) -> dict[str, str]:
        """Switches of the baseline and of all outcomes so far."""
        return {**({} if self.base is None else self.base.switches), **self._switches}

    def provenance(self, scenarios: Sequence[Scenario], **facts: object) -> dict[str, object]:
        """Inputs needed to reproduce the run; `facts` are those of the verb, such as its points."""
        law, options, parameters = self.law, self.options, self.parameters
        return with_run_digest(
            {
                **law_facts(law),
                "known_on": options.known_on or law.as_of.isoformat(),
                **options.goods_facts(self.prepared.markets),
                **scenario_facts(scenarios),
                "table_digest": self.prepared.digest,
                "baseline": options.baseline or self.prepared.baseline,
                "response": options.response,
                "horizon": options.horizon,
                "model": options.model_facts(parameters),
                "draws": options.draw_facts(),
                **options.ahead_facts(),
                "parameters": parameters.set if parameters else "",
                "parameter_digest": parameters.digest if parameters else "",
                "bases": self.prepared.bases,
                "switches": dict(sorted((self._used_switches() | self.basis_switches()).items())),
                "by": list(options.by),
                "min_conf": options.min_confidence,
                "date_format": options.date_format,
                **facts,
            }
        )
