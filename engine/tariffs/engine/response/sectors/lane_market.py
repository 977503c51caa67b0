"""Solve the market of sectors above products in lanes. See docs/models/market.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tariffs.engine.base.array_utils import F64, I64
from tariffs.engine.base.workspace import Room, new_room
from tariffs.engine.response.inputs import over_products

if TYPE_CHECKING:
    from tariffs.engine.response.kernels.lanes import LaneNests
    from tariffs.engine.response.kernels.nests import NestPack


@dataclass(frozen=True, slots=True)
class Nests:
    """Nests of products and domestic goods. Products of a nest have one eta and one kappa.

    Attributes:
        nest: per product, from 0; -1 for products by themselves.
        goods: domestic goods that compete with each product at the baseline, USD.
        top, supply_domestic: per nest, as in `market`.
    """

    nest: I64
    goods: F64
    top: F64
    supply_domestic: F64


@dataclass(frozen=True)
class LaneMarket:
    """Nests of some products, all of whose products are among them or merged in them.

    Attributes:
        ids: the nests, as numbers of the market.
        kind: row of the elasticities of each nest.
        nests: the market.
        shift, gain: row of each product of the part in the shifts and gains of a call, -1 without one.
        pack: the nests for the kernels.
        price: log of the import price by itself of members that no lane moves.
    """

    ids: I64
    kind: I64
    nests: Nests
    shift: I64
    gain: I64
    pack: NestPack
    price: F64

    @classmethod
    def of(
        cls, nests: Nests, landed: F64, kind: I64, owner: I64, place: I64, price: F64 | None = None
    ) -> LaneMarket:
        """Arrange nests.

        Args:
            landed: landed imports of each product at the baseline, USD.
            kind: row of the elasticities of each product.
            owner: whose surplus that of a product is; that of nests with one owner is not divided over products.
            place: product of the part that each product is or belongs to, -1 for one of another part.
            price: per product the log of its import price by itself, NaN where some lane moves it.
        """
        from tariffs.engine.response.kernels.nests import NestPack

        price = np.full(landed.size, np.nan) if price is None else price
        inside = np.flatnonzero((place >= 0) & (nests.nest >= 0))
        member = inside[np.lexsort((~np.isnan(price[inside]), nests.nest[inside]))]
        ids, first, number = np.unique(nests.nest[member], return_index=True, return_inverse=True)
        products, is_still = int(place.max(initial=-1)) + 1, ~np.isnan(price[member])
        owners = np.append(owner[member], 0)[: max(1, member.size)]
        is_owned = np.minimum.reduceat(owners, first) == np.maximum.reduceat(owners, first)
        kinds = int(kind.max(initial=0)) + 1
        shifts, shift = np.unique(number * kinds + kind[member], return_inverse=True)
        bearer = np.where(is_owned[number], place[member[first]][number], place[member])
        bearers, gain = np.unique(bearer, return_inverse=True)
        pack = NestPack(
            np.append(first, member.size).astype(np.int64),
            first + np.bincount(number[~is_still], minlength=ids.size),
            np.where(is_still, products + np.cumsum(is_still) - 1, place[member]).astype(np.int64),
            kind[member],
            shift,
            gain,
            landed[member],
            nests.goods[member],
            is_owned,
            np.searchsorted(shifts, np.arange(ids.size + 1) * kinds),
            shifts % kinds,
        )
        shift_of, gain_of = np.full((2, products), -1)
        shift_of[place[member]], gain_of[bearers] = shift, np.arange(bearers.size)
        return cls(ids, kind[member[first]], nests, shift_of, gain_of, pack, price[member[is_still]])

    @property
    def prices(self) -> int:
        """Number of prices: those of the products of the part, and of members that no lane moves."""
        return self.shift.size + self.price.size

    def __call__(
        self, prices: F64, elasticities: F64, room: Room = new_room, threads: int = 1
    ) -> tuple[LaneNests, F64]:
        """Solve the nests.

        Args:
            prices: (prices, lanes) log import prices of products by themselves; those that no lane moves are set.
            elasticities: eta, kappa and inverse supply of the kinds (3, kinds, lanes).
            room: where arrays of the call lie.
            threads: threads to use; the result has the same bits on any number.

        Returns:
            The shifts, and of all nests of the market (nests, NEST_ROWS, lanes), 0 for others.
        """
        from tariffs.engine.response.kernels.lanes import LaneNests
        from tariffs.engine.response.kernels.nests import NEST_ROWS, nest_rows

        lanes, pack = prices.shape[1], self.pack
        prices[self.shift.size :] = self.price[:, None]
        eta, kappa, w = elasticities
        of_nests = np.stack([self.nests.top, 1.0 / self.nests.supply_domestic])[:, self.ids, None]
        top, domestic_w = np.broadcast_to(of_nests, (2, self.ids.size, lanes))
        parameters = np.stack([eta[self.kind], kappa[self.kind], top, domestic_w], axis=1)
        shifts = room("shifts", (pack.shift_supply.size, 2, lanes))
        gains = room("gains", (int(pack.gain.max(initial=-1)) + 1, 2, lanes))
        found, supply = np.empty((self.ids.size, NEST_ROWS, lanes)), np.ascontiguousarray(w)

        def solve(first: int, last: int) -> None:
            nest_rows(first, last, pack, parameters, supply, prices, shifts, found, gains)

        over_products(solve, pack.offsets, threads)
        whole = np.zeros((self.nests.top.size, *found.shape[1:]))
        whole[self.ids] = found
        return LaneNests(prices, self.shift, self.gain, shifts, gains), whole
