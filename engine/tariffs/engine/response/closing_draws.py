"""Armington response to prohibitions after duties, at elasticities no lower than those of a year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tariffs.engine.base.array_utils import F64, Bools
from tariffs.engine.base.workspace import Room, new_room
from tariffs.engine.response.adjustment import DutyStep, PathDraws, PathTrade, RateMoves
from tariffs.engine.response.adjustment_profile import CLOSING_YEARS, AdjustmentProfile, adjustment_profile
from tariffs.engine.response.armington_draws import DrawElasticities, DrawnVolume
from tariffs.engine.response.parameters import ProductParameters


class ClosingDraws:
    """Solver of duties at the elasticities of a draw, then of prohibitions at `least` or more.

    A call is that of `ArmingtonDraws`.

    Args:
        trade: the trade at the baseline.
        rate: rate of each variety after.
        closed: marks the varieties that are prohibited.
        least: least elasticities of each product under a prohibition.
        kappa: substitution between imports and domestic goods per product; NaN means eta.
        threads: threads to use; the result has the same bits on any number.

    Attributes:
        cell_of: the cell of each variety.
    """

    def __init__(
        self,
        trade: PathTrade,
        rate: F64,
        closed: Bools,
        least: ProductParameters,
        *,
        kappa: F64,
        threads: int,
    ) -> None:
        steps = AtOnce.steps(trade.t0, rate, closed)
        self._least = np.array([least.sigma, least.eta, 1.0 / least.supply])
        nothing = np.zeros(trade.products)
        self._solve = PathDraws(trade, steps, rate, kappa=kappa, domestic=nothing, threads=threads)
        self.cell_of = self._solve.cell_of

    def __call__(self, draws: Sequence[DrawElasticities], room: Room = new_room) -> DrawnVolume:
        """Solve each of the draws in a room.

        Raises:
            InputError: PARAMETER_INVALID if a hat is not finite.
        """
        return self._solve([AtOnce.of(*draw, self._least) for draw in draws], room)


@dataclass(frozen=True)
class AtOnce:
    """Elasticities of a draw for duties, at age 0, and those of prohibitions, at any other age."""

    columns: F64
    profile: AdjustmentProfile

    @classmethod
    def of(cls, sigma: ArrayLike, eta: ArrayLike, supply: ArrayLike, least: F64) -> AtOnce:
        """Join the elasticities of a draw and the least ones (sigma, eta, inverse supply: 3 x products)."""
        inverse = 1.0 / np.asarray(supply, dtype=np.float64)
        own = np.stack([np.broadcast_to(each, least.shape[1]) for each in (sigma, eta, inverse)])
        closing = np.vstack([np.maximum(own[:2], least[:2]), np.minimum(own[2:], least[2:])])
        return cls(np.stack([own, closing, closing]), adjustment_profile())

    @staticmethod
    def steps(base: F64, rate: F64, closed: Bools) -> list[DutyStep]:
        """Steps of duties and of prohibitions, given rates of the baseline and after, and what is prohibited."""
        goods = np.flatnonzero(closed)
        return [
            DutyStep(0.0, RateMoves.between(base, np.where(closed, base, rate))),
            DutyStep(CLOSING_YEARS, RateMoves.of(goods, base[goods], rate[goods])),
        ]
