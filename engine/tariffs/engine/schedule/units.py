"""Units of quantity: symbols, dimensions and conversion (data/units.csv)."""

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
    """Unit of quantity; `factor` base units of its dimension make one."""

    symbol: str
    dimension: str
    factor: Decimal


@cache
def units() -> Mapping[str, Unit]:
    """Units by symbol and by every alias."""
    named: dict[str, Unit] = {}
    text = files("tariffs.engine.schedule").joinpath("data/units.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        unit = Unit(row["unit"], row["dimension"], Decimal(row["factor"]))
        for name in (unit.symbol, *filter(None, row["aliases"].split("|"))):
            named[name] = unit
    return named


@cache
def _units_without_case() -> Mapping[str, frozenset[Unit]]:
    folded: dict[str, frozenset[Unit]] = {}
    for name, unit in units().items():
        key = name.casefold()
        folded[key] = folded.get(key, frozenset()) | {unit}
    return folded


def find_unit(name: str) -> Unit | None:
    """Unit with a symbol or alias; letter case matters only where it distinguishes two units."""
    name = " ".join(name.split())
    exact = units().get(name)
    if exact is not None:
        return exact
    same = _units_without_case().get(name.casefold(), frozenset())
    return next(iter(same)) if len(same) == 1 else None


def convert(quantity: Decimal, unit: str, to: str) -> Decimal | None:
    """Convert a quantity to another unit; None if the units have different dimensions.

    Raises:
        InputError: UNIT_UNKNOWN if units.csv lacks either unit.
    """
    given, wanted = known_unit(unit), known_unit(to)
    if given.dimension != wanted.dimension:
        return None
    return quantity if given == wanted else quantity * given.factor / wanted.factor


def known_unit(name: str) -> Unit:
    """Unit with a symbol or alias; raises InputError UNIT_UNKNOWN that lists the known symbols."""
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
