"""Find the tariffs of the world under a scenario: changes of the mean duty by partner, and by sector where there are.

Weights are those of the embedded tables of imports and exports of 2024, before any response.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64, ratio, sums_of
from tariffs.engine.law.law import EXPORT, IMPORT, Law
from tariffs.engine.law.notes import Note
from tariffs.engine.response.elasticities.thetas import theta_of_industry
from tariffs.engine.response.industries import industry_of
from tariffs.engine.response.world import OneSectorTable, SectorTable
from tariffs.engine.response.world.one_sector_parameters import LEAST_RATE
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.outcomes.table_run import RunContext, TableRun
from tariffs.engine.scenario import Scenario
from tariffs.engine.schedule.countries import country_rows
from tariffs.engine.schedule.reference_data import exports_by_chapter
from tariffs.engine.tables.export_lines import DESTINATION

_GOODS = "hts10"


@dataclass(frozen=True)
class LawTariffs:
    """Changes of mean duties since the baseline of the embedded tables, for a table of the world.

    Args:
        law: the law before scenarios.
        options: choice of the law: day known, switches, confidence.
        context: cancellation.
        table: table of the world.
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
        total: dict[str, float] = {}
        for partner, _, value in exports_by_chapter().iter_rows():
            total[partner] = total.get(partner, 0.0) + value
        return self._rates(EXPORT, DESTINATION, scenario, on, total)

    def notes(self, scenario: Scenario, on: str) -> Iterator[Note]:
        """Name the origins that the table lacks, and those of which nothing may be imported."""
        duties = self._changes(IMPORT, ("origin",), scenario, on)
        known = [origin for origin, code in self._code_of.items() if code in self.table.countries]
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
        """Divide changes of duty by value, or by total trade with a partner; sums are in the order of the groups."""
        table, is_one = self.table, isinstance(self.table, OneSectorTable)
        duties = self._changes(direction, (partner,) if is_one else (partner, _GOODS), scenario, on)
        place = {code: index for index, code in enumerate(table.countries)}
        row = np.array([place.get(self._code_of.get(code, ""), -1) for code in duties[partner]])
        sector, count = np.zeros_like(row), 1
        if isinstance(table, SectorTable):
            of_name = {name: index for index, name in enumerate(table.sectors)}
            sector, count = (
                np.array([of_name.get(name, -1) for name in sectors_of(list(duties[_GOODS]))]),
                len(of_name),
            )
        kept = (row >= 0) & (sector >= 0)
        cell, cells = (sector * len(place) + row)[kept], count * len(place)
        change, value = (sums_of(cell, duties[name].to_numpy()[kept], cells) for name in ("change", "value"))
        if is_one:
            for code, amount in total.items():
                if (index := place.get(self._code_of.get(code, ""), -1)) >= 0:
                    value[index] = amount
        rates = np.maximum(ratio(change, value, 0.0), LEAST_RATE).reshape(count, len(place))
        found: F64 = rates[0] if is_one else rates
        return found

    def _changes(self, direction: str, by: tuple[str, ...], scenario: Scenario, on: str) -> pl.DataFrame:
        """Sum value, duty and the change of duty since the baseline by keys, USD."""
        options = replace(self.options, response="none", by=by, direction=direction)
        run = TableRun(None, self.law, options, self.context)
        sums = run.sums(run.outcomes(scenario, on))
        duty, value = sums.groups["duty"][0], sums.groups["customs_value"][0]
        return sums.keys.with_columns(
            pl.Series("value", value),
            pl.Series("duty", duty, nan_to_null=True),
            pl.Series("change", np.nan_to_num(duty - run.baseline_duty)),
        )

    @cached_property
    def _code_of(self) -> Mapping[str, str]:
        """Country of the table of each origin: its own, or the only one that is no ISO code, the rest of the world."""
        alpha3 = {row["iso2"]: row["iso3"] for row in country_rows()}
        rest = [code for code in self.table.countries if code not in alpha3.values()]
        other = rest[0] if len(rest) == 1 else ""
        return {iso2: code if code in self.table.countries else other for iso2, code in alpha3.items()}


def sectors_of(codes: Sequence[str]) -> list[str]:
    """Find the sector of ISIC Rev. 3 of HTS codes, as named with the published thetas."""
    return [theta_of_industry(industry).sector for industry in industry_of(codes).tolist()]
