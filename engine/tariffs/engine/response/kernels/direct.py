"""Kernels of the responses without a price solution: passthrough and SMART."""

from __future__ import annotations

import numpy as np

from tariffs.engine.base.compiled_kernels import jit
from tariffs.engine.response.kernels.armington import Floats, Ints, growth

CES = 0
LINEAR = 1
LOGPOINT = 2
MIDPOINT = 3


@jit
def demand_hat(log_price: float, price: float, elasticity: float, form: int) -> float:
    """Compute quantity after / before from price after / before, by the form of demand."""
    if form == CES:
        return float(np.exp(-elasticity * log_price))
    if form == LINEAR:
        return max(0.0, 1.0 - elasticity * (price - 1.0))
    if form == LOGPOINT:
        return max(0.0, 1.0 - elasticity * log_price)
    arc = elasticity * (price - 1.0) / (price + 1.0)
    # Past the choke price demand is nothing; past its mirror image, below, it is without bound.
    if arc >= 1.0:
        return 0.0
    return (1.0 - arc) / (1.0 + arc) if arc > -1.0 else np.inf


@jit
def passthrough_lines(
    first: int,
    last: int,
    v0: Floats,
    rates: Floats,
    elasticity: Floats,
    theta: Floats,
    supply: Floats,
    freight: Floats,
    form: int,
    lines: Floats,
) -> None:
    """Respond on lines [first, last).

    Writes `lines` (16, lines: the three hats, then value, revenue before and after, landed before and after,
    creation, diversion, price effect, supplier surplus, buyer surplus (of CES demand), terms of trade,
    welfare, deadweight loss).
    """
    for i in range(first, last):
        t0 = rates[0, i]
        t1 = rates[1, i]
        power = np.log1p((t1 - t0) / (1.0 + t0))
        exporter = (theta[i] - 1.0) * power
        exporter_hat = np.exp(exporter)
        if freight[i] == 0.0:
            log_price = theta[i] * power
            price = np.exp(log_price)
        else:
            change = (exporter_hat * (1.0 + t1) - (1.0 + t0)) / (1.0 + t0 + freight[i])
            log_price = np.log1p(change)
            price = 1.0 + change
        quantity_hat = demand_hat(log_price, price, elasticity[i], form)
        quantity = v0[i] * quantity_hat if v0[i] > 0.0 else 0.0
        value = quantity * exporter_hat
        lines[0, i] = price
        lines[1, i] = exporter_hat
        lines[2, i] = quantity_hat
        lines[3, i] = value
        lines[4, i] = t0 * v0[i]
        lines[5, i] = t1 * value
        lines[6, i] = v0[i] * (1.0 + t0 + freight[i])
        lines[7, i] = value * (1.0 + t1) + freight[i] * quantity
        lines[8, i] = quantity - v0[i]
        lines[9, i] = 0.0
        lines[10, i] = value - quantity
        lines[11, i] = v0[i] * growth(exporter, 1.0 + supply[i]) if exporter != 0.0 else 0.0
        lines[12, i] = -lines[6, i] * growth(log_price, 1.0 - elasticity[i])
        lines[13, i] = quantity - value
        lines[14, i] = lines[12, i] + lines[5, i] - lines[4, i]
        lines[15, i] = lines[13, i] - lines[14, i]


@jit
def cap_diversion(diversion: Floats, floor: Floats) -> None:
    """Raise diversion to its floor on every line, and subtract the added amount from lines above their floor.

    Gainers pay first, pro rata to their gain; only if they cannot, every line does pro rata to its room.
    """
    excess = 0.0
    for i in range(diversion.size):
        if diversion[i] < floor[i]:
            excess += floor[i] - diversion[i]
            diversion[i] = floor[i]
    for least in (0.0, -np.inf):
        if excess <= 0.0:
            return
        room = 0.0
        for i in range(diversion.size):
            room += max(diversion[i] - max(floor[i], least), 0.0)
        if room <= 0.0:
            continue
        taken = min(excess / room, 1.0)
        for i in range(diversion.size):
            diversion[i] -= taken * max(diversion[i] - max(floor[i], least), 0.0)
        excess -= taken * room


