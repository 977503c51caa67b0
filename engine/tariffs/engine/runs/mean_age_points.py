"""Response under a market of sectors at points of a sweep on the adjustment path: all duty at its mean age.

The age depends on the rates of a point, and every elasticity on the age. So all products are solved at every point.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, sums_of
from tariffs.engine.base.chunks import thread_count
from tariffs.engine.response.adjustment_profile import PathParameters, mixed
from tariffs.engine.response.lane_sweep import LaneSweep, sweep_at_once
from tariffs.engine.response.mean_ages import MeanAges
from tariffs.engine.response.sector_market import kappa_of
from tariffs.engine.response.sweep_inputs import StageElasticities, SweepElasticities
from tariffs.engine.response.sweep_sums import SweepSums
from tariffs.engine.response.trade_response import PROHIBITIVE, Response
from tariffs.engine.runs.merged_trade import Merged, stage_kinds_of, trade_of
from tariffs.engine.runs.outcome import Outcome
from tariffs.engine.runs.point_goods import PointGoods
from tariffs.engine.runs.point_response import class_pairs, kept_parts
from tariffs.engine.runs.table_run import TableRun
from tariffs.engine.runs.variety_paths import VarietyPaths
from tariffs.engine.table_duty.class_duties import ClassPairs


@dataclass(frozen=True)
class KeptMeanAges:
    """Sweep over merged varieties at elasticities of each point, pairs of class and group, and domestic goods.

    Attributes:
        sweep: the sweep over varieties by form of the last day.
        rates: rate of each class of the sweep; those of moved ones are not read.
        moved, row: classes of the sweep that move, and the row of each in the rates of a call.
        ages: weights of the horizons.
        stages: elasticities of the kinds by horizon.
        pairs: pairs of class and group; None if results are not by authority.
        goods: domestic goods.
        kept_by: what it is kept by, so that ids are not reused.
    """

    sweep: LaneSweep
    rates: F64
    moved: I64
    row: I64
    ages: MeanAges
    stages: StageElasticities
    pairs: ClassPairs | None
    goods: PointGoods
    kept_by: tuple[object, ...]

    @classmethod
    def of(cls, run: TableRun, response: Response, outcome: Outcome, paths: VarietyPaths) -> KeptMeanAges:
        """Arrange the varieties of a table for the points of one law."""
        parameters, varieties, forms = response.parameters, response.varieties, paths.forms
        assert isinstance(parameters, PathParameters)
        group, pairs = run.grouping.of_line[varieties.line], class_pairs(run, response, outcome)
        stages, kind = stage_kinds_of(parameters)
        used, last = np.unique(forms.form[:, -1], return_inverse=True)
        # What is prohibited on the day of the points is not in their sums.
        barred = (forms.rates[used] == PROHIBITIVE).astype(np.float64)
        merged = Merged(last[paths.of_variety], barred, group, None if pairs is None else pairs.of_goods)
        trade = trade_of(run, response, kind, merged)
        value = sums_of(paths.of_variety, varieties.value, len(forms.form))
        moved = np.flatnonzero(forms.moved[used])
        return cls(
            sweep_at_once(trade), forms.rates[used], moved, (np.cumsum(forms.moved) - 1)[used[moved]],
            MeanAges(forms, value, parameters.profile), stages, pairs, PointGoods(trade, run.grouping.count),
            (outcome.variety_rates.of_variety, paths.forms, *kept_parts(response)),
        )  # fmt: skip

    def solve(self, rates: F64) -> SweepSums:
        """Solve a block of points, given the rates of the moved forms (forms x points)."""
        every = np.repeat(self.rates[:, None], rates.shape[1], axis=1)
        every[self.moved] = rates[self.row]
        elasticities = self._elasticities(self.ages(rates))
        return self.sweep(every[self.sweep.forms], elasticities, threads=thread_count())

    def _elasticities(self, weights: F64) -> SweepElasticities:
        """Mix the elasticities of the kinds (kinds x points), given the weights of the horizons."""
        sigma, eta, inverse = mixed(self.stages.columns[..., None], weights[:, :, None])
        with np.errstate(divide="ignore"):
            supply = 1.0 / inverse
        given = np.broadcast_to(np.reshape(self.stages.kappa, (-1, 1)), eta.shape)
        return SweepElasticities(sigma, eta, supply, kappa_of(given, eta, eta))
