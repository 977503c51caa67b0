"""Response of trade to steps of duty, each with the elasticities of its age. See docs/models/adjustment.md."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from tariffs.engine.base.array_utils import F64, I32, I64, Bools, ratio, sums_of
from tariffs.engine.base.workspace import Room, new_room
from tariffs.engine.response import passthrough
from tariffs.engine.response.adjustment_profile import AdjustmentProfile, PathParameters
from tariffs.engine.response.armington_draws import DrawnVolume
from tariffs.engine.response.inputs import bounded, over_products

if TYPE_CHECKING:
    from tariffs.engine.response.kernels.path_cells import MoveGroups

SAME = 1e-13
"""Relative difference of powers of duty below which they are equal but for rounding."""


@dataclass(frozen=True, eq=False)
class RateMoves:
    """Varieties whose rate changes on a day, ascending, their rates before and after, and the change of ln(1 + t)."""

    variety: I32
    before: F64
    after: F64
    power: F64

    @classmethod
    def of(cls, variety: I32 | I64, before: F64, after: F64) -> RateMoves:
        """Make moves of varieties from rates before to rates after."""
        power = np.log1p((after - before) / (1.0 + before))
        return cls(variety.astype(np.int32), before, after, power)

    @classmethod
    def between(cls, before: F64, after: F64) -> RateMoves:
        """Find the varieties whose rate moves between the rates of all varieties on two days."""
        variety = np.flatnonzero(np.abs(after - before) > SAME * (1.0 + before))
        return cls.of(variety, before[variety], after[variety])

    def where(self, chosen: Bools) -> RateMoves:
        """Select moves."""
        return RateMoves(self.variety[chosen], self.before[chosen], self.after[chosen], self.power[chosen])

    @property
    def count(self) -> int:
        """Number of varieties that move."""
        return len(self.variety)


@dataclass(frozen=True)
class DutyStep:
    """Change of duty, and its age in years."""

    years: float
    moves: RateMoves


@dataclass(frozen=True)
class PathTrade:
    """Trade that an adjustment path moves: varieties sorted by product, and products numbered from 0.

    Attributes:
        offsets: first variety of each product, one more than products.
        product: product of each variety.
        v0: customs value at the baseline, USD, per variety.
        t0: duty rate at the baseline, a fraction, per variety.
    """

    offsets: I64
    product: I64
    v0: F64
    t0: F64

    @property
    def products(self) -> int:
        """Number of products."""
        return len(self.offsets) - 1


class AgeElasticities(Protocol):
    """Elasticities of products at every age of a change of duty."""

    @property
    def columns(self) -> F64:
        """Sigma, eta and inverse supply of the products by horizon (3 horizons x 3 x products)."""

    @property
    def profile(self) -> AdjustmentProfile:
        """Weights of the horizons by age."""


class PathDraws:
    """Solver of Armington demand over steps of duty for many elasticities, like `ArmingtonDraws` for one step.

    A step is one call of the model on the trade after the older steps: quantity and price hats multiply, surplus and
    welfare add. Creation and diversion follow from the hats as for one step.

    Args:
        trade: the trade at the baseline.
        steps: changes of duty with their ages, oldest first.
        rate: rate of each variety after the last step.
        kappa: substitution between imports and domestic goods per product; NaN means the eta of the step.
        domestic: domestic shipments at the baseline per product, USD.
        threads: threads to use; the result has the same bits on any number.

    Attributes:
        cell_of: the cell of each variety.
    """

    def __init__(
        self,
        trade: PathTrade,
        steps: Sequence[DutyStep],
        rate: F64,
        *,
        kappa: F64,
        domestic: F64,
        threads: int = 1,
    ) -> None:
        moving = [step for step in steps if step.moves.count]
        self._threads, self._kappa, self._domestic = threads, kappa, domestic
        self._years = [step.years for step in moving]
        self.cell_of: I64 = self._cells(trade, moving)
        first = np.zeros(self._offsets[-1], dtype=np.int64)
        first[self.cell_of[::-1]] = np.arange(len(trade.v0))[::-1]
        self._trade = sums_of(self.cell_of, trade.v0, len(first)), trade.t0[first]
        self._product = trade.product[first]
        traded = sums_of(self._product, self._trade[0], trade.products) > 0.0
        self._rate = rate[first]
        moves = [self._of_cells(step.moves, first, traded) for step in moving]
        nothing = np.zeros(0, dtype=np.int32)
        start = np.concatenate([[0], np.cumsum([len(cells) for cells, _ in moves])]).astype(np.int64)
        cell = np.concatenate([nothing, *(cells for cells, _ in moves)])
        power = np.concatenate([np.zeros(0), *(power for _, power in moves)])
        self._moves = _grouped(start, cell, power, self._product)

    def _cells(self, trade: PathTrade, steps: Sequence[DutyStep]) -> I64:
        """Find the cell of each variety: varieties of a product with the same rates at every step share one."""
        from tariffs.engine.response.kernels.path_cells import mark_paths, number_paths

        marks = np.zeros(len(trade.v0), dtype=np.uint64)
        for place, step in enumerate(steps):
            mark_paths(step.moves.variety, step.moves.power.view(np.uint64), place, marks)
        cell, counts = np.empty(len(marks), dtype=np.int64), np.zeros(trade.products, dtype=np.int64)

        def number(first: int, last: int) -> None:
            number_paths(first, last, trade.offsets, trade.t0, marks, cell, counts)

        over_products(number, trade.offsets, self._threads)
        self._offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return cell + self._offsets[trade.product]

    def _of_cells(self, moves: RateMoves, first: I64, traded: Bools) -> tuple[I32, F64]:
        """Select the moves of the first variety of each cell, of products that are traded."""
        cell = self.cell_of[moves.variety]
        chosen = (first[cell] == moves.variety) & traded[self._product[cell]]
        return cell[chosen].astype(np.int32), moves.power[chosen]

    def __call__(self, draws: Sequence[AgeElasticities], room: Room = new_room) -> DrawnVolume:
        """Solve each of the draws in a room.

        Raises:
            InputError: PARAMETER_INVALID if a hat is not finite.
        """
        from tariffs.engine.response.kernels.duty_paths import compose_steps

        count, products = len(draws), len(self._offsets) - 1
        volume = DrawnVolume.within(room, len(self._rate), products, count)
        # The ages of the steps have one profile, whatever is drawn.
        weights = np.array([draws[0].profile.at(years) for years in self._years]).reshape(-1, 3, 3)
        stages = room("stages", (count, 9, products))
        for place, parameters in enumerate(draws):
            stages[place] = parameters.columns.reshape(9, products)

        def compose(first: int, last: int) -> None:
            compose_steps(
                first, last, self._offsets, self._product, *self._trade, self._moves, weights, stages,
                self._kappa, self._domestic, self._rate, volume.hats, volume.growths, volume.owned,
            )  # fmt: skip

        over_products(compose, self._offsets, self._threads)
        if not volume.is_finite:
            bounded(np.ascontiguousarray(volume.hats.reshape(len(self._rate), -1).T))
        return volume


def _grouped(start: I64, cell: I32, power: F64, product: I64) -> MoveGroups:
    """Group moves of cells by step and product, given the first of each step and the product of each cell."""
    from tariffs.engine.response.kernels.path_cells import MoveGroups, group_moves

    def numbers(size: int) -> I64:
        return np.empty(size, dtype=np.int64)

    size = len(cell)
    found = MoveGroups(
        numbers(len(start)), numbers(size), numbers(size + 1), numbers(size + 1), cell, numbers(size), np.empty(size)
    )  # fmt: skip
    groups, changes = group_moves(start, power, product, found)
    # The kernel had room for a group of every move.
    return found._replace(
        product=found.product[:groups].copy(),
        first_move=found.first_move[: groups + 1].copy(),
        first_change=found.first_change[: groups + 1].copy(),
        power=found.power[:changes].copy(),
    )


def passthrough_steps(
    trade: PathTrade, steps: Sequence[DutyStep], parameters: PathParameters
) -> tuple[F64, F64, F64, F64]:
    """Compute value and quantity hat per variety, surplus and welfare per product, of steps under passthrough.

    Args:
        trade: the trade at the baseline.
        steps: changes of duty with their ages, oldest first.
        parameters: elasticities by age.
    """
    value, hat = trade.v0.copy(), np.ones(len(trade.v0))
    owned = np.zeros((2, len(hat)))
    for step in steps:
        moves, at = step.moves, parameters.at(step.years)
        product, v0 = trade.product[moves.variety], value[moves.variety]
        result: Any = passthrough(v0, moves.before, moves.after, at.eta[product], supply=at.supply[product])
        value[moves.variety] = result.value
        hat[moves.variety] *= result.quantity_hat
        owned[:, moves.variety] += np.stack([result.buyer_surplus, result.welfare])
    surplus, welfare = (sums_of(trade.product, each, trade.products) for each in owned)
    return value, hat, surplus, welfare


def mean_weights(
    trade: PathTrade, steps: Sequence[DutyStep], profile: AdjustmentProfile, group: I64, groups: int
) -> F64:
    """Compute the mean weights of the horizons (3 x 3 x groups) of groups of varieties.

    The mean is over the changes of duty, by value times the absolute change of ln(1 + t); a group without a change has
    the weights of age 0.

    Args:
        trade: the trade at the baseline.
        steps: changes of duty with their ages.
        profile: the weights by age.
        group: group of each variety.
        groups: number of groups.
    """
    total, weights = np.zeros(groups), np.zeros((3, 3, groups))
    for step in steps:
        moves = step.moves
        size = sums_of(group[moves.variety], trade.v0[moves.variety] * np.abs(moves.power), groups)
        weights += profile.at(step.years)[:, :, None] * size
        total += size
    at_once = profile.at(0.0)[:, :, None]
    return np.where(total > 0.0, ratio(weights, np.broadcast_to(total, weights.shape), 0.0), at_once)


def mean_age(trade: PathTrade, steps: Sequence[DutyStep]) -> float:
    """Compute the mean age of changes of duty in years, by value times the absolute change of ln(1 + t); 0 of none."""
    sizes = [math.fsum(trade.v0[step.moves.variety] * np.abs(step.moves.power)) for step in steps]
    total = sum(sizes)
    return sum(size * step.years for size, step in zip(sizes, steps, strict=True)) / total if total else 0.0
