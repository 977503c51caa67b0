"""Read the constants of the response that belong to no product, each with its source."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from tariffs.engine.response.industries import table


@cache
def constants() -> Mapping[str, tuple[float, str]]:
    """Read the constants by name: value and source."""
    return {row["name"]: (float(row["value"]), row["source"]) for row in table("constants.csv")}


def constant(name: str) -> float:
    """Look up a constant."""
    return constants()[name][0]
