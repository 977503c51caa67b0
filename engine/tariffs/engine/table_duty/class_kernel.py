"""Kernel that sums the duty on values by class of goods and group, at several points at once."""

from __future__ import annotations

import numpy as np

from tariffs.engine.base.array_utils import F64, I8, I32, I64, Bools
from tariffs.engine.base.compiled_kernels import jit
from tariffs.engine.table_duty.kernel import SPECIFIC, ad_valorem, whole_line


@jit
def sum_class_duties(
    lo: int,
    hi: int,
    combination: I32,
    class_rates: I32,
    rates: F64,
    column: I8,
    prohibited: I32,
    layer_start: I64,
    layer_slot: I32,
    layer_base: I32,
    layer_assessed: Bools,
    slot_kind: I8,
    slot_rate: F64,
    slot_unit: I32,
    slot_column: I32,
    tier_start: I32,
    tier_up_to: F64,
    tier_usd: F64,
    bases: F64,
    goods: I32,
    value: F64,
    parts: F64,
    quantity: F64,
    pair_start: I64,
    pair_group: I64,
    columns: int,
    place: I64,
    values: F64,
    out: F64,
) -> None:
    """Add the duty assessed on the pairs of classes [lo, hi), in dollars.

    Args:
        lo, hi: range of classes.
        combination, class_rates: per class its combination and its row of `rates`.
        rates, column, prohibited, layer_start, layer_slot, layer_base, layer_assessed, slot_kind, slot_unit,
            tier_start, tier_up_to, tier_usd, bases: as in `kernel.assess_lines`.
        slot_rate: per slot and point.
        slot_column: per slot, the column that it adds to; negative for none.
        goods: per class, the goods by which it is priced, with their value, parts and quantities.
        pair_start: index of the first pair of each class (one more than classes).
        pair_group: per pair.
        columns: number of columns.
        place: per group and column the row of `out`, the columns of a group adjacent; negative for none.
        values: customs value of pairs at points (pairs x points).
        out: output (places x points).
    """
    points = values.shape[1]
    per_dollar = np.empty(points)
    for c in range(lo, hi):
        first, last = pair_start[c], pair_start[c + 1]
        if first == last or prohibited[combination[c]] >= 0:
            continue
        own = goods[c]
        worth = value[own]
        ordinary = rates[class_rates[c], column[combination[c]]]
        for layer in range(layer_start[combination[c]], layer_start[combination[c] + 1]):
            slot = layer_slot[layer]
            if slot_column[slot] < 0 or not layer_assessed[layer]:
                continue
            base = 0.0
            for part in range(parts.shape[1]):
                base += bases[layer_base[layer], part] * parts[own, part]
            base = base / worth if worth > 0.0 else 0.0
            kind = slot_kind[slot]
            if kind >= SPECIFIC:
                whole = whole_line(
                    kind, slot, quantity[slot_unit[slot], own], worth, tier_start, tier_up_to, tier_usd
                )
                per_dollar[:] = whole * base / worth if worth > 0.0 else 0.0
            else:
                for b in range(points):
                    per_dollar[b] = base * ad_valorem(kind, slot_rate[slot, b], ordinary)
            for pair in range(first, last):
                row = place[pair_group[pair] * columns + slot_column[slot]]
                if row >= 0:
                    for b in range(points):
                        out[row, b] += per_dollar[b] * values[pair, b]
