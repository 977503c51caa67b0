"""Make sweeps from trade with names and scalars, and name their sums, for tests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tariffs.engine.base.array_utils import sums_of
from tariffs.engine.response.lanes.adjustment import PathTrade
from tariffs.engine.response.lanes.lane_rates import RatePaths
from tariffs.engine.response.lanes.lane_sections import LaneSums
from tariffs.engine.response.lanes.lane_sweep import LaneSweep
from tariffs.engine.response.lanes.lane_table import LaneGroups, LaneTable
from tariffs.engine.response.lanes.swept_trade import SweptTrade
from tariffs.engine.response.sectors.lane_market import Nests


@dataclass(frozen=True, slots=True)
class SweepTrade:
    """Trade as of `SweptTrade`: varieties sorted by product, scalars or arrays; a rate class is a path."""

    product: ArrayLike
    v0: ArrayLike
    t0: ArrayLike
    rate_class: ArrayLike
    group: ArrayLike
    kind: ArrayLike
    product_group: ArrayLike
    charges: ArrayLike = 0.0
    kept: ArrayLike = 1.0
    domestic: ArrayLike = 0.0
    value_group: ArrayLike | None = None
    market: Nests | None = None
    vat: ArrayLike | None = None

    def swept(self, kappa: ArrayLike = np.nan) -> SweptTrade:
        """Arrange the trade, given the substitution for domestic goods of each kind."""
        product = np.unique(np.asarray(self.product), return_inverse=True)[1]
        size, kind = product.size, np.asarray(self.kind)
        group, owner = np.asarray(self.group), np.asarray(self.product_group)

        def of(values: Any, count: int = size) -> Any:
            return np.broadcast_to(np.asarray(values, dtype=float), count).copy()

        table = LaneTable(
            PathTrade.of(product, of(self.v0), of(self.t0), kind.size),
            LaneGroups(group, owner, int(group.max(initial=-1)) + 1, int(owner.max(initial=-1)) + 1),
            of(self.charges),
            None if self.vat is None else of(self.vat),
            of(self.domestic, kind.size),
            of(kappa, int(kind.max(initial=-1)) + 1)[kind],
        )
        values = None if self.value_group is None else np.asarray(self.value_group)
        return SweptTrade(table, np.asarray(self.rate_class), kind, of(self.kept), values, self.market)


@dataclass(frozen=True, slots=True)
class SweepElasticities:
    """Elasticities as in `armington`, each a scalar, (kinds,) or (kinds, lanes); a kappa of NaN is the eta."""

    sigma: ArrayLike
    eta: ArrayLike
    supply: ArrayLike = np.inf
    kappa: ArrayLike = np.nan

    def stacked(self, kinds: int, lanes: int) -> Any:
        """Sigma, eta, kappa and inverse supply (4, kinds, lanes)."""
        columns = (np.asarray(each, dtype=float) for each in (self.sigma, self.eta, self.kappa, self.supply))
        sigma, eta, kappa, supply = (
            np.broadcast_to(each[:, None] if each.ndim == 1 else each, (kinds, lanes)) for each in columns
        )
        return np.stack([sigma, eta, np.where(np.isnan(kappa), eta, kappa), 1.0 / supply])


@dataclass(frozen=True, slots=True)
class SweepSums:
    """Sums of lanes by name."""

    value: Any
    duty: Any
    charges: Any
    quantity: Any
    base_duty: Any
    creation: Any
    diversion: Any
    tax: Any
    buyer_surplus: Any
    welfare: Any
    values: Any
    domestic: Any

    @classmethod
    def of(cls, sums: LaneSums, before: Any) -> SweepSums:
        """Name sums, given customs value at the baseline by group."""
        value, duty, charges, creation, quantity, base_duty, tax = np.moveaxis(sums.lines, 1, 0)
        diversion = quantity - before[:, None] - creation
        nests = np.zeros((0, 5, value.shape[1])) if sums.nests is None else sums.nests
        return cls(
            value, duty, charges, quantity, base_duty, creation, diversion, tax, sums.owned[:, 0], sums.owned[:, 1],
            sums.values, nests,
        )  # fmt: skip


class NamedSweep:
    """A sweep whose sums have names."""

    def __init__(self, swept: SweptTrade, paths: RatePaths, held: Any = None) -> None:
        self._kinds = int(swept.kind.max(initial=-1)) + 1
        groups, v0 = swept.table.groups, swept.table.trade.v0
        self._before = sums_of(groups.of_variety, v0, groups.varieties)
        self._sweep = LaneSweep(swept, paths, held)
        self.forms = self._sweep.forms

    def __call__(self, rates: Any, given: SweepElasticities | None = None, *, threads: int = 1) -> SweepSums:
        block = np.asarray(rates, dtype=float)
        stacked = None if given is None else given.stacked(self._kinds, block.shape[1])
        return SweepSums.of(self._sweep(block, stacked, threads=threads), self._before)


@dataclass(frozen=True, slots=True)
class SweepReference:
    """Rates and elasticities that are the same in all scenarios of a sweep.

    Attributes:
        rates: rate of each class; those of moved classes are not read.
        moved: marks the classes whose rate some scenario moves.
        elasticities: one set per kind.
    """

    rates: ArrayLike
    moved: ArrayLike
    elasticities: SweepElasticities


def sweep_at_once(trade: SweepTrade, reference: SweepReference | None = None) -> NamedSweep:
    """Make the solver of one change of duty, whose forms begin with the rate classes of the trade.

    `reference` is what no lane moves; without it every rate and elasticity may move.
    """
    swept = trade.swept(np.nan if reference is None else reference.elasticities.kappa)
    count = int(swept.path.max(initial=-1)) + 1
    moved, rates, held = np.ones(count, dtype=bool), np.zeros(count), None
    if reference is not None:
        moved = np.asarray(reference.moved)
        rates = np.where(moved, 0.0, reference.rates)
        held = reference.elasticities.stacked(int(swept.kind.max(initial=-1)) + 1, 1)
    paths, path = RatePaths.at_once(swept.table.trade.t0, swept.path, rates, moved)
    return NamedSweep(replace(swept, path=path), paths, held)
