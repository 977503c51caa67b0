"""Elasticities at the mean age of all changes of duty, in laws that differ in rates. See docs/models/adjustment.md."""

from __future__ import annotations

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, sums_of
from tariffs.engine.response.elasticities.adjustment_profile import mixed
from tariffs.engine.response.lanes.adjustment import StageElasticities, weights_at_mean
from tariffs.engine.response.lanes.lane_rates import SAME, RatePaths
from tariffs.engine.response.sectors.sector_market import kappa_of


class MeanAges:
    """One change of duty for the changes of all days, with elasticities at the mean age of these in every lane.

    Their weights of the horizons are those of `mean_weights` for one group. Changes that no lane moves are summed once.
    A lane has the same bits in any block.

    Args:
        paths: rates of the paths of duty.
        value: customs value at the baseline of the varieties of each path, USD.
        stages: elasticities of the kinds of products by age.

    Attributes:
        at_once: the paths of the one change, all of which a lane may move.
        of_path: path of the one change of each path.
    """

    def __init__(self, paths: RatePaths, value: F64, stages: StageElasticities) -> None:
        self._stages, form = stages, paths.form
        used, last = np.unique(form[:, -1], return_inverse=True)
        every = np.ones(used.size, dtype=bool)
        self.at_once, self.of_path = RatePaths.at_once(
            paths.known[form[:, 0]], last, paths.rates[used], every
        )
        row = np.where(paths.moved, np.cumsum(paths.moved) - 1, -1)
        self._last, self._row_of_last = paths.known[used], row[used]
        days, count = len(paths.years), len(paths.rates)
        self._of_ages = [stages.profile.at(years) for years in paths.years]
        path, day = np.nonzero(form[:, 1:] != form[:, :-1])
        before, after = form[path, day], form[path, day + 1]
        keys, number = np.unique((day * count + before) * count + after, return_inverse=True)
        size = sums_of(number, value[path], keys.size)
        day, before, after = keys // count**2, keys // count % count, keys % count
        moves = paths.moved[before] | paths.moved[after]
        still = np.flatnonzero(~moves)
        known = np.where(paths.moved, 0.0, paths.rates)
        change = known[after[still]] - known[before[still]]
        one = 1.0 + known[before[still]]
        power = np.where(np.abs(change) > SAME * one, np.abs(np.log1p(change / one)), 0.0)
        self._still = sums_of(day[still], size[still] * power, days)
        self._size = size[moves][:, None]
        self._days, self._first = np.unique(day[moves], return_index=True)
        used, place = np.unique(np.concatenate([before[moves], after[moves]]), return_inverse=True)
        self._before, self._after = (each.astype(np.int64) for each in np.split(place, 2))
        self._rates, self._row = known[used], row[used]

    def __call__(self, rates: F64) -> F64:
        """Compute the weights by parameter and horizon (3 x 3 x scenarios).

        Args:
            rates: (forms, scenarios) rate of each moved form.
        """
        from tariffs.engine.response.kernels.lane_terms import pair_rows

        count = rates.shape[1]
        every = _with(self._rates, self._row, rates)
        powers = np.empty((len(self._size), count))
        pair_rows(self._before, self._after, every, SAME, powers)
        sizes = np.repeat(self._still[:, None], count, axis=1)
        if len(self._days):
            np.abs(powers, out=powers)
            powers *= self._size
            sizes[self._days] += np.add.reduceat(powers, self._first, axis=0)
        return weights_at_mean(self._of_ages, sizes, self._stages.profile.at(0.0))

    def lanes(self, rates: F64) -> tuple[F64, F64]:
        """Give the rates of the forms of the one change, and the elasticities (4, kinds, lanes).

        Args:
            rates: (forms, lanes) rate of each moved form of the paths.
        """
        sigma, eta, inverse = mixed(self._stages.columns[..., None], self(rates)[:, :, None])
        given = np.broadcast_to(np.reshape(self._stages.kappa, (-1, 1)), eta.shape)
        elasticities = np.stack([sigma, eta, kappa_of(given, eta, eta), inverse])
        return _with(self._last, self._row_of_last, rates), elasticities


def _with(known: F64, row: I64, rates: F64) -> F64:
    """Rates of forms in lanes, given those known and the row of the others, else -1."""
    every = np.repeat(known[:, None], rates.shape[1], axis=1)
    every[row >= 0] = rates[row[row >= 0]]
    return every
