"""Armington response of points of a sweep whose laws differ in rates: only varieties whose rate moves are solved.

Duty by authority after the response is computed from the customs value of each class of goods and group.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from tariffs.engine.base.array_utils import F64, I32, I64, Bools, sums_of
from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.base.chunks import thread_count
from tariffs.engine.response.lane_sections import SIDE_BY_SIDE
from tariffs.engine.response.lane_sweep import LaneSweep, sweep_at_once
from tariffs.engine.response.sweep_inputs import SweepReference
from tariffs.engine.response.sweep_sums import SweepSums
from tariffs.engine.response.trade_response import PROHIBITIVE, Response
from tariffs.engine.runs.column_names import BASE_DUTY, OWED_AFTER, PRODUCT_SUMS
from tariffs.engine.runs.duty_sums import PointDuties
from tariffs.engine.runs.merged_trade import Merged, kinds_of, trade_of
from tariffs.engine.runs.outcome import Outcome
from tariffs.engine.runs.point_goods import PointGoods
from tariffs.engine.runs.point_laws import PointGroup
from tariffs.engine.runs.response_sums import AfterSums
from tariffs.engine.runs.table_run import TableRun
from tariffs.engine.table_duty.class_duties import ClassPairs, DutyPlaces, class_duties
from tariffs.engine.table_duty.duties import Duties
from tariffs.engine.table_duty.rate_classes import class_functions, rate_classes

Kept = TypeVar("Kept")
_SWEEPS_KEPT = 2
"""Some 60 to 120 MB each for the embedded table."""
_KEPT_VARIETIES = 1_000_000
"""Most varieties of a table whose sweep is kept; some 200 bytes each."""


def is_closed_exactly(run: TableRun, outcome: Outcome) -> bool:
    """Test whether sums over varieties express what a law does to quantities and shares."""
    if run.response is None or not run.response.has_own_rates or not outcome.has_plain_quantities:
        return False
    atoms = run.response.varieties.atoms
    if any(rated.family.atoms is not atoms for rated in outcome.duties.rated):
        return False
    rates = outcome.variety_rates
    if run.response.closes_apart(rates):
        return False
    return run.response.closes_whole(rates) and not run.response.unbounded_loss(rates).any()


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
            class_functions(duties.law, rated, moved, rate_classes(rated)).forms()
            for rated, moved in zip(duties.rated, group.moved, strict=True)
        ]
        self._kinds, kind = kinds_of(run.response)
        firsts = np.cumsum([0, *(len(forms.still) for forms in self._forms)])
        of_class = np.concatenate(
            [first + forms.of_class for first, forms in zip(firsts, self._forms, strict=False)]
        )
        class_of = outcome.variety_rates.of_variety
        response = run.response

        def merged() -> _MergedSweep:
            used, form = np.unique(of_class[class_of], return_inverse=True)
            barred = np.concatenate([forms.barred for forms in self._forms])[used]
            moves = np.concatenate([forms.moves for forms in self._forms])[used]
            rates = np.where(barred > 0.0, PROHIBITIVE, self._at([each[:1] for each in group.rates])[used, 0])
            of_variety, pairs = (
                run.grouping.of_line[response.varieties.line],
                class_pairs(run, response, outcome),
            )
            alike = Merged(form, barred, of_variety, None if pairs is None else pairs.of_goods)
            trade = trade_of(run, response, kind, alike)
            sweep = sweep_at_once(trade, SweepReference(rates, moves, self._kinds))
            goods = PointGoods(trade, run.grouping.count)
            kept_by = class_of, *kept_parts(response)
            return _MergedSweep(sweep, used[sweep.forms], pairs, kept_by, goods)

        key = tuple(forms.digest for forms in self._forms), id(class_of), has_pairs(run, outcome)
        self._merged = kept_sweep(run, response, key, merged)
        self._columns = BlockColumns(run, duties, self._merged.goods, self._merged.pairs)

    def _at(self, rates: Sequence[F64]) -> F64:
        """Rate of each form at points (forms x points), by instant the rate of each row (points x rows)."""
        return np.concatenate([forms.at(of_rows) for forms, of_rows in zip(self._forms, rates, strict=True)])

    def __call__(self, group: PointGroup, before: PointDuties) -> AfterSums:
        """Compute the result columns after the response of points of the law.

        Args:
            group: the points.
            before: duty before the response; by authority, its places are those of the duty after.
        """

        def solve(first: int) -> SweepSums:
            rates = self._at([rates[first : first + SIDE_BY_SIDE] for rates in group.rates])
            return self._merged.sweep(rates[self._merged.moved], threads=thread_count())

        return self._columns(group, before, solve)


class BlockColumns:
    """Result columns of points, a block of scenarios at a time.

    Args:
        run: the table, with a response that is summed by variety.
        duties: duties under the law of the points.
        goods: domestic goods.
        pairs: pairs of class and group; None if `has_pairs` is false.
    """

    def __init__(self, run: TableRun, duties: Duties, goods: PointGoods, pairs: ClassPairs | None) -> None:
        assert run.response is not None
        self._run, self._goods = run, goods
        self._before = _value_before(run, run.response)
        self._is_by_authority, self._owes_all = run.grouping.by_authority, duties.owes_all
        self._duties = None if pairs is None else PairDuties(duties, pairs, run.grouping.count)

    def __call__(
        self, group: PointGroup, before: PointDuties, solve: Callable[[int], SweepSums]
    ) -> AfterSums:
        """Compute the columns of a group of points; `solve` gives the sums of the block from a point on."""
        blocks, duties, owed = [], [], []
        for first in range(0, len(group.points), SIDE_BY_SIDE):
            self._run.check()
            block = solve(first)
            blocks.append(block)
            rates_of_rows = [rates[first : first + SIDE_BY_SIDE] for rates in group.rates]
            if self._duties and self._is_by_authority:
                duties.append(self._duties.by_authority(block.values, rates_of_rows, before))
            if self._duties and not self._owes_all:
                owed.append(self._duties.owed(block.values, rates_of_rows))
        sums = {name: np.concatenate([getattr(block, name) for block in blocks], axis=1).T for name in _SUMS}
        columns = {
            "value_after": sums["value"],
            "duty_after": sums["duty"],
            "landed_after": sums["value"] + sums["charges"] + sums["duty"],
            "value_change": sums["value"] - self._before,
            BASE_DUTY: sums["base_duty"],
            OWED_AFTER: np.concatenate(owed, axis=1).T if owed else sums["duty"],
            **{name: sums[name] for name in ("quantity", "creation", "diversion")},
        }
        domestic = self._goods(np.concatenate([block.domestic for block in blocks], axis=2))
        columns |= {name: sums[name] for name in PRODUCT_SUMS}
        total = {name: values.sum(axis=1) for name, values in columns.items()} | domestic.total
        groups = columns | domestic.groups
        if not self._run.grouping.product_pure:
            unknown = np.full(columns["quantity"].shape, np.nan)
            groups |= dict.fromkeys((*PRODUCT_SUMS, *domestic.groups), unknown)
        none = np.zeros((len(group.points), 0))
        return AfterSums(groups, total, np.concatenate(duties, axis=1).T if duties else none)


def at_places(run: TableRun, sums: AfterSums, before: PointDuties) -> AfterSums:
    """Take the duty by authority of the only point of a law at the places of that before the response."""
    if not run.grouping.by_authority:
        return sums
    duty = sums.duty_after.reshape(run.grouping.count, -1)[before.group, before.column]
    return replace(sums, duty_after=duty[None])


@dataclass(frozen=True)
class _MergedSweep:
    """Sweep over merged varieties, the forms whose rates its calls give, pairs of class and group, and domestic goods.

    `kept_by` has what it is kept by, so that ids are not reused; a response as a whole would have the table too.
    """

    sweep: LaneSweep
    moved: I64
    pairs: ClassPairs | None
    kept_by: tuple[object, ...]
    goods: PointGoods


def has_pairs(run: TableRun, outcome: Outcome) -> bool:
    """Test whether values are summed by class: results are by authority, or not all that is assessed is owed."""
    return run.grouping.by_authority or not outcome.duties.owes_all


def class_pairs(run: TableRun, response: Response, outcome: Outcome) -> ClassPairs | None:
    """Pair the classes of varieties with groups; None where values are not summed by class."""
    if not has_pairs(run, outcome):
        return None
    group = run.grouping.of_line[response.varieties.line]
    classes = sum(rate_classes(rated).count for rated in outcome.duties.rated)
    return ClassPairs.of(outcome.variety_rates.of_variety, group, classes, run.grouping.count)


def kept_sweep(run: TableRun, response: Response, key: Hashable, make: Callable[[], Kept]) -> Kept:
    """Find the sweep of laws with the same forms of rates; the last one is kept with a table of moderate size.

    What `make` gives refers to the parts of the response and the objects of the key, so that their ids are not reused.
    """
    if response.varieties.count > _KEPT_VARIETIES:
        return make()
    kept: BoundedCache[Hashable, Kept]
    kept = run.prepared.lines.cache.setdefault("merged sweeps", BoundedCache(_SWEEPS_KEPT))
    return kept.get((key, *map(id, kept_parts(response)), run.grouping.id), make)


def kept_parts(response: Response) -> tuple[object, ...]:
    """Parts of a response that a sweep depends on."""
    return response.varieties, response.base_rate, response.parameters, response.market


def _value_before(run: TableRun, response: Response) -> F64:
    """Sum customs value of the varieties by group at the baseline."""
    v = response.varieties
    return sums_of(run.grouping.of_line[v.line], v.value, run.grouping.count)


_SUMS = ("value", "duty", "charges", "quantity", "base_duty", "creation", "diversion", *PRODUCT_SUMS)


class PairDuties:
    """Duty on values by class and group.

    Args:
        duties: duties under the law.
        pairs: pairs of class and group.
        groups: number of groups.
    """

    def __init__(self, duties: Duties, pairs: ClassPairs, groups: int) -> None:
        self._duties = duties
        self._classes = [rate_classes(rated) for rated in duties.rated]
        self._pairs = pairs
        self._groups = groups
        self._firsts = np.cumsum([0, *(classes.count for classes in self._classes)])

    def by_authority(self, values: F64, rates: Sequence[F64], before: PointDuties) -> F64:
        """Sum duty assessed by group and authority (places x points).

        Args:
            values: customs value of each pair of class and group (pairs x points).
            rates: by instant the rate of each row (points x rows).
            before: duty before the response, whose places are summed.
        """
        duties = self._duties
        places = DutyPlaces.at(before.group, before.column, self._groups, len(duties.authorities))
        assessed = [rated.layers.assessed for rated in duties.rated]
        return self._sums(places, duties.authority_of_measure, assessed, values, rates)

    def owed(self, values: F64, rates: Sequence[F64]) -> F64:
        """Sum duty owed by group (groups x points), of values and rates as by authority."""
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
