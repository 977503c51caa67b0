"""Armington response of points of a sweep whose laws differ in rates: only varieties whose rate moves are solved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools, ratio, sums_of
from tariffs.engine.base.chunks import thread_count
from tariffs.engine.response.armington_sweep import (
    SCENARIOS,
    ArmingtonSweep,
    SweepElasticities,
    SweepReference,
    SweepTrade,
)
from tariffs.engine.response.parameters import ProductParameters
from tariffs.engine.response.trade_response import (
    ARMINGTON,
    PROHIBITIVE,
    Response,
    domestic_shipments,
    is_loss_finite,
    products_of,
)
from tariffs.engine.runs.grouping import AUTHORITY, Grouping
from tariffs.engine.runs.outcome import Outcome
from tariffs.engine.runs.point_laws import PointGroup
from tariffs.engine.runs.table_run import TableRun


@dataclass(frozen=True)
class VarietyGroups:
    """Varieties as groups of lines: the variety of each line, and how many there are."""

    of_line: I64
    count: int
    id: tuple[str, ...] = ("product", "origin")


def is_summed_by_variety(run: TableRun) -> bool:
    """Test whether results of a run are sums over varieties: Armington demand, and groups of whole varieties."""
    response = run.response
    if response is None or response.model != ARMINGTON or response.market or AUTHORITY in run.options.by:
        return False
    if run.prepared.lines.vat is not None or not run.usable.all():
        return False
    of_line = response.varieties.of_line
    group = group_of_variety(run, run.grouping)
    return bool((group[of_line] == run.grouping.of_line).all())


def group_of_variety(run: TableRun, grouping: Grouping) -> I64:
    """Find the group of the last line of each variety."""
    assert run.response is not None
    varieties = run.response.varieties
    group = np.zeros(len(varieties.value), dtype=np.int64)
    group[varieties.of_line] = grouping.of_line
    return group


def closed_varieties(run: TableRun, outcome: Outcome) -> Bools | None:
    """Mark the varieties that a law prohibits as a whole.

    None if sums by variety cannot express what the law does to quantities: it limits them, or prohibits a part of a
    variety, or one without which buyers lose more than any amount.
    """
    response, prohibited = run.response, outcome.duties.prohibited
    if response is None or outcome.constraints is not None:
        return None
    varieties = response.varieties
    closed = varieties.closed(prohibited)
    barred = sums_of(varieties.of_line, prohibited, len(varieties.value)) > 0.0
    products = products_of(varieties, closed, len(response.parameters.sigma))
    if (barred & ~closed).any() or (products & ~is_loss_finite(response, closed)).any():
        return None
    return closed


@dataclass(frozen=True)
class ResponseColumns:
    """Result columns after the response: `groups` (points x groups), and `surplus` of the whole table (points)."""

    groups: dict[str, F64]
    surplus: dict[str, F64]


class PointResponse:
    """Response of the points of one law.

    Args:
        run: the table, with a response that is summed by variety.
        outcome: results under the law.
        group: points of the law.
        closed: marks the varieties that the law prohibits.
    """

    def __init__(self, run: TableRun, outcome: Outcome, group: PointGroup, closed: Bools) -> None:
        assert run.response is not None
        self._run = run
        self._varieties = run.response.varieties
        groups = VarietyGroups(self._varieties.of_line, len(self._varieties.value))
        self._moved = outcome.grouped(groups).moved(group.moved)
        self._kinds, kind = _kinds(run.response.parameters)
        moved = self._moved
        marks = np.zeros(len(self._varieties.value), dtype=bool)
        marks[moved.groups] = True
        rates = np.where(closed, PROHIBITIVE, ratio(moved.at_first, self._varieties.value, 0.0))
        self._sweep = ArmingtonSweep(
            _trade(run, run.response, kind, closed), SweepReference(rates, marks, self._kinds)
        )
        self._before = sums_of(run.grouping.of_line, run.prepared.lines.value, run.grouping.count)

    def __call__(self, group: PointGroup) -> ResponseColumns:
        """Compute the result columns after the response of points of the law."""
        classes = self._sweep.classes
        place = np.searchsorted(self._moved.groups, classes)
        scale = ratio(np.ones(len(classes)), self._varieties.value[classes], 0.0)[:, None]
        blocks = []
        for first in range(0, len(group.points), SCENARIOS):
            self._run.check()
            duty = self._moved.at([rates[first : first + SCENARIOS] for rates in group.rates])
            duty = duty if len(place) == len(duty) else duty[place]
            blocks.append(self._sweep(duty * scale, self._kinds, threads=thread_count()))
        sums = {name: np.concatenate([getattr(block, name) for block in blocks], axis=1).T for name in _SUMS}
        columns = {
            "value_after": sums["value"],
            "duty_after": sums["duty"],
            "landed_after": sums["value"] + sums["charges"] + sums["duty"],
            "value_change": sums["value"] - self._before,
            **{name: sums[name] for name in ("quantity", "creation", "diversion")},
        }
        owned = {name: sums[name] for name in SURPLUS}
        groups = columns | (owned if self._run.grouping.product_pure else {})
        return ResponseColumns(groups, {name: values.sum(axis=1) for name, values in owned.items()})


SURPLUS = ("buyer_surplus", "welfare")
_SUMS = ("value", "duty", "charges", "quantity", "creation", "diversion", *SURPLUS)


def _trade(run: TableRun, response: Response, kind: I64, closed: Bools) -> SweepTrade:
    varieties, parameters, lines = response.varieties, response.parameters, run.prepared.lines
    count = len(varieties.value)
    product_group = run.grouping.of_product(run.prepared.product_of_line, len(parameters.sigma))
    return SweepTrade(
        product=varieties.product,
        v0=varieties.value,
        t0=response.base_rate,
        rate_class=np.arange(count),
        group=group_of_variety(run, run.grouping),
        kind=kind,
        product_group=np.zeros(len(kind), dtype=np.int64) if product_group is None else product_group,
        charges=sums_of(varieties.of_line, lines.freight + lines.insurance, count),
        kept=np.where(closed, 0.0, 1.0),
        domestic=domestic_shipments(varieties.product, varieties.value, response.base_rate, parameters),
    )


def _kinds(parameters: ProductParameters) -> tuple[SweepElasticities, I64]:
    """Distinct sets of elasticities, and the set of each product."""
    kappa = np.where(np.isnan(parameters.kappa), parameters.eta, parameters.kappa)
    rows = np.column_stack([parameters.sigma, parameters.eta, parameters.supply, kappa])
    distinct, kind = np.unique(rows, axis=0, return_inverse=True)
    return SweepElasticities(*distinct.T), kind.astype(np.int64)
