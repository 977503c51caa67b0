"""Compute the duty on goods of a code from one origin as a range over the 10-digit codes below it. See docs/find.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tariffs.engine.errors import InputError
from tariffs.engine.law.law import Law
from tariffs.engine.line_duty.entry_line import EntryLine, day_of_entry
from tariffs.engine.line_duty.quote import Quote, quote_line
from tariffs.engine.schedule.codes import parse_code
from tariffs.engine.schedule.lines import CODE_DIGITS, load_schedule

_VALUE = Decimal(10**6)
_BY_QUANTITY = frozenset({"QUANTITY_REQUIRED", "RATE_NOT_COMPUTABLE"})
"""Reasons of goods whose duty their value alone does not give."""


@dataclass(frozen=True, slots=True)
class CodeDuty:
    """Duty on goods of one code from one origin, as fractions of customs value.

    Attributes:
        code: the code, digits alone.
        covers: number of 10-digit codes of the day that begin with it.
        low: least rate over these codes and over facts that are not declared; None if none can be quoted by value.
        high: highest rate over them.
        facts: facts that are not declared and would move the duty on one of them.
        prohibited: measures that prohibit entry of one of them.
        citations: legal sources of the duties that may be charged on one of them.
        refused: codes that cannot be quoted by value alone, by reason.
        problem: why none of them can be rated, such as a code that the schedule lacks; None if they can.
    """

    code: str
    covers: int
    low: Decimal | None
    high: Decimal | None
    facts: tuple[str, ...]
    prohibited: tuple[str, ...]
    citations: tuple[str, ...]
    refused: Mapping[str, int]
    problem: InputError | None = None


def code_duties(
    law: Law,
    codes: Sequence[str],
    origin: str,
    day: date | str | None,
    *,
    known_on: str | date | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> list[CodeDuty]:
    """Compute the duty on goods of each code, by a quote of every 10-digit code below it.

    Args:
        codes: HTS codes of 4 to 10 digits.
        origin: ISO code.
        day: entry day; None is the law's as-of day.
        known_on: as in `quote_line`.
        cancelled: asked before each code; True ends with what is computed.

    Raises:
        InputError: if no code can be rated, the reason of the first.
    """
    found = []
    for code in codes:
        if cancelled():
            break
        try:
            found.append(_code_duty(law, EntryLine(code, origin, _VALUE, day), known_on))
        except InputError as error:
            found.append(CodeDuty(code, 0, None, None, (), (), (), {}, error))
    problems = [one.problem for one in found if one.problem is not None]
    if problems and len(problems) == len(found):
        raise problems[0]
    return found


def _code_duty(law: Law, line: EntryLine, known_on: str | date | None) -> CodeDuty:
    schedule = load_schedule()
    code, _ = parse_code(line.hts, schedule.accepts)
    below = schedule.children(code, day_of_entry(law, line)) if len(code) < CODE_DIGITS else []
    quotes: list[Quote] = []
    refused: Counter[str] = Counter()
    for one in below or [code]:
        try:
            quotes.append(quote_line(law, line._replace(hts=one), known_on=known_on))
        except InputError as error:
            if error.reason not in _BY_QUANTITY:
                raise
            refused[error.reason] += 1
    return CodeDuty(
        code,
        len(below or [code]),
        min((quote.min / _VALUE for quote in quotes), default=None),
        max((quote.max / _VALUE for quote in quotes), default=None),
        _named(quote.missing_claims for quote in quotes),
        _named(quote.prohibited for quote in quotes),
        _named(layer.citations for quote in quotes for layer in quote.layers if layer.max),
        dict(sorted(refused.items())),
    )


def _named(each: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for names in each for name in names))
