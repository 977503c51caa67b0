"""The interpreter reads golden cases, their neighbours, and lines as they were known, as the engine does."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tariffs.client.cases.case_file import Case, read_cases
from tariffs.engine.law import load_law
from tariffs.engine.law.values import read_instant
from tariffs.engine.line_duty.quote import Quote
from tariffs.engine.schedule.lines import load_schedule
from tests.law.golden_lines import LINES, quote_of
from tests.law.interpreter import Reading
from tests.law.real_law import columns, raw_law, units

KNOWN_DAYS = read_cases(Path(__file__).parent / "lines" / "known_days.yaml")


def neighbours(line: dict[str, Any]) -> list[dict[str, Any]]:
    """The line with another value, a sibling code, and other days near by."""
    found = [line, {**line, "value": str(Decimal(line["value"]) * Decimal("1.37"))}]
    siblings = [code for code in load_schedule().children(line["hts"][:8]) if code != line["hts"]]
    found += [{**line, "hts": code} for code in siblings[:1]]
    law = load_law()
    for days in (-11, -1, 1, 11):
        moment = read_instant(line["entry"], law.zones["import"]) + timedelta(days=days)
        if law.coverage[0] <= moment < law.coverage[1]:
            found.append({**line, "entry": moment.isoformat()})
    return found


@pytest.mark.parametrize("case", LINES)
def test_the_interpreter_reads_a_case_and_its_neighbours_alike(case: str) -> None:
    alike: Reading | None = None
    for line in neighbours(LINES[case]):
        found = columns(line["hts"], line["entry"])
        plain = {**line, "claims": {name: told(name, value) for name, value in line["claims"].items()}}
        # Where measures stand for a line does not depend on its value, in which the first two differ.
        reading = Reading(raw_law(), plain, {line["hts"]: found}, units(), like=alike)
        alike = reading if line is LINES[case] else None
        quote = quote_of(line)
        assert (Fraction(quote.assessed), Fraction(quote.owed)) == (reading.assessed, reading.owed), line
        assert paid(quote) == {key: amount for key, amount in read(reading).items() if amount}, line


def told(name: str, value: str) -> str:
    """A declared claim as the interpreter writes it."""
    kind = raw_law()["claims"][name]["type"]
    return {"true": "yes", "false": "no"}.get(value, value) if kind == "bool" else value


def paid(quote: Quote) -> dict[tuple[str, str], Fraction]:
    """Amounts by measure and heading of chapter 99."""
    found: dict[tuple[str, str], Fraction] = {}
    for layer in quote.layers:
        heading = "" if "." in layer.heading and not layer.heading.startswith("99") else layer.heading
        found[layer.measure, heading] = found.get((layer.measure, heading), Fraction(0)) + Fraction(
            layer.amount
        )
    return {key: amount for key, amount in found.items() if amount}


def read(reading: Reading) -> dict[tuple[str, str], Fraction]:
    found: dict[tuple[str, str], Fraction] = {}
    for (measure, heading, _), (_, amount, _) in reading.layers.items():
        key = measure, heading if heading.startswith("99") else ""
        found[key] = found.get(key, Fraction(0)) + amount
    return found


@pytest.mark.parametrize(
    "case", [case for case in KNOWN_DAYS if "assessed" in case.expect], ids=lambda case: case.id
)
def test_the_interpreter_counts_an_act_from_its_publication(case: Case) -> None:
    line = dict(case.asked)
    day, known_on = line.pop("date"), line.pop("known_on", "")
    code = line["hts"].replace(".", "")
    plain = {"claims": {}, "quantity": "1", "unit": "kg", **line, "hts": code, "entry": day}
    known = [known_on] if known_on not in {"", "entry"} else []
    reading = Reading(raw_law(), plain, {code: columns(code, day)}, units(), *known)
    assert reading.assessed == Fraction(case.expect["assessed"])
