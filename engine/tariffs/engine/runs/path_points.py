"""Armington response on the adjustment path of points of a sweep whose laws differ in rates.

What all points have in common before the first day on which their duties differ is composed once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tariffs.engine.base.array_utils import F64
from tariffs.engine.base.chunks import thread_count
from tariffs.engine.response.adjustment_profile import PathParameters
from tariffs.engine.response.lane_sections import SIDE_BY_SIDE
from tariffs.engine.response.lane_sweep import LaneSweep
from tariffs.engine.response.sweep_sums import SweepSums
from tariffs.engine.response.trade_response import PROHIBITIVE, Response
from tariffs.engine.runs.duty_sums import PointDuties
from tariffs.engine.runs.mean_age_points import KeptMeanAges
from tariffs.engine.runs.merged_trade import Merged, stage_kinds_of, trade_of
from tariffs.engine.runs.outcome import Outcome
from tariffs.engine.runs.point_goods import PointGoods
from tariffs.engine.runs.point_laws import PointGroup
from tariffs.engine.runs.point_response import (
    BlockColumns,
    class_pairs,
    has_pairs,
    kept_parts,
    kept_sweep,
)
from tariffs.engine.runs.response_sums import AfterSums
from tariffs.engine.runs.table_run import TableRun
from tariffs.engine.runs.variety_paths import VarietyPaths
from tariffs.engine.table_duty.class_duties import ClassPairs
from tariffs.engine.table_duty.duties import Dated
from tariffs.engine.table_duty.form_history import FormHistory


def path_response(
    run: TableRun, outcome: Outcome, group: PointGroup, dated: Dated
) -> PathPointResponse | None:
    """Prepare the response on the path; None if sums over varieties cannot express the days before the points.

    Args:
        run: the table, with a response that is summed by variety.
        outcome: results under the law.
        group: points of the law.
        dated: the instants of the lines.
    """
    response = run.response
    assert response is not None
    assert group.history is not None
    paths = VarietyPaths.of(run, response, group.law, dated, group.history)
    if paths is None:
        return None
    kind = _KeptPaths if response.market is None else KeptMeanAges
    key = (kind.__name__, id(paths.forms), id(outcome.variety_rates.of_variety), has_pairs(run, outcome))
    kept: _KeptPaths | KeptMeanAges
    kept = kept_sweep(run, response, key, lambda: kind.of(run, response, outcome, paths))
    return PathPointResponse(kept, paths.history, BlockColumns(run, outcome.duties, kept.goods, kept.pairs))


@dataclass(frozen=True)
class PathPointResponse:
    """Response of the points of one law on the adjustment path.

    Attributes:
        kept: what sweeps of other values of the parameters share.
        history: gives the rates of forms at points.
        columns: makes the result columns.
    """

    kept: _KeptPaths | KeptMeanAges
    history: FormHistory
    columns: BlockColumns

    def __call__(self, group: PointGroup, before: PointDuties) -> AfterSums:
        """Compute the result columns after the response of points of the law.

        Args:
            group: the points.
            before: duty before the response; by authority, its places are those of the duty after.
        """
        assert group.history is not None
        values = group.history.values

        def solve(first: int) -> SweepSums:
            return self.kept.solve(self.history.at(values[first : first + SIDE_BY_SIDE]))

        return self.columns(group, before, solve)


@dataclass(frozen=True)
class _KeptPaths:
    """Sweep over merged varieties on the path, pairs of class and group, and domestic goods.

    `kept_by` has what it is kept by, so that ids are not reused.
    """

    sweep: LaneSweep
    pairs: ClassPairs | None
    goods: PointGoods
    kept_by: tuple[object, ...]

    @classmethod
    def of(cls, run: TableRun, response: Response, outcome: Outcome, paths: VarietyPaths) -> _KeptPaths:
        """Arrange the varieties of a table for the points of one law."""
        assert isinstance(response.parameters, PathParameters)
        pairs = class_pairs(run, response, outcome)
        elasticities, kind = stage_kinds_of(response.parameters)
        # What is prohibited on the day of the points is not in their sums.
        barred = (paths.forms.rates[paths.forms.form[:, -1]] == PROHIBITIVE).astype(np.float64)
        group = run.grouping.of_line[response.varieties.line]
        merged = Merged(paths.of_variety, barred, group, None if pairs is None else pairs.of_goods)
        trade = trade_of(run, response, kind, merged)
        sweep = LaneSweep(trade, paths.forms, elasticities.at(paths.forms.years))
        kept_by = outcome.variety_rates.of_variety, paths.forms, *kept_parts(response)
        return cls(sweep, pairs, PointGoods(trade, run.grouping.count), kept_by)

    def solve(self, rates: F64) -> SweepSums:
        """Solve a block of points, given the rates of the moved forms (forms x points)."""
        return self.sweep(rates, threads=thread_count())
