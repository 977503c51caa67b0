"""Find the tariffs of the world under a scenario: changes of the mean duty by partner, and by sector where there are.

Weights are those of the embedded tables of imports and exports of 2024, before any response.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import polars as pl

from tariffs.engine.base.array_utils import F64
from tariffs.engine.law.law import EXPORT, IMPORT, Law
from tariffs.engine.law.notes import Note
from tariffs.engine.response.world import OneSectorTable, SectorTable
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.outcomes.table_run import RunContext, TableRun
from tariffs.engine.runs.outcomes.world_duties import (
    GOODS,
    codes_of,
    duty_changes,
    exports_by_partner,
    rates_of,
)
from tariffs.engine.scenario import Scenario
from tariffs.engine.tables.export_lines import DESTINATION


@dataclass(frozen=True)
class LawTariffs:
    """Changes of mean duties since the baseline of the embedded tables, for a table of the world.

    Args:
        law: the law before scenarios.
        options: choice of the law: day known, switches, confidence.
    """

    law: Law
    options: Options
    context: RunContext
    table: OneSectorTable | SectorTable

    def imports(self, scenario: Scenario, on: str) -> F64:
        """Change of the duty on goods of each exporter, [sector by] exporter, as fractions."""
        return self._rates(IMPORT, "origin", scenario, on, {})

    def exports(self, scenario: Scenario, on: str) -> F64:
        """Change of the duty that each importer charges on goods of the home country, as `imports`; 0 without law.

        The mean is over all exports to the partner; goods that the embedded lists leave out bear no other duty.
        """
        return self._rates(EXPORT, DESTINATION, scenario, on, exports_by_partner())

    def notes(self, scenario: Scenario, on: str) -> Iterator[Note]:
        """Name the origins that the table lacks, and those of which nothing may be imported."""
        duties = self._changes(IMPORT, ("origin",), scenario, on)
        known = [origin for origin, code in codes_of(self.table).items() if code in self.table.countries]
        lacking = duties.filter(~pl.col("origin").is_in(known)).sort("value", descending=True)
        if lacking.height:
            text = f"{lacking.height} origins with imports of {lacking['value'].sum():,.0f} USD are not in the table "
            names = ", ".join(lacking["origin"].head(3))
            yield Note(
                "WORLD_COVERAGE", f"{text}of the world ({names} and others): their duties are left out."
            )
        banned = duties.filter(pl.col("duty").is_null() & (pl.col("value") > 0.0))
        if banned.height:
            names = ", ".join(banned.sort("value", descending=True)["origin"].head(5))
            text = f"{scenario.id}: nothing of {banned.height} origins may be imported ({names}); the world is solved "
            yield Note("PROHIBITED", f"{text}at the duties of the baseline on their goods.")

    def _rates(
        self, direction: str, partner: str, scenario: Scenario, on: str, total: Mapping[str, float]
    ) -> F64:
        """Divide changes of duty by value, or by total trade with a partner."""
        by = (partner,) if isinstance(self.table, OneSectorTable) else (partner, GOODS)
        return rates_of(self.table, self._changes(direction, by, scenario, on), partner, total)

    def _changes(self, direction: str, by: tuple[str, ...], scenario: Scenario, on: str) -> pl.DataFrame:
        """Sum value, duty and the change of duty since the baseline by keys, USD."""
        options = replace(self.options, response="none", by=by, direction=direction)
        run = TableRun(None, self.law, options, self.context)
        return duty_changes(run.sums(run.outcomes(scenario, on)), run.baseline_duty)
