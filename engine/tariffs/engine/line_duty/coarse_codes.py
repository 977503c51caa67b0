"""Rate lines whose code has fewer than 10 digits by its 10-digit codes of the day, if all give the same duty.

The ordinary rate belongs to 8 digits, but product lists split further: a coarse code is rated as one of its 10-digit
codes only if the others pay the same, under the same headings of chapter 99, on the line and on a much larger one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tariffs.engine.errors import InputError, TariffsError
from tariffs.engine.law.law import Law
from tariffs.engine.law.notes import Note
from tariffs.engine.line_duty.class_profile import profile_of
from tariffs.engine.line_duty.entry_line import EntryLine, ResolvedLine, day_of_entry, resolve_line
from tariffs.engine.line_duty.pricing import Goods
from tariffs.engine.line_duty.rounding import QuoteLayers, layers_for
from tariffs.engine.rating.fits import dotted
from tariffs.engine.schedule.codes import parse_code
from tariffs.engine.schedule.lines import CODE_DIGITS, Schedule

LISTED_AT_MOST = 60
"""Codes that an error names; more would not fit in the trailers of a call."""
_LISTED_AT_LEAST = 2
_LARGE_VALUE, _LARGE_QUANTITY = Decimal(10**9), Decimal(10**6)
_Layers = frozenset[tuple[str, str, str]]
_Outcome = str | tuple[tuple[Decimal, ...], tuple[Decimal, ...], _Layers, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Child:
    """Outcome for one 10-digit code: the resolved line, or the error that prevents rating it.

    Amounts are assessed, owed, least and most, of the line (`amounts`) and of the enlarged line (`large`) of `worth`
    dollars. Layers are measure, heading and state; the heading of the ordinary duty is reduced to its program.
    """

    code: str
    reading: ResolvedLine | None
    error: TariffsError | None
    amounts: tuple[Decimal, ...] = ()
    large: tuple[Decimal, ...] = ()
    worth: Decimal = Decimal(0)
    layers: _Layers = frozenset()
    prohibited: tuple[str, ...] = ()

    @property
    def outcome(self) -> _Outcome:
        return self.error.reason if self.error else (self.amounts, self.large, self.layers, self.prohibited)

    @property
    def summary(self) -> str:
        """Reason, prohibiting measures or amounts of the line."""
        if self.error:
            return self.error.reason
        if self.prohibited:
            return f"prohibited by {', '.join(self.prohibited)}"
        return _usd(self.amounts)

    @property
    def large_summary(self) -> str:
        """Amounts of the enlarged line."""
        if self.error or self.prohibited:
            return self.summary
        return f"{_usd(self.large)} on {self.worth:,.0f} USD"

    def summary_with_layers(self, common: _Layers) -> str:
        """Amounts of the enlarged line, and the headings that other codes do not have in the same state."""
        own = sorted(f"{heading or measure} {state}" for measure, heading, state in self.layers - common)
        return f"{self.large_summary}, {' and '.join(own)}" if own else self.large_summary


def is_coarse(schedule: Schedule, hts: str) -> bool:
    """Test whether a code has fewer than 10 digits; raises InputError HTS_CODE_MALFORMED."""
    return len(parse_code(hts, schedule.accepts)[0]) < CODE_DIGITS


def resolve_coarse_line(
    law: Law, line: EntryLine, known_on: str | date | None, schedule: Schedule
) -> ResolvedLine:
    """Resolve an entry line, a coarse code as the first of its 10-digit codes if all give the same duty and headings.

    Raises:
        InputError: CODE_TOO_COARSE if they differ, else as `resolve_line`.
    """
    code, repaired = parse_code(line.hts, schedule.accepts)
    children = schedule.children(code, day_of_entry(law, line)) if len(code) < CODE_DIGITS else []
    if not children:
        return resolve_line(law, line, known_on, schedule)
    outcomes = [_child(law, line._replace(hts=child), known_on, schedule) for child in children]
    if len({child.outcome for child in outcomes}) > 1:
        raise _too_coarse(line.hts, outcomes)
    reading = outcomes[0].reading
    if reading is None:
        raise outcomes[0].error or InputError("HTS_CODE_UNKNOWN", f"The schedule has no code {line.hts}.")
    notes = [Note("HTS_CODE_REPAIRED", repaired)] if repaired else []
    if len(outcomes) > 1:
        notes.append(_note(line.hts, outcomes))
    return reading._replace(line=line, notes=(*notes, *reading.notes))


def _child(law: Law, line: EntryLine, known_on: str | date | None, schedule: Schedule) -> _Child:
    try:
        reading = resolve_line(law, line, known_on, schedule)
        profile = profile_of(law, reading)
        layers = layers_for(law, reading, profile)
        goods = _enlarged(reading.goods)
        large = layers_for(law, reading._replace(goods=goods), profile)
    except InputError as error:
        return _Child(line.hts, None, error)
    own = dotted(reading.article.line.hts8)
    states = frozenset(
        (layer.measure, layer.heading.removeprefix(own).strip(), layer.state) for layer in layers.layers
    )
    return _Child(
        line.hts,
        reading,
        None,
        _amounts(layers),
        _amounts(large),
        goods.value,
        states,
        profile.prohibited.measures,
    )


def _enlarged(goods: Goods) -> Goods:
    """Multiply the goods to at least a billion dollars, so that rounding hides no difference."""
    if goods.value:
        times = max(Decimal(1), _LARGE_VALUE // goods.value)
        quantity = None if goods.quantity is None else goods.quantity * times
        return goods._replace(value=goods.value * times, quantity=quantity)
    return goods._replace(value=_LARGE_VALUE, quantity=None if goods.quantity is None else _LARGE_QUANTITY)


def _amounts(layers: QuoteLayers) -> tuple[Decimal, ...]:
    return layers.assessed, layers.owed, layers.min, layers.max


def _usd(amounts: tuple[Decimal, ...]) -> str:
    assessed, _, least, most = amounts
    return f"{assessed:,.2f} USD" + (f" ({least:,.2f} to {most:,.2f})" if least != most else "")


def _note(hts: str, children: Sequence[_Child]) -> Note:
    text = (
        f"{hts} covers {len(children)} codes, which all give the same duty under the same headings of chapter 99; "
        f"the line was rated as {_dotted(children[0].code)}."
    )
    return Note("COARSE_CODE", text)


def _too_coarse(hts: str, children: Sequence[_Child]) -> InputError:
    groups: dict[_Outcome, list[_Child]] = {}
    for child in children:
        groups.setdefault(child.outcome, []).append(child)
    most = (
        max(_LISTED_AT_LEAST, LISTED_AT_MOST // len(groups))
        if len(children) > LISTED_AT_MOST
        else len(children)
    )
    summaries = _distinct_summaries([members[0] for members in groups.values()])
    listed = "; ".join(
        f"{summary}: {_codes(members, most)}"
        for summary, members in zip(summaries, groups.values(), strict=True)
    )
    return InputError(
        "CODE_TOO_COARSE",
        f"{hts} covers {len(children)} codes that do not all give the same duty under the same headings. {listed}.",
        field="hts",
        fix="Give one of these codes.",
        metadata={"codes": str(len(children)), "outcomes": str(len(groups))},
    )


def _distinct_summaries(firsts: Sequence[_Child]) -> list[str]:
    """Shortest summaries that distinguish each outcome from the others."""
    plain, large = [child.summary for child in firsts], [child.large_summary for child in firsts]
    for summaries in (plain, large):
        if len(set(summaries)) == len(summaries):
            return summaries
    common = frozenset[tuple[str, str, str]].intersection(*(c.layers for c in firsts if not c.error))
    return [child.summary_with_layers(common) for child in firsts]


def _codes(members: Sequence[_Child], most: int) -> str:
    shown = ", ".join(_dotted(child.code) for child in members[:most])
    return shown if len(members) <= most else f"{shown} and {len(members) - most} more"


def _dotted(code: str) -> str:
    """Format a 10-digit code with dots."""
    return f"{code[:4]}.{code[4:6]}.{code[6:]}"
