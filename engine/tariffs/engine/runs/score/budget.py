"""Read projections, tax offsets and rules of thumb by fiscal year, each as published. See docs/models/score.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from tariffs.engine.law.values import read_number, read_rate
from tariffs.engine.response.constants import table
from tariffs.engine.response.inputs import invalid

TABLE_YEAR = 2024
"""Calendar year of the embedded table."""
ALL = "all"
"""Name of all other origins among collected shares."""
PAYMENTS: Mapping[int, float] = {2026: 124.5e9, 2027: 41.5e9}
"""Refunds of void duty by fiscal year: 166 bn (CBP, March 2026), three quarters in the first year (Budget Lab)."""
SOURCES = {
    "projection": "CBO, The Budget and Economic Outlook",
    "tax_offset": "JCT JCX-5-17, JCX-2-23; CBO 58421; Budget Lab at Yale, 2026-07",
    "refunds": "CBP, declaration of 2026-03-04: 166 bn; years of the Budget Lab at Yale, 2026-07",
    "dynamic": "CBO 61183, rules of thumb 2025",
}
_BILLION, _MOST_COLLECTED = 1e9, 1.5
Value = TypeVar("Value")


@dataclass(frozen=True)
class Projection:
    """One projection of CBO by fiscal year, in USD.

    Attributes:
        vintage: month of its publication.
        table_imports: imports of goods and services in the calendar year of the embedded table.
        imports, gdp: nominal, by year.
        customs: customs duties, by year; in 2026-02 with the tariffs in force before the ruling of 2026-02-20.
    """

    vintage: str
    table_imports: float
    imports: Mapping[int, float]
    gdp: Mapping[int, float]
    customs: Mapping[int, float]

    def growth(self, year: int) -> float:
        """Imports of a fiscal year over those of the year of the embedded table."""
        return self.imports[year] / self.table_imports


@cache
def projections() -> Mapping[str, Projection]:
    """Read the projections by vintage."""
    rows = table("budget_years.csv")
    found = {}
    for vintage in sorted({row["vintage"] for row in rows}):
        own = [row for row in rows if row["vintage"] == vintage]
        base = next(row for row in own if row["basis"] == "calendar" and int(row["year"]) == TABLE_YEAR)
        years = {int(row["year"]): row for row in own if row["basis"] == "fiscal"}
        imports, gdp, customs = (
            {year: _BILLION * float(row[name]) for year, row in years.items() if row[name]}
            for name in ("imports", "gdp", "customs")
        )
        found[vintage] = Projection(vintage, _BILLION * float(base["imports"]), imports, gdp, customs)
    return found


def projection(vintage: str) -> Projection:
    """Look up a projection; raises InputError PARAMETER_INVALID."""
    return _chosen(projections(), vintage, "score", "projection of CBO")


@cache
def _offsets() -> Mapping[str, Mapping[str, float]]:
    found: dict[str, dict[str, float]] = {"none": {"": 0.0}}
    for row in table("tax_offsets.csv"):
        found.setdefault(row["name"], {})[row["year"]] = float(row["offset"])
    return found


def tax_offset(name: str, year: int) -> float:
    """Look up the part of added revenue that income and payroll taxes lose; the last published year holds on.

    Raises:
        InputError: PARAMETER_INVALID for an unknown table.
    """
    by_year = _chosen(_offsets(), name, "tax_offset", "table of offsets")
    if "" in by_year:
        return by_year[""]
    return by_year.get(str(year), by_year[max(by_year)])


@cache
def _revenue_of_gdp() -> Mapping[int, float]:
    rows = table("gdp_revenue.csv")
    return {
        int(row["year"]): float(row["revenue"]) / (float(row["gdp"]) - float(row["gdp_before"]))
        for row in rows
    }


def macro_revenue(year: int, gdp: float) -> float:
    """Compute the revenue that a change of output brings: output in USD by CBO's rule of the fiscal year."""
    by_year = _revenue_of_gdp()
    return by_year.get(year, by_year[max(by_year)]) * gdp


def gdp_changes(given: Mapping[str, str], years: range) -> dict[int, float]:
    """Read changes of real GDP by fiscal year as fractions; each holds until the next, and there is none before.

    Raises:
        InputError: PARAMETER_INVALID.
    """
    try:
        stated = {int(year): float(read_rate(text)) for year, text in given.items()}
    except ValueError as error:
        fix = "Give a fiscal year and a change: 2030=-0.2%."
        raise invalid("gdp", f"gdp: {error}.", fix) from error
    found, change = {}, 0.0
    for year in range(min([*stated, years.start]), years.stop):
        change = stated.get(year, change)
        found[year] = change
    return {year: found[year] for year in years}


def collected_shares(given: Mapping[str, str]) -> dict[str, float]:
    """Read the share of added duty that is collected by origin, or of `all` others.

    It may be somewhat above 1, where an origin pays what its goods of the embedded table would not.

    Raises:
        InputError: PARAMETER_INVALID.
    """
    found = {}
    for origin, text in given.items():
        try:
            share = float(read_rate(text) if text.endswith("%") else read_number(text))
        except ValueError:
            share = -1.0
        if not 0.0 <= share <= _MOST_COLLECTED:
            fix = f"Give an origin, or `{ALL}`, and a share from 0 to {_MOST_COLLECTED}, such as 85% or 0.85."
            raise invalid("collected", f"The share of {origin} is {text!r}.", fix)
        found[origin if origin == ALL else origin.upper()] = share
    return found


def _chosen(known: Mapping[str, Value], name: str, field: str, what: str) -> Value:
    if name not in known:
        fix = f"Use one of: {', '.join(known)}."
        raise invalid(field, f"There is no {what} {name!r}.", fix)
    return known[name]
