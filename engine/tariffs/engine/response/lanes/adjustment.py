"""Response of trade to steps of duty, each with the elasticities of its age. See docs/models/adjustment.md."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tariffs.engine.base.array_utils import F64, I32, I64, Bools, ratio, sums_of
from tariffs.engine.response.elasticities.adjustment_profile import (
    PROHIBITION_YEARS,
    AdjustmentProfile,
    PathParameters,
    mixed,
)
from tariffs.engine.response.equal_numbers import numbered_values
from tariffs.engine.response.lanes.lane_rates import SAME
from tariffs.engine.response.models.passthrough_smart import passthrough


@dataclass(frozen=True, eq=False)
class RateMoves:
    """Varieties whose rate changes on a day. Laws change few rates, so that a variety takes five or six bytes.

    Attributes:
        variety: the varieties, ascending.
        number: number of the change of each.
        changes: rates before and after, and the change of ln(1 + t), of the changes (3 x changes).
    """

    variety: I32
    number: NDArray[np.unsignedinteger[Any]]
    changes: F64

    @classmethod
    def of(cls, variety: I32 | I64, before: F64, after: F64) -> RateMoves:
        """Make moves of varieties from rates before to rates after."""
        number, first = numbered_values(before, after)
        before, after = before[first], after[first]
        return cls.numbered(
            variety, number, np.stack([before, after, np.log1p((after - before) / (1.0 + before))])
        )

    @classmethod
    def numbered(cls, variety: I32 | I64, number: NDArray[Any], changes: F64) -> RateMoves:
        """Make moves of varieties from numbers of changes; all are copied."""
        return cls(
            variety.astype(np.int32), number.astype(np.min_scalar_type(changes.shape[1])), changes.copy()
        )

    @classmethod
    def between(cls, before: F64, after: F64) -> RateMoves:
        """Find the varieties whose rate moves between the rates of all varieties on two days."""
        variety = np.flatnonzero(np.abs(after - before) > SAME * (1.0 + before))
        return cls.of(variety, before[variety], after[variety])

    def where(self, chosen: Bools) -> RateMoves:
        """Select moves."""
        if chosen.all():
            return self
        number = self.number[chosen]
        used = np.zeros(self.changes.shape[1], dtype=bool)
        used[number] = True
        return RateMoves.numbered(self.variety[chosen], (np.cumsum(used) - 1)[number], self.changes[:, used])

    def joined(self, other: RateMoves) -> RateMoves:
        """Join moves of other varieties."""
        place = np.searchsorted(self.variety, other.variety)
        number = np.insert(
            self.number.astype(np.int64), place, other.number + np.int64(self.changes.shape[1])
        )
        changes = np.concatenate([self.changes, other.changes], axis=1)
        return RateMoves.numbered(np.insert(self.variety, place, other.variety), number, changes)

    @property
    def before(self) -> F64:
        """Rate of each variety before."""
        return self._of_each(0)

    @property
    def after(self) -> F64:
        """Rate of each variety after."""
        return self._of_each(1)

    @property
    def power(self) -> F64:
        """Change of ln(1 + t) of each variety."""
        return self._of_each(2)

    def _of_each(self, row: int) -> F64:
        found: F64 = self.changes[row][self.number]
        return found

    @property
    def rows(self) -> tuple[I32, F64]:
        """Number of the change of ln(1 + t) of each move among the distinct ones, and these."""
        number, first = numbered_values(self.changes[2])
        return number.astype(np.int32)[self.number], self.changes[2, first]

    @property
    def most(self) -> float:
        """Largest absolute change of ln(1 + t)."""
        return float(np.abs(self.changes[2]).max(initial=0.0))

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

    @classmethod
    def of(cls, product: I64, v0: F64, t0: F64, products: int) -> PathTrade:
        """Make the trade of varieties that are sorted by product."""
        return cls(np.searchsorted(product, np.arange(products + 1)), product, v0, t0)

    @property
    def products(self) -> int:
        """Number of products."""
        return len(self.offsets) - 1


class HorizonElasticities(Protocol):
    """Elasticities of products at some horizons."""

    @property
    def columns(self) -> F64:
        """Sigma, eta and inverse supply of the products by horizon (horizons x 3 x products)."""


@dataclass(frozen=True)
class StageElasticities:
    """Elasticities of kinds of products by the age of a change of duty.

    Attributes:
        columns: sigma, eta and inverse supply by horizon (3 horizons x 3 x kinds).
        profile: weights of the horizons by age.
        kappa: substitution between imports and domestic goods of each kind, NaN for the eta of the age; or of all.
    """

    columns: F64
    profile: AdjustmentProfile
    kappa: ArrayLike = np.nan

    def at(self, years: Sequence[float]) -> F64:
        """Mix sigma, eta, kappa and inverse supply of the kinds at ages (4, kinds, ages)."""
        weights = np.array([self.profile.at(each) for each in years]).reshape(-1, 3, 3)
        sigma, eta, w = mixed(self.columns[..., None], weights.transpose(1, 2, 0)[:, :, None])
        kappa = np.broadcast_to(np.reshape(self.kappa, (-1, 1)), eta.shape)
        return np.stack([sigma, eta, kappa, w])


@dataclass(frozen=True)
class DutyPath:
    """Steps of duty, and the elasticities that each has of a set of them.

    Attributes:
        steps: changes of duty with their ages, oldest first.
        weights: of the horizons of a set by step and elasticity (steps, 3, horizons); one step at least.
        least: elasticities of products of a further horizon, if there is one: at least this sigma and eta, at most this
            inverse supply (3 x products).
    """

    steps: Sequence[DutyStep]
    weights: F64
    least: F64 | None = None

    @classmethod
    def at_once(cls, before: F64, after: F64) -> DutyPath:
        """Make a path of one step from the rates of all varieties before to those after, at one horizon."""
        return cls([DutyStep(0.0, RateMoves.between(before, after))], np.ones((1, 3, 1)))

    @classmethod
    def with_prohibitions(cls, base: F64, rate: F64, prohibited: Bools, least: F64) -> DutyPath:
        """Make a path of duties at one horizon, and then of what is prohibited, marked by `prohibited`, at `least`."""
        goods = np.flatnonzero(prohibited)
        steps = [
            DutyStep(0.0, RateMoves.between(base, np.where(prohibited, base, rate))),
            DutyStep(PROHIBITION_YEARS, RateMoves.of(goods, base[goods], rate[goods])),
        ]
        return cls(steps, np.repeat(np.eye(2)[:, None], 3, axis=1), least)

    @classmethod
    def aged(cls, steps: Sequence[DutyStep], profile: AdjustmentProfile) -> DutyPath:
        """Make a path whose steps have the elasticities of their age."""
        return cls(steps, np.array([profile.at(years) for years in [step.years for step in steps] or [0.0]]))

    def columns(self, elasticities: HorizonElasticities) -> F64:
        """Compute sigma, eta and inverse supply of the horizons of the path (horizons x 3 x products)."""
        if self.least is None:
            return elasticities.columns
        (own,) = elasticities.columns
        return np.stack([own, [*np.maximum(own[:2], self.least[:2]), np.minimum(own[2], self.least[2])]])


@dataclass(frozen=True, eq=False)
class LawDuty:
    """Duty of one law on the varieties of a table.

    Attributes:
        path: steps of duty, and the elasticities that they have.
        rate: rate after the last step that is charged, per variety, over the value in dollars.
        responding: rate that trade responds to after the last step; with `price` it is not the one that is charged.
        kept: share of each variety that counts after the response, 0 of what is prohibited; None if all does.
        price: factor on exporters' prices in dollars per variety; None if the exchange rate stays.
        owed: duty owed per variety, over the value in dollars, where it is not `rate`; else None.
        values: group of values of each variety, for sums of values by class and group; None without such.
    """

    path: DutyPath
    rate: F64
    responding: F64
    kept: F64 | None = None
    price: F64 | None = None
    owed: F64 | None = None
    values: I64 | None = None


def passthrough_steps(
    trade: PathTrade, steps: Sequence[DutyStep], parameters: PathParameters
) -> tuple[F64, F64, F64, F64]:
    """Compute value and quantity hat per variety, surplus and welfare per product, of steps under passthrough.

    Args:
        steps: changes of duty with their ages, oldest first.
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
    """
    moves = [step.moves for step in steps]
    sizes = [sums_of(group[own.variety], trade.v0[own.variety] * np.abs(own.power), groups) for own in moves]
    of_ages = [profile.at(step.years) for step in steps]
    return weights_at_mean(of_ages, np.array(sizes).reshape(len(steps), groups), profile.at(0.0))


def weights_at_mean(of_ages: Sequence[F64], sizes: F64, at_once: F64) -> F64:
    """Compute the mean weights (3 x 3 x any) of changes by their sizes (ages x any); `at_once` where there is none."""
    total, weights = np.zeros(sizes.shape[1]), np.zeros((3, 3, sizes.shape[1]))
    for at, size in zip(of_ages, sizes, strict=True):
        weights += at[:, :, None] * size
        total += size
    mean = ratio(weights, np.broadcast_to(total, weights.shape), 0.0)
    return np.where(total > 0.0, mean, at_once[:, :, None])


def mean_age(trade: PathTrade, steps: Sequence[DutyStep]) -> float:
    """Compute the mean age of changes of duty in years, by value times the absolute change of ln(1 + t); 0 of none."""
    sizes = [math.fsum(trade.v0[step.moves.variety] * np.abs(step.moves.power)) for step in steps]
    total = sum(sizes)
    return sum(size * step.years for size, step in zip(sizes, steps, strict=True)) / total if total else 0.0
