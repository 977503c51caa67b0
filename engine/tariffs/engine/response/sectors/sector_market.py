"""Put the market of sectors above the Armington response of a table. See docs/models/market.md.

Products of an industry with equal elasticities form a nest. Products without domestic goods are in none: their demand
is that of the product by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools, ratio, sum_of, sums_of
from tariffs.engine.base.bounded_cache import KeptWith
from tariffs.engine.base.workspace import Room, new_room
from tariffs.engine.response.constants import table
from tariffs.engine.response.elasticities.parameters import ProductParameters
from tariffs.engine.response.industries import with_domestic_ratio
from tariffs.engine.response.sectors.lane_market import LaneMarket, Nests
from tariffs.engine.tables.prepare import PreparedTable

if TYPE_CHECKING:
    from tariffs.engine.response.kernels.lanes import LaneNests

PRODUCT, SECTOR = "product", "sector"
"""Markets by name: each product by itself, or sectors over products and domestic goods."""


@dataclass(frozen=True, slots=True)
class DomesticGoods:
    """Domestic goods after the response, per product: those of its industry, of which it has a part.

    Attributes:
        shipments: allocated shipments at the baseline, USD; 0 for products in no nest.
        price_hat, quantity_hat: price and output of the nest.
        surplus: change of producers' surplus, USD.
    """

    shipments: F64
    price_hat: F64
    quantity_hat: F64
    surplus: F64

    @property
    def amounts(self) -> F64:
        """Shipments, these times price and times quantity hats, and surplus: (4, products) in USD."""
        shipments = self.shipments
        return np.stack([shipments, shipments * self.price_hat, shipments * self.quantity_hat, self.surplus])


@cache
def market_elasticities() -> Mapping[str, tuple[float, str]]:
    """Read the elasticities of the market with their sources: kappa, top, supply_domestic."""
    return {row["name"]: (float(row["value"]), row["source"]) for row in table("market_elasticities.csv")}


def kappa_of(given: F64, eta: F64, central: F64) -> F64:
    """Take the kappa given for each product, else the default.

    Products are closer to each other than to domestic goods, so the default is at most the central eta. It is never
    below the elasticity of demand for both together: imports and domestic goods would be complements, and a duty would
    lower domestic prices. A draw of eta moves its excess over that elasticity in proportion.

    `given` is NaN for products without one; `central` is eta in the run without draws.
    """
    usual, least = (market_elasticities()[name][0] for name in ("kappa", "top"))
    excess = np.maximum(np.minimum(usual, central) - least, 0.0)
    default = least + excess * ratio(eta, central, 1.0)
    return np.where(np.isnan(given), default, given)


@dataclass(frozen=True)
class SectorMarket:
    """Market of the products of a table.

    A nest is the products of an industry with one eta and one kappa; draws move all etas in proportion.

    Attributes:
        ratio: domestic shipments per dollar of imports of each product; 0 for products in no nest.
        nest: nest of each product with domestic goods, in order.
        first: place of the first product of each nest among those.
        central: parameters of the run without draws.
    """

    ratio: F64
    nest: I64
    first: I64
    central: ProductParameters

    @classmethod
    def of(cls, codes: Sequence[str], parameters: ProductParameters) -> SectorMarket:
        """Look up industries and domestic goods; a ratio of the parameters comes before that of the industry."""
        industry, ratio = with_domestic_ratio(codes, parameters.domestic_ratio)
        inside = ratio > 0.0
        eta = parameters.eta
        keys = np.column_stack([industry, eta, kappa_of(parameters.kappa, eta, eta)])[inside]
        _, first, nest = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        return cls(ratio, nest.astype(np.int64), first.astype(np.int64), parameters)

    @property
    def inside(self) -> Bools:
        """Mark the products with domestic goods."""
        return self.ratio > 0.0

    @property
    def nest_of_product(self) -> I64:
        """Nest of each product, -1 for products in none."""
        found = np.full(len(self.ratio), -1, dtype=np.int64)
        found[self.inside] = self.nest
        return found

    def above(self, imports: F64) -> Nests:
        """Arrange nests above products, given customs value of each at the baseline, USD."""
        elasticities, count = market_elasticities(), len(self.first)
        top, supply = (np.full(count, elasticities[name][0]) for name in ("top", "supply_domestic"))
        return Nests(self.nest_of_product, self.ratio * imports, top, supply)

    def __call__(
        self,
        imports: F64,
        landed: F64,
        stages: F64,
        weights: F64,
        prices: F64,
        room: Room = new_room,
        threads: int = 1,
    ) -> tuple[LaneNests, F64]:
        """Solve the nests in lanes, as `LaneMarket` does.

        Args:
            imports, landed: customs value and landed cost of each product at the baseline, USD.
            stages: sigma, eta and inverse supply by horizon (products, horizons, 3, lanes).
            weights: of the horizons (3, horizons).
            prices: log price of the imports of each product by itself (products, lanes).
            room, threads: of the call.
        """
        every, horizons = np.arange(len(self.ratio)), range(weights.shape[1])
        eta, w = (sum_of([(weights[row, h], stages[:, h, row]) for h in horizons]) for row in (1, 2))
        central = sum_of([(weights[1, h], self.central.columns[h, 1]) for h in horizons])
        kappa = kappa_of(self.central.kappa[:, None], eta, central[:, None])
        market = LaneMarket.of(self.above(imports), landed, every, every, every)
        return market(prices, np.stack([eta, kappa, w]), room, threads)

    def domestic(self, imports: F64, nests: F64) -> list[DomesticGoods]:
        """Divide domestic goods of nests (nests, NEST_ROWS, lanes) over their products, in each lane."""
        goods, nest = self.ratio * imports, self.nest_of_product
        inside = nest >= 0
        part = ratio(goods[inside], sums_of(self.nest, goods[inside], len(self.first))[self.nest], 0.0)
        price, quantity, gain = np.ones((3, len(goods), nests.shape[2]))
        price[inside], quantity[inside], gain[:] = nests[self.nest, 0], nests[self.nest, 1], 0.0
        gain[inside] = part[:, None] * nests[self.nest, 2]
        return [DomesticGoods(goods, *lane) for lane in zip(price.T, quantity.T, gain.T, strict=True)]


def kept_market(table: PreparedTable, parameters: ProductParameters) -> SectorMarket:
    """Give the market of sectors of a table, one for all runs with the same parameters: sweeps are kept by it."""
    return _MARKETS.get(
        table.lines.cache, (parameters,), None, lambda: SectorMarket.of(table.products, parameters)
    )


_MARKETS: KeptWith[SectorMarket] = KeptWith(4)
