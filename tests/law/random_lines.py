"""Random lines of real trade over the embedded law: rated alone, in a table, and by the plain interpreter."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cache
from typing import Any

import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.law.conditions import MODE
from tariffs.engine.line_duty.quote import EntryLine, Quote, quote_line
from tariffs.engine.schedule.lines import load_schedule
from tariffs.engine.schedule.reference_data import reference_table
from tariffs.engine.table_duty.duties import Dated, duties_of
from tests.law.harness import line_set
from tests.law.interpreter import Reading
from tests.law.random_world import MODES
from tests.law.real_law import columns, raw_law, units

LINES_OF_A_BLOCK = 50
LINES_OF_GOODS = 5
"""Lines of one code and origin, with other claims, values and quantities each."""
KNOWN = ("", "", "", "", "2025-04-05", "2025-09-10", "2026-02-22", "2026-09-10")
REFUSED = {"RATE_NOT_COMPUTABLE", "QUANTITY_REQUIRED", "HTS_CODE_UNKNOWN", "TOO_MANY_ATOMS"}
SHARES = ("0", "0.25", "0.4", "1")
FIRST, DAYS = date(2025, 1, 1), 1095
BUSY = ("CN", "CA", "MX", "DE", "JP", "KR", "GB", "CH", "TW", "BR", "IN", "VN", "HK", "RU")
Columns = dict[str, tuple[str, str, str]]


@cache
def pairs() -> list[tuple[str, str]]:
    """Codes and origins of real trade, the largest lines first."""
    table = reference_table().sort("customs_value", descending=True)
    return list(zip(table["hts"].to_list(), table["origin"].to_list(), strict=True))


def random_line(dice: random.Random) -> dict[str, Any]:
    """A line of real trade on a random day, with a few random claims."""
    code, origin = pairs()[dice.randrange(2_000 if dice.random() < 0.5 else len(pairs()))]
    origin = dice.choice(BUSY) if dice.random() < 0.3 else origin
    known, claims = raw_law()["claims"], dict[str, str]()
    for name, claim in known.items():
        if name != MODE and dice.random() < 0.12:
            claims[name] = {
                "share": dice.choice(("0", "1")),
                "content": dice.choice(("0", "0.1", "0.25")),
                "bool": dice.choice(("yes", "no")),
                "date": (FIRST + timedelta(dice.randrange(DAYS))).isoformat(),
                "code": dice.choice(("RU", "US", "9802.00.40", "9802.00.80")),
                "number": dice.choice(("500", "2019")),
            }[claim["type"]]
    for name in [name for name in claims if known[name].get("partition") == "preference"][1:]:
        del claims[name]
    entry = (FIRST + timedelta(dice.randrange(DAYS))).isoformat()
    value, quantity = str(dice.randint(1, 900_000)), str(dice.randint(1, 5_000))
    return {"hts": code, "origin": origin, "entry": entry, "value": value, "claims": claims, "quantity": quantity,
            "unit": "", "mode": dice.choice(MODES)}  # fmt: skip


def with_unit(line: dict[str, Any]) -> tuple[dict[str, Any], Columns] | None:
    """The line in the unit its ordinary duty counts in, and its columns; None if amounts per unit do not state it."""
    found = columns(line["hts"], line["entry"]) if load_schedule().find(line["hts"], FIRST) else {}
    if not {"general", "other"} <= found.keys():
        return None
    units_used = [unit for _, usd, unit in found.values() if usd != "0"]
    return {**line, "unit": units_used[0] if units_used else "kg"}, found


@cache
def instants() -> list[datetime]:
    """The boundaries of the law inside its coverage, a minute before each, and some moments between."""
    law, dice = load_law(), random.Random(3)
    inside = [at for at in law.boundaries if law.coverage[0] < at < law.coverage[1]]
    between = [at + timedelta(hours=dice.randrange(1, 200)) for at in inside]
    before = [at - timedelta(minutes=1) for at in inside]
    return [*inside, *before, *(at for at in between if at < law.coverage[1])]


def block_of_lines(block: int) -> int:
    """Compare some lines of one instant; gives how many the three rate alike, without those refused."""
    dice = random.Random(block * 1_000_003 + 17)
    at, known_on = dice.choice(instants()), dice.choice(KNOWN)
    lines: list[dict[str, Any]] = []
    rates: dict[str, Columns] = {}
    wanted: list[Reading] = []
    goods: dict[str, Any] = {}
    like: Reading | None = None
    for number in range(LINES_OF_A_BLOCK):
        drawn = random_line(dice)
        if number % LINES_OF_GOODS == 0:
            goods, like = drawn, None
        told = with_unit({**_of_goods(goods, drawn, dice), "entry": at.isoformat()})
        quote = rated(told[0], known_on) if told else ""
        if told is None or isinstance(quote, str):
            continue
        line, own = told
        like = reading = Reading(raw_law(), line, {line["hts"]: own}, units(), known_on, like=like)
        paid, place = (Fraction(quote.assessed), Fraction(quote.owed)), (line, known_on)
        assert paid == (reading.assessed, reading.owed), place
        banned = {name for name, _, state in reading.layers if state == "prohibited"}
        assert set(quote.prohibited) == banned, place
        lines.append(line)
        rates[line["hts"]] = own
        wanted.append(reading)
    if lines:
        _in_a_table(lines, rates, wanted, known_on)
    return len(lines)


def rated(line: dict[str, Any], known_on: str = "") -> Quote | str:
    """The engine's answer on a line, or the reason why it refuses it."""
    entry = EntryLine(**{name: line[name] for name in EntryLine._fields if name in line})
    try:
        return quote_line(load_law(), entry, known_on=known_on or None)
    except InputError as error:
        assert error.reason in REFUSED, (error, line)  # noqa: PT017
        return error.reason


def _in_a_table(
    lines: list[dict[str, Any]], rates: dict[str, Columns], wanted: list[Reading], known_on: str
) -> None:
    law = load_law()
    known = date.fromisoformat(known_on) if known_on else law.as_of
    dated = Dated([datetime.fromisoformat(lines[0]["entry"])], [known], None)
    table = duties_of(law, line_set(law, lines, rates, units()), dated, lambda: None)
    for index, (line, reading) in enumerate(zip(lines, wanted, strict=True)):
        if index in table.refused:
            continue
        exact = (float(sum(reading.exact.values())), float(reading.exact_owed))
        assert (table.duty[index], table.owed[index]) == pytest.approx(exact, rel=1e-9, abs=1e-6), line


def _of_goods(goods: dict[str, Any], line: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    """A line as the code, origin and declared dates of some goods, with one of its shares between 0 and 1 at times."""
    types = {name: claim["type"] for name, claim in raw_law()["claims"].items()}
    claims = {name: text for name, text in line["claims"].items() if types[name] != "date"}
    claims |= {name: text for name, text in goods["claims"].items() if types[name] == "date"}
    shares = [name for name in claims if types[name] == "share"]
    if shares:
        claims[dice.choice(shares)] = dice.choice(SHARES)
    return {**line, "hts": goods["hts"], "origin": goods["origin"], "claims": claims}
