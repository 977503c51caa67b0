"""Solve a world of many sectors with inputs from each other.

Model of Caliendo and Parro (2015), in exact changes. Trade and tariffs are sector by exporter by importer, other
arrays sector by country. See docs/models/world.md.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tariffs.engine.base.array_utils import F64
from tariffs.engine.errors import InputError
from tariffs.engine.response.world.newton import Solution, System, solve, solve_along
from tariffs.engine.response.world.one_sector import BALANCED, TRANSFERS


@dataclass(frozen=True)
class SectorTable:
    """Trade, output and inputs of a year in USD; n countries, s sectors.

    Attributes:
        countries: ISO 3166-1 alpha-3 codes, or names of aggregates.
        sectors: names of sectors.
        home: code of the country whose deficits and retaliation the closures speak of.
        theta: trade elasticity of each sector.
        flows: trade between countries at the border, sector by exporter by importer; 0 where they are one.
        tariffs: base tariffs as fractions, sector by exporter by importer.
        output: gross output, country by sector; raised to exports where these are larger.
        value_added: value added over gross output, country by sector.
        inputs: shares of inputs in intermediates, country by input by using sector.
        source: what the table was made of, for the provenance.
    """

    countries: tuple[str, ...]
    sectors: tuple[str, ...]
    home: str
    theta: F64
    flows: F64
    tariffs: F64
    output: F64
    value_added: F64
    inputs: F64
    source: str

    @property
    def home_index(self) -> int:
        """Place of the home country."""
        return self.countries.index(self.home)

    @cached_property
    def produced(self) -> F64:
        """Gross output, at least exports, country by sector."""
        found: F64 = np.maximum(self.output, self.flows.sum(axis=2).T)
        return found

    @cached_property
    def spent(self) -> F64:
        """Spending with tariffs, sector by exporter by importer, home sales on the diagonal."""
        home = self.produced.T - self.flows.sum(axis=2)
        spent = self.flows * (1.0 + self.tariffs)
        places = np.arange(len(self.countries))
        spent[:, places, places] += home
        return spent

    @cached_property
    def spending(self) -> F64:
        """Spending with tariffs, country by sector."""
        found: F64 = self.spent.sum(axis=1).T
        return found

    @cached_property
    def shares(self) -> F64:
        """Shares of exporters in spending, sector by exporter by importer; home where nothing is bought."""
        total = self.spent.sum(axis=1, keepdims=True)
        home = np.broadcast_to(np.eye(len(self.countries)), self.spent.shape)
        found: F64 = np.divide(self.spent, total, out=home.copy(), where=total > 0.0)
        return found

    @cached_property
    def used(self) -> F64:
        """Cost of each input in a dollar of output, country by input by using sector; shares of inputs sum to 1."""
        total = self.inputs.sum(axis=1, keepdims=True)
        shares = np.divide(self.inputs, total, out=np.zeros_like(self.inputs), where=total > 0.0)
        found: F64 = shares * (1.0 - self.value_added)[:, None, :]
        return found

    @cached_property
    def direct(self) -> F64:
        """Value added in a dollar of output, country by sector: what inputs leave."""
        found: F64 = 1.0 - self.used.sum(axis=1)
        return found

    @cached_property
    def wages(self) -> F64:
        """Value added by country."""
        found: F64 = (self.direct * self.produced).sum(axis=1)
        return found

    @cached_property
    def deficits(self) -> F64:
        """Imports less exports at the border, by country."""
        total = self.flows.sum(axis=0)
        found: F64 = total.sum(axis=0) - total.sum(axis=1)
        return found

    @cached_property
    def demand(self) -> F64:
        """Shares of sectors in final demand, country by sector; negative demand is taken as 0."""
        inputs = np.einsum("nkj,nj->nk", self.used, self.produced)
        final = np.maximum(self.spending - inputs, 0.0)
        found: F64 = final / final.sum(axis=1, keepdims=True)
        return found


_PASSES, _ROUNDING, _NOISE = 100_000, 1e-16, 1e-14
"""Passes at most over prices or spending; the changes, relative to the largest value, at which they end: the first
always, the second where they no longer fall."""


@dataclass(frozen=True)
class SectorsPoint:
    """World at some wages; amounts in USD.

    Attributes:
        wage: change as a ratio, by country.
        costs, prices: changes of unit costs and of prices as ratios, sector by country.
        shares: shares of exporters in spending, sector by exporter by importer.
        spending: spending with tariffs, sector by country.
        trade: sales before tariff, sector by exporter by importer, home sales on the diagonal.
        income, revenue: value added and tariff revenue, by country.
    """

    wage: F64
    costs: F64
    prices: F64
    shares: F64
    spending: F64
    trade: F64
    income: F64
    revenue: F64


@dataclass(frozen=True)
class Sectors:
    """World of many sectors: a table with the closure of deficits."""

    table: SectorTable
    closure: str

    @cached_property
    def deficits(self) -> F64:
        """Imports less exports under the closure, by country, in USD of the value added of the world before."""
        table = self.table
        if self.closure == TRANSFERS:
            return table.deficits
        if self.closure == BALANCED:
            trade = table.flows.sum(axis=0)
            deficits = table.deficits - (trade[table.home_index] - trade[:, table.home_index])
            deficits[table.home_index] = 0.0
            found: F64 = deficits
            return found
        return np.zeros_like(table.deficits)

    def solve(self, tariffs: F64, near: Solution[SectorsPoint] | None = None) -> Solution[SectorsPoint]:
        """Solve for wages under tariffs, whose base is that of the table.

        Args:
            tariffs: ad valorem rates as fractions, sector by exporter by importer.
            near: solution of a similar problem to begin from.

        Raises:
            InputError: NO_EQUILIBRIUM.
        """
        if near is not None:
            with suppress(InputError):
                return solve(self._system(tariffs), near.unknowns, near.inverse)
        before, start = self.table.tariffs, np.zeros(len(self.table.countries))
        return solve_along(lambda part: self._system(before + part * (tariffs - before)), start)

    def _system(self, tariffs: F64) -> System[SectorsPoint]:
        return System(
            lambda x: self._point(x, tariffs), self._residuals, lambda point: self._jacobian(point, tariffs)
        )

    def _point(self, wages: F64, tariffs: F64) -> SectorsPoint:
        table, theta = self.table, self.table.theta[:, None]
        power = ((1.0 + tariffs) / (1.0 + table.tariffs)) ** -theta[:, :, None]
        weights = table.shares * power

        def costs_of(prices: F64) -> F64:
            return self._direct * wages + _through(self._inputs, prices)

        def prices_of(prices: F64) -> F64:
            return -np.log(_into(weights, np.exp(-theta * costs_of(prices)))) / theta

        prices = _fixed(prices_of, np.zeros((len(table.sectors), len(wages))))
        costs = costs_of(prices)
        shares = weights * np.exp(-theta[:, :, None] * (costs[:, :, None] - prices[:, None, :]))
        bought = shares / (1.0 + tariffs)
        taken = (tariffs * bought).sum(axis=1)
        earned = np.exp(wages) * table.wages

        def spending_of(spending: F64) -> F64:
            income = earned + (taken * spending).sum(axis=0) + self.deficits
            found: F64 = self._demand * income + _through(self._uses, _out_of(bought, spending))
            return found

        spending = _fixed(spending_of, table.spending.T)
        return SectorsPoint(
            wage=np.exp(wages),
            costs=np.exp(costs),
            prices=np.exp(prices),
            shares=shares,
            spending=spending,
            trade=bought * spending[:, None, :],
            income=earned,
            revenue=(taken * spending).sum(axis=0),
        )

    @cached_property
    def _direct(self) -> F64:
        return np.ascontiguousarray(self.table.direct.T)

    @cached_property
    def _demand(self) -> F64:
        return self.table.demand.T

    @cached_property
    def _inputs(self) -> F64:
        """Cost shares of inputs, country by using sector by input."""
        return np.ascontiguousarray(self.table.used.transpose(0, 2, 1))

    @cached_property
    def _uses(self) -> F64:
        """Cost shares of inputs, country by input by using sector."""
        return np.ascontiguousarray(self.table.used)

    def _residuals(self, point: SectorsPoint) -> F64:
        """Compute value added that is paid less that which is earned; the last place has the numeraire."""
        table = self.table
        paid = (self._direct * point.trade.sum(axis=2)).sum(axis=0)
        residuals = (paid - point.income) / table.wages
        residuals[-1] = point.income.sum() / table.wages.sum() - 1.0
        found: F64 = residuals
        return found

    def certificate(self, point: SectorsPoint, tariffs: F64) -> float:
        """Compute the largest residual of all equations, each as a share of income."""
        table, theta = self.table, self.table.theta[:, None]
        costs = self._direct * np.log(point.wage) + _through(self._inputs, np.log(point.prices))
        ratio = (1.0 + tariffs) / (1.0 + table.tariffs)
        delivered = table.shares * (ratio * point.costs[:, :, None]) ** -theta[:, :, None]
        prices = -np.log(delivered.sum(axis=1)) / theta
        income = point.income + point.revenue + self.deficits
        spending = self._demand * income + _through(self._uses, point.trade.sum(axis=2))
        trade = point.trade.sum(axis=0)
        balance = trade.sum(axis=0) - self.deficits - trade.sum(axis=1)
        return max(
            float(np.abs(gap).max())
            for gap in (
                costs - np.log(point.costs),
                prices - np.log(point.prices),
                point.shares.sum(axis=1) - 1.0,
                (spending - point.spending) / income,
                (point.spending.sum(axis=0) - point.revenue - trade.sum(axis=0)) / income,
                balance / income,
            )
        )

    def _jacobian(self, point: SectorsPoint, tariffs: F64) -> F64:
        """Differentiate the residuals by the logs of wages; the last axis of derivatives is the wage."""
        table, theta = self.table, self.table.theta[:, None, None]
        count = len(table.countries)
        own = np.eye(count)
        direct = self._direct[:, :, None] * own

        def costs_of(prices: F64) -> F64:
            return direct + _through_each(self._inputs, prices)

        into = np.ascontiguousarray(point.shares.transpose(0, 2, 1))
        prices = _fixed(lambda found: into @ costs_of(found), np.zeros_like(direct))
        costs = costs_of(prices)
        bought = point.shares / (1.0 + tariffs)
        taken = tariffs * point.trade
        rate = (tariffs * bought).sum(axis=1)
        # Shares change by -theta times the rise of cost over price.
        sold = -theta * (point.trade.sum(axis=2)[:, :, None] * costs - point.trade @ prices)
        revenue = (-theta * (taken.transpose(0, 2, 1) @ costs - taken.sum(axis=1)[:, :, None] * prices)).sum(
            axis=0
        )

        def spending_of(spending: F64) -> F64:
            income = own * point.income[:, None] + revenue + (rate[:, :, None] * spending).sum(axis=0)
            found: F64 = self._demand[:, :, None] * income + _through_each(
                self._uses, sold + bought @ spending
            )
            return found

        spending = _fixed(spending_of, np.zeros_like(direct))
        paid = (self._direct[:, :, None] * (sold + bought @ spending)).sum(axis=0)
        jacobian = (paid - own * point.income[:, None]) / table.wages[:, None]
        jacobian[-1] = point.income / table.wages.sum()
        found: F64 = jacobian
        return found


def _fixed(step: Callable[[F64], F64], start: F64) -> F64:
    """Repeat a contraction until its steps are at the rounding error; the certificate judges the result."""
    found, last = start, np.inf
    for _ in range(_PASSES):
        after = step(found)
        moved = float(np.abs(after - found).max())
        largest = float(np.abs(after).max())
        found = after
        is_noise = moved <= _NOISE * largest and moved >= last
        if moved <= _ROUNDING * largest or is_noise or not np.isfinite(moved):
            break
        last = moved
    return found


def _through(inputs: F64, values: F64) -> F64:
    """Multiply values (sector by country) by a matrix of each country."""
    return (inputs @ values.T[:, :, None])[:, :, 0].T


def _through_each(inputs: F64, values: F64) -> F64:
    """Multiply values (sector by country by anything) by a matrix of each country."""
    return (inputs @ values.transpose(1, 0, 2)).transpose(1, 0, 2)


def _into(weights: F64, values: F64) -> F64:
    """Sum values of exporters by importer, with weights by sector, exporter and importer."""
    return (values[:, None, :] @ weights)[:, 0, :]


def _out_of(weights: F64, values: F64) -> F64:
    """Sum values of importers by exporter, with weights by sector, exporter and importer."""
    return (weights @ values[:, :, None])[:, :, 0]
