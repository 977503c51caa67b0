"""Compute the duty of ranges of lines, and exact sums of bases by cell, serially and without the GIL."""

from __future__ import annotations

import numpy as np

from tariffs.engine.base.array_utils import F64, I8, I32, I64, Bools
from tariffs.engine.base.compiled_kernels import jit

ORDINARY, AD_VALOREM, TOP_UP, SPECIFIC, MINIMUM_PRICE = range(5)
NO_RATE = -1
CARRY_BITS = 45
"""Bits of the low word of an exact sum; the high word counts 2**-8 dollars, the low one 2**-53."""
_HIGH, _LOW, _MASK = 256.0, float(1 << 45), (1 << 45) - 1


@jit
def assess_lines(
    lo: int,
    hi: int,
    lines: I32,
    atom_start: I64,
    atom_combination: I32,
    atom_weight: F64,
    atom_rates: I32,
    rates: F64,
    column: I8,
    prohibited: I32,
    layer_start: I64,
    layer_slot: I32,
    layer_base: I32,
    layer_assessed: Bools,
    layer_owed: Bools,
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
    duty: F64,
    owed: F64,
    prohibited_value: F64,
) -> None:
    """Add the duty of lines[lo:hi], in dollars.

    Args:
        lo, hi: range of positions in `lines`.
        lines: lines to compute.
        atom_start: index of the first atom of each line (one more than lines).
        atom_combination, atom_weight, atom_rates: per atom: combination, weight, row of `rates`.
        rates: ordinary rates: general, special, other, and 0 for none.
        column, prohibited: per combination: column of `rates`; -1 if its goods may be imported.
        layer_start: index of the first layer of each combination (one more than combinations).
        layer_slot, layer_base: per layer: its slot (row of the law), its row of `bases`.
        layer_assessed, layer_owed: per layer, whether it is assessed, and owed.
        slot_kind, slot_rate, slot_unit: per slot: kind, rate, row of `quantity`.
        slot_column: per slot, the column of `duty` and `owed` that it adds to; negative for none.
        tier_start, tier_up_to, tier_usd: per slot its tiers (a minimum price is one tier).
        bases: weights of the parts of the value.
        goods: per line, the goods of which it has the value, the parts and the quantities.
        value, parts: per goods the customs value, and its parts.
        quantity: per unit and goods; NaN where unknown, which charges nothing (the caller adds a note).
        duty, owed: outputs per line and column.
        prohibited_value: output per line, the value that may not be imported.
    """
    for position in range(lo, hi):
        line = lines[position]
        row = goods[line]
        for atom in range(atom_start[line], atom_start[line + 1]):
            combination = atom_combination[atom]
            weight = atom_weight[atom]
            if prohibited[combination] >= 0:
                prohibited_value[line] += weight * value[row]
                continue
            ordinary = rates[atom_rates[atom], column[combination]]
            for layer in range(layer_start[combination], layer_start[combination + 1]):
                slot = layer_slot[layer]
                if slot_column[slot] < 0:
                    continue
                base = 0.0
                for part in range(parts.shape[1]):
                    base += bases[layer_base[layer], part] * parts[row, part]
                kind = slot_kind[slot]
                if kind >= SPECIFIC:
                    unit_quantity = quantity[slot_unit[slot], row]
                    whole = whole_line(
                        kind, slot, unit_quantity, value[row], tier_start, tier_up_to, tier_usd
                    )
                    amount = whole * base / value[row] if value[row] > 0.0 else 0.0
                else:
                    amount = base * ad_valorem(kind, slot_rate[slot], ordinary)
                amount *= weight
                if layer_assessed[layer]:
                    duty[line, slot_column[slot]] += amount
                if layer_owed[layer]:
                    owed[line, slot_column[slot]] += amount


@jit
def ad_valorem(kind: int, rate: float, ordinary: float) -> float:
    """Rate on the base: the ordinary one, the stated one, or what tops the ordinary up to the stated one."""
    if kind == ORDINARY:
        return ordinary
    if kind == TOP_UP:
        return max(0.0, rate - ordinary)
    return rate


