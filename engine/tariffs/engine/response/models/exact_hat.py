"""Exact hat algebra by sector: shares of spending by origin after a change of duty. See docs/models/exact_hat.md."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from tariffs.engine.base.array_utils import Bools, factorize, ratio, sums_of
from tariffs.engine.response.inputs import VALUE, Floats, Ints, Range, group_lines, invalid, read_trade

THETA = Range(0.0, above=True)
_LINE_FIELDS = ("quantity_hat", "value", "buyer_surplus", "share_base", "share")
_NEAR = -0.5
"""Distance of a sum from 1 down to which its log is taken of the distance, a matter of rounding alone."""


@dataclass(frozen=True, slots=True)
class ExactHatResponse:
    """Result of `exact_hat`: per line in the caller's order, and per sector in the order of `sectors`, the sorted ids.

    Attributes:
        quantity_hat: quantity, after / before; 0 where goods may not be imported.
        value: customs value after, at the exporter's price, which stays.
        buyer_surplus: gain of buyers, attributed to the line whose price rises; lines of a sector sum to its gain.
        share_base, share: part of its sector's spending on the line, duty included, before and after.
        sectors: ids of the sectors.
        price_hat: price index of the sector; infinite where nothing is left to buy.
        domestic_share: part of the sector's spending on domestic goods at the baseline.
        domestic_hat: spending on domestic goods, after / before, which is that of their quantity.
        spending: spending of the sector at the baseline, USD, which stays.
        welfare: gain of buyers of the sector and change of revenue, USD.
    """

    quantity_hat: Floats
    value: Floats
    buyer_surplus: Floats
    share_base: Floats
    share: Floats
    sectors: Ints
    price_hat: Floats
    domestic_share: Floats
    domestic_hat: Floats
    spending: Floats
    welfare: Floats


@dataclass(frozen=True, slots=True)
class OriginParts:
    """Goods of one origin in one sector: a part, with one mean duty.

    Attributes:
        sector: place of the sector of each line.
        part: part of each line.
        sector_of_part: place of the sector of each part.
        sectors: number of sectors.
    """

    sector: Ints
    part: Ints
    sector_of_part: Ints
    sectors: int

    @classmethod
    def of(cls, sector: Ints, origin: Ints, sectors: int) -> OriginParts:
        """Number the parts of lines, given the place of each line's sector and any number for its origin."""
        width = int(origin.max(initial=0)) + 1
        pairs, part = factorize(sector * width + origin)
        return cls(sector, part, pairs // width, sectors)

    def by_sector(self, amounts: Floats) -> Floats:
        """Sum amounts of parts by sector."""
        return sums_of(self.sector_of_part, amounts, self.sectors)


def exact_hat(
    sector: ArrayLike,
    origin: ArrayLike,
    v0: ArrayLike,
    t0: ArrayLike,
    t1: ArrayLike,
    theta: ArrayLike,
    *,
    domestic: ArrayLike = 0.0,
    prohibited: ArrayLike = False,
) -> ExactHatResponse:
    """Shift the spending of sectors between origins and domestic goods after a change of duty.

    The goods of an origin in a sector keep their proportions and respond to their mean duty. Spending of a sector,
    prices of exporters and of domestic producers stay.

    Args:
        sector: an integer per line.
        origin: an integer >= 0 per line.
        v0, t0, t1: customs value and rates as in `armington`.
        theta: trade elasticity, > 0, scalar or one per sector in the order of sorted ids.
        domestic: domestic shipments at the baseline, USD, likewise.
        prohibited: marks lines that may not be imported, scalar or per line.

    Raises:
        InputError: PARAMETER_INVALID with the line or sector at fault.
    """
    value, (base, rate) = read_trade(v0, t0, t1)
    size = value.size
    groups = group_lines(sector, size, value, base, rate)
    elasticity = groups.per_product("theta", theta, THETA)
    goods = groups.per_product("domestic", domestic, VALUE)
    origins, order = np.asarray(origin), groups.order
    if origins.shape != (size,) or origins.dtype.kind not in "iu" or (origins < 0).any():
        raise invalid("origin", f"origin has shape {origins.shape}; it must be one integer >= 0 per line.")
    place = np.searchsorted(groups.products, np.asarray(sector))
    shut = np.broadcast_to(np.asarray(prohibited, dtype=bool), (size,))
    # In the order of their values, so that sums have the same bits for any order of the caller's lines.
    parts = OriginParts.of(place[order], origins.astype(np.int64)[order], groups.products.size)
    found = shift_spending(parts, value[order], base[order], rate[order], elasticity, goods, shut[order])
    back = np.argsort(order)
    return replace(
        found, sectors=groups.products, **{name: getattr(found, name)[back] for name in _LINE_FIELDS}
    )


def shift_spending(
    parts: OriginParts, v0: Floats, t0: Floats, t1: Floats, theta: Floats, domestic: Floats, prohibited: Bools
) -> ExactHatResponse:
    """Shift the spending of sectors as `exact_hat` does, given checked values and the parts of the lines."""
    entering = np.where(prohibited, 0.0, v0)
    landed = v0 * (1.0 + t0)
    of_part = _sums(parts, entering * (1.0 + t0))
    rise = ratio(_sums(parts, entering * (t1 - t0)), of_part, 0.0)
    shut = sums_of(parts.sector, np.where(prohibited, landed, 0.0), parts.sectors)
    spending = parts.by_sector(of_part) + shut + domestic
    share = ratio(of_part, spending[parts.sector_of_part], 0.0)
    home, lost = ratio(domestic, spending, 0.0), ratio(shut, spending, 0.0)
    log_price = np.log1p(rise)
    # The log of the share hat before the sector's index is taken out.
    pull = -theta[parts.sector_of_part] * log_price
    log_index = _log_mean(parts, share, pull, home, lost)
    left = np.isfinite(log_index)
    log_index = np.where(left, log_index, 0.0)
    moved = np.where(share > 0.0, pull - log_index[parts.sector_of_part], 0.0)
    at_home = np.where(home > 0.0, -log_index, 0.0)
    weights = parts.by_sector(share * _relative(np.expm1, moved)) + home * _relative(np.expm1, at_home)
    hat = np.where(prohibited, 0.0, np.exp(moved - np.where(share > 0.0, log_price, 0.0))[parts.part])
    rate_of_loss = np.where(left, ratio(np.ones(parts.sectors), weights, 0.0), np.nan)
    log_rise = _relative(np.log1p, rise)[parts.part]
    of_entering = -(_relative(np.expm1, moved)[parts.part]) * log_rise * entering * (t1 - t0)
    of_prohibited = -np.where(prohibited, landed, 0.0) / theta[parts.sector]
    surplus = (of_entering + of_prohibited) * rate_of_loss[parts.sector]
    after = v0 * hat
    return ExactHatResponse(
        quantity_hat=hat,
        value=after,
        buyer_surplus=surplus,
        share_base=ratio(landed, spending[parts.sector], 0.0),
        share=ratio(after * (1.0 + t1), spending[parts.sector], 0.0),
        sectors=np.arange(parts.sectors),
        price_hat=np.where(left, np.exp(-log_index / theta), np.inf),
        domestic_share=home,
        domestic_hat=np.exp(at_home),
        spending=spending,
        welfare=np.where(left, spending * log_index / theta, np.nan)
        + sums_of(parts.sector, after * t1 - v0 * t0, parts.sectors),
    )


def _sums(parts: OriginParts, amounts: Floats) -> Floats:
    return sums_of(parts.part, amounts, parts.sector_of_part.size)


def _log_mean(parts: OriginParts, share: Floats, pull: Floats, home: Floats, lost: Floats) -> Floats:
    """Compute ln of the sum of share exp(pull) over a sector, domestic goods with a pull of 0; -inf where all is lost.

    Near 1 the sum is taken as its distance from 1, so that small changes keep their digits and none leaves exactly 0.
    """
    highest = np.full(parts.sectors, -np.inf)
    np.maximum.at(highest, parts.sector_of_part, np.where(share > 0.0, pull, -np.inf))
    highest = np.where(home > 0.0, np.maximum(highest, 0.0), highest)
    something = np.isfinite(highest)
    highest = np.where(something, highest, 0.0)
    below = np.where(share > 0.0, pull - highest[parts.sector_of_part], 0.0)
    at_home = np.where(home > 0.0, -highest, 0.0)
    distance = parts.by_sector(share * np.expm1(below)) + home * np.expm1(at_home) - lost
    whole = parts.by_sector(share * np.exp(below)) + home * np.exp(at_home)
    emptied, near = ~something & (lost > 0.0), distance > _NEAR
    of_distance = np.log1p(np.where(near, distance, 0.0))
    of_whole = np.log(np.where(near | emptied, 1.0, whole))
    return np.where(emptied, -np.inf, highest + np.where(near, of_distance, of_whole))


def _relative(function: np.ufunc, x: Floats) -> Floats:
    """Compute f(x) / x; 1 at 0. Of expm1 it is the logarithmic mean of a share before and after, over that before."""
    zero = x == 0.0
    return np.where(zero, 1.0, function(x) / np.where(zero, 1.0, x))
