"""Armington response of points of a sweep whose laws differ in rates: only varieties whose rate moves are solved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, sums_of
from tariffs.engine.base.chunks import thread_count
from tariffs.engine.response.armington_sweep import SCENARIOS, ArmingtonSweep
from tariffs.engine.response.parameters import ProductParameters
from tariffs.engine.response.sweep_inputs import SweepElasticities, SweepReference, SweepTrade
from tariffs.engine.response.trade_response import (
    ARMINGTON,
    PROHIBITIVE,
    Response,
    domestic_shipments,
)
from tariffs.engine.runs.grouping import AUTHORITY
from tariffs.engine.runs.outcome import Outcome
from tariffs.engine.runs.point_laws import PointGroup
from tariffs.engine.runs.response_sums import PRODUCT_SUMS
from tariffs.engine.runs.table_run import TableRun
from tariffs.engine.table_duty.rate_classes import bits, class_forms, first_of, numbered


def has_point_response(run: TableRun) -> bool:
    """Test whether points of a run may respond together: Armington demand, no tax, and no sums by authority."""
    response = run.response
    if response is None or response.model != ARMINGTON or response.market or AUTHORITY in run.options.by:
        return False
    return run.prepared.lines.vat is None and run.steps is None


def is_closed_exactly(run: TableRun, outcome: Outcome) -> bool:
    """Test whether sums over varieties express what a law does to quantities and shares."""
    if run.response is None or outcome.constraints is not None:
        return False
    atoms = run.response.varieties.atoms
    if any(rated.family.atoms is not atoms for rated in outcome.duties.rated):
        return False
    rates = outcome.variety_rates
    return run.response.closes_whole(rates) and not run.response.unbounded_loss(rates).any()


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
    """

    def __init__(self, run: TableRun, outcome: Outcome, group: PointGroup) -> None:
        assert run.response is not None
        self._run = run
        duties = outcome.duties
        self._forms = [
            class_forms(duties.law, rated, moved)
            for rated, moved in zip(duties.rated, group.moved, strict=True)
        ]
        self._kinds, kind = _kinds(run.response.parameters)
        firsts = np.cumsum([0, *(len(forms.still) for forms in self._forms)])
        of_class = np.concatenate(
            [first + forms.of_class for first, forms in zip(firsts, self._forms, strict=False)]
        )
        self._used, form = np.unique(of_class[outcome.variety_rates.of_variety], return_inverse=True)
        barred = np.concatenate([forms.barred for forms in self._forms])[self._used]
        moves = np.concatenate([forms.moves for forms in self._forms])[self._used]
        rates = np.where(barred > 0.0, PROHIBITIVE, self._at([each[:1] for each in group.rates])[:, 0])
        self._sweep = ArmingtonSweep(
            _trade(run, run.response, kind, form, barred), SweepReference(rates, moves, self._kinds)
        )
        v = run.response.varieties
        self._before = sums_of(run.grouping.of_line[v.line], v.value, run.grouping.count)

    def _at(self, rates: Sequence[F64]) -> F64:
        """Rate of each form at points (forms x points), by instant the rate of each row (points x rows)."""
        blocks = [forms.at(of_rows) for forms, of_rows in zip(self._forms, rates, strict=True)]
        found: F64 = np.concatenate(blocks)[self._used]
        return found

    def __call__(self, group: PointGroup) -> ResponseColumns:
        """Compute the result columns after the response of points of the law."""
        blocks = []
        for first in range(0, len(group.points), SCENARIOS):
            self._run.check()
            rates = self._at([rates[first : first + SCENARIOS] for rates in group.rates])
            blocks.append(self._sweep(rates[self._sweep.classes], self._kinds, threads=thread_count()))
        sums = {name: np.concatenate([getattr(block, name) for block in blocks], axis=1).T for name in _SUMS}
        columns = {
            "value_after": sums["value"],
            "duty_after": sums["duty"],
            "landed_after": sums["value"] + sums["charges"] + sums["duty"],
            "value_change": sums["value"] - self._before,
            **{name: sums[name] for name in ("quantity", "creation", "diversion")},
        }
        owned = {name: sums[name] for name in PRODUCT_SUMS}
        groups = columns | (owned if self._run.grouping.product_pure else {})
        return ResponseColumns(groups, {name: values.sum(axis=1) for name, values in owned.items()})


_SUMS = ("value", "duty", "charges", "quantity", "creation", "diversion", *PRODUCT_SUMS)


def _trade(run: TableRun, response: Response, kind: I64, form: I64, barred: F64) -> SweepTrade:
    """Arrange the varieties; those of one product and group with one rate at the baseline and one form are merged."""
    v, parameters, count = response.varieties, response.parameters, len(response.parameters.sigma)
    group = run.grouping.of_line[v.line]
    number = numbered(v.product, group, form, bits(response.base_rate))
    first = first_of(number)
    size = len(first)
    product_group = run.grouping.of_product(run.prepared.product_of_line, count)
    owner = np.zeros(count, dtype=np.int64) if product_group is None else product_group
    domestic = domestic_shipments(v.product, v.value, response.base_rate, parameters)
    return SweepTrade(
        product=v.product[first],
        v0=sums_of(number, v.value, size),
        t0=response.base_rate[first],
        rate_class=form[first],
        group=group[first],
        kind=kind[v.traded],
        product_group=owner[v.traded],
        charges=sums_of(number, v.charges, size),
        kept=np.where(barred > 0.0, 0.0, 1.0)[form[first]],
        domestic=domestic[v.traded],
    )


def _kinds(parameters: ProductParameters) -> tuple[SweepElasticities, I64]:
    """Distinct sets of elasticities, and the set of each product."""
    kappa = np.where(np.isnan(parameters.kappa), parameters.eta, parameters.kappa)
    rows = np.column_stack([parameters.sigma, parameters.eta, parameters.supply, kappa])
    distinct, kind = np.unique(rows, axis=0, return_inverse=True)
    return SweepElasticities(*distinct.T), kind.astype(np.int64)
