"""Run a world of one sector or of many: solve it under tariffs, and make results by country beside the world before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64
from tariffs.engine.response.world.newton import Solution
from tariffs.engine.response.world.one_sector import (
    BALANCED,
    INCOME_TAX,
    TRANSFERS,
    ZERO,
    OneSector,
    OneSectorParameters,
    OneSectorPoint,
    OneSectorTable,
)
from tariffs.engine.response.world.sectors import Sectors, SectorsPoint, SectorTable

COLUMNS = (
    "welfare",
    "welfare_first_order",
    "real_wage",
    "prices",
    "employment",
    "exports_to_gdp",
    "imports_to_gdp",
    "deficit",
    "revenue_to_spending",
    "real_spending",
    "terms_of_trade",
    "volume_of_trade",
    "wage",
    "exports",
    "imports",
    "revenue",
    "gdp_before",
    "spending_before",
)
"""Results by country: changes as fractions; revenue after over spending before; revenue, GDP, spending in USD."""


_BALANCED = 1e-9
"""Deficit, as a share of GDP, that has no change in percent."""


@dataclass(frozen=True)
class WorldResult:
    """World under tariffs beside the world before.

    Attributes:
        countries: a row a country: `country` and `COLUMNS`; what is not defined is null.
        tariffs: rates that were solved for, exporter by importer, in sectors by sector before.
        trade_before, trade_after: trade before tariff in USD, exporter by importer, in sectors by sector before; home
            sales are on the diagonal.
        residual: largest residual of all equations, as a share of income.
        iterations: steps of the solver.
        unallocated: transfers of the closure that no country pays, USD; see docs/models/world.md.
        root: solution, from which a similar one is found sooner.
    """

    countries: pl.DataFrame
    tariffs: F64
    trade_before: F64
    trade_after: F64
    residual: float
    iterations: int
    unallocated: float
    root: Solution[Any]

    def of(self, country: str, column: str) -> float:
        """Value of a column for a country; NaN where it is not defined."""
        value = self.countries.filter(pl.col("country") == country)[column].item()
        return np.nan if value is None else float(value)

    def mean(self, countries: Sequence[str], column: str) -> float:
        """Mean of a column over countries, as `mean_over`."""
        return mean_over(self.countries, countries, column)


def mean_over(frame: pl.DataFrame, countries: Sequence[str], column: str) -> float:
    """Mean of a column over countries, weighted by their spending before; NaN where it is not defined."""
    chosen = frame.filter(pl.col("country").is_in(countries))
    return float(np.average(chosen[column].to_numpy(), weights=chosen["spending_before"].to_numpy()))


def frame_of(countries: Sequence[str], columns: Mapping[str, F64]) -> pl.DataFrame:
    """Make the rows of countries; a column that is missing is null, and so is a number that is not finite."""
    empty = np.full(len(countries), np.nan)
    values = {name: columns.get(name, empty) for name in COLUMNS}
    frame = pl.DataFrame({"country": list(countries), **values})
    return frame.with_columns(
        pl.when(pl.col(name).is_finite()).then(pl.col(name)).alias(name) for name in COLUMNS
    )


def mean_of(frames: Sequence[tuple[float, pl.DataFrame]]) -> pl.DataFrame:
    """Mean of the rows of countries in several worlds, with weights; of one world its own."""
    first = frames[0][1]
    if len(frames) == 1:
        return first
    columns = (
        pl.sum_horizontal((weight * frame[name] for weight, frame in frames), ignore_nulls=False).alias(name)
        for name in COLUMNS
    )
    return first.with_columns(columns)


def foreign(trade: F64) -> tuple[F64, F64]:
    """Sum exports and imports by country of trade (exporter by importer), without home sales."""
    home = np.diag(trade)
    return trade.sum(axis=1) - home, trade.sum(axis=0) - home


def trade_changes(before: F64, after: F64, gdp_before: F64, gdp_after: F64) -> dict[str, F64]:
    """Compute changes of exports, imports, their ratios to GDP, and the deficit over its absolute base."""
    exports, imports = foreign(before)
    exports_after, imports_after = foreign(after)
    with np.errstate(divide="ignore", invalid="ignore"):
        deficit = imports - exports
        deficit[np.abs(deficit) <= _BALANCED * gdp_before] = np.nan
        return {
            "exports": exports_after / exports - 1.0,
            "imports": imports_after / imports - 1.0,
            "exports_to_gdp": (exports_after / gdp_after) / (exports / gdp_before) - 1.0,
            "imports_to_gdp": (imports_after / gdp_after) / (imports / gdp_before) - 1.0,
            "deficit": (imports_after - exports_after - deficit) / np.abs(deficit),
        }


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
