"""The embedded law on lines of real trade: engine and interpreter agree, on entry lines and on tables."""

from __future__ import annotations

import random
from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from typing import Any

import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.law.conditions import MODE
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.schedule.lines import load_schedule
from tariffs.engine.schedule.reference_data import reference_table
from tests.law.harness import duties
from tests.law.interpreter import Reading
from tests.law.random_world import MODES
from tests.law.real_law import columns, raw_law, units

FIRST, DAYS = date(2025, 1, 1), 1095
BUSY = ("CN", "CA", "MX", "DE", "JP", "KR", "GB", "CH", "TW", "BR", "IN", "VN", "HK", "RU")
KNOWN = ("", "", "", "2025-03-01", "2025-09-10", "2026-02-22")


@cache
def pairs() -> list[tuple[str, str]]:
    """Codes and origins of real trade, the largest lines first."""
    table = reference_table().sort("customs_value", descending=True)
    return list(zip(table["hts"].to_list(), table["origin"].to_list(), strict=True))


def random_line(dice: random.Random) -> dict[str, Any]:
    """A line of real trade on a random day, with a few random claims."""
    largest = 2_000 if dice.random() < 0.5 else len(pairs())
    code, origin = pairs()[dice.randrange(largest)]
    if dice.random() < 0.3:
        origin = dice.choice(BUSY)
    claims: dict[str, str] = {}
    for name, claim in raw_law()["claims"].items():
        if name != MODE and dice.random() < 0.12:
            claims[name] = {
                "share": dice.choice(("0", "1")),
                "content": dice.choice(("0", "0.1", "0.25")),
                "bool": dice.choice(("yes", "no")),
                "date": (FIRST + timedelta(dice.randrange(DAYS))).isoformat(),
                "code": dice.choice(("RU", "US", "9802.00.40", "9802.00.80")),
                "number": dice.choice(("500", "2019")),
            }[claim["type"]]
    preference = [name for name in claims if raw_law()["claims"][name].get("partition") == "preference"]
    for name in preference[1:]:
        del claims[name]
    return {
        "hts": code,
        "origin": origin,
        "entry": (FIRST + timedelta(dice.randrange(DAYS))).isoformat(),
        "value": str(dice.randint(1, 900_000)),
        "claims": claims,
        "quantity": str(dice.randint(1, 5_000)),
        "unit": "",
        "mode": dice.choice(MODES),
    }


def with_unit(line: dict[str, Any]) -> tuple[dict[str, Any], dict[str, tuple[str, str, str]]] | None:
    """The line in the unit its ordinary duty counts in, and its columns; None if amounts per unit do not state it."""
    found = columns(line["hts"], line["entry"]) if load_schedule().find(line["hts"], FIRST) else {}
    if not {"general", "other"} <= found.keys():
        return None
    units_used = [unit for _, usd, unit in found.values() if usd != "0"]
    return {**line, "unit": units_used[0] if units_used else "kg"}, found


@pytest.mark.parametrize("block", range(4))
def test_lines_of_real_trade_are_read_alike(block: int, scale: int) -> None:
    compared = 0
    for seed in range(60 * scale):
        dice = random.Random(block * 1_000_003 + seed)
        line, known_on = random_line(dice), dice.choice(KNOWN)
        told = with_unit(line)
        if told is None:
            continue
        line, found = told
        entry = EntryLine(
            hts=line["hts"], origin=line["origin"], value=line["value"], entry=line["entry"],
            claims=line["claims"], quantity=line["quantity"], unit=line["unit"], mode=line["mode"],
        )  # fmt: skip
        try:
            quote = quote_line(load_law(), entry, known_on=known_on or None)
        except InputError as error:
            assert error.reason in {"RATE_NOT_COMPUTABLE", "QUANTITY_REQUIRED", "HTS_CODE_UNKNOWN"}, error  # noqa: PT017
            continue
        reading = Reading(raw_law(), line, {line["hts"]: found}, units(), known_on)
        assert (Fraction(quote.assessed), Fraction(quote.owed)) == (reading.assessed, reading.owed), (
            line,
            known_on,
        )
        compared += 1
    assert compared > 40 * scale


@pytest.mark.parametrize(
    "day", ["2025-03-08", "2025-04-07", "2025-06-20", "2025-10-20", "2026-03-15", "2026-11-24"]
)
def test_a_table_of_real_trade_is_read_alike(day: str, scale: int) -> None:
    dice = random.Random(day)
    lines: list[dict[str, Any]] = []
    rates: dict[str, dict[str, tuple[str, str, str]]] = {}
    while len(lines) < 40 * scale:
        told = with_unit({**random_line(dice), "entry": day})
        if told is not None:
            lines.append(told[0])
            rates[told[0]["hts"]] = told[1]
    table = duties(load_law(), lines, rates, [""] * len(lines), units())
    for index, line in enumerate(lines):
        reading = Reading(raw_law(), line, rates, units())
        wanted = (float(sum(reading.exact.values())), float(reading.exact_owed))
        assert (table.duty[index], table.owed[index]) == pytest.approx(wanted, rel=1e-9, abs=1e-6), line
