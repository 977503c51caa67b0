"""Respond to the duties on a table by exact hat algebra of sectors. See docs/models/exact_hat.md.

A sector is the products of a BEA industry with one theta, with its domestic goods. Products without domestic goods are
sectors by themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools, ratio, sums_of
from tariffs.engine.response.elasticities.parameters import ProductParameters
from tariffs.engine.response.elasticities.thetas import ThetaParameters
from tariffs.engine.response.industries import with_domestic_ratio
from tariffs.engine.response.models.exact_hat import OriginParts, shift_spending
from tariffs.engine.response.sectors.sector_market import DomesticGoods
from tariffs.engine.response.trade.trade_response import Response, VolumeSolver
from tariffs.engine.response.trade.variety_rates import VarietyRates
from tariffs.engine.response.trade.volumes import VarietyVolume

EXACT_HAT = "exact_hat"


@dataclass(frozen=True)
class HatSectors:
    """Sectors of the products of a table.

    Attributes:
        of_product: sector of each product.
        first: a product of each sector.
        ratio: domestic shipments per dollar of imports of each product; 0 for a product that is a sector by itself.
    """

    of_product: I64
    first: I64
    ratio: F64

    @classmethod
    def of(cls, codes: Sequence[str], parameters: ThetaParameters) -> HatSectors:
        """Look up industries and domestic goods; a ratio of the parameters comes before that of the industry."""
        industry, ratio = with_domestic_ratio(codes, parameters.domestic_ratio)
        inside = ratio > 0.0
        alone = -2 - np.arange(len(codes))
        keys = np.column_stack([np.where(inside, industry, alone), np.where(inside, parameters.theta, 0.0)])
        _, first, sector = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        return cls(sector.reshape(-1).astype(np.int64), first.astype(np.int64), ratio)

    def sums(self, amounts: F64) -> F64:
        """Sum amounts of products by sector."""
        return sums_of(self.of_product, amounts, len(self.first))


@dataclass(frozen=True)
class HatResponse(Response):
    """Response of sectors by origin; its parameters are thetas."""

    parameters: ThetaParameters

    @cached_property
    def sectors(self) -> HatSectors:
        """Sectors of the products of the table."""
        return HatSectors.of(self.table.products, self.parameters)

    @cached_property
    def _parts(self) -> OriginParts:
        """Varieties by sector and origin."""
        v, sectors = self.varieties, self.sectors
        origin = self.table.lines.origin[v.line].astype(np.int64)
        return OriginParts.of(sectors.of_product[v.product], origin, len(sectors.first))

    @cached_property
    def _shipments(self) -> F64:
        """Domestic shipments that compete with each product, USD: an allocation by imports."""
        v, ratio_of = self.varieties, self.sectors.ratio
        return ratio_of * sums_of(v.product, v.value, len(ratio_of))

    @property
    def answers_prohibited(self) -> bool:
        """True: spending on what may not be imported goes to the rest of its sector."""
        return True

    def responding_rate(self, rates: VarietyRates) -> F64:
        """Rate that each variety responds to; a variety that is prohibited as a whole keeps its baseline rate."""
        return np.where(rates.prohibited, self.base_rate, rates.rate)

    def unbounded_loss(self, rates: VarietyRates) -> Bools:
        """Mark the products of sectors of which nothing may be imported and nothing is made at home."""
        v, sectors = self.varieties, self.sectors
        sector = sectors.of_product[v.product]
        left = sums_of(sector, np.where(rates.prohibited, 0.0, v.value), len(sectors.first))
        lost = sums_of(sector, np.where(rates.prohibited, v.value, 0.0), len(sectors.first))
        emptied = (left == 0.0) & (sectors.sums(self._shipments) == 0.0) & (lost > 0.0)
        unbounded: Bools = emptied[sectors.of_product]
        return unbounded

    def duty_solver(self, rate: F64, rates: VarietyRates) -> VolumeSolver:
        """Make the solver of the sectors for the rate that varieties respond to."""
        v, base, parts, sectors = self.varieties, self.base_rate, self._parts, self.sectors
        shipments, products, prohibited = self._shipments, len(sectors.ratio), rates.prohibited
        goods, before = sectors.sums(shipments), sums_of(v.product, v.value, len(sectors.ratio))

        def run(p: ProductParameters) -> VarietyVolume:
            assert isinstance(p, ThetaParameters)
            found = shift_spending(parts, v.value, base, rate, p.theta[sectors.first], goods, prohibited)
            value = found.value
            growth = ratio(sums_of(v.product, value, products), before, 1.0)[v.product]
            surplus = sums_of(v.product, found.buyer_surplus, products)
            revenue = sums_of(v.product, value * rate - v.value * base, products)
            nothing, ones = np.zeros(products), np.ones(products)
            at_home = np.where(shipments > 0.0, found.domestic_hat[sectors.of_product], 1.0)
            return VarietyVolume(
                value,
                found.quantity_hat,
                v.value * (growth - 1.0),
                value - v.value * growth,
                surplus,
                surplus + revenue,
                DomesticGoods(shipments, ones, at_home, nothing),
            )

        return run
