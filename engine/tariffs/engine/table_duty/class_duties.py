"""Sum duty by group and column from values by class of goods and group, which a response moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tariffs.engine.base.array_utils import F64, I32, I64, Bools, factorize
from tariffs.engine.base.chunks import over_threads
from tariffs.engine.law.law import Law
from tariffs.engine.table_duty.class_kernel import sum_class_duties
from tariffs.engine.table_duty.rate_classes import RateClasses, goods_of
from tariffs.engine.table_duty.rated_lines import RatedLines

_PART_CLASSES = 32_768
_PARTED_PLACES = 65_536
"""Most places of which parts of the classes have sums of their own."""


@dataclass(frozen=True)
class ClassPairs:
    """Pairs of a class and a group that have goods, by class and then by group.

    Attributes:
        start: index of the first pair of each class (one more than classes).
        group: per pair.
        of_goods: pair of each of the goods.
    """

    start: I64
    group: I64
    of_goods: I64

    @classmethod
    def of(cls, class_of: I32, group: I64, classes: int, groups: int) -> ClassPairs:
        """Number the pairs of goods.

        Args:
            class_of, group: per good.
            classes, groups: how many there are.
        """
        keys, of_goods = factorize(class_of.astype(np.int64) * groups + group)
        return cls(np.searchsorted(keys, np.arange(classes + 1) * groups), keys % groups, of_goods)

    def of_classes(self, first: int, last: int) -> ClassPairs:
        """Select the pairs of classes [first, last), which keep their places among the values of all pairs."""
        return ClassPairs(self.start[first : last + 1], self.group, self.of_goods)


@dataclass(frozen=True)
class DutyPlaces:
    """Places of sums of duty: pairs of a group and a column.

    Attributes:
        columns: number of columns.
        row: per group and column its place, the columns of a group adjacent; negative for none.
        count: number of places.
    """

    columns: int
    row: I64
    count: int

    @classmethod
    def all(cls, groups: int, columns: int) -> DutyPlaces:
        """Make a place of every group and column, the columns of a group adjacent."""
        return cls(columns, np.arange(groups * columns), groups * columns)

    @classmethod
    def at(cls, group: I64, column: I64, groups: int, columns: int) -> DutyPlaces:
        """Make places of some groups and columns, in their order."""
        row = np.full(groups * columns, -1)
        row[group * columns + column] = np.arange(len(group))
        return cls(columns, row, len(group))


def class_duties(
    law: Law,
    rated: RatedLines,
    classes: RateClasses,
    pairs: ClassPairs,
    places: DutyPlaces,
    column_of_measure: I32,
    charged: Bools,
    rates: F64,
    values: F64,
) -> F64:
    """Sum the duty on values by class and group: (places x points), with the same bits on any threads.

    Args:
        pairs: pairs of these classes.
        places: what is summed.
        column_of_measure: column of each measure of the law.
        charged: per layer, whether it counts: those assessed, or those owed.
        rates: rate of each row of the law at each point (rows x points).
        values: customs value of each pair at each point (pairs x points), in dollars.
    """
    layers, slots = rated.layers, rated.layers.slots
    goods, column = goods_of(law, rated, classes), column_of_measure[slots.measure]
    rates, values = np.ascontiguousarray(rates), np.ascontiguousarray(values)

    def part(first: int, last: int) -> F64:
        out = np.zeros((places.count, values.shape[1]))
        sum_class_duties(
            first, last, classes.combination, classes.rates, rated.family.rates.distinct, layers.column,
            layers.prohibited, layers.start, layers.slot, layers.weights, charged, slots.kind, rates,
            slots.unit, column, slots.tier_start, slots.tier_up_to, slots.tier_usd, layers.bases, goods.of_class,
            goods.value, goods.parts, goods.quantity, pairs.start, pairs.group, places.columns, places.row, values, out,
        )  # fmt: skip
        return out

    step = _PART_CLASSES if places.count <= _PARTED_PLACES else max(1, classes.count)
    firsts = range(0, classes.count, step)
    total: F64 = np.zeros((places.count, values.shape[1]))
    for out in over_threads(lambda first: part(first, min(first + step, classes.count)), firsts):
        total += out
    return total
