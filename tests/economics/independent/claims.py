"""USMCA claims that respond, one line at a time in plain Python, from the data files alone."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import polars as pl

ENGINE = Path(__file__).parents[3] / "engine" / "tariffs" / "engine"


class SlowClaims:
    """Shares of lines from their gain."""

    def __init__(self) -> None:
        """Read the files."""
        observed = pl.read_parquet(ENGINE / "response" / "data" / "usmca_claims.parquet")
        self.observed: dict[tuple[str, str], tuple[float, float]] = {
            (code, origin): (odds, gain) for code, origin, odds, gain in observed.iter_rows()
        }
        shares = pl.read_parquet(ENGINE / "schedule" / "data" / "usmca_shares.parquet")
        self.shares: dict[tuple[str, str], float] = {
            (code, origin): share
            for code, origin, share in shares.select("code", "origin", "share_2024").iter_rows()
            if share is not None
        }
        with (ENGINE / "response" / "data" / "claim_costs.csv").open(encoding="utf-8") as file:
            self.costs: Mapping[str, Mapping[str, str]] = {row["name"]: row for row in csv.DictReader(file)}

    def share(self, code: str, origin: str, gain: float, cost: str) -> float:
        """Share of a line that is claimed when claiming saves `gain` more than in 2024."""
        before = float(self.shares.get((code, origin), 0.0))
        factor, shape = float(self.costs[cost]["cost"]), float(self.costs[cost]["shape"])
        if gain <= 0.0 or factor == float("inf"):
            return before
        if factor == 0.0:
            return 1.0
        for key in (code, code[:2], ""):
            if (key, origin) in self.observed:
                odds, then = self.observed[key, origin]
                break
        if odds == 0.0:
            return before
        if odds == float("inf"):
            return 1.0
        odds *= float((gain / (then * factor)) ** shape)
        return before + (1.0 - before) * odds / (1.0 + odds)
