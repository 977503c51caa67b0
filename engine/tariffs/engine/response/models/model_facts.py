"""Titles, demand forms and limits of the response models, reported with every result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tariffs.engine.response.elasticities.parameters import WITS
from tariffs.engine.response.elasticities.thetas import THETAS


@dataclass(frozen=True, slots=True)
class Model:
    """Response model: title, form of demand, ignored effects, and set of parameters where it is not the central one."""

    title: str
    form: str
    ignores: tuple[str, ...]
    set: str = ""


INCOME, INCOME_AND_CURRENCY = "income", "income and exchange rates"
"""Ignored effects with and without an offset of the exchange rate."""
_EVERYWHERE = (
    "new trade from origins without any",
    INCOME_AND_CURRENCY,
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
        "World Bank / UNCTAD SMART",
        "linear",
        ("curvature of large changes", "domestic goods", *_EVERYWHERE),
        WITS,
    ),
    "gsim": Model(
        "Francois-Hall global simulation, one importer",
        "linear",
        ("curvature of large changes", "other markets of exporters", "domestic goods", *_EVERYWHERE),
    ),
    "exact_hat": Model(
        "exact hat algebra of sectors, Caliendo-Parro thetas",
        "ces",
        (
            "wages and the balance of trade",
            "prices of exporters and domestic producers",
            "differences of duty between the goods of an origin in a sector",
            "spending moved between sectors",
            *_EVERYWHERE,
        ),
        THETAS,
    ),
    "world": Model(
        "general equilibrium of 194 countries with one sector, tariffs as mean duties by origin",
        "ces",
        (
            "differences of duty between the goods of an origin",
            "new trade from origins without any",
            "inputs and outputs of industries",
            "retaliation",
            "stocks and timing of shipments",
        ),
        "ignatenko",
    ),
}
"""Models by the name that selects them in a run; `none` is the static run."""
