"""Solve both world models slowly: country by country, by damped adjustment of wages alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

Matrix = list[list[float]]
PASSES, DAMPING, SMALL = 30_000, 0.3, 1e-14


@dataclass
class SlowOneSector:
    """Changes of wages, spending, labour, prices and welfare of countries, and sales after."""

    wage: list[float]
    spending: list[float]
    labour: list[float]
    prices: list[float]
    welfare: list[float]
    sold: Matrix


def one_sector(
    trade: Matrix,
    tariffs: Matrix,
    kept: list[float],
    phi: list[float],
    p: Any,
    transfers: list[float] | None = None,
) -> SlowOneSector:
    """Solve the world of one sector; trade and tariffs are exporter by importer, home sales on the diagonal.

    The last country's income takes what the transfers of a closure leave.
    """
    places = range(len(trade))
    spent = [sum(trade[j][i] for j in places) for i in places]
    earned = [sum((1 - kept[i]) * trade[j][i] for i in places) + kept[j] * spent[j] for j in places]
    given = transfers if transfers is not None else [spent[i] - earned[i] for i in places]
    w, e, labour, prices = ([1.0] * len(trade) for _ in range(4))
    sold, revenue, income = trade, [0.0 for _ in places], earned
    for _ in range(PASSES):
        power = [(w[j] / labour[j] ** p.scale) ** -p.elasticity for j in places]
        weight = [
            [
                trade[j][i] / spent[i] * power[j] * (1 + tariffs[j][i]) ** (-p.elasticity * phi[i])
                for i in places
            ]
            for j in places
        ]
        total = [sum(weight[j][i] for j in places) for i in places]
        prices = [(e[i] / w[i]) ** (1 - phi[i]) * total[i] ** (-1 / p.elasticity) for i in places]
        sold = [
            [weight[j][i] / total[i] * spent[i] * e[i] / (1 + tariffs[j][i]) for i in places] for j in places
        ]
        revenue = [sum(tariffs[j][i] * sold[j][i] for j in places) for i in places]
        income = [w[i] * labour[i] * earned[i] for i in places]
        grown = sum(income) / sum(earned)
        moved = 0.0
        for i in places:
            paid = sum((1 - kept[m]) * sold[i][m] for m in places) + kept[i] * sum(sold[m][i] for m in places)
            relief = 1 / (1 - revenue[i] / income[i]) if p.rebate == "income_tax" else 1.0
            after = (
                w[i] * (paid / income[i]) ** (DAMPING if i < len(trade) - 1 else 0.0),
                (revenue[i] + income[i] + given[i] * grown) / spent[i],
                labour[i] * ((relief * w[i] / prices[i]) ** p.labour / labour[i]) ** DAMPING,
            )
            moved = max(moved, *(abs(a - b) for a, b in zip(after, (w[i], e[i], labour[i]), strict=True)))
            w[i], e[i], labour[i] = after
        level = sum(prices[i] * spent[i] for i in places) / sum(spent)
        w, e = [x / level for x in w], [x / level for x in e]
        if moved < SMALL and abs(level - 1) < SMALL:
            break
    welfare = []
    for i in places:
        tax = revenue[i] / income[i] if p.rebate == "income_tax" else 0.0
        delta = spent[i] / (spent[i] - p.labour * (1 - tax) * earned[i] / (1 + p.labour))
        welfare.append((delta * e[i] + (1 - delta) * w[i] * labour[i]) / prices[i] - 1)
    return SlowOneSector(w, e, labour, prices, welfare, sold)


def balanced_transfers(trade: Matrix, kept: list[float], home: int) -> list[float]:
    """Transfers of which each country's balance with the home country is taken off; the home country has none."""
    places, found = range(len(trade)), []
    for i in places:
        spent = sum(trade[j][i] for j in places)
        earned = sum((1 - kept[m]) * trade[i][m] for m in places) + kept[i] * spent
        found.append(0.0 if i == home else spent - earned - (trade[home][i] - trade[i][home]))
    return found


