"""Put the market of sectors above the Armington response of a table. See docs/models/market.md.

Products of an industry with equal elasticities form a nest. Products without domestic goods are in none: their demand
is that of the product by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools, sums_of
from tariffs.engine.response.armington import ArmingtonResponse, ArmingtonVolume
from tariffs.engine.response.industries import domestic_ratio, industry_of, table
from tariffs.engine.response.market import market
from tariffs.engine.response.parameters import ProductParameters

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


@dataclass(frozen=True, slots=True)
class MarketVolume:
    """Trade by variety after the market, as in `ArmingtonResponse`, and domestic goods."""

    value: F64
    quantity_hat: F64
    creation: F64
    diversion: F64
    buyer_surplus: F64
    welfare: F64
    domestic: DomesticGoods


@cache
def market_elasticities() -> Mapping[str, tuple[float, str]]:
    """Read the elasticities of the market with their sources: kappa, top, supply_domestic."""
    return {row["name"]: (float(row["value"]), row["source"]) for row in table("market_elasticities.csv")}


def kappa_of(parameters: ProductParameters) -> F64:
    """Take the kappa given for each product, else the default.

    Products are closer to each other than to domestic goods, so the default is at most eta.
    """
    default = np.minimum(market_elasticities()["kappa"][0], parameters.eta)
    return np.where(np.isnan(parameters.kappa), default, parameters.kappa)


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
        industry = industry_of(codes)
        given = parameters.domestic_ratio
        ratio = np.where(given > 0.0, given, domestic_ratio(industry))
        outside = tuple(row["hts"] for row in table("not_produced.csv"))
        ratio[[code.startswith(outside) for code in codes]] = 0.0
        inside = ratio > 0.0
        keys = np.column_stack([industry, parameters.eta, kappa_of(parameters)])[inside]
        _, first, nest = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        return cls(ratio, nest.astype(np.int64), first.astype(np.int64))

    @property
    def inside(self) -> Bools:
        """Mark the products with domestic goods."""
        return self.ratio > 0.0

    def __call__(
        self,
        product: I64,
        v0: F64,
        t0: F64,
        t1: F64,
        own: ArmingtonResponse | ArmingtonVolume,
        parameters: ProductParameters,
    ) -> MarketVolume:
        """Compute trade after the market from the response of each product by itself.

        Args:
            product, v0, t0, t1: product, value and duty rates of the varieties.
            own: response without domestic goods or freight; its products are 0, 1, ...
            parameters: elasticities per product.
        """
        count, inside = len(self.ratio), self.inside
        shipments = self.ratio * sums_of(product, v0, count)
        above = market(
            self.nest,
            sums_of(product, v0 * (1.0 + t0), count)[inside],
            own.import_price_hat[inside],
            parameters.eta[inside],
            domestic=shipments[inside],
            kappa=kappa_of(parameters)[inside][self.first],
            top=market_elasticities()["top"][0],
            supply=parameters.supply[inside],
            supply_domestic=market_elasticities()["supply_domestic"][0],
        )
        quantity = _spread(above.quantity_hat, inside, np.ones(count))[product]
        price = _spread(above.exporter_price_hat, inside, np.ones(count))[product]
        value = own.value * quantity * price
        loss = _spread(above.buyer_surplus, inside, own.buyer_surplus)
        surplus = _spread(above.domestic_supplier_surplus, inside, np.zeros(count))
        revenue = sums_of(product, t1 * value - t0 * v0, count)
        return MarketVolume(
            value=value,
            quantity_hat=own.quantity_hat * quantity,
            creation=(v0 + own.creation) * quantity - v0,
            diversion=own.diversion * quantity,
            buyer_surplus=loss,
            welfare=loss + surplus + revenue,
            domestic=DomesticGoods(
                shipments,
                _spread(above.domestic_price_hat, inside, np.ones(count)),
                _spread(above.domestic_quantity_hat, inside, np.ones(count)),
                surplus,
            ),
        )


def _spread(values: F64, inside: Bools, elsewhere: F64) -> F64:
    """Put values of the products in nests beside those of the others."""
    out = elsewhere.copy()
    out[inside] = values
    return out
