"""Random lines over the embedded law: rated alone, in a table, and by the plain interpreter."""

from __future__ import annotations

import random
import sys
from collections import Counter
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cache
from typing import Any

import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.line_duty.quote import EntryLine, Quote, quote_line
from tariffs.engine.table_duty.duties import Dated, duties_of
from tests.law.harness import line_set
from tests.law.interpreter import Reading
from tests.law.real_law import raw_law, units
from tests.law.test_real_law import random_line, with_unit

LINES_OF_A_BLOCK = 50
LINES_OF_GOODS = 5
"""Lines of one code and origin, with other claims, values and quantities each."""
KNOWN = ("", "", "", "", "2025-04-05", "2025-09-10", "2026-02-22", "2026-09-10")
REFUSED = {"RATE_NOT_COMPUTABLE", "QUANTITY_REQUIRED", "HTS_CODE_UNKNOWN", "TOO_MANY_ATOMS"}
SHARES = ("0", "0.25", "0.4", "1")
Found = Counter[str]


@cache
def instants() -> list[datetime]:
    """The boundaries of the law inside its coverage, and a minute before each."""
    law = load_law()
    inside = [at for at in law.boundaries if law.coverage[0] < at < law.coverage[1]]
    return [*inside, *(at - timedelta(minutes=1) for at in inside)]


def block_of_lines(block: int, count: int = LINES_OF_A_BLOCK) -> Found:
    """Compare some lines of one instant; count those compared and refused.

    Raises:
        AssertionError: one of the three says something else, with the line and the day whose acts count.
    """
    dice = random.Random(block * 1_000_003 + 17)
    at, known_on = dice.choice(instants()), dice.choice(KNOWN)
    found: Found = Counter()
    lines: list[dict[str, Any]] = []
    rates: dict[str, dict[str, tuple[str, str, str]]] = {}
    wanted: list[Reading] = []
    goods: dict[str, Any] = {}
    like: Reading | None = None
    for number in range(count):
        drawn = random_line(dice)
        if number % LINES_OF_GOODS == 0:
            goods, like = drawn, None
        told = with_unit({**_of_goods(goods, drawn, dice), "entry": at.isoformat()})
        if told is None:
            found["not rated by one amount per unit"] += 1
            continue
        line, own = told
        quote = _alone(line, known_on, found)
        if quote is None:
            continue
        like = reading = Reading(raw_law(), line, {line["hts"]: own}, units(), known_on, like=like)
        assert (Fraction(quote.assessed), Fraction(quote.owed)) == (reading.assessed, reading.owed), (
            "line", line, known_on, quote.assessed, float(reading.assessed),
        )  # fmt: skip
        banned = {name for name, _, state in reading.layers if state == "prohibited"}
        assert set(quote.prohibited) == banned, ("prohibited", line, known_on, quote.prohibited, banned)
        found["prohibited"] += bool(banned)
        lines.append(line)
        rates[line["hts"]] = own
        wanted.append(reading)
    if lines:
        _in_a_table(lines, rates, wanted, known_on)
    found["compared"] += len(lines)
    return found


def _alone(line: dict[str, Any], known_on: str, found: Found) -> Quote | None:
    entry = EntryLine(
        hts=line["hts"], origin=line["origin"], value=line["value"], entry=line["entry"],
        claims=line["claims"], quantity=line["quantity"], unit=line["unit"], mode=line["mode"],
    )  # fmt: skip
    try:
        return quote_line(load_law(), entry, known_on=known_on or None)
    except InputError as error:
        assert error.reason in REFUSED, (error, line)  # noqa: PT017
        found[error.reason] += 1
        return None


def _in_a_table(
    lines: list[dict[str, Any]],
    rates: dict[str, dict[str, tuple[str, str, str]]],
    wanted: list[Reading],
    known_on: str,
) -> None:
    law = load_law()
    known = date.fromisoformat(known_on) if known_on else law.as_of
    dated = Dated([datetime.fromisoformat(lines[0]["entry"])], [known], None)
    table = duties_of(law, line_set(law, lines, rates, units()), dated, lambda: None)
    for index, (line, reading) in enumerate(zip(lines, wanted, strict=True)):
        if index in table.refused:
            continue
        exact = (float(sum(reading.exact.values())), float(reading.exact_owed))
        assert (table.duty[index], table.owed[index]) == pytest.approx(exact, rel=1e-9, abs=1e-6), (
            "table", line, known_on, table.duty[index], exact,
        )  # fmt: skip


def _of_goods(goods: dict[str, Any], line: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    """A line as the code, origin and declared dates of some goods, with one of its shares between 0 and 1 at times."""
    types = {name: claim["type"] for name, claim in raw_law()["claims"].items()}
    claims = {name: text for name, text in line["claims"].items() if types[name] != "date"}
    claims |= {name: text for name, text in goods["claims"].items() if types[name] == "date"}
    shares = [name for name in claims if types[name] == "share"]
    if shares:
        claims[dice.choice(shares)] = dice.choice(SHARES)
    return {**line, "hts": goods["hts"], "origin": goods["origin"], "claims": claims}


def main(first: int, last: int, count: int) -> None:
    """Compare blocks [first, last) of `count` lines each, and say after each block what was compared so far."""
    total: Found = Counter()
    for number in range(first, last):
        try:
            total += block_of_lines(number, count)
        except AssertionError as error:
            total["blocks that differ"] += 1
            sys.stdout.write(f"block {number}: {error}\n")
        sys.stdout.write(f"{number} {dict(total)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
