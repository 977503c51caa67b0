"""Armington response under a market of sectors for many elasticities, several draws at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools, sums_of
from tariffs.engine.base.workspace import Room, new_room
from tariffs.engine.response.armington_draws import ArmingtonDraws, DrawElasticities, DrawnVolume
from tariffs.engine.response.sector_market import DomesticGoods, SectorMarket

LEAST_LEFT = 1e-8
"""Least part of spending on a product, after over before, from which its price is found: below it digits are lost."""


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
        """Solve each of the draws in a room.

        Raises:
            InputError: PARAMETER_INVALID with the variety or product at fault.
        """
        volume = self._alone(draws, room)
        landed, count = self._imports + self._revenue, len(self._kappa)
        factors, domestic = room("factors", (2, count, len(draws))), list[DomesticGoods]()
        for place, draw in enumerate(draws):
            sigmas, etas, supplies = (np.broadcast_to(np.asarray(each, float), count) for each in draw)
            own = volume.owned[0, :, place]
            prices = _prices(own, landed, etas)
            duty = volume.owned[1, :, place] - own + self._revenue
            for product in np.flatnonzero(_lost(own, landed, etas) & self._market.inside):
                imports = self._alone.imports_of(
                    int(product), volume.hats[:, :, place], float(sigmas[product])
                )
                prices[product], duty[product] = imports
            above = self._market(self._imports, landed, prices, etas, supplies, self._kappa, self._central)
            factors[:, :, place] = above.quantity, above.price
            loss = np.where(np.isnan(above.buyer_surplus), own, above.buyer_surplus)
            change = duty * above.quantity * above.price - self._revenue
            volume.owned[0, :, place] = loss
            volume.owned[1, :, place] = loss + above.domestic.surplus + change
            domestic.append(above.domestic)
        # The draws of a product lie side by side.
        volume.growths[:] *= factors[0]
        of_cells = room("factors of cells", (len(self._product), len(draws)))
        for row, factor in enumerate(factors):
            # Places are known to be there; with a check numpy would copy them.
            np.take(factor, self._product, axis=0, out=of_cells, mode="clip")
            volume.hats[:, row] *= of_cells
        return replace(volume, domestic=tuple(domestic))


def _prices(surplus: F64, landed: F64, eta: F64) -> F64:
    """Compute the import price hat of each product from the surplus that CES demand loses; NaN where that is lost."""
    growth, power = _growth(surplus, landed), 1.0 - eta
    kept = (power != 0.0) & ~_lost(surplus, landed, eta)
    whole = np.where(kept, power * growth, 0.0)
    log = np.where(power == 0.0, growth, np.nan)
    prices: F64 = np.exp(np.divide(np.log1p(whole), power, out=log, where=kept))
    return prices


def _lost(surplus: F64, landed: F64, eta: F64) -> Bools:
    """Mark products whose price and duty are lost in the surplus, since next to nothing of them is left."""
    lost: Bools = 1.0 + (1.0 - eta) * _growth(surplus, landed) < LEAST_LEFT
    return lost


def _growth(surplus: F64, landed: F64) -> F64:
    growth: F64 = np.divide(-surplus, landed, out=np.zeros_like(landed), where=landed > 0.0)
    return growth
