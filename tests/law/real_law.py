"""The embedded law, schedule and units in the form the plain interpreter reads."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from tariffs.engine.law import load_law, read_raw
from tariffs.engine.law.values import read_instant
from tariffs.engine.schedule.lines import load_schedule
from tariffs.engine.schedule.rates import Rate
from tests.law.plain_rows import Unchanged

ENGINE = Path(__file__).resolve().parents[2] / "engine" / "tariffs" / "engine"
Column = tuple[str, str, str]


@cache
def raw_law() -> dict[str, Any]:
    law = Unchanged(read_raw())
    law.kept = {}
    return law


@cache
def units() -> Mapping[str, tuple[str, str]]:
    with (ENGINE / "schedule" / "data" / "units.csv").open(encoding="utf-8", newline="") as file:
        return {row["unit"]: (row["dimension"], row["factor"]) for row in csv.DictReader(file)}


def columns(code: str, entry: str) -> dict[str, Column]:
    """The schedule's columns for a code on a day; those that no single amount per unit states are left out."""
    law, schedule = load_law(), load_schedule()
    day: date = read_instant(entry, law.zones["import"]).astimezone(law.zones["import"]).date()
    line = schedule.find(code, day)
    assert line is not None, code
    found = {"general": line.general, "other": line.other}
    for symbol in law.programs:
        special = schedule.special(code, [symbol], day)
        if special is not None:
            found[symbol] = special[0]
    return {name: column for name, rate in found.items() if (column := _column(rate)) is not None}


def _column(rate: Rate) -> Column | None:
    if not rate.computable or len(rate.specific) > 1:
        return None
    usd, unit = rate.specific[0] if rate.specific else ("0", "kg")
    return str(rate.ad_valorem), str(usd), unit
