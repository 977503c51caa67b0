"""Mean age of all changes of duty in scenarios that differ in rates. See docs/models/adjustment.md."""

from __future__ import annotations

import numpy as np

from tariffs.engine.base.array_utils import F64, ratio, sums_of
from tariffs.engine.response.adjustment import SAME
from tariffs.engine.response.adjustment_profile import AdjustmentProfile
from tariffs.engine.response.lane_rates import RatePaths


class MeanAges:
    """Weights of the horizons at the mean age of all changes of duty, as `mean_weights` gives them for one group.

    Changes that no scenario moves are summed once. A scenario has the same bits in any block.

    Args:
        forms: rates of the paths of duty.
        value: customs value at the baseline of the varieties of each path, USD.
        profile: weights of the horizons by age.
    """

    def __init__(self, forms: RatePaths, value: F64, profile: AdjustmentProfile) -> None:
        days, count = len(forms.years), len(forms.rates)
        self._at_once = profile.at(0.0)
        self._profile = np.array([profile.at(years) for years in forms.years]).reshape(-1, 3, 3)
        path, day = np.nonzero(forms.form[:, 1:] != forms.form[:, :-1])
        before, after = forms.form[path, day], forms.form[path, day + 1]
        keys, number = np.unique((day * count + before) * count + after, return_inverse=True)
        size = sums_of(number, value[path], keys.size)
        day, before, after = keys // count**2, keys // count % count, keys % count
        moves = forms.moved[before] | forms.moved[after]
        still = np.flatnonzero(~moves)
        known = np.where(forms.moved, 0.0, forms.rates)
        change = known[after[still]] - known[before[still]]
        one = 1.0 + known[before[still]]
        power = np.where(np.abs(change) > SAME * one, np.abs(np.log1p(change / one)), 0.0)
        self._still = sums_of(day[still], size[still] * power, days)
        self._size = size[moves][:, None]
        self._days, self._first = np.unique(day[moves], return_index=True)
        used, place = np.unique(np.concatenate([before[moves], after[moves]]), return_inverse=True)
        self._before, self._after = (each.astype(np.int64) for each in np.split(place, 2))
        row_of_form = np.where(forms.moved, np.cumsum(forms.moved) - 1, -1)[used]
        self._moved, self._row = np.flatnonzero(row_of_form >= 0), row_of_form[row_of_form >= 0]
        self._rates = known[used]

    def __call__(self, rates: F64) -> F64:
        """Compute the weights by parameter and horizon (3 x 3 x scenarios).

        Args:
            rates: (forms, scenarios) rate of each moved form.
        """
        from tariffs.engine.response.kernels.lane_terms import pair_rows

        count = rates.shape[1]
        every = np.repeat(self._rates[:, None], count, axis=1)
        every[self._moved] = rates[self._row]
        powers = np.empty((len(self._size), count))
        pair_rows(self._before, self._after, every, SAME, powers)
        sizes = np.repeat(self._still[:, None], count, axis=1)
        if len(self._days):
            np.abs(powers, out=powers)
            powers *= self._size
            sizes[self._days] += np.add.reduceat(powers, self._first, axis=0)
        total, weights = np.zeros(count), np.zeros((3, 3, count))
        for at, size in zip(self._profile, sizes, strict=True):
            weights += at[:, :, None] * size
            total += size
        mean = ratio(weights, np.broadcast_to(total, weights.shape), 0.0)
        return np.where(total > 0.0, mean, self._at_once[:, :, None])
