"""Solve the world in general equilibrium: wages, incomes and prices of all countries. See docs/models/world.md."""

from __future__ import annotations

from tariffs.engine.response.world.one_sector import (
    DEFICITS,
    EATON_KORTUM_KRUGMAN,
    OneSectorParameters,
    OneSectorTable,
    make_table,
)
from tariffs.engine.response.world.read_tables import (
    any_sector_table,
    baseline,
    icio_table,
    one_sector_table,
    sector_table,
    with_rates,
)
from tariffs.engine.response.world.retaliation import optimal_retaliation, optimal_tariff, uniform_retaliation
from tariffs.engine.response.world.sectors import SectorTable
from tariffs.engine.response.world.world_result import COLUMNS, OneSectorWorld, SectorsWorld, WorldResult

__all__ = [
    "COLUMNS",
    "DEFICITS",
    "EATON_KORTUM_KRUGMAN",
    "OneSectorParameters",
    "OneSectorTable",
    "OneSectorWorld",
    "SectorTable",
    "SectorsWorld",
    "WorldResult",
    "any_sector_table",
    "baseline",
    "icio_table",
    "make_table",
    "one_sector_table",
    "optimal_retaliation",
    "optimal_tariff",
    "sector_table",
    "uniform_retaliation",
    "with_rates",
]
