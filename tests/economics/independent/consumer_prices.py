"""Consumer prices from the embedded accounts by dictionaries and plain sums, without the engine's code."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import polars as pl

DATA = Path(__file__).parents[3] / "engine" / "tariffs" / "engine" / "response" / "data"
UNPRICED = {"S00300", "S00401", "S00402", "S00900"}


def rows(name: str) -> list[dict[str, str]]:
    """Read an embedded table."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def price_of_consumption(duty: Mapping[str, float], margins: str) -> float:
    """Rise of the price of all consumption, a fraction, from added duty by commodity."""
    own = {row["industry"]: row for row in rows("industries.csv")}
    inputs = pl.read_parquet(DATA / "import_use_2017.parquet").rows(named=True)
    needed = pl.read_parquet(DATA / "requirements_2017.parquet").rows(named=True)
    base = "redefined_output_2017" if margins == "dollar" else "redefined_variable_cost_2017"
    stage: defaultdict[str, float] = defaultdict(float)
    for cell in inputs:
        whole = float(own.get(cell["industry"], {}).get(base) or 0.0)
        if whole > 0.0:
            stage[cell["industry"]] += cell["musd"] * duty.get(cell["commodity"], 0.0) / whole
    cost: defaultdict[str, float] = defaultdict(float)
    for cell in needed:
        cost[cell["commodity"]] += cell["units"] / 20_000 * stage[cell["industry"]]
    paid = total = 0.0
    for row in rows("pce_bridge_2017.csv"):
        code = row["commodity"]
        trade = own.get(code)
        share = 0.0
        if trade and code not in UNPRICED:
            imports = float(trade["imports_2017"])
            sales = float(trade["output_2017"]) - float(trade["exports_2017"])
            share = imports / (imports + sales) if imports + sales > 0.0 else 0.0
        change = share * duty.get(code, 0.0) + (1.0 - share) * cost[code]
        paid += change * float(row["producers" if margins == "dollar" else "purchasers"])
        total += float(row["purchasers"])
    return paid / total
