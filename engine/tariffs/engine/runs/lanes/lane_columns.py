"""Sums after the response of laws that are solved in lanes: a block of lanes at a time.

Duty by authority is computed from the customs value of each class of goods and group.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from tariffs.engine.base.array_utils import F64, I32, Bools, sums_of
from tariffs.engine.response.lanes.lane_sections import SIDE_BY_SIDE
from tariffs.engine.response.lanes.sweep_sums import SweepSums, side_by_side
from tariffs.engine.runs.column_names import BASE_DUTY, OWED_AFTER, PRODUCT_SUMS
from tariffs.engine.runs.lanes.point_laws import PointGroup
from tariffs.engine.runs.lanes.table_lanes import TableLanes
from tariffs.engine.runs.outcomes.duty_sums import PointDuties
from tariffs.engine.runs.outcomes.outcome import Outcome
from tariffs.engine.runs.outcomes.response_sums import AfterSums
from tariffs.engine.runs.outcomes.table_run import TableRun
from tariffs.engine.table_duty.class_duties import ClassPairs, DutyPlaces, class_duties
from tariffs.engine.table_duty.duties import Duties
from tariffs.engine.table_duty.rate_classes import RateClasses


class PairDuties:
    """Duty on values by class and group.

    Args:
        duties: duties under the law.
        classes: classes of the atoms by instant.
        pairs: pairs of class and group.
        groups: number of groups.
    """

    def __init__(
        self, duties: Duties, classes: Sequence[RateClasses], pairs: ClassPairs, groups: int
    ) -> None:
        self._duties, self._classes, self._pairs, self._groups = duties, classes, pairs, groups
        self._firsts = np.cumsum([0, *(each.count for each in classes)])

    def by_authority(self, values: F64, rates: Sequence[F64], before: PointDuties | None) -> F64:
        """Sum duty assessed by group and authority (places x lanes).

        Args:
            values: customs value of each pair of class and group (pairs x lanes).
            rates: by instant the rate of each row (lanes x rows).
            before: duty before the response, whose places are summed; without it those of all groups and authorities.
        """
        duties, count = self._duties, len(self._duties.authorities)
        places = DutyPlaces.all(self._groups, count)
        if before is not None:
            places = DutyPlaces.at(before.group, before.column, self._groups, count)
        assessed = [rated.layers.assessed for rated in duties.rated]
        return self._sums(places, duties.authority_of_measure, assessed, values, rates)

    def owed(self, values: F64, rates: Sequence[F64]) -> F64:
        """Sum duty owed by group (groups x lanes), of values and rates as by authority."""
        duties = self._duties
        whole, owed = np.zeros_like(duties.authority_of_measure), [each.layers.owed for each in duties.rated]
        return self._sums(DutyPlaces.all(self._groups, 1), whole, owed, values, rates)

    def _sums(
        self,
        places: DutyPlaces,
        column_of_measure: I32,
        charged: Sequence[Bools],
        values: F64,
        rates: Sequence[F64],
    ) -> F64:
        duties = self._duties
        total: F64 = np.zeros((places.count, values.shape[1]))
        for place, (rated, classes) in enumerate(zip(duties.rated, self._classes, strict=True)):
            total += class_duties(
                duties.law,
                rated,
                classes,
                self._pairs.of_classes(self._firsts[place], self._firsts[place + 1]),
                places,
                column_of_measure,
                charged[place],
                rates[place].T,
                values,
            )
        return total


def has_pairs(run: TableRun, outcome: Outcome) -> bool:
    """Test whether values are summed by class: results are by authority, or not all that is assessed is owed."""
    return run.grouping.by_authority or not outcome.duties.owes_all


def after_sums(
    run: TableRun, lanes: TableLanes, sums: SweepSums, owed: F64 | None, duty: F64 | None
) -> AfterSums:
    """Arrange the sums of lanes as those of a run.

    Args:
        run: the table, with a response.
        lanes: the table in lanes.
        sums: the sums.
        owed: duty owed (groups x lanes); None if all that is assessed is.
        duty: duty by authority (places x lanes); None where results are not by authority.
    """
    assert run.response is not None
    v, of_lines = run.response.varieties, run.grouping.of_line
    before = sums_of(of_lines[v.line], v.value, run.grouping.count)
    amounts = {
        "value_after": sums.value,
        "duty_after": sums.duty,
        "landed_after": sums.value + sums.charges + sums.duty,
        "value_change": sums.value - before[:, None],
        BASE_DUTY: sums.base_duty,
        OWED_AFTER: sums.duty if owed is None else owed,
        **{name: getattr(sums, name) for name in ("quantity", "creation", "diversion", *PRODUCT_SUMS)},
    }
    columns, domestic = {name: values.T for name, values in amounts.items()}, lanes.goods(sums.domestic)
    total = {name: values.sum(axis=1) for name, values in columns.items()} | domestic.total
    groups = columns | domestic.groups
    if not run.grouping.product_pure:
        unknown = np.full(columns["quantity"].shape, np.nan)
        groups |= dict.fromkeys((*PRODUCT_SUMS, *domestic.groups), unknown)
    return AfterSums(groups, total, np.zeros((len(total["duty_after"]), 0)) if duty is None else duty.T)


class BlockColumns:
    """Sums of points after the response, a block of lanes at a time.

    Args:
        run: the table, with a response.
        duties: duties under the law of the points.
        classes: classes of the atoms by instant.
        lanes: the table in lanes.
    """

    def __init__(
        self, run: TableRun, duties: Duties, classes: Sequence[RateClasses], lanes: TableLanes
    ) -> None:
        self._run, self._lanes, self._owes_all, self._rated = run, lanes, duties.owes_all, duties.rated
        pairs = lanes.pairs
        self._duties = None if pairs is None else PairDuties(duties, classes, pairs, run.grouping.count)

    def __call__(self, group: PointGroup, before: PointDuties, rates: Callable[[int], F64]) -> AfterSums:
        """Compute the sums of a group of points; `rates` gives those of the moved forms from a point on."""
        blocks, duties, owed = [], [], []
        rates_of_group = group.rates(self._rated)
        for first in range(0, len(group.points), SIDE_BY_SIDE):
            self._run.check()
            blocks.append(self._lanes(rates(first)))
            values = blocks[-1].values
            rates_of_rows = [each[first : first + SIDE_BY_SIDE] for each in rates_of_group]
            if self._duties and self._run.grouping.by_authority:
                duties.append(self._duties.by_authority(values, rates_of_rows, before))
            if self._duties and not self._owes_all:
                owed.append(self._duties.owed(values, rates_of_rows))
        of_duty, of_owed = (np.concatenate(each, axis=1) if each else None for each in (duties, owed))
        return after_sums(self._run, self._lanes, side_by_side(blocks), of_owed, of_duty)


def at_places(run: TableRun, sums: AfterSums, before: PointDuties) -> AfterSums:
    """Take the duty by authority of the only point of a law at the places of that before the response."""
    if not run.grouping.by_authority:
        return sums
    duty = sums.duty_after.reshape(run.grouping.count, -1)[before.group, before.column]
    return replace(sums, duty_after=duty[None])
