"""Market above products under limits on quantities: how it shifts the demand for them. See docs/models/quotas.md."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools
from tariffs.engine.response.elasticities.adjustment_profile import PathParameters
from tariffs.engine.response.elasticities.parameters import ProductParameters
from tariffs.engine.response.inputs import invalid
from tariffs.engine.response.sectors.market import MarketResponse, market
from tariffs.engine.response.sectors.sector_market import (
    DomesticGoods,
    SectorMarket,
    kappa_of,
    market_elasticities,
)
from tariffs.engine.response.trade.trade_response import ARMINGTON, Response, domestic_shipments
from tariffs.engine.response.trade.varieties import VarietyVolume


@dataclass
class MarketAbove:
    """Market over some products, on trade after duties; a call gives the shift of the demand for each product.

    Attributes:
        products: the products, as numbers of the table.
        inside: marks the products that have a market above them.
        eta: elasticity of demand of each product by itself.
        nest: nest of each product inside, numbered from 0.
        landed, goods: landed imports and domestic goods of each product inside after duties, USD.
        supply: export supply elasticity of each product inside.
        kappa, top: elasticities of each nest.
        supply_domestic: supply elasticity of domestic goods.
        count: number of products of the table.
    """

    products: I64
    inside: Bools
    eta: F64
    nest: I64
    landed: F64
    goods: F64
    supply: F64
    kappa: F64
    top: F64
    supply_domestic: float
    count: int
    _last: MarketResponse | None = field(default=None, init=False)

    @classmethod
    def of(
        cls,
        response: Response,
        products: I64,
        volume: VarietyVolume,
        parameters: ProductParameters,
        central: F64,
        landed: F64,
    ) -> MarketAbove | None:
        """Make the market of a response; None if each product is by itself.

        Args:
            products: the products, whole nests where there are any.
            volume, landed: trade after duties, and landed imports of the products in it, USD.
            parameters, central: elasticities of all products of the table, and their eta in the run without draws.
        """
        if response.market is not None and volume.domestic is not None:
            return cls._sectors(response.market, products, volume.domestic, parameters, central, landed)
        if response.model == ARMINGTON and parameters.domestic_ratio[products].any():
            return cls._own_goods(response, products, volume, parameters, landed)
        return None

    @classmethod
    def _sectors(
        cls,
        sectors: SectorMarket,
        products: I64,
        before: DomesticGoods,
        parameters: ProductParameters,
        central: F64,
        landed: F64,
    ) -> MarketAbove | None:
        of_product = sectors.nest_of_product[products]
        inside = of_product >= 0
        if not inside.any():
            return None
        nests, nest = np.unique(of_product[inside], return_inverse=True)
        eta = parameters.eta[products]
        kappa = kappa_of(parameters.kappa, parameters.eta, central)[sectors.inside][sectors.first][nests]
        within = products[inside]
        goods = before.shipments[within] * before.price_hat[within] * before.quantity_hat[within]
        elasticities = market_elasticities()
        return cls(
            products, inside, eta, nest, landed[inside], goods, parameters.supply[within], kappa,
            np.full(len(nests), elasticities["top"][0]), elasticities["supply_domestic"][0], len(parameters.eta),
        )  # fmt: skip

    @classmethod
    def _own_goods(
        cls,
        response: Response,
        products: I64,
        volume: VarietyVolume,
        parameters: ProductParameters,
        landed: F64,
    ) -> MarketAbove:
        """Make a nest of each product with domestic goods of its own, whose price is constant."""
        if isinstance(response.parameters, PathParameters):
            why = "limits on quantities of products with domestic_ratio are not computed at the horizon path."
            raise invalid("horizon", why, fix="Choose impact, short or long, or --market sector.")
        v, every = response.varieties, response.parameters
        domestic = domestic_shipments(v.product, v.value, response.base_rate, every)[products]
        inside = domestic > 0.0
        kappa, eta = parameters.kappa[products], parameters.eta[products]
        before = domestic * (1.0 + 1.0 / np.where(inside, parameters.domestic_ratio[products], 1.0))
        loss = np.divide(
            -volume.buyer_surplus[products], before, out=np.zeros_like(before), where=before > 0.0
        )
        power = 1.0 - eta
        log = np.where(power == 0.0, loss, np.log1p(power * loss) / np.where(power == 0.0, 1.0, power))
        goods = (domestic * np.exp((kappa - eta) * log))[inside]
        return cls(
            products, inside, np.where(inside, kappa, eta), np.arange(int(inside.sum())), landed[inside], goods,
            parameters.supply[products][inside], kappa[inside], eta[inside], np.inf, len(parameters.eta),
        )  # fmt: skip

    def __call__(self, index: F64) -> F64:
        """Log shift of the demand for each product, given the log price of each by itself."""
        self._last = found = market(
            self.nest,
            self.landed,
            np.exp(index[self.inside]),
            self.eta[self.inside],
            domestic=self.goods,
            kappa=self.kappa,
            top=self.top,
            supply=self.supply,
            supply_domestic=self.supply_domestic,
        )
        shift = np.zeros(len(index))
        shift[self.inside] = np.log(found.quantity_hat)
        return shift

    def surplus(self, index: F64, alone: F64) -> F64:
        """Change of buyers' surplus of each product, given that of products by themselves."""
        self(index)
        assert self._last is not None
        out = alone.copy()
        out[self.inside] = self._last.buyer_surplus
        return out

    def domestic(self, before: DomesticGoods | None) -> tuple[DomesticGoods | None, F64]:
        """Domestic goods after the limits, None if they have no columns, and the gain of producers by product."""
        assert self._last is not None
        gain = np.zeros(len(self.products))
        gain[self.inside] = self._last.domestic_supplier_surplus
        if before is None:
            return None, gain
        within = self.products[self.inside]
        price, quantity = before.price_hat.copy(), before.quantity_hat.copy()
        price[within] *= self._last.domestic_price_hat
        quantity[within] *= self._last.domestic_quantity_hat
        surplus = before.surplus.copy()
        surplus[within] += self._last.domestic_supplier_surplus
        return DomesticGoods(before.shipments, price, quantity, surplus), gain