def optimal_answer(trade: Matrix, kept: list[float], phi: list[float], home: int, eps: float) -> list[float]:
    """Rate of each country on goods of the home country by the formula of all others as one region, 0 at home."""
    others = [i for i in range(len(trade)) if i != home]
    inside = sum(trade[j][i] for j in others for i in others)
    out = sum(trade[j][home] for j in others)
    share = out / (out + trade[home][home])
    nu, nu_home = kept[others[0]], kept[home]
    made = (1 - nu) * inside + (1 - nu_home) * out + nu * (inside + sum(trade[home][i] for i in others))
    d = (1 - nu_home) * out * (1 - share) / ((1 - nu) * (made - inside))
    return [0.0 if i == home else 1 / ((1 + d * eps) * phi[i] - 1) for i in range(len(trade))]


def sectors(table: Any, tariffs: Any, deficits: list[float]) -> list[float]:
    """Solve the world of many sectors for the changes of wages, at the value added of the world before."""
    countries, goods = range(len(table.countries)), range(len(table.sectors))
    used = [
        [[table.inputs[n][k][j] * (1 - table.value_added[n][j]) for j in goods] for k in goods]
        for n in countries
    ]
    output = [
        [max(table.output[n][j], sum(table.flows[j][n][m] for m in countries)) for j in goods]
        for n in countries
    ]
    bought = [
        [[table.flows[j][i][n] * (1 + table.tariffs[j][i][n]) for n in countries] for i in countries]
        for j in goods
    ]
    for j in goods:
        for n in countries:
            bought[j][n][n] = output[n][j] - sum(table.flows[j][n][m] for m in countries)
    spent = [[sum(bought[j][i][n] for i in countries) for n in countries] for j in goods]
    final = [
        [max(spent[j][n] - sum(used[n][j][k] * output[n][k] for k in goods), 0.0) for j in goods]
        for n in countries
    ]
    alpha = [[final[n][j] / sum(final[n]) for j in goods] for n in countries]
    added = [sum(table.value_added[n][j] * output[n][j] for j in goods) for n in countries]
    w = [1.0 for _ in countries]
    prices = [[1.0 for _ in countries] for _ in goods]
    after = [list(row) for row in spent]
    for _ in range(PASSES):
        cost = [
            [
                w[n] ** table.value_added[n][j] * math.prod(prices[k][n] ** used[n][k][j] for k in goods)
                for n in countries
            ]
            for j in goods
        ]
        landed = [
            [
                [
                    bought[j][i][n]
                    / spent[j][n]
                    * ((1 + tariffs[j][i][n]) / (1 + table.tariffs[j][i][n]) * cost[j][i]) ** -table.theta[j]
                    for n in countries
                ]
                for i in countries
            ]
            for j in goods
        ]
        total = [[sum(landed[j][i][n] for i in countries) for n in countries] for j in goods]
        prices = [[total[j][n] ** (-1 / table.theta[j]) for n in countries] for j in goods]
        sold = [
            [
                [landed[j][i][n] / total[j][n] * after[j][n] / (1 + tariffs[j][i][n]) for n in countries]
                for i in countries
            ]
            for j in goods
        ]
        revenue = [sum(tariffs[j][i][n] * sold[j][i][n] for j in goods for i in countries) for n in countries]
        income = [w[n] * added[n] + revenue[n] + deficits[n] for n in countries]
        spending = [
            [alpha[n][j] * income[n] + sum(used[n][j][k] * sum(sold[k][n]) for k in goods) for n in countries]
            for j in goods
        ]
        moved = max(abs(spending[j][n] / after[j][n] - 1) for j in goods for n in countries)
        paid = [sum(table.value_added[n][j] * sum(sold[j][n]) for j in goods) for n in countries]
        wages = [w[n] * (paid[n] / (w[n] * added[n])) ** DAMPING for n in countries]
        level = sum(wages[n] * added[n] for n in countries) / sum(added)
        wages = [x / level for x in wages]
        moved = max(moved, *(abs(a - b) for a, b in zip(wages, w, strict=True)))
        w, after = wages, spending
        if moved < SMALL:
            break
    return w
