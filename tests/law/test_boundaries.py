"""Each measure walked over every boundary of the law: both readings agree a minute before, there and after."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import Measure, Row, load_law
from tariffs.engine.law.conditions import Condition
from tariffs.engine.law.model import Scope
from tariffs.engine.line_duty.quote import EntryLine, Quote, quote_line
from tariffs.engine.tables.prepare import prepare_table
from tariffs.engine.tables.scope_masks import origin_mask, product_mask
from tests.law.interpreter import Reading
from tests.law.real_law import columns, raw_law, units

MINUTE = timedelta(minutes=1)
LAW = load_law()
INSIDE = [at for at in LAW.boundaries if LAW.coverage[0] < at < LAW.coverage[1]]
MODELLED = [m.id for m in LAW.measures.values() if m.modelled and not m.announced]


class Line(NamedTuple):
    """Goods of a line of the reference table, with claims that let a row reach them."""

    hts: str
    origin: str
    claims: dict[str, str]


@pytest.mark.parametrize("name", MODELLED)
def test_both_readings_agree_a_minute_before_and_after(name: str, scale: int) -> None:
    for at in INSIDE:
        lines = touched(LAW.measures[name], at, count=2 * scale)
        for line in (*lines, *(line._replace(claims={}) for line in lines)):
            for moment in (at - MINUTE, at, at + MINUTE):
                read_alike(line, moment)


def test_the_walk_meets_the_minute_without_a_duty() -> None:
    hole = [datetime.fromisoformat(f"2026-02-24T00:0{minute}-05:00") for minute in (0, 1)]
    amounts = [read_alike(Line("9503000073", "CN", {}), at).assessed for at in (hole[0] - MINUTE, *hole)]
    assert [str(amount) for amount in amounts] == ["2000.00", "0.00", "1000.00"]


@cache
def table() -> Any:
    return prepare_table(None, LAW).lines


@cache
def by_value() -> Any:
    """The lines of the reference table, the largest first."""
    return np.argsort(-table().value, kind="stable")


def state(measure: Measure, at: datetime) -> tuple[Row, ...]:
    """The rows of a measure that hold at an instant; nothing if it charges nobody."""
    found = LAW.state_of(measure, at, LAW.as_of)
    return tuple(row._replace(acts=()) for row in found.rows) if found else ()


def _differing(measure: Measure, at: datetime) -> set[str]:
    """The lists and groups whose members differ before and after an instant."""
    one, other = (LAW.in_force(moment, LAW.as_of, measure.market) for moment in (at - MINUTE, at))
    lists = {name for name in one.lists if one.lists[name] != other.lists[name]}
    return lists | {name for name in one.groups if one.groups[name] != other.groups[name]}


def _names(scope: Scope) -> frozenset[str]:
    sets = (*scope.origins, scope.not_origins, *scope.products, scope.not_products)
    return frozenset(itertools.chain.from_iterable(sets))


def touched(measure: Measure, at: datetime, count: int) -> list[Line]:
    """Large lines of the reference table that the rows changed at an instant reach, of `count` rows at most."""
    moments = (at, at - MINUTE)
    held, differing = [state(measure, moment) for moment in moments], _differing(measure, at)
    both = [(row, place) for place in (0, 1) for row in held[place]]
    rows = [
        (row, place) for row, place in both if row not in held[1 - place] or _names(row.scope) & differing
    ]
    found = []
    for step in range(min(count, len(rows))):
        row, place = rows[-1 - step * len(rows) // count]
        masks = [_mask(row.scope, LAW.in_force(moment, LAW.as_of, measure.market)) for moment in moments]
        mask = masks[0] ^ masks[1] if row in held[1 - place] else masks[place]
        index = next(filter(ratable, by_value()[mask[by_value()]][:40]), None)
        if index is not None:
            origin = str(table().origins[table().origin[index]])
            claims = {one.claim: _meeting(one) for one in row.conditions if not one.negated}
            found.append(Line(_code(index), origin, claims))
    return found


def _mask(scope: Scope, force: Any) -> Any:
    lines = table()
    codes = product_mask(scope, lines, force)[lines.piece_code]
    reached = np.zeros(lines.count, dtype=bool)
    reached[lines.piece_line[codes]] = True
    return reached & origin_mask(scope, lines, force)[lines.origin]


def _code(index: int) -> str:
    lines = table()
    return str(lines.codes[lines.piece_code[np.searchsorted(lines.piece_line, index)]])


def ratable(index: int) -> bool:
    """Whether the ordinary rates of a line's code are written so that both readings can compute them."""
    return {"general", "other"} <= columns(_code(index), "2026-11-24").keys()


def _meeting(condition: Condition) -> str:
    """Write the declaration of a claim by which a condition holds."""
    operand = condition.operand
    if not condition.op:
        return "yes" if LAW.claims[condition.claim].type == "bool" else "1"
    if isinstance(operand, frozenset):
        return min(operand)
    if isinstance(operand, datetime):
        return (operand + timedelta(days={"<": -2, ">": 2}.get(condition.op.strip("="), 0))).isoformat()
    assert isinstance(operand, Decimal)
    return str(operand - Decimal("0.01") if condition.op == "<" else operand)


def read_alike(line: Line, at: datetime) -> Quote:
    """The engine's answer, after the interpreter gave the same."""
    found = columns(line.hts, at.isoformat())
    entry = EntryLine(line.hts, line.origin, 10000, at, line.claims)
    unit = "kg"
    try:
        quote_line(LAW, entry)
    except InputError as error:
        unit = error.metadata["unit"]
    told = {**line._asdict(), "entry": at.isoformat(), "value": "10000", "quantity": "2500", "unit": unit}
    reading = Reading(raw_law(), told, {line.hts: found}, units())
    answer = quote_line(LAW, entry._replace(quantity=2500, unit=unit))
    assert (Fraction(answer.assessed), Fraction(answer.owed)) == (reading.assessed, reading.owed), (line, at)
    return answer