@jit
def smart_products(
    first: int,
    last: int,
    order: Ints,
    offsets: Ints,
    v0: Floats,
    rates: Floats,
    w: Floats,
    parameters: Floats,
    lines: Floats,
    products: Floats,
) -> None:
    """Respond on products [first, last) by the linear formulas of SMART.

    Reads `parameters` (products, 2: import elasticity, sigma). Writes `lines` (12, lines: the three hats,
    then value, revenue before and after, landed before and after, creation, diversion, price effect, supplier
    surplus) and `products` (5, products: terms of trade, welfare, deadweight loss, import price and quantity
    hats).
    """
    for k in range(first, last):
        begin = offsets[k]
        count = offsets[k + 1] - begin
        demand = parameters[k, 0]
        sigma = parameters[k, 1]
        trade = 0.0
        mean = 0.0
        for i in range(count):
            j = order[begin + i]
            trade += v0[j]
            mean += v0[j] * (rates[1, j] - rates[0, j]) / (1.0 + rates[0, j])
        mean = mean / trade if trade > 0.0 else 0.0
        creation = np.empty(count)
        diversion = np.empty(count)
        floor = np.empty(count)
        floors = 0.0
        for i in range(count):
            j = order[begin + i]
            relative = (rates[1, j] - rates[0, j]) / (1.0 + rates[0, j])
            creation[i] = v0[j] * demand * relative / (1.0 - demand * w[j])
            diversion[i] = -sigma * v0[j] * (relative - mean)
            floor[i] = -(v0[j] + min(creation[i], 0.0))
            floors += floor[i]
        if floors > 0.0:
            # More trade would be destroyed than there is: every line loses at most itself.
            for i in range(count):
                value = v0[order[begin + i]]
                creation[i] = max(creation[i], -value)
                floor[i] = -(value + min(creation[i], 0.0))
        cap_diversion(diversion, floor)
        terms = 0.0
        welfare = 0.0
        created = 0.0
        landed = 0.0
        landed_price = 0.0
        for i in range(count):
            j = order[begin + i]
            t0 = rates[0, j]
            t1 = rates[1, j]
            relative = (t1 - t0) / (1.0 + t0)
            world = demand * relative * w[j] / (1.0 - demand * w[j])
            quantity = max(v0[j] + creation[i] + diversion[i], 0.0)
            effect = max(v0[j] * world, -quantity)
            value = quantity + effect
            if trade <= 0.0:
                lines[0:3, j] = 1.0
            else:
                lines[1, j] = max(1.0 + world, 0.0)
                lines[0, j] = lines[1, j] * (1.0 + t1) / (1.0 + t0)
                if v0[j] > 0.0:
                    lines[2, j] = quantity / v0[j]
                else:
                    slope = demand * relative / (1.0 - demand * w[j])
                    lines[2, j] = max(1.0 + slope - sigma * (relative - mean), 0.0)
            lines[3, j] = value
            lines[4, j] = t0 * v0[j]
            lines[5, j] = t1 * value
            lines[6, j] = (1.0 + t0) * v0[j]
            lines[7, j] = (1.0 + t1) * value
            lines[8, j] = creation[i]
            lines[9, j] = diversion[i]
            lines[10, j] = effect
            lines[11, j] = effect * (1.0 + 0.5 * creation[i] / v0[j]) if v0[j] > 0.0 else 0.0
            terms -= effect
            welfare += 0.5 * (t0 + t1) * creation[i]
            created += creation[i]
            landed += lines[6, j]
            landed_price += lines[6, j] * lines[0, j]
        products[0, k] = terms
        products[1, k] = welfare
        products[2, k] = -welfare
        products[3, k] = landed_price / landed if landed > 0.0 else 1.0
        products[4, k] = 1.0 + created / trade if trade > 0.0 else 1.0
