"""Rate lines whose code has fewer than 10 digits: by its 10-digit codes of the day, if they all give one duty.

The ordinary rate belongs to 8 digits, but lists split further: a coarse code is never rated as one of its codes unless
the others would pay the same on that line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from tariffs.engine.entryline import EntryLine, Reading, day_of_entry, read_line
from tariffs.engine.errors import InputError, TariffsError
from tariffs.engine.law.law import Law
from tariffs.engine.law.notes import Note
from tariffs.engine.quoteplan import plan_of, settle_for
from tariffs.engine.trade.codes import parse_code
from tariffs.engine.trade.schedule import CODE_DIGITS, Schedule

LISTED_AT_MOST = 60
"""Codes that an error names; more would not fit the trailers of a call."""
_LISTED_AT_LEAST = 2
_Outcome = str | tuple[tuple[Decimal, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Child:
    """One 10-digit code: its line as read, or why it cannot be rated; amounts are assessed, owed, least and most."""

    code: str
    reading: Reading | None
    error: TariffsError | None
    amounts: tuple[Decimal, ...]
    prohibited: tuple[str, ...] = ()

    @property
    def outcome(self) -> _Outcome:
        return self.error.reason if self.error else (self.amounts, self.prohibited)

    @property
    def told(self) -> str:
        if self.error:
            return self.error.reason
        if self.prohibited:
            return f"prohibited by {', '.join(self.prohibited)}"
        assessed, _, least, most = self.amounts
        return f"{assessed:,.2f} USD" + (f" ({least:,.2f} to {most:,.2f})" if least != most else "")


def is_coarse(schedule: Schedule, hts: str) -> bool:
    """Whether a code has fewer than 10 digits; raises InputError HTS_CODE_MALFORMED if it is none."""
    return len(parse_code(hts, schedule.accepts)[0]) < CODE_DIGITS


def read_exactly(law: Law, line: EntryLine, known_on: str | date | None, schedule: Schedule) -> Reading:
    """An entry line as read, a coarse code as the first of its 10-digit codes if all give the same duty on this line.

    Raises:
        InputError: CODE_TOO_COARSE if they do not, else as `read_line`.
    """
    code, repaired = parse_code(line.hts, schedule.accepts)
    children = schedule.children(code, day_of_entry(law, line)) if len(code) < CODE_DIGITS else []
    if not children:
        return read_line(law, line, known_on, schedule)
    found = [_child(law, replace(line, hts=child), known_on, schedule) for child in children]
    if len({child.outcome for child in found}) > 1:
        raise _too_coarse(line.hts, found)
    reading = found[0].reading
    if reading is None:
        raise found[0].error or InputError("HTS_CODE_UNKNOWN", f"The schedule has no code {line.hts}.")
    notes = [Note("HTS_CODE_REPAIRED", repaired)] if repaired else []
    if len(found) > 1:
        notes.append(_note(line.hts, found))
    return replace(reading, line=line, notes=(*notes, *reading.notes))


def _child(law: Law, line: EntryLine, known_on: str | date | None, schedule: Schedule) -> _Child:
    try:
        reading = read_line(law, line, known_on, schedule)
        plan = plan_of(law, reading)
        settled = settle_for(law, reading, plan)
    except InputError as error:
        return _Child(line.hts, None, error, ())
    amounts = (settled.assessed, settled.owed, settled.min, settled.max)
    return _Child(line.hts, reading, None, amounts, plan.prohibited.measures)


def _note(hts: str, found: Sequence[_Child]) -> Note:
    first = _dotted(found[0].code)
    text = (
        f"{hts} stands for {len(found)} codes, which all give the same duty; the line was rated as {first}."
    )
    return Note("COARSE_CODE", text)


def _too_coarse(hts: str, found: Sequence[_Child]) -> InputError:
    groups: dict[_Outcome, list[_Child]] = {}
    for child in found:
        groups.setdefault(child.outcome, []).append(child)
    most = max(_LISTED_AT_LEAST, LISTED_AT_MOST // len(groups)) if len(found) > LISTED_AT_MOST else len(found)
    told = "; ".join(f"{members[0].told}: {_codes(members, most)}" for members in groups.values())
    return InputError(
        "CODE_TOO_COARSE",
        f"{hts} stands for {len(found)} codes that do not all give the same duty. {told}.",
        field="hts",
        fix="Give one of these codes.",
        metadata={"codes": str(len(found)), "outcomes": str(len(groups))},
    )


def _codes(members: Sequence[_Child], most: int) -> str:
    shown = ", ".join(_dotted(child.code) for child in members[:most])
    return shown if len(members) <= most else f"{shown} and {len(members) - most} more"


def _dotted(code: str) -> str:
    """A 10-digit code with its dots."""
    return f"{code[:4]}.{code[4:6]}.{code[6:]}"


__all__ = ["is_coarse", "read_exactly"]
