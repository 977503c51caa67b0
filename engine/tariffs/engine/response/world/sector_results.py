"""Run the world of many sectors: solve it under base tariffs and under others, and compare the two."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from tariffs.engine.base.array_utils import F64
from tariffs.engine.response.world.newton import Solution
from tariffs.engine.response.world.sector_table import SectorTable
from tariffs.engine.response.world.sectors import Sectors, SectorsPoint
from tariffs.engine.response.world.world_result import WorldResult, frame_of, trade_changes


@dataclass(frozen=True)
class SectorsWorld:
    """Runs of the world of many sectors under one closure."""

    table: SectorTable
    deficits: str

    @cached_property
    def model(self) -> Sectors:
        """Equations of the world."""
        return Sectors(self.table, self.deficits)

    def scaled(self, factor: float) -> SectorsWorld:
        """Multiply the trade elasticities of all sectors."""
        return SectorsWorld(replace(self.table, theta=factor * self.table.theta), self.deficits)

    @property
    def untaxed(self) -> F64:
        """Tariffs of the world before: those of the table."""
        return self.table.tariffs

    @cached_property
    def before(self) -> Solution[SectorsPoint]:
        """World before: base tariffs under the closure."""
        return self.model.solve(self.untaxed)

    def run(self, tariffs: F64, near: WorldResult | None = None) -> WorldResult:
        """Solve the world under tariffs, sector by exporter by importer, as fractions.

        Args:
            tariffs: rates, > -1.
            near: result under similar tariffs, to begin from.

        Raises:
            InputError: NO_EQUILIBRIUM.
        """
        base, root = self.before, self.model.solve(tariffs, near.root if near else self.before)
        residuals = [
            self.model.certificate(*pair) for pair in ((base.state, self.untaxed), (root.state, tariffs))
        ]
        return WorldResult(
            countries=frame_of(self.table.countries, self._changes(root.state)),
            tariffs=tariffs,
            trade_before=base.state.trade,
            trade_after=root.state.trade,
            residual=max(residuals),
            iterations=base.iterations + root.iterations,
            unallocated=float(self.model.deficits.sum()),
            root=root,
        )

    def _changes(self, after: SectorsPoint) -> dict[str, F64]:
        before, tariffs = self.before.state, self.untaxed
        income = before.income + before.revenue + self.model.deficits
        income_after = after.income + after.revenue + self.model.deficits
        prices = np.exp((self.table.demand.T * np.log(after.prices / before.prices)).sum(axis=0))
        cost = after.costs / before.costs
        exported = (before.trade.sum(axis=2) * (cost - 1.0)).sum(axis=0)
        imported = (before.trade * (cost - 1.0)[:, :, None]).sum(axis=(0, 1))
        volume = (tariffs * (after.trade - before.trade * cost[:, :, None])).sum(axis=(0, 1)) / income
        terms = (exported - imported) / income
        real_spending, wage = income_after / income / prices, after.wage / before.wage
        return {
            "welfare": real_spending - 1.0,
            "welfare_first_order": terms + volume,
            "real_wage": wage / prices - 1.0,
            "prices": prices - 1.0,
            "employment": np.zeros_like(prices),
            "revenue_to_spending": after.revenue / income,
            "real_spending": real_spending - 1.0,
            "terms_of_trade": terms,
            "volume_of_trade": volume,
            "wage": wage - 1.0,
            "revenue": after.revenue,
            "gdp_before": before.income,
            "spending_before": income,
            **trade_changes(before.trade.sum(axis=0), after.trade.sum(axis=0), before.income, after.income),
        }
