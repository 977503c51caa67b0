"""Make the table of a world of one sector from trade between countries and their GDP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tariffs.engine.base.array_utils import F64, Bools
from tariffs.engine.response.world.newton import System, solve

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
        countries: codes.
        home: code of the home country.
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
