"""Solve both world models slowly: by damped adjustment of wages alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

PASSES, DAMPING, SMALL = 30_000, 0.3, 1e-14


@dataclass
class SlowOneSector:
    """Changes of wages, spending, labour, prices and welfare of countries, and sales after."""

    wage: Any
    spending: Any
    labour: Any
    prices: Any
    welfare: Any
    sold: Any


def one_sector(trade: Any, tariffs: Any, kept: Any, phi: Any, p: Any, transfers: Any = None) -> SlowOneSector:
    """Solve the world of one sector; trade and tariffs are exporter by importer, home sales on the diagonal.

    The last country's income takes what the transfers of a closure leave.
    """
    spent = trade.sum(axis=0)
    earned = _paid(trade, kept)
    given = spent - earned if transfers is None else transfers
    w, e, labour = np.ones((3, len(trade)))
    damping = np.full(len(trade), DAMPING)
    damping[-1] = 0.0
    for _ in range(PASSES):
        power = (w / labour**p.scale) ** -p.elasticity
        weight = trade / spent * power[:, None] * (1 + tariffs) ** (-p.elasticity * phi)
        total = weight.sum(axis=0)
        prices = (e / w) ** (1 - phi) * total ** (-1 / p.elasticity)
        sold = weight / total * spent * e / (1 + tariffs)
        revenue, income = (tariffs * sold).sum(axis=0), w * labour * earned
        tax = revenue / income if p.rebate == "income_tax" else np.zeros(len(trade))
        after = np.stack(
            [
                w * (_paid(sold, kept) / income) ** damping,
                (revenue + income + given * income.sum() / earned.sum()) / spent,
                labour * ((w / (1 - tax) / prices) ** p.labour / labour) ** DAMPING,
            ]
        )
        level, moved = prices @ spent / spent.sum(), np.abs(after - [w, e, labour]).max()
        w, e, labour = after / np.array([level, level, 1.0])[:, None]
        if moved < SMALL and abs(level - 1) < SMALL:
            break
    delta = spent / (spent - p.labour * (1 - tax) * earned / (1 + p.labour))
    welfare = (delta * e + (1 - delta) * w * labour) / prices - 1
    return SlowOneSector(w, e, labour, prices, welfare, sold)


def _paid(sold: Any, kept: Any) -> Any:
    """Income of labour of each country: from sales abroad, and from the part that sellers keep where they sell."""
    return sold @ (1 - kept) + kept * sold.sum(axis=0)


def balanced_transfers(trade: Any, kept: Any, home: int) -> Any:
    """Transfers of which each country's balance with the home country is taken off; the home country has none."""
    found = trade.sum(axis=0) - _paid(trade, kept) - (trade[home] - trade[:, home])
    found[home] = 0.0
    return found


def optimal_answer(trade: Any, kept: Any, phi: Any, home: int, eps: float) -> Any:
    """Rate of each country on goods of the home country by the formula of all others as one region, 0 at home."""
    others = np.arange(len(trade)) != home
    inside, out = trade[np.ix_(others, others)].sum(), trade[others, home].sum()
    share = out / (out + trade[home, home])
    nu, nu_home = kept[others][0], kept[home]
    made = (1 - nu) * inside + (1 - nu_home) * out + nu * (inside + trade[home, others].sum())
    d = (1 - nu_home) * out * (1 - share) / ((1 - nu) * (made - inside))
    return np.where(others, 1 / ((1 + d * eps) * phi - 1), 0.0)


def sectors(table: Any, tariffs: Any, deficits: Any) -> Any:
    """Solve the world of many sectors for the changes of wages, at the value added of the world before."""
    used, theta = table.inputs * (1 - table.value_added[:, None, :]), table.theta[:, None]
    shipped = table.flows.sum(axis=2)
    output = np.maximum(table.output, shipped.T)
    bought, home = table.flows * (1 + table.tariffs), range(len(table.countries))
    bought[:, home, home] = output.T - shipped
    spent = bought.sum(axis=1)
    final = np.maximum(spent - np.einsum("njk,nk->jn", used, output), 0.0)
    alpha, added = final / final.sum(axis=0), (table.value_added * output).sum(axis=1)
    w, prices, after = np.ones(len(home)), np.ones_like(spent), spent
    for _ in range(PASSES):
        cost = np.exp(table.value_added.T * np.log(w) + np.einsum("nkj,kn->jn", used, np.log(prices)))
        taxed = (1 + tariffs) / (1 + table.tariffs) * cost[:, :, None]
        landed = bought / spent[:, None] * taxed ** -theta[:, :, None]
        total = landed.sum(axis=1)
        prices = total ** (-1 / theta)
        sold = landed / total[:, None] * after[:, None] / (1 + tariffs)
        sales = sold.sum(axis=2)
        income = w * added + (tariffs * sold).sum(axis=(0, 1)) + deficits
        spending = alpha * income + np.einsum("njk,kn->jn", used, sales)
        wages = w * ((table.value_added.T * sales).sum(axis=0) / (w * added)) ** DAMPING
        wages /= wages @ added / added.sum()
        moved = max(np.abs(spending / after - 1).max(), np.abs(wages - w).max())
        w, after = wages, spending
        if moved < SMALL:
            break
    return w
