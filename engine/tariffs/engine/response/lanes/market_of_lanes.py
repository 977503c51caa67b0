"""Put the market of sectors above products in lanes, between two passes of the lane kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tariffs.engine.base.array_utils import F64
from tariffs.engine.response.elasticities.parameters import ProductParameters
from tariffs.engine.response.sectors.sector_market import DomesticGoods, SectorMarket

if TYPE_CHECKING:
    from tariffs.engine.response.kernels.lanes import LaneNests


@dataclass(frozen=True)
class MarketOfLanes:
    """Market of sectors above the products of lanes; `central` are the parameters of the run without draws."""

    market: SectorMarket
    central: ProductParameters

    def shifts(
        self, imports: F64, landed: F64, prices: F64, columns: Sequence[F64], weights: F64
    ) -> tuple[LaneNests, tuple[DomesticGoods, ...]]:
        """Shift the products, given log prices of their imports (products, lanes), and their domestic goods.

        Args:
            imports, landed: customs value and landed cost of each product at the baseline, USD.
            prices: log price of the imports of each product by itself (products, lanes).
            columns: sigma, eta and inverse supply of each lane by horizon (horizons, 3, products).
            weights: of the horizons (3, horizons).
        """
        from tariffs.engine.response.kernels.lanes import LaneNests

        def at_age(columns: F64) -> F64:
            mixed: F64 = np.einsum("ph,hpk->pk", weights, columns)
            return mixed

        products, lanes = prices.shape
        kappa, central = self.central.kappa, at_age(self.central.columns)[1]
        shifts, gains = np.empty((products, 2, lanes)), np.empty((products, 2, lanes))
        domestic = []
        for lane, each in enumerate(columns):
            _, eta, inverse = at_age(each)
            with np.errstate(divide="ignore"):
                supply = 1.0 / inverse
            above = self.market(imports, landed, np.exp(prices[:, lane]), eta, supply, kappa, central)
            quantity, price = np.log(above.quantity), np.log(above.price)
            shifts[:, 0, lane], shifts[:, 1, lane] = quantity + price, quantity
            gains[:, 0, lane], gains[:, 1, lane] = above.buyer_surplus, above.domestic.surplus
            domestic.append(above.domestic)
        # A product is a nest of its own here: with unequal supply each has factors of its own.
        nest = np.where(self.market.inside, np.arange(products), -1)
        return LaneNests(nest, prices, shifts, gains), tuple(domestic)
