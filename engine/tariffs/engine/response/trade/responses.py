"""Respond by exact hat algebra of sectors, or along the path of duties; choose the response of a run.

See docs/models/exact_hat.md and docs/models/adjustment.md. A sector of exact hat algebra is the products of a BEA
industry with one theta, with its domestic goods. Products without domestic goods are sectors by themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, cast

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools, ratio, sums_of
from tariffs.engine.law.law import Law
from tariffs.engine.response.elasticities.adjustment_profile import PathParameters
from tariffs.engine.response.elasticities.parameters import ProductParameters
from tariffs.engine.response.elasticities.thetas import ThetaParameters
from tariffs.engine.response.exchange_rate import NO_OFFSET
from tariffs.engine.response.industries import with_domestic_ratio
from tariffs.engine.response.lanes.adjustment import (
    DutyPath,
    DutyStep,
    RateMoves,
    mean_age,
    mean_weights,
    passthrough_steps,
)
from tariffs.engine.response.models.exact_hat import OriginParts, shift_spending
from tariffs.engine.response.sectors.sector_market import SECTOR, DomesticGoods, kept_market
from tariffs.engine.response.trade.trade_response import ARMINGTON, WORLD, Response, VolumeSolver
from tariffs.engine.response.trade.varieties import Varieties, VarietyRates, VarietyVolume
from tariffs.engine.response.trade.world_response import WorldResponse
from tariffs.engine.table_duty.baseline_values import kept_at_baseline
from tariffs.engine.table_duty.duties import Duties
from tariffs.engine.tables.atoms import atoms_of
from tariffs.engine.tables.prepare import PreparedTable


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

    def unbounded_loss(self, rates: VarietyRates) -> Bools:
        """Mark no product: `shift_spending` gives no number for the loss of a sector of which nothing is left."""
        return np.zeros(len(self.sectors.of_product), dtype=bool)

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
            at_home = np.where(shipments > 0.0, found.domestic_hat[sectors.of_product], 1.0)
            domestic = DomesticGoods(shipments, np.ones(products), at_home, np.zeros(products))
            parts_of_change = v.value * (growth - 1.0), value - v.value * growth
            owned = surplus, surplus + revenue
            return VarietyVolume(value, found.quantity_hat, *parts_of_change, *owned, domestic)

        return run


@dataclass(frozen=True)
class PathResponse(Response):
    """Response to steps of duty; its parameters are those of every age.

    Armington and passthrough compose the steps. SMART and GSIM are linear and take the whole change of duty at once, at
    the mean age of the changes of each product. So does a market of sectors, at the mean age of all changes: it links
    products, so that steps of single products cannot be composed.
    """

    parameters: PathParameters
    steps: tuple[DutyStep, ...] = ()

    @classmethod
    def of(cls, response: Response, steps: Sequence[DutyStep]) -> PathResponse:
        """Put steps under a response whose parameters are those of every age."""
        own = {field.name: getattr(response, field.name) for field in fields(Response)}
        return cls(**own, steps=tuple(steps))

    def path_to(self, rate: F64) -> DutyPath:
        """Steps of duty, or under a market of sectors the whole change of duty, and their elasticities."""
        if self.market is None:
            return DutyPath.aged(self.steps, self.parameters.profile)
        whole = np.zeros(self.varieties.count, dtype=np.int64)
        weights = self._mean_weights(whole, 1)[None, :, :, 0]
        return replace(DutyPath.at_once(self.base_rate, rate), weights=weights)

    def with_last_step(self, before: F64, after: F64) -> PathResponse:
        """Add a change of all rates as one step, at the mean age of the changes of duty."""
        step = DutyStep(mean_age(self.trade, self.steps), RateMoves.between(before, after))
        return replace(self, steps=(*self.steps, step))

    def duty_solver(self, rate: F64, rates: VarietyRates) -> VolumeSolver:
        """Make the solver of the model for the rate that varieties respond to."""
        if self.model == "passthrough":
            return self._passthrough
        solve = super().duty_solver(rate, rates)
        if self.model == ARMINGTON:
            return solve
        weights = self._mean_weights(self.varieties.product, len(self.parameters.sigma))
        return lambda p: solve(cast(PathParameters, p).with_weights(weights))

    def _mean_weights(self, group: I64, groups: int) -> F64:
        """Compute the weights of groups of varieties at their mean age; draws have the profile of the response."""
        return mean_weights(self.trade, self.steps, self.parameters.profile, group, groups)

    def _passthrough(self, parameters: Any) -> VarietyVolume:
        value, hat, surplus, welfare = passthrough_steps(self.trade, self.steps, parameters)
        change = self.varieties.value * (hat - 1.0)
        return VarietyVolume(value, hat, change, np.zeros(len(hat)), surplus, welfare)


def respond(
    table: PreparedTable,
    law: Law,
    base: Duties,
    response: str,
    parameters: ProductParameters,
    market: str,
    fx_offset: float = NO_OFFSET,
    prohibition: ProductParameters | None = None,
    retaliation: str = "",
) -> Response:
    """Prepare the response of a table from the law and duties of its baseline.

    Args:
        response: armington, passthrough, smart, gsim, exact_hat or world.
        parameters: elasticities per product code of the table; thetas of exact_hat and world.
        market: product or sector; sectors need armington.
        fx_offset, prohibition: as in `Response`.
        retaliation: what partners charge on goods of the home country, of the world.
    """
    sectors = kept_market(table, parameters) if market == SECTOR else None
    varieties = Varieties.of(table, atoms_of(law.claims, table.lines))
    base_rate = kept_at_baseline("rates", table.lines, base, lambda: VarietyRates(base, varieties).rate)
    if response == WORLD:
        return WorldResponse(table, varieties, base_rate, response, parameters, retaliation=retaliation)
    if isinstance(parameters, ThetaParameters):
        return HatResponse(table, varieties, base_rate, response, parameters, sectors, fx_offset)
    return Response(table, varieties, base_rate, response, parameters, sectors, fx_offset, prohibition)
