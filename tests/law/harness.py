"""Both readings of one law side by side: the engine's (entry line and table) and the plain interpreter's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, cast

import numpy as np

from tariffs.engine.base.array_utils import F64
from tariffs.engine.law import Law
from tariffs.engine.law.conditions import MODE
from tariffs.engine.law.values import read_instant
from tariffs.engine.line_duty.quote import EntryLine, Quote, quote_line
from tariffs.engine.schedule.lines import Schedule, ScheduleLine
from tariffs.engine.schedule.rates import Rate
from tariffs.engine.table_duty.duties import Dated, Duties, duties_of
from tariffs.engine.tables.line_arrays import LineArrays
from tests.law.interpreter import Key, Reading
from tests.law.random_world import UNITS, Raw

Columns = Mapping[str, tuple[str, str, str]]
Rates = Mapping[str, Columns]
Units = Mapping[str, tuple[str, str]]
IMPORT = "import"


class FakeSchedule:
    """A schedule of a few codes in the form the interpreter reads, offered as the engine asks for it."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates

    def find(self, code: str, day: date) -> ScheduleLine:
        columns = self._rates[code]
        return ScheduleLine(
            code[:8], _rate(columns["general"]), _rate(columns["other"]), "", suffix_note=False
        )

    def special(self, code: str, programs: Sequence[str], day: date) -> tuple[Rate, str] | None:
        found = [(Decimal(self._rates[code][p][0]), p) for p in programs if p in self._rates[code]]
        return (_rate(self._rates[code][min(found)[1]]), min(found)[1]) if found else None

    def edition_day(self, day: date) -> date:
        return day

    def accepts(self, code: str) -> bool:
        return code in self._rates


def _rate(column: tuple[str, str, str]) -> Rate:
    share, usd, unit = column
    specific = ((Decimal(usd), unit),) if Decimal(usd) else ()
    return Rate("compound", Decimal(share), specific, f"{share} + {usd} USD/{unit}")


def quote_of(law: Law, line: Raw, rates: Rates, known_on: str = "") -> Quote:
    """The engine's answer for an entry line of the small world."""
    entry = EntryLine(
        hts=line["hts"], origin=line["origin"], value=line["value"], entry=line["entry"],
        claims=line["claims"], quantity=line["quantity"], unit=line["unit"], mode=line.get("mode", ""),
    )  # fmt: skip
    return quote_line(law, entry, known_on=known_on or None, schedule=cast(Schedule, FakeSchedule(rates)))


def layers_of(quote: Quote) -> dict[Key, tuple[Fraction, Fraction, Fraction]]:
    """The engine's layers in the interpreter's form; an ordinary layer's heading is its program."""
    found: dict[Key, tuple[Fraction, Fraction, Fraction]] = {}
    for layer in quote.layers:
        heading = layer.heading.partition(" ")[2] if layer.authority == "ordinary" else layer.heading
        money = (Fraction(layer.base), Fraction(layer.amount), Fraction(layer.owed))
        found[layer.measure, heading, layer.state] = money
    return found


def differences(quote: Quote, reading: Reading) -> list[str]:
    """What the two say differently: amounts to the cent, bases to the cent's rounding; empty if they agree."""
    engine, plain = layers_of(quote), reading.layers
    found = [f"only the engine has {key}: {engine[key]}" for key in sorted(engine.keys() - plain.keys())]
    found += [f"only the interpreter has {key}: {plain[key]}" for key in sorted(plain.keys() - engine.keys())]
    for key in sorted(engine.keys() & plain.keys()):
        (base, *money), (base_too, *money_too) = engine[key], plain[key]
        if money != money_too or abs(base - base_too) > Fraction(1, 100):
            found.append(f"{key}: engine {engine[key]}, interpreter {plain[key]}")
    if (Fraction(quote.assessed), Fraction(quote.owed)) != (reading.assessed, reading.owed):
        found.append(f"assessed and owed: {quote.assessed}, {quote.owed}; {reading.assessed}, {reading.owed}")
    return found


def duties(
    law: Law, lines: Sequence[Raw], rates: Rates, known_on: Sequence[str], units: Units = UNITS
) -> Duties:
    """The engine's table path on the same lines: compile, then the kernel."""
    zone = law.zones[IMPORT]
    dated = Dated(
        [read_instant(line["entry"], zone) for line in lines],
        [date.fromisoformat(day) if day else law.as_of for day in known_on],
        np.arange(len(lines), dtype=np.int32),
    )
    return duties_of(law, line_set(law, lines, rates, units), dated, lambda: None)


def line_set(law: Law, lines: Sequence[Raw], rates: Rates, units: Units) -> LineArrays:
    """Lines as the arrays that compile reads; every fact is the declared one."""

    def fractions(column: str) -> F64:
        return np.array([_fraction(line, rates[line["hts"]][column], units) for line in lines])

    codes, origins, count = sorted(rates), sorted({line["origin"] for line in lines}), len(lines)
    claims = sorted({program.claim for program in law.programs.values()})
    return LineArrays(
        codes=codes,
        origins=origins,
        origin=np.array([origins.index(line["origin"]) for line in lines], dtype=np.int32),
        value=np.array([float(_dollars(line)) for line in lines]),
        freight=np.zeros(count),
        insurance=np.zeros(count),
        piece_line=np.arange(count, dtype=np.int64),
        piece_code=np.array([codes.index(line["hts"]) for line in lines], dtype=np.int32),
        piece_weight=np.ones(count),
        facts={name: _fact(law, name, lines) for name in law.claims},
        general=fractions("general"),
        other=fractions("other"),
        special={
            name: np.array([_special(law, line, rates, name, units) for line in lines]) for name in claims
        },
        quantities={unit: np.array([_quantity(line, unit, units) for line in lines]) for unit in units},
    )


def _dollars(line: Raw) -> int:
    return int(Fraction(line["value"]) + Fraction(1, 2))


def _quantity(line: Raw, unit: str, units: Units) -> float:
    (dimension, factor), (wanted, per) = units[line["unit"]], units[unit]
    told = Fraction(line["quantity"]) * Fraction(factor) / Fraction(per)
    return float(told) if dimension == wanted else np.nan


def _fraction(line: Raw, column: tuple[str, str, str], units: Units) -> float:
    share, usd, unit = column
    return float(share) + (float(usd) * _quantity(line, unit, units) / _dollars(line) if float(usd) else 0.0)


def _special(law: Law, line: Raw, rates: Rates, claim: str, units: Units) -> float:
    columns, open_to = rates[line["hts"]], law.programs.values()
    programs = [one.symbol for one in open_to if one.claim == claim and line["origin"] in one.members]
    symbols = [symbol for symbol in programs if symbol in columns] or ["general"]
    return min(_fraction(line, columns[symbol], units) for symbol in symbols)


def _fact(law: Law, name: str, lines: Sequence[Raw]) -> Any:
    declared = [line.get("mode", "") if name == MODE else line["claims"].get(name) for line in lines]
    kind = law.claims[name].type
    if kind == "code":
        return np.array(declared, dtype=object)
    return np.array([np.nan if text is None else _number(law, kind, text) for text in declared])


def _number(law: Law, kind: str, text: str) -> float:
    if kind == "bool":
        return float(text == "yes")
    if kind == "date":
        moment: datetime = read_instant(text, law.zones[IMPORT])
        return moment.timestamp()
    return float(text)
