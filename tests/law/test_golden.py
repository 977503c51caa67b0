"""Worked entries: what they charge, to the cent, with their headings; and the interpreter on their neighbours."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from tariffs.engine.law import load_law
from tariffs.engine.law.values import read_instant
from tariffs.engine.line_duty.quote import EntryLine, Quote, QuoteLayer, quote_line
from tariffs.engine.schedule.lines import load_schedule
from tests.law.interpreter import Key, Reading
from tests.law.real_law import columns, raw_law, units

ANY = "TBD"
UNDETERMINED = "undetermined"


@dataclass(frozen=True)
class Case:
    """A worked entry, and whether all measures it needs are in the law."""

    id: str
    line: dict[str, Any]
    layers: list[dict[str, str]]
    assessed: Decimal
    owed: Decimal
    modelled: bool
    prohibited: tuple[str, ...]


def read_cases() -> list[Case]:
    cases = []
    for path in sorted((Path(__file__).parent / "golden").glob("*.yaml")):
        for raw in yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)["cases"]:
            line = {
                key: raw.get(key, "")
                for key in ("hts", "origin", "entry", "value", "quantity", "unit", "mode")
            }
            line |= {"claims": raw.get("claims", {}), "hts": line["hts"].replace(".", "")}
            modelled = raw.get("modelled", "yes") != "no"
            assessed, owed = Decimal(raw["assessed"]), Decimal(raw["owed"])
            prohibited = tuple(raw.get("prohibited", []))
            cases.append(Case(raw["id"], line, raw["layers"], assessed, owed, modelled, prohibited))
    return cases


CASES = read_cases()


def marked() -> list[Any]:
    waits = pytest.mark.xfail(reason="a measure of the case is not modelled yet", strict=True)
    return [pytest.param(case, id=case.id, marks=() if case.modelled else (waits,)) for case in CASES]


def quote_of(line: dict[str, Any]) -> Quote:
    entry = EntryLine(
        hts=line["hts"], origin=line["origin"], value=line["value"], entry=line["entry"], claims=line["claims"],
        quantity=line["quantity"] or None, unit=line["unit"], mode=line["mode"],
    )  # fmt: skip
    return quote_line(load_law(), entry)


def test_case_ids_are_distinct() -> None:
    assert len(CASES) == len({case.id for case in CASES}) > 0


@pytest.mark.parametrize("case", marked())
def test_a_worked_entry_charges_what_it_says(case: Case) -> None:
    quote = quote_of(case.line)
    assert unmatched(case, quote.layers) == []
    assert (quote.assessed, quote.owed) == (case.assessed, case.owed)
    assert quote.prohibited == case.prohibited


def unmatched(case: Case, layers: tuple[QuoteLayer, ...]) -> list[str]:
    """What the case and the answer say differently of charged layers, and the case's zero headings that are missing."""
    charged = Counter((layer.heading, layer.base, layer.amount) for layer in layers if layer.amount)
    headings = {name for layer in layers for name in (layer.heading, layer.heading.split(" ")[0])}
    found = []
    for wanted in case.layers:
        heading, base, amount = wanted["heading"], Decimal(wanted["base"]), Decimal(wanted["amount"])
        if not amount:
            if heading != ANY and heading not in headings:
                found.append(f"no layer under {heading}")
            continue
        names = [key for key in charged if key[1:] == (base, amount) and heading in {ANY, key[0]}]
        if names:
            charged.subtract([names[0]])
            charged = +charged
        else:
            found.append(f"nothing charged {amount} on {base} under {heading}")
    return found + [
        f"charged {amount} on {base} under {heading}" for heading, base, amount in charged.elements()
    ]


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


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES])
def test_the_interpreter_reads_a_case_and_its_neighbours_alike(case: Case) -> None:
    alike: Reading | None = None
    for line in neighbours(case.line):
        found = columns(line["hts"], line["entry"])
        plain = {**line, "claims": {name: told(name, value) for name, value in line["claims"].items()}}
        # Where measures stand for a line does not depend on its value, in which the first two differ.
        reading = Reading(raw_law(), plain, {line["hts"]: found}, units(), like=alike)
        alike = reading if line is case.line else None
        quote = quote_of(line)
        assert (Fraction(quote.assessed), Fraction(quote.owed)) == (reading.assessed, reading.owed), line
        assert states(quote) == states_of(reading), line


def told(name: str, value: str) -> str:
    """A declared claim as the interpreter writes it."""
    kind = raw_law()["claims"][name]["type"]
    return {"true": "yes", "false": "no"}.get(value, value) if kind == "bool" else value


def states(quote: Quote) -> dict[tuple[str, str], Fraction]:
    """Amounts by measure and heading; layers that only other facts would bring are left out."""
    found: dict[tuple[str, str], Fraction] = {}
    for layer in quote.layers:
        if layer.state != UNDETERMINED or layer.amount:
            heading = "" if "." in layer.heading and not layer.heading.startswith("99") else layer.heading
            found[layer.measure, heading] = found.get((layer.measure, heading), Fraction(0)) + Fraction(
                layer.amount
            )
    return {key: amount for key, amount in found.items() if amount}


def states_of(reading: Reading) -> dict[tuple[str, str], Fraction]:
    found: dict[tuple[str, str], Fraction] = {}
    key: Key
    for key, (_, amount, _) in reading.layers.items():
        heading = key[1] if key[1].startswith("99") else ""
        found[key[0], heading] = found.get((key[0], heading), Fraction(0)) + amount
    return {key: amount for key, amount in found.items() if amount}
