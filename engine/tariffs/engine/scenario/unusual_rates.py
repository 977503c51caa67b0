"""Warnings of rates and steps in a scenario that are probably mistyped: below 0, or above every rate of the law."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from tariffs.engine.law.amendments import Change
from tariffs.engine.law.describe_rows import percent
from tariffs.engine.law.law import Law
from tariffs.engine.law.values import read_rate
from tariffs.engine.scenario.model import WARNING, Places, Position, Problem, place_of


def unusual_rates(law: Law, change: Change, places: Places) -> list[Problem]:
    """A warning for each rate of a change that is below 0 or above every rate of the law before it.

    A step down or up by more than every rate of the law is one too.
    """
    found = list(_rates(change))
    if not found and not change.step:
        return []
    highest = max(
        (row.rate for measure in law.measures.values() for period in measure.periods for row in period.rows
         if row.rate is not None),
        default=Decimal(1),
    )  # fmt: skip
    highest = max(highest, Decimal(1))
    steps = [(f"{change.path}.by", change.step.points)] if change.step else []
    return [
        *(_warning(path, rate, highest, places) for path, rate in found if not 0 <= rate <= highest),
        *(_step_warning(path, step, highest, places) for path, step in steps if abs(step) > highest),
    ]


def _rates(change: Change) -> Iterator[tuple[str, Decimal]]:
    """Every rate of a change with its path."""
    for key, rate in (("rate", change.rate), ("kept", change.kept)):
        if rate is not None:
            yield f"{change.path}.{key}", rate
    yield from _rates_in(change.measure, f"{change.path}.measure")


def _rates_in(value: Any, path: str) -> Iterator[tuple[str, Decimal]]:
    """Every rate in the raw form of a measure; money per unit is none."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _rates_in(item, f"{path}[{index}]")
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "by_origin":
                for origin, (rate, _) in inner.items():
                    yield f"{path}.{key}.{origin}", read_rate(rate)
            elif key != "rate":
                yield from _rates_in(inner, f"{path}.{key}")
            elif "USD/" not in inner:
                yield f"{path}.{key}", read_rate(inner)


def _step_warning(path: str, step: Decimal, highest: Decimal, places: Places) -> Problem:
    place = place_of(places, path) or Position(0, 0)
    message = (
        f"A step of {_points(step)} is more than every rate of the law; the highest is {percent(highest)}."
    )
    fix = f"Write by: {_points(step / 100)} if that is what is meant."
    return Problem(path, place.line, place.column, "RATE_UNUSUAL", message, fix, WARNING)


def _points(step: Decimal) -> str:
    return f"{(step * 100).normalize():+f}pp"


def _warning(path: str, rate: Decimal, highest: Decimal, places: Places) -> Problem:
    place = place_of(places, path) or Position(0, 0)
    if rate < 0:
        message = f"A rate of {percent(rate)} is below 0: it would be paid to the importer."
        fix = f"Write {percent(-rate)}; to lower a rate, write by: {_points(rate)}."
    else:
        message = (
            f"A rate of {percent(rate)} is above every rate of the law; the highest is {percent(highest)}."
        )
        fix = f"Write {percent(rate / 100)} if that is what is meant."
    return Problem(path, place.line, place.column, "RATE_UNUSUAL", message, fix, WARNING)
