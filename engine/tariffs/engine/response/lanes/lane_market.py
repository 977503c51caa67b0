"""Market of sectors above products in lanes. See docs/models/market.md."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tariffs.engine.base.array_utils import F64, I64
from tariffs.engine.response.lanes.sweep_inputs import SweepMarket, SweepVarieties

if TYPE_CHECKING:
    from tariffs.engine.response.kernels.sector_sweep import NestPack

_PART_NESTS = 16


@dataclass(frozen=True)
class LaneMarket:
    """Nests of some products, all of whose products are among them or merged in them.

    Attributes:
        nest: place of the nest of each product among `ids`, -1 for products by themselves.
        ids: the nests, as numbers of the market.
        kind: kind of a product of each nest.
        market: the market.
        pack: the nests for the kernels.
        price: log of the import price by itself of members that no lane moves.
    """

    nest: I64
    ids: I64
    kind: I64
    market: SweepMarket
    pack: NestPack
    price: F64

    @classmethod
    def of(cls, market: SweepMarket, v: SweepVarieties, place: I64, price: F64) -> LaneMarket:
        """Arrange nests.

        Args:
            market: the market.
            v: varieties and products.
            place: product of the part that each product is or belongs to, -1 for one of another part.
            price: per product the log of its import price by itself, NaN where some lane moves it.
        """
        from tariffs.engine.response.kernels.sector_sweep import NestPack

        inside = np.flatnonzero((place >= 0) & (market.nest >= 0))
        member = inside[np.lexsort((~np.isnan(price[inside]), market.nest[inside]))]
        ids, first, number = np.unique(market.nest[member], return_index=True, return_inverse=True)
        products, is_still = int(place.max(initial=-1)) + 1, ~np.isnan(price[member])
        nest = np.full(products, -1)
        nest[place[member]] = number
        row = np.where(is_still, products + np.cumsum(is_still) - 1, place[member])
        owner = np.append(v.product_group[member], 0)[: max(1, member.size)]
        is_owned = np.minimum.reduceat(owner, first) == np.maximum.reduceat(owner, first)
        pack = NestPack(
            np.append(first, member.size).astype(np.int64),
            first + np.bincount(number[~is_still], minlength=ids.size),
            place[member].astype(np.int64),
            row.astype(np.int64),
            v.landed[member],
            market.goods[member],
            is_owned,
        )
        return cls(nest.astype(np.int64), ids, v.kind[member[first]], market, pack, price[member[is_still]])

    @property
    def prices(self) -> int:
        """Number of prices: those of the products of the part, and of members that no lane moves."""
        return self.nest.size + self.price.size

    def __call__(self, prices: F64, elasticities: F64, gains: F64, threads: int) -> tuple[F64, F64]:
        """Solve the nests.

        Args:
            prices: (prices, lanes) log import prices of products by themselves; those that no lane moves are set.
            elasticities: sigma, eta, kappa and inverse supply of the kinds (4, kinds, lanes).
            gains: gets surplus of buyers and gain of domestic producers (products, 2, lanes).
            threads: threads to use.

        Returns:
            Shifts of the logs of value and quantity (nests, 2, lanes), and of all nests of the market, 0 for others,
            price and quantity hats of domestic goods and gain of their producers (nests, 3, lanes).
        """
        from tariffs.engine.response.kernels.sector_sweep import nest_rows

        count, lanes = self.ids.size, prices.shape[1]
        prices[self.nest.size :] = self.price[:, None]
        _, eta, kappa, w = elasticities[:, self.kind]
        of_nest = np.stack([self.market.top, 1.0 / self.market.supply_domestic])[:, self.ids, None]
        top, domestic_w = np.broadcast_to(of_nest, (2, *eta.shape))
        parameters = np.ascontiguousarray(np.stack([eta, kappa, top, domestic_w, w], axis=1))
        shifts, domestic = np.empty((count, 2, lanes)), np.empty((count, 3, lanes))

        def solve(first: int) -> None:
            last = min(first + _PART_NESTS, count)
            nest_rows(first, last, self.pack, parameters, prices, shifts, domestic, gains)

        parts = range(0, count, _PART_NESTS)
        if threads == 1:
            list(map(solve, parts))
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(solve, parts))
        whole = np.zeros((self.market.top.size, 3, lanes))
        whole[self.ids] = domestic
        return shifts, whole
