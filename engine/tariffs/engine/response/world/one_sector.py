"""Solve a world of one sector with endogenous labour, incomplete pass-through and rebated tariff revenue.

Model of Ignatenko, Lashkaripour, Macedoni and Simonovska (2025), in exact changes. Trade and tariffs are exporter by
importer. See docs/models/world.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tariffs.engine.base.array_utils import F64, Bools
from tariffs.engine.errors import InputError
from tariffs.engine.response.world.newton import Solution, System, inverse_of, solve, solve_along

INCOME_TAX = "income_tax"
REBATES = (INCOME_TAX, "lump_sum")
TRANSFERS, BALANCED, ZERO = DEFICITS = ("transfers", "balanced_with_us", "zero")
_EPS, _SCALE = 4.0, 0.67
LEAST_RATE = -0.99
"""Least tariff that a law gives, a fraction: one of -100 % has no equilibrium."""


def check(name: str, value: Any, holds: bool, allowed: str) -> None:
    """Refuse a value of a parameter that is not allowed.

    Raises:
        InputError: PARAMETER_INVALID.
    """
    if not holds:
        raise InputError(
            "PARAMETER_INVALID", f"{name} is {value!r}.", field=name, fix=f"Give a value {allowed}."
        )


@dataclass(frozen=True, kw_only=True)
class OneSectorParameters:
    """Parameters of the model of one sector; the defaults are those of the published baseline.

    Attributes:
        elasticity: trade elasticity (eps), > 0.
        labour: elasticity of labour supply to the real wage (kappa), >= 0.
        scale: elasticity of productivity to employment (psi), >= 0; it stays when `elasticity` changes.
        firm_elasticity: elasticity between the goods of firms (theta), > 0; it stays when `elasticity` changes.
        pass_through: pass-through of tariffs to consumers (phi~); 1 is the baseline, 0.25 the published variant.
        destination_share: share of a sale that stays with its destination (nu) everywhere, in [0, 1); None: the two
            values of the table.
        price_elasticity: elasticity of consumer prices to tariffs (phi) everywhere; None: from `pass_through` and nu.
        rebate: `income_tax` lowers the tax on labour by the tariff revenue, `lump_sum` hands it out.
        deficits: `transfers` keeps each deficit a fixed share of world income, `balanced_with_us` takes each country's
            bilateral balance with the home country off it, `zero` begins from a world without deficits.
    """

    elasticity: float = _EPS
    labour: float = 0.5
    scale: float = _SCALE / _EPS
    firm_elasticity: float = _EPS / _SCALE
    pass_through: float = 1.0
    destination_share: float | None = None
    price_elasticity: float | None = None
    rebate: str = INCOME_TAX
    deficits: str = TRANSFERS

    def __post_init__(self) -> None:
        """Check ranges and names.

        Raises:
            InputError: PARAMETER_INVALID.
        """
        check("elasticity", self.elasticity, 0.0 < self.elasticity < np.inf, "above 0")
        check("firm_elasticity", self.firm_elasticity, 0.0 < self.firm_elasticity < np.inf, "above 0")
        for name in ("labour", "scale"):
            check(name, getattr(self, name), 0.0 <= getattr(self, name) < np.inf, "0 or more")
        share = self.destination_share
        check("destination_share", share, share is None or 0.0 <= share < 1.0, "from 0 to below 1")
        check("rebate", self.rebate, self.rebate in REBATES, " or ".join(REBATES))
        check("deficits", self.deficits, self.deficits in DEFICITS, " or ".join(DEFICITS))

    def phi(self, destination_share: F64) -> F64:
        """Compute the elasticity of consumer prices to tariffs by country, from nu."""
        if self.price_elasticity is not None:
            return np.full(len(destination_share), self.price_elasticity)
        theta = self.firm_elasticity
        return self.pass_through + (1.0 + theta) / ((1.0 - destination_share) * theta) - 1.0 / theta - 1.0


EATON_KORTUM_KRUGMAN = OneSectorParameters(destination_share=0.0, price_elasticity=1.0)
"""Published variant without shares of destinations and with full pass-through: nu = 0, phi = 1."""


HOME_SHARE, OTHERS_SHARE = 0.26, 0.12
"""Published means of nu over the sales of producers of the United States, and of all others."""


@dataclass(frozen=True)
class OneSectorTable:
    """Trade of a year in USD, exporter by importer, with home sales on the diagonal.

    Attributes:
        countries: ISO 3166-1 alpha-3 codes.
        home: code of the country whose deficits and retaliation the closures speak of.
        trade: sales of the exporter (row) to the importer (column).
        destination_share: share of a sale that stays with its destination (nu), by country.
        source: what the table was made of, for the provenance.
    """

    countries: tuple[str, ...]
    home: str
    trade: F64
    destination_share: F64
    source: str

    @property
    def home_index(self) -> int:
        """Place of the home country."""
        return self.countries.index(self.home)

    @cached_property
    def spending(self) -> F64:
        """Spending of each country (E)."""
        found: F64 = self.trade.sum(axis=0)
        return found


def make_table(countries: Sequence[str], home: str, flows: F64, gdp: F64, source: str) -> OneSectorTable:
    """Make a table from trade between countries and GDP.

    The two values of nu are those at which producers of the home country and of all others have the published means
    over their own sales. Home sales are what spending leaves over imports, at least 0.

    Args:
        flows: trade between countries in USD, exporter by importer, 0 on the diagonal.
        gdp: GDP by country in USD.
        source: what the data are.
    """
    is_home = np.array([country == home for country in countries])
    of_others, of_home = _shares(_regions(flows, is_home), _by_region(gdp, is_home))
    kept = np.where(is_home, of_home, of_others)
    spending = gdp + _transfers(flows, kept)
    home_sales = np.maximum(spending - flows.sum(axis=0), 0.0)
    return OneSectorTable(tuple(countries), home, flows + np.diag(home_sales), kept, source)


def _transfers(flows: F64, kept: F64) -> F64:
    found: F64 = (1.0 - kept) * (flows.sum(axis=0) - flows @ (1.0 - kept))
    return found


def _by_region(values: F64, is_home: Bools) -> F64:
    return np.array([values[~is_home].sum(), values[is_home].sum()])


def _regions(flows: F64, is_home: Bools) -> F64:
    """Sum trade by region, all others before the home country."""
    groups = np.stack([~is_home, is_home]).astype(np.float64)
    return groups @ flows @ groups.T


def _shares(flows: F64, gdp: F64) -> F64:
    """Solve for nu of all others and of the home country."""
    wanted = np.array([OTHERS_SHARE, HOME_SHARE])

    def gap(kept: F64) -> F64:
        sales = gdp + _transfers(flows, kept) - flows.sum(axis=0) + np.diag(flows)
        exports = np.array([flows[0, 1], flows[1, 0]])
        found: F64 = (kept * sales + kept[::-1] * exports) / (sales + exports) - wanted
        return found

    def slope(kept: F64) -> F64:
        steps = 1e-6 * np.eye(2)
        return np.column_stack([(gap(kept + step) - gap(kept - step)) / 2e-6 for step in steps])

    return solve(System(lambda x: x, gap, slope), wanted).unknowns


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