@jit
def whole_line(
    kind: int, slot: int, quantity: float, value: float, tier_start: I32, tier_up_to: F64, tier_usd: F64
) -> float:
    """Specific duty, or shortfall to a minimum price, on the whole line."""
    if np.isnan(quantity):
        return 0.0
    if kind == MINIMUM_PRICE:
        return float(max(0.0, tier_usd[tier_start[slot]] * quantity - value))
    total = 0.0
    below = 0.0
    for tier in range(tier_start[slot], tier_start[slot + 1]):
        top = min(quantity, tier_up_to[tier])
        if top > below:
            total += tier_usd[tier] * (top - below)
            below = top
    return float(total)


@jit
def add_exact(amount: float, high: I64, low: I64, row: int) -> None:
    """Add an amount >= 0 in dollars to an exact sum of two words, whose value does not depend on the order of terms."""
    whole = np.floor(amount * _HIGH)
    low[row] += np.int64(np.rint((amount * _HIGH - whole) * _LOW))
    high[row] += np.int64(whole) + (low[row] >> CARRY_BITS)
    low[row] &= _MASK


@jit
def sum_cells(
    cell: I32,
    line: I32,
    chosen: I32,
    atom_weight: F64,
    atom_rates: I32,
    rates: F64,
    amounts: F64,
    column: I32,
    cell_combination: I32,
    used: Bools,
    row: I32,
    high: I64,
    low: I64,
) -> None:
    """Sum bases by cell: amounts of lines, alone or times an ordinary rate, over atoms.

    Args:
        cell, line: cell, and line of `amounts`, of each chosen atom.
        chosen: atoms to add.
        atom_weight, atom_rates: weight and row of `rates` of each atom.
        rates: ordinary rates.
        amounts: dollars >= 0 of each base (bases x lines).
        column: per base the column of the rate that multiplies it; negative for none.
        cell_combination: combination of each cell.
        used: marks the bases to sum on each combination (combinations x bases).
        row: row of each base in the output.
        high, low: output, exact sums (rows x cells).
    """
    for place in range(len(chosen)):
        atom = chosen[place]
        combination = cell_combination[cell[place]]
        for base in range(len(amounts)):
            if not used[combination, base]:
                continue
            weight = atom_weight[atom]
            if column[base] >= 0:
                weight *= rates[atom_rates[atom], column[base]]
            term = weight * amounts[base, line[place]]
            if term != 0.0:
                add_exact(term, high[row[base]], low[row[base]], cell[place])


@jit
def sum_bases(
    run_start: I64,
    run_group: I64,
    cell_combination: I32,
    high: I64,
    low: I64,
    layer_start: I64,
    layer_entry: I32,
    entry_base: I32,
    is_by_run: Bools,
    out_entry: I32,
    out_run: I64,
    out_base: F64,
) -> int:
    """Sum the bases of the layers of cells by entry, and by run or group; return the number of sums.

    Args:
        run_start: index of the first cell of each run (one more than runs).
        run_group: group of each run, ascending.
        cell_combination: per cell.
        high, low: exact sums of each base per cell (bases x cells).
        layer_start: index of the first layer of each combination.
        layer_entry: entry of each layer (row of the law, base, column of the ordinary rate, assessed and owed).
        entry_base: base of each entry, a row of `high` and `low`.
        is_by_run: marks the entries summed by run; the others are summed by group.
        out_entry, out_run, out_base: output: the entry of each sum, its run or the last run of its group, and dollars.
    """
    entries = len(entry_base)
    sums = np.zeros((entries, 2), dtype=np.int64)
    touched = np.zeros((2, entries), dtype=np.int32)
    is_touched = np.zeros(entries, dtype=np.bool_)
    counts = np.zeros(2, dtype=np.int64)
    at = 0
    for run in range(len(run_group)):
        for cell in range(run_start[run], run_start[run + 1]):
            combination = cell_combination[cell]
            for layer in range(layer_start[combination], layer_start[combination + 1]):
                entry = layer_entry[layer]
                if not is_touched[entry]:
                    is_touched[entry] = True
                    of_run = np.int64(is_by_run[entry])
                    place = counts[of_run]
                    while place > 0 and touched[of_run, place - 1] > entry:
                        touched[of_run, place] = touched[of_run, place - 1]
                        place -= 1
                    touched[of_run, place] = entry
                    counts[of_run] += 1
                sums[entry, 0] += high[entry_base[entry], cell]
                sums[entry, 1] += low[entry_base[entry], cell]
        is_last = run + 1 == len(run_group) or run_group[run + 1] != run_group[run]
        for kind in range(0 if is_last else 1, 2):
            for place in range(counts[kind]):
                entry = touched[kind, place]
                out_entry[at] = entry
                out_run[at] = run
                out_base[at] = exact_dollars(sums[entry, 0], sums[entry, 1])
                at += 1
                sums[entry, 0] = 0
                sums[entry, 1] = 0
                is_touched[entry] = False
            counts[kind] = 0
    return at


