"""Kernels that sum trade after the response over varieties, by group, for a few draws of elasticities.

Hats are those of `kernels.armington_draws`: (cells, 2, draws) of quantity and exporter price. Sums carry their rounding
errors (Neumaier). A call adds varieties [first, last); a variety whose group is negative is left out.
"""

from __future__ import annotations

import numpy as np

from tariffs.engine.base.array_utils import F64, I32, I64
from tariffs.engine.base.compiled_kernels import inlined, jit

VALUE, DUTY, LANDED, VALUE_CHANGE, QUANTITY, CREATION, DIVERSION, BASE_DUTY = range(8)
COLUMNS = 8
LANES = 16
"""Draws that `sum_lanes` sums side by side; a fixed number, so that it becomes vector instructions."""


@inlined
def add_term(term: float, totals: F64, errors: F64, row: int, column: int) -> None:
    """Add a term to a total, with its rounding error apart."""
    before = totals[row, column]
    total = before + term
    errors[row, column] += (before - total) + term if abs(before) >= abs(term) else (term - total) + before
    totals[row, column] = total


@jit
def sum_varieties(
    first: int,
    last: int,
    group: I64,
    cell_of: I64,
    product_of: I64,
    value: F64,
    charges: F64,
    rate: F64,
    base_rate: F64,
    taxed: F64,
    hats: F64,
    growths: F64,
    out: F64,
) -> None:
    """Sum varieties [first, last) by group.

    Args:
        first, last: range of varieties.
        group, cell_of, product_of: per variety.
        value, charges: dollars at the baseline per variety; charges follow the quantity.
        rate, base_rate: duty over value per variety, and that at the baseline.
        taxed: one plus the value added tax per variety; empty without one.
        hats: quantity and exporter price of cells.
        growths: (products, draws) of quantity at base prices.
        out: (groups, 8 x draws), by column: value, duty and landed cost after, change of value, quantity at base
            prices, creation, diversion, duty at the rates of the baseline on the quantity after.
    """
    draws = hats.shape[2]
    error = np.zeros_like(out)
    for i in range(first, last):
        row = group[i]
        if row < 0:
            continue
        base = value[i]
        tax = taxed[i] if taxed.size else 1.0
        for b in range(draws):
            hat = hats[cell_of[i], 0, b]
            growth = growths[product_of[i], b]
            quantity = base * hat
            after = quantity * hats[cell_of[i], 1, b]
            duty = rate[i] * after
            add_term(after, out, error, row, VALUE * draws + b)
            add_term(duty, out, error, row, DUTY * draws + b)
            add_term((after + duty) * tax + charges[i] * hat, out, error, row, LANDED * draws + b)
            add_term(after - base, out, error, row, VALUE_CHANGE * draws + b)
            add_term(quantity, out, error, row, QUANTITY * draws + b)
            add_term(base * (growth - 1.0), out, error, row, CREATION * draws + b)
            add_term(quantity - base * growth, out, error, row, DIVERSION * draws + b)
            add_term(quantity * base_rate[i], out, error, row, BASE_DUTY * draws + b)
    out += error


@inlined
def add_lane(term: float, totals: F64, errors: F64, row: int, column: int) -> None:
    """Add a term as `add_term` does, with the same bits and without a branch."""
    before = totals[row, column]
    total = before + term
    taken = total - before
    errors[row, column] += (before - (total - taken)) + (term - taken)
    totals[row, column] = total


@jit
def sum_lanes(
    first: int, last: int, group: I64, cell_of: I64, product_of: I64, value: F64, charges: F64, rate: F64,
    base_rate: F64, taxed: F64, hats: F64, growths: F64, out: F64,
) -> None:  # fmt: skip
    """Sum varieties [first, last) by group as `sum_varieties` does, for `LANES` draws; `hats` is (cells, 2 x LANES)."""
    error = np.zeros_like(out)
    for i in range(first, last):
        row = group[i]
        if row < 0:
            continue
        base, charge, own_rate, own_base_rate = value[i], charges[i], rate[i], base_rate[i]
        tax = taxed[i] if taxed.size else 1.0
        cell, product = cell_of[i], product_of[i]
        for b in range(LANES):
            hat = hats[cell, b]
            growth = growths[product, b]
            quantity = base * hat
            after = quantity * hats[cell, LANES + b]
            duty = own_rate * after
            add_lane(after, out, error, row, VALUE * LANES + b)
            add_lane(duty, out, error, row, DUTY * LANES + b)
            add_lane((after + duty) * tax + charge * hat, out, error, row, LANDED * LANES + b)
            add_lane(after - base, out, error, row, VALUE_CHANGE * LANES + b)
            add_lane(quantity, out, error, row, QUANTITY * LANES + b)
            add_lane(base * (growth - 1.0), out, error, row, CREATION * LANES + b)
            add_lane(quantity - base * growth, out, error, row, DIVERSION * LANES + b)
            add_lane(quantity * own_base_rate, out, error, row, BASE_DUTY * LANES + b)
    out += error


@jit
def sum_duties(
    first: int,
    last: int,
    group: I64,
    class_of: I32,
    start: I64,
    column: I64,
    rate: F64,
    columns: int,
    cell_of: I64,
    value: F64,
    hats: F64,
    out: F64,
) -> None:
    """Sum the duty of varieties [first, last) after the response by group and column, such as authorities.

    Args:
        first, last: range of varieties.
        group, class_of, cell_of, value: per variety.
        start: index of the first rate of each class (one more than classes).
        column, rate: columns in which a class is charged, and duty over value in each.
        columns: number of columns.
        hats: quantity and exporter price of cells.
        out: (groups x columns, draws), the columns of a group adjacent.
    """
    error = np.zeros_like(out)
    for i in range(first, last):
        if group[i] < 0:
            continue
        for b in range(hats.shape[2]):
            after = value[i] * hats[cell_of[i], 0, b] * hats[cell_of[i], 1, b]
            for place in range(start[class_of[i]], start[class_of[i] + 1]):
                row = group[i] * columns + column[place]
                add_term(rate[place] * after, out, error, row, b)
    out += error
