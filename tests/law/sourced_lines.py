"""Lines of the reference table rated in the table and alone, and the reason of each difference."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.line_duty.entry_dates import entry_instant
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.table_duty.duties import Dated, duties_of
from tariffs.engine.tables.prepare import PreparedTable, prepare_table

AGREE, BY_QUANTITY, BY_SHARES, UNEXPLAINED = "agree", "by quantity", "by shares", "unexplained"
# Relief that no program of the schedule gives an entry line, such as chapter 98 and the pharmaceutical appendix.
BY_RELIEF = "by preference or other relief, as paid in 2024"
RELIEF = "fta_share"
# Value is rounded to dollars and each layer to cents on entry lines alone; a shared line has a few layers per atom.
CENTS = 0.5


@dataclass(frozen=True)
class Compared:
    """A line: its value, its duty in the table and alone without any claim, and why they differ."""

    hts: str
    origin: str
    value: float
    table: float
    alone: float | None
    within: bool
    reason: str
    claims: tuple[str, ...] = ()


@cache
def prepared() -> PreparedTable:
    return prepare_table(None, load_law())


def compared(day: str, origins: Sequence[str], count: int, seed: int = 0) -> list[Compared]:
    """Some random lines of the reference table on a day."""
    law, lines = load_law(), prepared().lines
    dated = Dated([entry_instant(law, day)], [law.as_of], None)
    duty = duties_of(law, lines, dated, lambda: None).duty
    without = replace(lines, facts={**lines.facts, RELIEF: np.zeros(lines.count)}, cache={})
    unrelieved = duties_of(law, without, dated, lambda: None).duty
    wanted = np.flatnonzero(np.isin(np.array(lines.origins)[lines.origin], origins))
    chosen = random.Random(seed).sample(wanted.tolist(), count)
    return [_one(day, index, float(duty[index]), float(unrelieved[index])) for index in chosen]


def _one(day: str, index: int, duty: float, unrelieved: float) -> Compared:
    row = prepared().frame.row(index, named=True)
    goods = (row["hts"], row["origin"], row["customs_value"])
    shares = _sourced(index)
    try:
        alone = quote_line(load_law(), EntryLine(*goods, day))
        told = quote_line(load_law(), EntryLine(*goods, day, shares))
    except InputError as error:
        assert error.reason in {"QUANTITY_REQUIRED", "RATE_NOT_COMPUTABLE"}, (error, goods)  # noqa: PT017
        return Compared(*goods, duty, None, False, BY_QUANTITY)
    assessed = float(alone.assessed)
    within = float(alone.min) - CENTS <= duty <= float(alone.max) + CENTS
    if abs(assessed - duty) <= CENTS:
        return Compared(*goods, duty, assessed, within, AGREE)
    if abs(float(told.assessed) - duty) <= CENTS + 1e-6 * duty:
        return Compared(
            *goods, duty, assessed, within, BY_SHARES, _deciding(goods, day, shares, told.assessed)
        )
    bare = {name: share for name, share in shares.items() if name != RELIEF}
    if (
        abs(float(quote_line(load_law(), EntryLine(*goods, day, bare)).assessed) - unrelieved)
        <= CENTS + 1e-6 * duty
    ):
        return Compared(*goods, duty, assessed, within, BY_RELIEF, (RELIEF,))
    return Compared(
        *goods,
        duty,
        assessed,
        within,
        UNEXPLAINED,
        tuple(name for name, one in shares.items() if one != "0.0"),
    )


def _deciding(
    goods: tuple[str, str, float], day: str, shares: dict[str, Any], assessed: Decimal
) -> tuple[str, ...]:
    """The shares without which the line would be charged otherwise."""
    found = []
    for name in shares:
        without = {other: share for other, share in shares.items() if other != name}
        if quote_line(load_law(), EntryLine(*goods, day, without)).assessed != assessed:
            found.append(name)
    return tuple(found)


def _sourced(index: int) -> dict[str, Any]:
    """The sourced shares of a line, as the entry line would declare them."""
    lines = prepared().lines
    shares = {claim: float(lines.fact(claim)[index]) for claim in lines.sourced}
    return {claim: str(Decimal(repr(share))) for claim, share in shares.items()}
