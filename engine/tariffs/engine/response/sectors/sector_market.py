"""Put the market of sectors above the Armington response of a table. See docs/models/market.md.

Products of an industry with equal elasticities form a nest. Products without domestic goods are in none: their demand
is that of the product by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools, ratio
from tariffs.engine.base.bounded_cache import KeptWith
from tariffs.engine.response.constants import table
from tariffs.engine.response.elasticities.parameters import ProductParameters
from tariffs.engine.response.industries import with_domestic_ratio
from tariffs.engine.response.inputs import Groups, frozen, group_lines
from tariffs.engine.response.sectors.market import NestElasticities, solve_market
from tariffs.engine.tables.prepare import PreparedTable

PRODUCT, SECTOR = "product", "sector"
MARKETS = (PRODUCT, SECTOR)
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


@dataclass(frozen=True, slots=True)
class SectorResponse:
    """Factors and surplus that the market adds to the response of each product.

    Attributes:
        quantity, price: factors on the quantity and on the exporter's price of every variety.
        buyer_surplus: change of buyers' surplus, USD; NaN for products in no nest, which keep their own.
        domestic: domestic goods.
    """

    quantity: F64
    price: F64
    buyer_surplus: F64
    domestic: DomesticGoods


@cache
def market_elasticities() -> Mapping[str, tuple[float, str]]:
    """Read the elasticities of the market with their sources: kappa, top, supply_domestic."""
    return {row["name"]: (float(row["value"]), row["source"]) for row in table("market_elasticities.csv")}


def kappa_of(given: F64, eta: F64, central: F64) -> F64:
    """Take the kappa given for each product, else the default.

    Products are closer to each other than to domestic goods, so the default is at most the central eta. It is never
    below the elasticity of demand for both together: imports and domestic goods would be complements, and a duty would
    lower domestic prices. A draw of eta moves its excess over that elasticity in proportion.

    Args:
        given: the kappa given for each product, else NaN.
        eta: the eta of each product.
        central: its eta in the run without draws.
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
    """

    ratio: F64
    nest: I64
    first: I64

    @classmethod
    def of(cls, codes: Sequence[str], parameters: ProductParameters) -> SectorMarket:
        """Look up industries and domestic goods; a ratio of the parameters comes before that of the industry."""
        industry, ratio = with_domestic_ratio(codes, parameters.domestic_ratio)
        inside = ratio > 0.0
        eta = parameters.eta
        keys = np.column_stack([industry, eta, kappa_of(parameters.kappa, eta, eta)])[inside]
        _, first, nest = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        return cls(ratio, nest.astype(np.int64), first.astype(np.int64))

    @cached_property
    def groups(self) -> Groups:
        """Products inside by nest, in their order."""
        return group_lines(self.nest, len(self.nest))

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

    def __call__(
        self, imports: F64, landed: F64, price: F64, eta: F64, supply: F64, kappa: F64, central: F64
    ) -> SectorResponse:
        """Compute what the market adds.

        Args:
            imports, landed: value and landed cost of the imports of each product at the baseline, USD.
            price: import price hat of each product by itself.
            eta, supply, kappa: elasticities of each product; a kappa of NaN is the default.
            central: eta of each product in the run without draws.
        """
        inside, ones = self.inside, np.ones(len(self.ratio))
        shipments, nests = self.ratio * imports, len(self.first)
        elasticities = NestElasticities(
            eta[inside][self.first],
            kappa_of(kappa, eta, central)[inside][self.first],
            np.full(nests, market_elasticities()["top"][0]),
            np.full(nests, 1.0 / market_elasticities()["supply_domestic"][0]),
        )
        spent, price, w = landed[inside], np.log(price[inside]), 1.0 / supply[inside]
        above = solve_market(
            self.groups, frozen(spent), frozen(price), frozen(w), frozen(shipments[inside]), elasticities, 1
        )
        return SectorResponse(
            _spread(above.quantity_hat, inside, ones),
            _spread(above.exporter_price_hat, inside, ones),
            _spread(above.buyer_surplus, inside, np.full(len(ones), np.nan)),
            DomesticGoods(
                shipments,
                _spread(above.domestic_price_hat, inside, ones),
                _spread(above.domestic_quantity_hat, inside, ones),
                _spread(above.domestic_supplier_surplus, inside, np.zeros(len(ones))),
            ),
        )


def _spread(values: F64, inside: Bools, elsewhere: F64) -> F64:
    """Put values of the products in nests beside those of the others."""
    out = elsewhere.copy()
    out[inside] = values
    return out


def kept_market(table: PreparedTable, parameters: ProductParameters) -> SectorMarket:
    """Give the market of sectors of a table, one for all runs with the same parameters: sweeps are kept by it."""
    return _MARKETS.get(
        table.lines.cache, (parameters,), None, lambda: SectorMarket.of(table.products, parameters)
    )


_MARKETS: KeptWith[SectorMarket] = KeptWith(4)
