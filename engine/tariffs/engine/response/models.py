"""What each response model is and leaves out, to be said in every answer that used it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Model:
    """One response model: its title, the form of its demand, and what it ignores."""

    title: str
    form: str
    ignores: tuple[str, ...]


_EVERYWHERE = (
    "new trade from origins without any",
    "income and exchange rates",
    "inputs and outputs of industries",
    "retaliation",
    "stocks and timing of shipments",
)

MODELS: Mapping[str, Model] = {
    "none": Model("static: quantities stay", "none", ("all behaviour",)),
    "passthrough": Model(
        "constant elasticity, line by line",
        "ces",
        ("diversion between origins", "domestic goods", *_EVERYWHERE),
    ),
    "armington": Model("nested CES over origins", "ces", ("other products", *_EVERYWHERE)),
    "smart": Model(
        "World Bank / UNCTAD SMART", "linear", ("curvature of large changes", "domestic goods", *_EVERYWHERE)
    ),
    "gsim": Model("Francois-Hall global simulation", "linear", ("curvature of large changes", *_EVERYWHERE)),
}
"""The models by the name a run selects them with; `none` is the static run."""
