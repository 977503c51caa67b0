"""Armington response to one change of duty for many elasticities, several draws at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tariffs.engine.base.workspace import Room, new_room
from tariffs.engine.response.inputs import (
    ELASTICITY,
    RATE,
    SUPPLY,
    VALUE,
    Floats,
    Groups,
    Ints,
    bounded,
    frozen,
    group_lines,
    over_products,
    per_line,
)
from tariffs.engine.response.sector_market import DomesticGoods

DrawElasticities = tuple[ArrayLike, ArrayLike, ArrayLike]
"""sigma, eta and supply, each one number or one per product."""


@dataclass(frozen=True, slots=True)
class DrawnVolume:
    """Trade after a change of duty under several draws; the last axis is the draw.

    Its arrays are of the room of the call, and with a workspace good until the next call on the same thread.

    Attributes:
        hats: (cells, 2, draws) quantity and exporter price, after / before.
        growths: (products, draws) of quantity at base prices.
        owned: (2, products, draws) buyer surplus and welfare.
        domestic: domestic goods of each draw under a market of sectors.
    """

    hats: Floats
    growths: Floats
    owned: Floats
    domestic: tuple[DomesticGoods, ...] = ()

    @classmethod
    def within(cls, room: Room, cells: int, products: int, draws: int) -> DrawnVolume:
        """Give the arrays for a solver to fill."""
        return cls(
            room("hats", (cells, 2, draws)), room("growths", (products, draws)), room("owned", (2, products, draws))
        )  # fmt: skip

    @property
    def is_finite(self) -> bool:
        """True if all hats are finite; welfare has every hat in its sums, and is not if one of them is not."""
        return bool(np.isfinite(self.owned[1]).all() or np.isfinite(self.hats).all())


class ArmingtonDraws:
    """Solver of one change of duty for many elasticities, without freight and domestic goods.

    A call solves a few draws of elasticities, with the bits of `armington`; a plain run is one draw. Varieties of a
    product with the same rates share a cell and its hats.

    Args:
        groups: varieties by product; their order within a product is that of its sums.
        v0: customs value at the baseline, in the order of the groups, like the rates.
        t0: rate at the baseline.
        t1: rate of the scenario.
        kappa: one number or one per product; NaN means the eta of the draw.
        threads: threads to use; the result has the same bits on any number.

    Attributes:
        cell_of: the cell of each variety, in the order of the groups.
    """

    def __init__(
        self,
        groups: Groups,
        v0: Floats,
        t0: Floats,
        t1: Floats,
        *,
        kappa: ArrayLike = np.nan,
        threads: int = 1,
    ) -> None:
        self.groups = groups
        self._kappa = np.broadcast_to(np.asarray(kappa, dtype=np.float64), groups.products.shape)
        self._trade = frozen(v0), frozen(t0), frozen(t1)
        self._threads = threads
        self._find_cells()

    @classmethod
    def of(
        cls, product: ArrayLike, v0: ArrayLike, t0: ArrayLike, t1: ArrayLike, *, kappa: ArrayLike = np.nan
    ) -> ArmingtonDraws:
        """Check and order varieties as `armington` does, and make their solver.

        Raises:
            InputError: PARAMETER_INVALID, as of `armington`.
        """
        size = np.size(v0)
        value, base = per_line("v0", v0, size, VALUE), per_line("t0", t0, size, RATE)
        rate = per_line("t1", t1, size, RATE)
        groups = group_lines(product, size, value, base, rate)
        return cls(groups, *(column[groups.order] for column in (value, base, rate)), kappa=kappa)

    def _find_cells(self) -> None:
        from tariffs.engine.response.kernels.armington_draws import number_cells, open_cells

        offsets, (v0, t0, t1) = self.groups.offsets, self._trade
        shares, opened = np.empty(v0.size), np.empty(v0.size, dtype=np.int64)
        counts, cell = np.zeros(offsets.size - 1, dtype=np.int64), np.empty(v0.size, dtype=np.int64)

        def number(first: int, last: int) -> None:
            number_cells(first, last, offsets, v0, t0, t1, shares, cell, opened, counts)

        over_products(number, offsets, self._threads)
        cells = np.concatenate(([0], np.cumsum(counts)))
        logs, kinds = np.empty(cells[-1]), np.empty(cells[-1], dtype=np.int64)

        def fill(first: int, last: int) -> None:
            open_cells(first, last, offsets, cells, v0, t0, t1, shares, opened, cell, logs, kinds)

        over_products(fill, offsets, self._threads)
        self._shares, self._cells, self._logs, self._kinds = map(frozen, (shares, cells, logs, kinds))
        self.cell_of: Ints = frozen(cell)

    def __call__(self, draws: Sequence[DrawElasticities], room: Room = new_room) -> DrawnVolume:
        """Solve each of the draws in a room.

        Raises:
            InputError: PARAMETER_INVALID with the variety or product at fault.
        """
        from tariffs.engine.response.kernels.armington_draws import run_draws

        count, offsets = self.groups.products.size, self.groups.offsets
        parameters = frozen(np.stack([self._parameters(*draw) for draw in draws], axis=-1))
        volume = DrawnVolume.within(room, self._logs.size, count, len(draws))

        def run(first: int, last: int) -> None:
            run_draws(
                first, last, offsets, self._cells, self.cell_of, *self._trade, self._logs, self._kinds,
                self._shares, parameters, volume.hats, volume.growths, volume.owned,
            )  # fmt: skip

        over_products(run, offsets, self._threads)
        if not volume.is_finite:
            hats = volume.hats
            of_variety = np.empty((self.cell_of.size, 2 * len(draws)))
            of_variety[self.groups.order] = hats.reshape(len(hats), -1)[self.cell_of]
            bounded(of_variety.T)
        return volume

    def imports_of(self, product: int, hats: Floats, sigma: float) -> tuple[float, float]:
        """Compute the price hat of the imports of a product, and the duty on them after in USD, from its cells.

        Args:
            product: place of the product.
            hats: quantity and exporter price of each cell, after / before (cells x 2).
            sigma: substitution between its varieties.
        """
        own = slice(*self.groups.offsets[product : product + 2])
        v0, t0, t1 = (column[own] for column in self._trade)
        entered, (quantity, price) = v0 > 0.0, hats[self.cell_of[own]].T
        duty = float(np.sum(t1 * v0 * quantity * price))
        logs = np.log((1.0 + t1) / (1.0 + t0) * price)[entered]
        shares = (v0 * (1.0 + t0))[entered]
        shares /= shares.sum()
        power = 1.0 - sigma
        if power == 0.0:
            return float(np.exp(shares @ logs)), duty
        # Relative to the greatest term, which may be far from 1.
        most = float((power * logs).max())
        return float(np.exp((most + np.log(shares @ np.exp(power * logs - most))) / power)), duty

    def _parameters(self, sigma: ArrayLike, eta: ArrayLike, supply: ArrayLike) -> Floats:
        """Stack per product: sigma, eta, kappa and inverse supply."""
        groups = self.groups
        etas = groups.per_product("eta", eta, ELASTICITY)
        kappas = np.where(np.isnan(self._kappa), etas, self._kappa)
        return np.column_stack(
            [
                groups.per_product("sigma", sigma, ELASTICITY),
                etas,
                groups.per_product("kappa", kappas, ELASTICITY),
                1.0 / groups.per_product("supply", supply, SUPPLY),
            ]
        )
