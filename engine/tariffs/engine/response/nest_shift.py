"""Market of sectors above the products of a sweep, for many scenarios at once. See docs/models/market.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tariffs.engine.base.workspace import Room
from tariffs.engine.response.inputs import Floats, Ints
from tariffs.engine.response.still_products import NestMembers
from tariffs.engine.response.sweep_inputs import SweepMarket
from tariffs.engine.response.sweep_pack import Section

if TYPE_CHECKING:
    from tariffs.engine.response.kernels.sector_sweep import NestPack
    from tariffs.engine.response.kernels.sweep_products import SweepPack

_PART_NESTS = 16


@dataclass(frozen=True)
class NestShift:
    """Factors and surplus that the market gives the products of a part of a sweep.

    Attributes:
        nest: nest of each product among those of the part, -1 for products by themselves.
        prices: (products, lanes) log import price of products by themselves.
        factors: (nests of the part, 2, lanes) on value and quantity.
        surplus: (products, 2, lanes) of buyers and domestic producers.
        domestic: (all nests, 3, lanes) price and quantity hats of domestic goods and gain of producers; 0 for nests
            that are not of the part.
    """

    nest: Ints
    prices: Floats
    factors: Floats
    surplus: Floats
    domestic: Floats


@dataclass(frozen=True)
class PartNests:
    """Nests of some products of a sweep, all of whose products are among them or stood for.

    Attributes:
        nest: place of the nest of each product among `ids`, -1 for products by themselves.
        ids: the nests, as numbers of the market.
        kind: kind of a product of each nest.
        market: the market.
        pack: the nests for the kernels.
    """

    nest: Ints
    ids: Ints
    kind: Ints
    market: SweepMarket
    pack: NestPack

    @classmethod
    def of(cls, market: SweepMarket, members: NestMembers, products: int, elasticities: Floats) -> PartNests:
        """Arrange the nests of the members, with the number of products of the part.

        `elasticities` are those of the kinds, (4, kinds, 1); only members whose price no scenario moves need them.
        """
        from tariffs.engine.response.kernels.sector_sweep import NestPack

        is_still = ~np.isnan(members.price)
        order = np.lexsort([is_still, members.nest])
        ids, first = np.unique(members.nest[order], return_index=True)
        nest = np.full(products, -1)
        nest[members.product] = np.searchsorted(ids, members.nest)
        price = np.where(is_still, members.price, 0.0)[order]
        kind = members.kind[order]
        pack = NestPack(
            np.append(first, order.size).astype(np.int64),
            first + np.bincount(nest[members.product[~is_still]], minlength=ids.size),
            members.product[order].astype(np.int64),
            members.landed[order],
            members.goods[order],
            price,
            np.expm1((1.0 - elasticities[1, kind, 0]) * price),
        )
        return cls(nest.astype(np.int64), ids, kind[first], market, pack)

    def _parameters(self, elasticities: Floats) -> Floats:
        """Parameters of the nests in every lane, given the elasticities of the kinds, (4, kinds, lanes)."""
        _, eta, kappa, w = elasticities[:, self.kind]
        of_nest = np.stack([self.market.top, 1.0 / self.market.supply_domestic])[:, self.ids, None]
        top, domestic_w = np.broadcast_to(of_nest, (2, *eta.shape))
        return np.ascontiguousarray(np.stack([eta, kappa, top, domestic_w, w], axis=1))

    def __call__(
        self,
        pack: SweepPack,
        sections: Sequence[Section],
        rates: Floats,
        elasticities: Floats,
        terms: Floats,
        over: Callable[..., object],
        room: Room,
    ) -> NestShift:
        """Solve the nests of a part in a room; `over` is `map`, or that of a pool of threads."""
        from tariffs.engine.response.kernels.exp_log import LANES
        from tariffs.engine.response.kernels.sector_sweep import nest_rows

        products, count = self.nest.size, self.ids.size
        prices = import_prices(pack, sections, rates, terms, over, room)
        parameters = self._parameters(elasticities)
        factors, surplus = np.empty((count, 2, LANES)), room("surplus", (products, 2, LANES))
        domestic = np.empty((count, 3, LANES))

        def solve(first: int) -> None:
            last = min(first + _PART_NESTS, count)
            nest_rows(first, last, self.pack, parameters, prices, factors, domestic, surplus)

        list(over(solve, range(0, count, _PART_NESTS)))  # type: ignore[call-overload]
        whole = np.zeros((self.market.top.size, 3, LANES))
        whole[self.ids] = domestic
        return NestShift(self.nest, prices, factors, surplus, whole)


def import_prices(
    pack: SweepPack,
    sections: Sequence[Section],
    rates: Floats,
    terms: Floats,
    over: Callable[..., object],
    room: Room,
) -> Floats:
    """Compute the log import prices of the products of a part by themselves in a room: (products, lanes)."""
    from tariffs.engine.response.kernels.exp_log import LANES
    from tariffs.engine.response.kernels.sector_sweep import index_bundles

    prices = room("prices", (pack.kind.size, LANES))

    def index(section: Section) -> None:
        index_bundles(section.first, section.last, pack, rates, terms, prices)

    list(over(index, sections))  # type: ignore[call-overload]
    return prices


def without_market(products: int) -> NestShift:
    """Make the shift of products that are all by themselves."""
    from tariffs.engine.response.kernels.exp_log import LANES

    return NestShift(
        np.full(products, -1),
        np.empty((0, LANES)),
        np.empty((0, 2, LANES)),
        np.empty((0, 2, LANES)),
        np.empty((0, 3, LANES)),
    )
