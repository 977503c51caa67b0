"""Worlds of tests: published tariffs and tables, and small tables that are made up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariffs.engine.response.world import OneSectorTable, SectorTable, make_table

F64 = NDArray[np.float64]
PUBLISHED = Path(__file__).parent / "published_world"
SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "world" / "caliendo_parro"


def published(name: str) -> pl.DataFrame:
    return pl.read_csv(PUBLISHED / f"{name}.csv", comment_prefix="#", infer_schema_length=None)


def into(table: OneSectorTable, rates: dict[str, float] | float) -> F64:
    """Tariffs of the home country by exporter; none on itself."""
    tariffs = np.zeros_like(table.trade)
    of = rates if isinstance(rates, dict) else dict.fromkeys(table.countries, rates)
    tariffs[:, table.home_index] = [of[country] for country in table.countries]
    tariffs[table.home_index, table.home_index] = 0.0
    return tariffs


def small_world(seed: int, count: int = 4) -> OneSectorTable:
    rng = np.random.default_rng(seed)
    flows = rng.uniform(1.0, 60.0, (count, count))
    np.fill_diagonal(flows, 0.0)
    names = [f"C{number}" for number in range(count)]
    return make_table(names, names[1], flows, rng.uniform(300.0, 900.0, count), "made up")


def small_sectors(seed: int, count: int = 3, goods: int = 3) -> SectorTable:
    """Draw a table whose last sector is not traded."""
    rng = np.random.default_rng(seed)
    flows = rng.uniform(1.0, 30.0, (goods, count, count))
    flows[:, range(count), range(count)] = 0.0
    flows[-1] = 0.0
    inputs = rng.uniform(0.1, 1.0, (count, goods, goods))
    return SectorTable(
        countries=tuple(f"C{number}" for number in range(count)),
        sectors=tuple(f"S{number}" for number in range(goods)),
        home="C0",
        theta=rng.uniform(2.0, 8.0, goods),
        flows=flows,
        tariffs=np.where(flows > 0.0, rng.uniform(0.0, 0.2, flows.shape), 0.0),
        output=rng.uniform(300.0, 500.0, (count, goods)),
        value_added=rng.uniform(0.4, 0.7, (count, goods)),
        inputs=inputs / inputs.sum(axis=1, keepdims=True),
        source="made up",
    )


ON = "2026-11-24"
TABLE = pl.DataFrame(
    {
        "hts": ["9503000073", "9503000073", "7204490000", "7204490000", "9503000073"],
        "origin": ["CN", "VN", "CA", "GB", "TW"],
        "customs_value": [4e9, 2e9, 1e9, 5e8, 3e8],
    }
)
USA_ON_CHINA = pl.DataFrame({"importer": ["USA"], "exporter": ["CHN"], "rate": [0.2]})
