"""Published figures of trade policy and their comparison with the engine's results."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from tariffs.engine.law.values import read_day, read_rate
from tariffs.engine.law.yaml_texts import load_yaml

PUBLISHED = Path(__file__).with_name("published.yaml")


@dataclass(frozen=True)
class PublishedFigure:
    """Published figure, as a fraction, and the law and trade it belongs to; `published.yaml` describes the fields."""

    id: str
    measure: str
    value: float
    tolerance: float
    on: str
    source: tuple[str, ...]
    without: tuple[str, ...]
    origins: tuple[str, ...]
    products: tuple[str, ...]
    until: str = ""
    reason: str = ""
    who: str = ""
    known_on: str = ""
    on_full_value: str = ""
    switches: Mapping[str, str] = field(default_factory=dict)
    horizon: str = "long"
    years: float | None = None
    market: str = "product"


@dataclass(frozen=True)
class Comparison:
    """Published figure and the engine's; `low` and `high` are those of the parameter sets of these names."""

    figure: PublishedFigure
    ours: float
    low: float = math.nan
    high: float = math.nan

    @property
    def difference(self) -> float:
        """Engine's figure less the published one."""
        return self.ours - self.figure.value

    @property
    def within(self) -> bool:
        """True if the difference is inside the tolerance."""
        return abs(self.difference) <= self.figure.tolerance

    @property
    def explained(self) -> bool:
        """True if the difference exceeds the tolerance for a known reason."""
        return not self.within and bool(self.figure.reason)


@dataclass(frozen=True, slots=True)
class BesidePublished:
    """Published number and ours by the same name, in the unit that the name states.

    Attributes:
        figure: what it is, with its unit.
        published, ours: the numbers.
        tolerance: difference that needs no reason.
        reason: reason for a larger one; empty if there is none.
    """

    figure: str
    published: float
    ours: float
    tolerance: float
    reason: str = ""

    @property
    def within(self) -> bool:
        """True if the difference is inside the tolerance."""
        return abs(self.ours - self.published) <= self.tolerance

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain values for JSON."""
        judged = {"difference": self.ours - self.published, "within": self.within}
        return {**asdict(self), **judged, "reason": "" if self.within else self.reason}


def read_figures(measures: Container[str]) -> tuple[PublishedFigure, ...]:
    """Read the published figures of some measures, in the order of the file."""
    raw = load_yaml(PUBLISHED)
    figures = (_figure(item, raw["tolerance"]) for item in raw["figures"])
    return tuple(figure for figure in figures if figure.measure in measures)


def _figure(item: Mapping[str, Any], usual_tolerance: str) -> PublishedFigure:
    read: dict[str, Any] = {"measure": "assessed", "tolerance": usual_tolerance, **item}
    read |= {name: float(read_rate(read[name])) for name in ("value", "tolerance")}
    read |= {name: tuple(item.get(name, ())) for name in ("source", "origins", "products")}
    years = float(item["years"]) if "years" in item else None
    return PublishedFigure(**read | {"without": tuple(item.get("without", "").split()), "years": years})


def read_ranges() -> dict[date, tuple[float, float]]:
    """Read the range in which the effective rate of a day must lie, by day, slack included."""
    ranges = load_yaml(PUBLISHED)["ranges"]
    slack = float(read_rate(ranges["slack"]))
    return {
        read_day(day): (float(read_rate(low)) - slack, float(read_rate(high)) + slack)
        for day, (low, high) in ranges["days"].items()
    }
