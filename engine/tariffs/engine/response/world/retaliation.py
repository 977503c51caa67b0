"""Compute tariffs that formulas and partners set in the world of one sector."""

from __future__ import annotations

import numpy as np

from tariffs.engine.base.array_utils import F64
from tariffs.engine.response.world.one_sector import OneSector
from tariffs.engine.response.world.world_result import OneSectorWorld, SectorsWorld

NONE, BY_LAW, RECIPROCAL, OPTIMAL = RETALIATION = ("none", "law", "reciprocal", "optimal")
SPENDING, INCOME = WEIGHTS = ("spending", "income")


def answered(
    world: OneSectorWorld | SectorsWorld,
    rates: F64,
    retaliation: str,
    reaction: float = 0.0,
    rate: float | None = None,
) -> F64:
    """Add what partners charge on goods of the home country to tariffs.

    Args:
        rates: tariffs, [sector by] exporter by importer, with those of the law where partners answer by it.
        retaliation: `reciprocal` adds what was added on their goods, `optimal` is the published formula of one sector.
        reaction: part of what was added that they add, besides.
        rate: one rate of all partners in the place of `retaliation`.
    """
    home, answer = world.table.home_index, rates.copy()
    added = np.maximum((rates - world.untaxed)[..., :, home], 0.0)
    answer[..., home, :] += max(reaction, float(retaliation == RECIPROCAL)) * added
    if rate is not None:
        answer[..., home, :] = rate
    elif retaliation == OPTIMAL and isinstance(world, OneSectorWorld):
        answer[home] = optimal_retaliation(world.model)
    answer[..., home, home] = rates[..., home, home]
    return answer


def optimal_tariff(model: OneSector, weight: str = SPENDING) -> float:
    """Compute the published formula of the best uniform tariff of the home country, a fraction.

    Args:
        weight: what home sales are taken off: `spending` (Table 1) or `income` (Table 2) of the home country.
    """
    home = model.table.home_index
    made = model.table.spending if weight == SPENDING else model.income
    rate = _formula(model, model.table.trade, model.kept, made, home)
    return float(rate[home])


def optimal_retaliation(model: OneSector) -> F64:
    """Compute the rate that each importer charges goods of the home country: the formula for all others as one."""
    table, home = model.table, model.table.home_index
    is_home = np.arange(len(table.countries)) == home
    groups = np.stack([~is_home, is_home]).astype(np.float64)
    other = int(np.flatnonzero(~is_home)[0])
    kept = model.kept[[other, home]]
    rates = _formula(model, groups @ table.trade @ groups.T, kept, groups @ model.income, 0)
    return np.where(is_home, 0.0, rates)


def uniform_retaliation(model: OneSector) -> float:
    """Compute the one rate on goods of the home country that the block of deficits uses: 1 / ((1 + eps) phi - 1)."""
    phi = float(model.phi[model.table.home_index])
    return 1.0 / ((1.0 + model.parameters.elasticity) * phi - 1.0)


def _formula(model: OneSector, trade: F64, kept: F64, made: F64, seller: int) -> F64:
    """Best tariff of a seller's country at each country's phi: 1 / ((1 + d eps) phi - 1)."""
    spending = trade.sum(axis=0)
    abroad = np.arange(len(spending)) != seller
    sold = (1.0 - kept) * trade[seller] * (1.0 - trade[seller] / spending)
    share = sold[abroad].sum() / ((1.0 - kept[seller]) * (made[seller] - trade[seller, seller]))
    found: F64 = 1.0 / ((1.0 + share * model.parameters.elasticity) * model.phi - 1.0)
    return found