@jit
def price_bases(
    entry: I32,
    group: I64,
    base: F64,
    ordinary: F64,
    unit_amount: F64,
    kind: I8,
    rate: F64,
    column: I32,
    is_assessed: Bools,
    is_owed: Bools,
    assessed: F64,
    owed: F64,
) -> None:
    """Add the duty of bases to sums by group and column.

    Args:
        entry, group, base, ordinary: per base its entry, group, dollars, and ordinary rate.
        unit_amount: per base its duty in dollars if it has a rate per unit, else NaN.
        kind, rate, column, is_assessed, is_owed: per entry.
        assessed, owed: output, dollars (groups x columns).
    """
    for place in range(len(entry)):
        one = entry[place]
        amount = unit_amount[place]
        if np.isnan(amount):
            amount = base[place] * ad_valorem(kind[one], rate[one], ordinary[place])
        if is_assessed[one]:
            assessed[group[place], column[one]] += amount
        if is_owed[one]:
            owed[group[place], column[one]] += amount


@jit
def exact_dollars(high: int, low: int) -> float:
    """Dollars of an exact sum."""
    high += low >> CARRY_BITS
    low &= _MASK
    return float(high) / _HIGH + float(low) / (_HIGH * _LOW)


@jit
def sum_running(values: F64, start: I64, out: F64) -> None:
    """Write running sums of values within each range, from `start[k]` to `start[k + 1]`."""
    for term in range(len(start) - 1):
        total = 0.0
        for place in range(start[term], start[term + 1]):
            total += values[place]
            out[place] = total


@jit
def price_points(
    first: int,
    last: int,
    rates: F64,
    slot: I32,
    place: I64,
    start: I64,
    ordinary: F64,
    base: F64,
    excess: F64,
    out: F64,
) -> None:
    """Add the duty of terms to the sums of points [first, last).

    A term is the base that a row has in one place, by ordinary rate in rising order. It bears the excess of the rate of
    the row over the ordinary rates below it, which is `rate * base - excess` of that part; a row that is not a top-up
    has the ordinary rate of minus infinity and no excess.

    Args:
        first, last: range of points.
        rates: rate of each slot at each point (slots x points).
        slot, place: per term its slot, and the row of `out` that it adds to.
        start: index of the first ordinary rate of each term (one more than terms).
        ordinary: ordinary rates, rising within a term.
        base, excess: running sums within a term of the base, and of the base times its ordinary rate, in dollars.
        out: sums in dollars (places x points).
    """
    for term in range(len(slot)):
        begin = start[term]
        end = start[term + 1]
        for point in range(first, last):
            rate = rates[slot[term], point]
            low = begin
            high = end
            while low < high:
                middle = (low + high) // 2
                if ordinary[middle] < rate:
                    low = middle + 1
                else:
                    high = middle
            if low > begin:
                out[place[term], point] += rate * base[low - 1] - excess[low - 1]
