"""Solve a world of one sector with endogenous labour, incomplete pass-through and rebated tariff revenue.

Model of Ignatenko, Lashkaripour, Macedoni and Simonovska (2025), in exact changes. Trade and tariffs are exporter by
importer. See docs/models/world.md.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tariffs.engine.base.array_utils import F64
from tariffs.engine.errors import InputError
from tariffs.engine.response.world.newton import Solution, System, inverse_of, solve, solve_along
from tariffs.engine.response.world.one_sector_parameters import (
    BALANCED,
    INCOME_TAX,
    ZERO,
    OneSectorParameters,
)
from tariffs.engine.response.world.one_sector_table import OneSectorTable


@dataclass(frozen=True)
class OneSectorPoint:
    """World at some wages, spending and labour, by country; amounts in USD.

    Attributes:
        wage, spending, labour, prices: changes as ratios.
        shares: shares of exporters (rows) in the spending of importers.
        trade: sales before tariff, exporter by importer.
        income, revenue: labour income and tariff revenue.
    """

    wage: F64
    spending: F64
    labour: F64
    prices: F64
    shares: F64
    trade: F64
    income: F64
    revenue: F64


@dataclass(frozen=True)
class OneSector:
    """World of one sector: a table of trade, with elasticities and a closure."""

    table: OneSectorTable
    parameters: OneSectorParameters

    @cached_property
    def kept(self) -> F64:
        """Share of a sale that stays with its destination (nu), by country."""
        share = self.parameters.destination_share
        return self.table.destination_share if share is None else np.full(len(self.table.countries), share)

    @cached_property
    def phi(self) -> F64:
        """Elasticity of consumer prices to tariffs, by country."""
        return self.parameters.phi(self.kept)

    @cached_property
    def income(self) -> F64:
        """Income before (Y), by country."""
        return self.table.trade @ (1.0 - self.kept) + self.kept * self.table.spending

    @cached_property
    def transfers(self) -> F64:
        """Spending less income before under the closure (T), by country."""
        transfers = self.table.spending - self.income
        if self.parameters.deficits == ZERO:
            return np.zeros_like(transfers)
        if self.parameters.deficits == BALANCED:
            home, trade = self.table.home_index, self.table.trade
            transfers = transfers - (trade[home] - trade[:, home])
            transfers[home] = 0.0
        return transfers

    def solve(self, tariffs: F64, near: Solution[OneSectorPoint] | None = None) -> Solution[OneSectorPoint]:
        """Solve for wages, spending and labour under tariffs.

        Args:
            tariffs: added ad valorem rates as fractions, exporter by importer.
            near: solution of a similar problem to begin from.

        Raises:
            InputError: NO_EQUILIBRIUM.
        """
        if near is not None:
            with suppress(InputError):
                return solve(self._system(tariffs), near.unknowns, near.inverse)
        start = np.zeros(3 * len(self.income))
        return solve_along(lambda part: self._system(part * tariffs), start, self._inverse_before)

    def _system(self, tariffs: F64) -> System[OneSectorPoint]:
        return System(
            lambda x: self._point(x, tariffs), self._residuals, lambda point: self._jacobian(point, tariffs)
        )

    @cached_property
    def _inverse_before(self) -> F64:
        """Inverse of the Jacobian without tariffs, from which steps begin: a step costs a hundredth of another."""
        untaxed = np.zeros_like(self.table.trade)
        return inverse_of(self._jacobian(self._point(np.zeros(3 * len(self.income)), untaxed), untaxed))

    def _point(self, x: F64, tariffs: F64) -> OneSectorPoint:
        p, before = self.parameters, self.table.spending
        wages, spending, labour = x.reshape(3, -1)
        cost = (wages - p.scale * labour)[:, None] + self.phi * np.log1p(tariffs)
        shares = self._base_shares * np.exp(-p.elasticity * cost)
        total = shares.sum(axis=0)
        shares /= total
        prices = (1.0 - self.phi) * (spending - wages) - np.log(total) / p.elasticity
        trade = shares * (before * np.exp(spending)) / (1.0 + tariffs)
        return OneSectorPoint(
            wage=np.exp(wages),
            spending=np.exp(spending),
            labour=np.exp(labour),
            prices=np.exp(prices),
            shares=shares,
            trade=trade,
            income=np.exp(wages + labour) * self.income,
            revenue=(tariffs * trade).sum(axis=0),
        )

    @cached_property
    def _base_shares(self) -> F64:
        return self.table.trade / self.table.spending

    def certificate(self, point: OneSectorPoint) -> float:
        """Compute the largest residual of all equations, each as a share of income.

        The income of the last country, which the solver leaves out, must follow from the others: it takes the
        transfers that the closure leaves unallocated.
        """
        unallocated = np.zeros_like(self.income)
        unallocated[-1] = self.transfers.sum() * point.income.sum() / self.income.sum()
        sold = self._sold(point)
        incomes = (sold - point.income - unallocated) / (sold + unallocated)
        return max(float(np.abs(gap).max()) for gap in (incomes, self._residuals(point)))

    def _sold(self, point: OneSectorPoint) -> F64:
        found: F64 = point.trade @ (1.0 - self.kept) + self.kept * point.trade.sum(axis=0)
        return found

    def _residuals(self, point: OneSectorPoint) -> F64:
        """Compute residuals: incomes, spending, labour; the last income's place has the numeraire."""
        p, income, before = self.parameters, self.income, self.table.spending
        incomes = (self._sold(point) - point.income) / income
        incomes[-1] = ((point.prices - 1.0) * before).sum() / before.sum()
        grown = point.income.sum() / income.sum()
        spent = before * point.spending
        spending = (point.revenue + point.income + self.transfers * grown - spent) / income
        relief = -np.log1p(-self._relieved(point))
        labour = np.log(point.labour) - p.labour * (relief + np.log(point.wage / point.prices))
        return np.concatenate([incomes, spending, labour])

    def _relieved(self, point: OneSectorPoint) -> F64:
        """Tariff revenue that lowers the tax on labour, as a share of labour income."""
        if self.parameters.rebate == INCOME_TAX:
            return point.revenue / point.income
        return np.zeros_like(point.income)

    def _jacobian(self, point: OneSectorPoint, tariffs: F64) -> F64:
        """Differentiate the residuals by the logs of wages, spending and labour."""
        p, income, before, kept = self.parameters, self.income, self.table.spending, self.kept
        trade, shares, taken = point.trade, point.shares, tariffs * point.trade
        bought = trade.sum(axis=0)
        # Columns of these are by the cost of an exporter, wage less scale, and by the spending of an importer.
        outward = trade * (1.0 - kept)
        sales_cost = -p.elasticity * (
            np.diag(outward.sum(axis=1)) - outward @ shares.T + kept[:, None] * (trade - bought * shares).T
        )
        sales_spending = outward + np.diag(kept * bought)
        revenue_cost = -p.elasticity * (taken - point.revenue * shares).T
        prices_cost, none = shares.T, np.zeros_like(trade)
        earned = np.diag(point.income)
        world = np.outer(self.transfers, point.income) / income.sum()
        prices = self._by_unknowns(prices_cost, np.diag(1.0 - self.phi), direct=np.diag(self.phi - 1.0))
        incomes = (
            self._by_unknowns(sales_cost, sales_spending, direct=-earned, labour=-earned) / income[:, None]
        )
        weights = before * point.prices / before.sum()
        incomes[-1] = weights @ prices
        revenue = self._by_unknowns(revenue_cost, np.diag(point.revenue))
        gained = earned + world
        spending = revenue + self._by_unknowns(
            none, -np.diag(before * point.spending), direct=gained, labour=gained
        )
        labour = p.labour * (prices - self._by_unknowns(none, none, direct=np.eye(len(income))))
        labour += self._by_unknowns(none, none, labour=np.eye(len(income)))
        if p.rebate == INCOME_TAX:
            relieved = self._relieved(point)
            both = np.diag(relieved)
            rise = revenue / point.income[:, None] - self._by_unknowns(none, none, direct=both, labour=both)
            labour -= p.labour * rise / (1.0 - relieved)[:, None]
        return np.concatenate([incomes, spending / income[:, None], labour])

    def _by_unknowns(
        self, cost: F64, spending: F64, *, direct: F64 | float = 0.0, labour: F64 | float = 0.0
    ) -> F64:
        """Join derivatives by cost, spending, wages and labour to those by the unknowns."""
        scale = self.parameters.scale
        return np.concatenate([cost + direct, spending, labour - scale * cost], axis=1)
