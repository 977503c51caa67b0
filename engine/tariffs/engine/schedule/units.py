"""Units of quantity: symbols, what they measure, and conversion (data/units.csv)."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files

from tariffs.engine.errors import InputError


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: `factor` units of its dimension's base unit make one of it."""

    symbol: str
    dimension: str
    factor: Decimal


@cache
def units() -> Mapping[str, Unit]:
    """Units by symbol and by every alias."""
    found: dict[str, Unit] = {}
    text = files("tariffs.engine.schedule").joinpath("data/units.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        unit = Unit(row["unit"], row["dimension"], Decimal(row["factor"]))
        for name in (unit.symbol, *filter(None, row["aliases"].split("|"))):
            found[name] = unit
    return found


@cache
def _units_without_case() -> Mapping[str, frozenset[Unit]]:
    found: dict[str, frozenset[Unit]] = {}
    for name, unit in units().items():
        key = name.casefold()
        found[key] = found.get(key, frozenset()) | {unit}
    return found


def find_unit(name: str) -> Unit | None:
    """The unit of a symbol or alias; letter case matters only where it tells two units apart."""
    name = " ".join(name.split())
    exact = units().get(name)
    if exact is not None:
        return exact
    alike = _units_without_case().get(name.casefold(), frozenset())
    return next(iter(alike)) if len(alike) == 1 else None


def convert(quantity: Decimal, unit: str, to: str) -> Decimal | None:
    """A quantity in another unit, or None if the two units measure different things.

    Raises:
        InputError: UNIT_UNKNOWN if units.csv lacks either unit.
    """
    given, wanted = known_unit(unit), known_unit(to)
    if given.dimension != wanted.dimension:
        return None
    return quantity if given == wanted else quantity * given.factor / wanted.factor


def known_unit(name: str) -> Unit:
    """The unit of a symbol or alias; raises InputError UNIT_UNKNOWN with the symbols there are."""
    unit = find_unit(name)
    if unit is None:
        symbols = ", ".join(dict.fromkeys(u.symbol for u in units().values()))
        raise InputError(
            "UNIT_UNKNOWN",
            f"{name!r} is not a unit.",
            field="unit",
            fix=f"Use one of: {symbols}.",
            metadata={"unit": name},
        )
    return unit
