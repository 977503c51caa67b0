"""Armington response to one change of duty for many elasticities, several draws at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

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
    per_line,
)

DrawElasticities = tuple[ArrayLike, ArrayLike, ArrayLike]
"""sigma, eta and supply, each one number or one per product."""


@dataclass(frozen=True, slots=True)
class DrawnVolume:
    """Trade after a change of duty under several draws; the last axis is the draw.

    Attributes:
        hats: (cells, 2, draws) quantity and exporter price, after / before.
        growths: (products, draws) of quantity at base prices.
        owned: (2, products, draws) buyer surplus and welfare.
    """

    hats: Floats
    growths: Floats
    owned: Floats


class ArmingtonDraws:
    """Solver of one change of duty for many elasticities, without freight and domestic goods.

    A call solves a few draws of elasticities, with the bits of `armington`. Varieties of a product with the same change
    of duty share a cell and its hats.

    Args:
        product: as in `armington`, like the others.
        v0: customs value at the baseline.
        t0: rate at the baseline.
        t1: rate of the scenario.
        kappa: one number or one per product; NaN means the eta of the draw.

    Attributes:
        cell_of: the cell of each variety, in the caller's order.
        product_of: the place of each variety's product among the sorted ids.

    Raises:
        InputError: PARAMETER_INVALID, as of `armington`.
    """

    def __init__(
        self, product: ArrayLike, v0: ArrayLike, t0: ArrayLike, t1: ArrayLike, *, kappa: ArrayLike = np.nan
    ) -> None:
        from tariffs.engine.response.kernels.armington_draws import shares_and_powers

        size = np.size(v0)
        value, base = per_line("v0", v0, size, VALUE), per_line("t0", t0, size, RATE)
        rate = per_line("t1", t1, size, RATE)
        groups = group_lines(product, size, value, base, rate)
        self._groups = groups
        self._kappa = np.broadcast_to(np.asarray(kappa, dtype=np.float64), groups.products.shape)
        self._v0 = frozen(value[groups.order])
        self._rates = frozen(np.stack([base, rate])[:, groups.order])
        shares, powers = np.empty(size), np.empty(size)
        shares_and_powers(groups.offsets, self._v0, self._rates, shares, powers)
        self._shares = frozen(shares)
        self._cells = _Cells.of(groups, self._v0, shares, powers)
        self.cell_of = _unordered(groups, self._cells.of_variety)
        self.product_of = _unordered(
            groups, np.repeat(np.arange(groups.products.size), np.diff(groups.offsets))
        )

    def __call__(self, draws: Sequence[DrawElasticities]) -> DrawnVolume:
        """Solve each of the draws.

        Raises:
            InputError: PARAMETER_INVALID with the variety or product at fault.
        """
        from tariffs.engine.response.kernels.armington_draws import run_draws

        count, cells = self._groups.products.size, self._cells
        parameters = np.stack([self._parameters(*draw) for draw in draws], axis=-1)
        hats = np.empty((cells.logs.size, 2, len(draws)))
        growths = np.empty((count, len(draws)))
        owned = np.empty((2, count, len(draws)))
        run_draws(
            self._groups.offsets, cells.offsets, cells.of_variety, self._v0, self._rates, cells.logs, cells.kinds,
            self._shares, frozen(parameters), hats, growths, owned,
        )  # fmt: skip
        if not np.isfinite(hats).all():
            bounded(hats[self.cell_of].reshape(self.cell_of.size, -1).T)
        return DrawnVolume(hats, growths, owned)

    def _parameters(self, sigma: ArrayLike, eta: ArrayLike, supply: ArrayLike) -> Floats:
        """Stack per product: sigma, eta, kappa and inverse supply."""
        groups = self._groups
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


@dataclass(frozen=True, slots=True)
class _Cells:
    """Cells of varieties that are ordered by product: those of product k are `offsets[k]` to `offsets[k + 1]`."""

    offsets: Ints
    of_variety: Ints
    logs: Floats
    kinds: Ints

    @classmethod
    def of(cls, groups: Groups, v0: Floats, shares: Floats, powers: Floats) -> _Cells:
        from tariffs.engine.response.kernels.armington_draws import UNTRADED, WEIGHED, WEIGHTLESS

        kinds = np.where(v0 == 0.0, UNTRADED, np.where(shares > 0.0, WEIGHED, WEIGHTLESS))
        product = np.repeat(np.arange(groups.products.size), np.diff(groups.offsets))
        order = np.lexsort((kinds, powers, product))
        keys = np.stack([product[order], powers[order], kinds[order]])
        new = np.ones(order.size, dtype=bool)
        new[1:] = (keys[:, 1:] != keys[:, :-1]).any(axis=0)
        of_variety = np.empty(order.size, dtype=np.int64)
        of_variety[order] = np.cumsum(new) - 1
        first = order[new]
        offsets = np.searchsorted(product[first], np.arange(groups.products.size + 1))
        return cls(
            frozen(offsets.astype(np.int64)),
            frozen(of_variety),
            frozen(powers[first]),
            frozen(kinds[first].astype(np.int64)),
        )


def _unordered(groups: Groups, values: Ints) -> Ints:
    """Put values of varieties ordered by product into the caller's order."""
    reordered = np.empty_like(values)
    reordered[groups.order] = values
    return reordered
