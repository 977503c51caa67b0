"""Check the trade and the elasticities of a sweep of the Armington response."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tariffs.engine.base.array_utils import sums_of
from tariffs.engine.response.elasticities.adjustment_profile import AdjustmentProfile, mixed
from tariffs.engine.response.inputs import (
    ELASTICITY,
    RATE,
    SHARE,
    SUPPLY,
    VALUE,
    Floats,
    Groups,
    Ints,
    Range,
    invalid,
    per_line,
)
from tariffs.engine.response.sectors.lane_market import Nests


@dataclass(frozen=True, slots=True)
class SweepTrade:
    """Trade that a sweep moves: varieties sorted by product, and their products.

    A rate class is a set of varieties that have one rate in every scenario; a kind is a set of products that have one
    set of elasticities in every scenario. Classes, groups and kinds are numbered from 0.

    Attributes:
        product: sorted integer per variety; the products are its distinct values.
        v0: customs value at the baseline, USD, per variety.
        t0: duty rate at the baseline, a fraction > -1, scalar or per variety.
        rate_class: per variety.
        group: per variety; results are summed by these groups.
        kind: per product.
        product_group: per product; surplus and welfare are summed by these groups.
        charges: cost that follows the quantity and enters no price, USD, scalar or per variety.
        kept: share of the trade after the response that counts in the sums, scalar or per variety.
        domestic: domestic goods as in `armington`, with flat supply, scalar or per product.
        value_group: per variety; customs value is summed by these groups as well, if they are given.
        market: market of sectors above the products, which are then without domestic goods of their own.
    """

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


@dataclass(frozen=True, slots=True)
class SweepElasticities:
    """Elasticities as in `armington`, each a scalar, (kinds,) or (kinds, scenarios); a kappa of NaN is the eta.

    Under a market of sectors kappa is that of the nests of a kind.
    """

    sigma: ArrayLike
    eta: ArrayLike
    supply: ArrayLike = np.inf
    kappa: ArrayLike = np.nan


@dataclass(frozen=True)
class StageElasticities:
    """Elasticities of kinds of products by the age of a change of duty.

    Attributes:
        columns: sigma, eta and inverse supply by horizon (3 horizons x 3 x kinds).
        profile: weights of the horizons by age.
        kappa: substitution between imports and domestic goods of each kind, NaN for the eta of the age; or of all.
    """

    columns: Floats
    profile: AdjustmentProfile
    kappa: ArrayLike = np.nan

    def at(self, years: Sequence[float]) -> Floats:
        """Mix sigma, eta, kappa and inverse supply of the kinds at ages (4, kinds, ages)."""
        weights = np.array([self.profile.at(each) for each in years]).reshape(-1, 3, 3)
        sigma, eta, w = mixed(self.columns[..., None], weights.transpose(1, 2, 0)[:, :, None])
        kappa = np.broadcast_to(np.reshape(self.kappa, (-1, 1)), eta.shape)
        return np.stack([sigma, eta, kappa, w])


@dataclass(frozen=True, slots=True)
class SweepVarieties:
    """Checked trade of a sweep: `product` is the place of each variety's product, in which varieties are sorted.

    `value_group` is empty where values are not summed by such groups.
    """

    product: Ints
    v0: Floats
    base: Floats
    charges: Floats
    kept: Floats
    rate_class: Ints
    group: Ints
    kind: Ints
    product_group: Ints
    domestic: Floats
    value_group: Ints
    market: Nests | None

    @property
    def landed(self) -> Floats:
        """Landed cost at the baseline per product."""
        return sums_of(self.product, self.v0 * (1.0 + self.base), self.kind.size)


def checked_trade(trade: SweepTrade) -> SweepVarieties:
    """Check the trade, and number its products from 0."""
    size = np.size(trade.v0)
    product = np.asarray(trade.product)
    if product.shape != (size,) or product.dtype.kind not in "iu" or (np.diff(product) < 0).any():
        raise invalid("product", "products must be one sorted integer per variety.")
    ids, first, place = np.unique(product, return_index=True, return_inverse=True)
    groups = Groups(ids, np.arange(size), np.append(first, size))
    return SweepVarieties(
        product=place,
        v0=per_line("v0", trade.v0, size, VALUE),
        base=per_line("t0", trade.t0, size, RATE),
        charges=per_line("charges", trade.charges, size, VALUE),
        kept=per_line("kept", trade.kept, size, SHARE),
        rate_class=_numbers("rate_class", trade.rate_class, size),
        group=_numbers("group", trade.group, size),
        kind=_numbers("kind", trade.kind, ids.size),
        product_group=_numbers("product_group", trade.product_group, ids.size),
        domestic=groups.per_product("domestic", trade.domestic, VALUE),
        value_group=np.zeros(0, dtype=np.int64)
        if trade.value_group is None
        else _numbers("value_group", trade.value_group, size),
        market=trade.market,
    )


def _numbers(name: str, values: ArrayLike, size: int) -> Ints:
    """Check numbers from 0, one per variety or product."""
    numbers = np.asarray(values)
    if numbers.shape != (size,) or numbers.dtype.kind not in "iu" or (numbers < 0).any():
        raise invalid(name, f"{name} must be {size} integers from 0.")
    return numbers.astype(np.int64)


def stacked_elasticities(given: SweepElasticities, kinds: int, scenarios: int) -> Floats:
    """Check and stack sigma, eta, kappa and inverse supply: (4, kinds, scenarios)."""

    def checked(name: str, values: ArrayLike, allowed: Range) -> Floats:
        array = np.asarray(values, dtype=np.float64)
        if array.shape not in ((), (kinds,), (kinds, scenarios)):
            raise invalid(
                name,
                f"{name} has shape {array.shape}.",
                fix=f"Give one number, ({kinds},) or ({kinds}, {scenarios}).",
            )
        table = np.broadcast_to(array[:, None] if array.ndim == 1 else array, (kinds, scenarios))
        broken = allowed.broken(table)
        if broken.any():
            kind, scenario = np.argwhere(broken)[0]
            raise invalid(
                name, f"kind {kind}: {name} is {table[kind, scenario]:g}.", fix=f"It must be {allowed}."
            )
        return table

    sigma, eta = checked("sigma", given.sigma, ELASTICITY), checked("eta", given.eta, ELASTICITY)
    kappa = np.atleast_1d(np.asarray(given.kappa, dtype=np.float64))
    kappa = kappa[:, None] if kappa.ndim == 1 else kappa
    kappa = np.where(np.isnan(kappa), eta, kappa)
    w = 1.0 / checked("supply", given.supply, SUPPLY)
    return np.stack([sigma, eta, checked("kappa", kappa, ELASTICITY), w])
