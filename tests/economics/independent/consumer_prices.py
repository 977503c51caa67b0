"""Consumer prices from the embedded accounts by dictionaries and plain sums, without the engine's code."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import polars as pl

DATA = Path(__file__).parents[3] / "engine" / "tariffs" / "engine" / "response" / "data"
UNPRICED = {"S00300", "S00401", "S00402", "S00900", "Other", "Used"}


def rows(name: str) -> list[dict[str, str]]:
    """Read an embedded table."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def price_of_consumption(duty: Mapping[str, float], margins: str, year: str) -> float:
    """Rise of the price of all consumption, a fraction, from added duty by commodity."""
    name, end = ("industries.csv", "_2017") if year == "2017" else ("summary_industries.csv", "")
    own = {row["industry"]: row for row in rows(name)}
    inputs = pl.read_parquet(DATA / f"import_use_{year}.parquet").rows(named=True)
    needed = pl.read_parquet(DATA / f"requirements_{year}.parquet").rows(named=True)
    base = ("redefined_output" if margins == "dollar" else "redefined_variable_cost") + end
    stage: defaultdict[str, float] = defaultdict(float)
    for cell in inputs:
        whole = float(own.get(cell["industry"], {}).get(base) or 0.0)
        if whole > 0.0:
            stage[cell["industry"]] += cell["musd"] * duty.get(cell["commodity"], 0.0) / whole
    cost: defaultdict[str, float] = defaultdict(float)
    for cell in needed:
        cost[cell["commodity"]] += cell["units"] / 20_000 * stage[cell["industry"]]
    paid = total = 0.0
    for row in rows(f"pce_bridge_{year}.csv"):
        code = row["commodity"]
        trade = own.get(code)
        share = 0.0
        if trade and code not in UNPRICED:
            imports = float(trade[f"imports{end}"])
            sales = float(trade[f"output{end}"]) - float(trade[f"exports{end}"])
            share = imports / (imports + sales) if imports + sales > 0.0 else 0.0
        change = share * duty.get(code, 0.0) + (1.0 - share) * cost[code]
        paid += change * float(row["producers" if margins == "dollar" else "purchasers"])
        total += float(row["purchasers"])
    return paid / total
