"""Make the table of a world of many sectors from trade, output and inputs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tariffs.engine.base.array_utils import F64


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
