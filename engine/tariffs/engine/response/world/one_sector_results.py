"""Run the world of one sector: solve it under tariffs and compare it with the world before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from tariffs.engine.base.array_utils import F64
from tariffs.engine.response.world.newton import Solution
from tariffs.engine.response.world.one_sector import OneSector, OneSectorPoint
from tariffs.engine.response.world.one_sector_parameters import (
    BALANCED,
    INCOME_TAX,
    TRANSFERS,
    ZERO,
    OneSectorParameters,
)
from tariffs.engine.response.world.one_sector_table import OneSectorTable
from tariffs.engine.response.world.world_result import WorldResult, frame_of, trade_changes


@dataclass(frozen=True)
class OneSectorWorld:
    """Runs of the world of one sector under one closure."""

    table: OneSectorTable
    parameters: OneSectorParameters

    @cached_property
    def model(self) -> OneSector:
        """World before: without deficits, that world solved first."""
        model = OneSector(self.table, self.parameters)
        if self.parameters.deficits != ZERO:
            return model
        trade = model.solve(self.untaxed).state.trade
        table = replace(self.table, trade=trade)
        return OneSector(table, replace(self.parameters, deficits=TRANSFERS))

    def scaled(self, factor: float) -> OneSectorWorld:
        """Multiply the trade elasticity."""
        elasticity = factor * self.parameters.elasticity
        return OneSectorWorld(self.table, replace(self.parameters, elasticity=elasticity))

    @property
    def untaxed(self) -> F64:
        """Tariffs of the world before: none."""
        return np.zeros_like(self.table.trade)

    def run(self, tariffs: F64, near: WorldResult | None = None) -> WorldResult:
        """Solve the world under added tariffs, exporter by importer, as fractions.

        Args:
            tariffs: rates, > -1.
            near: result under similar tariffs, to begin from.

        Raises:
            InputError: NO_EQUILIBRIUM.
        """
        model = self.model
        root = model.solve(tariffs, near.root if near else None)
        changes, before = _changes(model, root), self.table.trade
        if self.parameters.deficits == BALANCED:
            # Published so: percent changes with tariffs less those of the closure alone.
            alone = self._alone
            closure = _changes(model, alone)
            changes = {name: values - closure[name] for name, values in changes.items()}
            before = alone.state.trade
        changes |= {"gdp_before": model.income, "spending_before": model.table.spending}
        return WorldResult(
            countries=frame_of(self.table.countries, changes),
            tariffs=tariffs,
            trade_before=model.table.trade if self.parameters.deficits == ZERO else before,
            trade_after=root.state.trade,
            residual=model.certificate(root.state),
            iterations=root.iterations,
            unallocated=float(model.transfers.sum()),
            root=root,
        )

    def imports_at_home(self, result: WorldResult, exporters: Sequence[str], tariffs: F64) -> tuple[F64, F64]:
        """Changes of the home country's imports from exporters, as ratios: value at the border, and price there.

        An exporter that the table lacks keeps its costs.

        Args:
            result: of a run of this world.
            exporters: alpha-3 codes.
            tariffs: rate of the home country on each of them.
        """
        home, point = self.table.home_index, result.root.state
        p, phi = self.parameters, self.model.phi[home]
        place = {code: index for index, code in enumerate(self.table.countries)}
        costs = np.append(point.wage / point.labour**p.scale, 1.0)
        cost = costs[[place.get(code, -1) for code in exporters]]
        markup = (point.spending / point.wage)[home] ** (1.0 - phi)
        bought = (cost * (1.0 + tariffs) ** phi) ** -p.elasticity * (
            point.prices[home] / markup
        ) ** p.elasticity
        value = bought * point.spending[home] / (1.0 + tariffs)
        return value, cost * markup * (1.0 + tariffs) ** (phi - 1.0)

    @cached_property
    def _alone(self) -> Solution[OneSectorPoint]:
        return self.model.solve(self.untaxed)


def _changes(model: OneSector, root: Solution[OneSectorPoint]) -> dict[str, F64]:
    """Compute changes of a solution from the table, as fractions."""
    point, table = root.state, model.table
    kappa, spending = model.parameters.labour, table.spending
    relieved = point.revenue / point.income if model.parameters.rebate == INCOME_TAX else 0.0
    weight = spending / (spending - kappa * (1.0 - relieved) * model.income / (1.0 + kappa))
    real_spending = point.spending / point.prices
    real_income = point.wage * point.labour / point.prices
    return {
        "welfare": weight * real_spending + (1.0 - weight) * real_income - 1.0,
        "real_wage": point.wage / point.prices - 1.0,
        "prices": point.prices - 1.0,
        "employment": point.labour - 1.0,
        "revenue_to_spending": point.revenue / spending,
        "real_spending": real_spending - 1.0,
        "wage": point.wage - 1.0,
        "revenue": point.revenue,
        **trade_changes(table.trade, point.trade, model.income, point.income),
    }
