"""Armington response under a market of sectors for many elasticities, several draws at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, sums_of
from tariffs.engine.base.workspace import Room, new_room
from tariffs.engine.response.armington_draws import ArmingtonDraws, DrawElasticities, DrawnVolume
from tariffs.engine.response.sector_market import SectorMarket


class SectorDraws:
    """Solver of one change of duty under a market of sectors; a call is that of `ArmingtonDraws`.

    The market moves all varieties of a product by one factor, which is put on the draws of products by themselves.

    Args:
        alone: solver of products by themselves, whose products are 0, 1, ...
        market: the market of these products.
        kappa: kappa given for each product, else NaN.
        central: eta of each product in the run without draws.
        product: product of each variety, in the order of the solver.
        v0: its customs value at the baseline, USD.
        t0: its rate at the baseline.

    Attributes:
        cell_of: the cell of each variety.
    """

    def __init__(
        self,
        alone: ArmingtonDraws,
        market: SectorMarket,
        kappa: F64,
        central: F64,
        product: I64,
        v0: F64,
        t0: F64,
    ) -> None:
        self._alone, self._market, self._kappa, self._central = alone, market, kappa, central
        self.cell_of = alone.cell_of
        self._product = np.zeros(int(self.cell_of.max(initial=-1)) + 1, dtype=np.int64)
        self._product[self.cell_of] = product
        self._imports = sums_of(product, v0, len(kappa))
        self._revenue = sums_of(product, v0 * t0, len(kappa))

    def __call__(self, draws: Sequence[DrawElasticities], room: Room = new_room) -> DrawnVolume:
        """Solve each of the draws in a room; domestic goods are those of the last one.

        Raises:
            InputError: PARAMETER_INVALID with the variety or product at fault.
        """
        volume = self._alone(draws, room)
        landed, count = self._imports + self._revenue, len(self._kappa)
        factors = np.empty((2, count, len(draws)))
        for place, (_, eta, supply) in enumerate(draws):
            etas, supplies = (np.broadcast_to(np.asarray(each, float), count) for each in (eta, supply))
            own = volume.owned[0, :, place]
            given = etas, supplies, self._kappa, self._central
            above = self._market(self._imports, landed, _prices(own, landed, etas), *given)
            factors[:, :, place] = above.quantity, above.price
            duty = volume.owned[1, :, place] - own + self._revenue
            loss = np.where(np.isnan(above.buyer_surplus), own, above.buyer_surplus)
            change = duty * above.quantity * above.price - self._revenue
            volume.owned[0, :, place] = loss
            volume.owned[1, :, place] = loss + above.domestic.surplus + change
            volume = replace(volume, domestic=above.domestic)
        # The draws of a product lie side by side.
        volume.growths[:] *= factors[0]
        for row, factor in enumerate(factors):
            volume.hats[:, row] *= factor[self._product]
        return volume


def _prices(surplus: F64, landed: F64, eta: F64) -> F64:
    """Compute the import price hat of each product from the surplus that CES demand loses at it."""
    growth = np.divide(-surplus, landed, out=np.zeros_like(landed), where=landed > 0.0)
    power = 1.0 - eta
    log = np.divide(np.log1p(power * growth), power, out=growth.copy(), where=power != 0.0)
    prices: F64 = np.exp(log)
    return prices
