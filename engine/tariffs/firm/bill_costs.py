"""Price the rows of a bill of materials under many laws and days: each row is a one-line entry, as `quote_line` has it.

A row is quoted once for all laws and days on which the same rows of the law reach its goods; the others repeat the
answer. What decides it is compared by identity, so that a difference costs a quote and never a wrong answer.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from tariffs.engine.errors import InputError, TariffsError
from tariffs.engine.law.conditions import Fact
from tariffs.engine.law.law import ActiveRule, Law
from tariffs.engine.line_duty.class_profile import profile_of
from tariffs.engine.line_duty.coarse_codes import is_coarse
from tariffs.engine.line_duty.entry_dates import LawDay, law_day
from tariffs.engine.line_duty.entry_line import EntryLine, ResolvedLine, resolve_line
from tariffs.engine.line_duty.quote import Quote, price, quote_line
from tariffs.engine.line_duty.segment import LawSegment
from tariffs.engine.rating.law_fingerprint import law_fingerprint
from tariffs.engine.schedule.codes import parse_code
from tariffs.engine.schedule.lines import load_schedule
from tariffs.firm.law_days import Laws

CENT, ZERO = Decimal("0.01"), Decimal("0.00")


class BillAmounts(NamedTuple):
    """BillAmounts in dollars and cents.

    `value` is the customs value in whole dollars, `charges` are freight, insurance and charges of the caller, `fees`
    those of an entry; `duty_min` and `duty_max` bound the duty over facts that are not declared.
    """

    value: Decimal = ZERO
    charges: Decimal = ZERO
    duty: Decimal = ZERO
    owed: Decimal = ZERO
    duty_min: Decimal = ZERO
    duty_max: Decimal = ZERO
    fees: Decimal = ZERO
    landed: Decimal = ZERO


class RowCost(NamedTuple):
    """BillAmounts of a row, its duty by authority, and the facts that are not declared and would move the duty."""

    amounts: BillAmounts
    authorities: Mapping[str, Decimal]
    missing: tuple[str, ...] = ()


Outcome = RowCost | TariffsError
"""Cost of a row, or why it has none."""


class _Goods(NamedTuple):
    """Goods of one code, origin and facts, with their rows and a number of their own."""

    number: tuple[date, int]
    code: str
    origin: str
    facts: frozenset[tuple[str, Fact]]
    rows: dict[int, ResolvedLine]


class Pricing:
    """Costs of entry lines under laws and days.

    Args:
        lines: lines by row, each all that the row buys; their entry dates are not read.
        known_on: as in `quote_line`.
    """

    def __init__(self, lines: Mapping[int, EntryLine], known_on: str | date | None = None) -> None:
        self._lines, self._known_on = lines, known_on
        self._schedule = load_schedule()
        self._days: dict[Hashable, Mapping[int, Outcome]] = {}
        self._read: dict[date, tuple[list[_Goods], dict[int, TariffsError], list[int]]] = {}
        self._costs: dict[Hashable, Mapping[int, Outcome]] = {}
        self.reaches = ReachNumbers()

    def on(self, laws: Laws, day: date) -> Mapping[int, Outcome]:
        """Price all lines on a day under the laws of a scenario: expected costs for a mixture."""
        parts = [(weight, self._on(law, day)) for weight, law in laws]
        return parts[0][1] if len(parts) == 1 else {row: _mixed(parts, row) for row in self._lines}

    def one(self, laws: Laws, day: date, line: EntryLine) -> Outcome:
        """Price a further line on a day."""
        parts = [(weight, {0: self._quoted(law, line, day)}) for weight, law in laws]
        return parts[0][1][0] if len(parts) == 1 else _mixed(parts, 0)

    @property
    def goods(self) -> set[tuple[str, str]]:
        """Codes and origins of the lines; a code that cannot be read has none."""
        found = set()
        for line in self._lines.values():
            with suppress(InputError):
                found.add((parse_code(line.hts, self._schedule.accepts)[0], line.origin))
        return found

    def readings(self, law: Law, day: date) -> dict[int, ResolvedLine]:
        """Lines with codes of 10 digits as read on a day."""
        self._on(law, day)
        goods, _, _ = self._read[self._schedule.edition_day(day)]
        return {row: line for one in goods for row, line in one.rows.items()}

    def unread(self, law: Law, day: date) -> Mapping[int, TariffsError]:
        """Lines that cannot be read under any law of the day."""
        self._on(law, day)
        _, refused, _ = self._read[self._schedule.edition_day(day)]
        return refused

    def _on(self, law: Law, day: date) -> Mapping[int, Outcome]:
        when = law_day(law, day, self._known_on)
        in_force = law.in_force(when.instant, when.known)
        edition = self._schedule.edition_day(when.day)
        key = law_fingerprint(law, in_force, when.instant, when.known), when.fees, edition
        if key not in self._days:
            self._days[key] = self._priced(law, day, when, edition)
        return self._days[key]

    def _priced(self, law: Law, day: date, when: LawDay, edition: date) -> Mapping[int, Outcome]:
        if edition not in self._read:
            self._read[edition] = self._goods(law, day, edition)
        goods, refused, coarse = self._read[edition]
        found: dict[int, Outcome] = {row: self._quoted(law, self._lines[row], day) for row in coarse}
        found.update(refused)
        segment, fees = when.segment(law), when.fees
        scopes = segment.index.of_codes({one.code for one in goods})
        for one in goods:
            reach = scopes[one.code] & segment.index.of_origin(one.origin)
            number = self.reaches.number(law, segment, reach, segment.open_claims(one.origin), one.facts)
            key = one.number, number, fees
            costs = self._costs.get(key)
            if costs is None:
                costs = {row: _cost_of(law, line._replace(when=when)) for row, line in one.rows.items()}
                self._costs[key] = costs
            found |= costs
        return found

    def _goods(
        self, law: Law, day: date, edition: date
    ) -> tuple[list[_Goods], dict[int, TariffsError], list[int]]:
        """Read the lines in an edition of the schedule: goods, errors, and rows with coarse codes."""
        goods: dict[Hashable, _Goods] = {}
        refused: dict[int, TariffsError] = {}
        coarse = []
        for row, line in self._lines.items():
            try:
                if is_coarse(self._schedule, line.hts):
                    coarse.append(row)
                    continue
                reading = resolve_line(law, line._replace(entry=day), self._known_on, self._schedule)
            except InputError as error:
                refused[row] = error
                continue
            facts = frozenset({**reading.facts, "": line.mode}.items())
            key = reading.article.code, reading.article.origin, facts
            goods.setdefault(key, _Goods((edition, len(goods)), *key, {})).rows[row] = reading
        return list(goods.values()), refused, coarse

    def _quoted(self, law: Law, line: EntryLine, day: date) -> Outcome:
        try:
            return _cost(quote_line(law, line._replace(entry=day), known_on=self._known_on))
        except InputError as error:
            return error


class ReachNumbers:
    """Numbers of what decides the duty of a class of goods under a law, equal for laws that agree on it."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._of_segment: dict[Hashable, int] = {}
        self._rules = RuleNumbers()
        # Keys hold identities of what these hold.
        self._kept: dict[int, tuple[Law, LawSegment]] = {}

    def number(
        self,
        law: Law,
        segment: LawSegment,
        reach: int,
        open_claims: frozenset[str],
        facts: frozenset[tuple[str, Fact]],
    ) -> int:
        """Number of the rows, rules and facts that decide the duty of goods in these scopes of a segment."""
        key = segment.number, reach, open_claims, facts
        found = self._of_segment.get(key)
        if found is None:
            self._kept[segment.number] = law, segment
            decided = self._decided(law, segment, reach), open_claims, facts
            found = self._of_segment[key] = self._numbers.setdefault(decided, len(self._numbers))
        return found

    def _decided(self, law: Law, segment: LawSegment, reach: int) -> Hashable:
        rows = tuple((one.index, *map(id, fitting)) for one, fitting in segment.candidates(reach))
        asked = tuple(name for name in law.claims if segment.is_asked(name, reach))
        # Shares that a scenario sets have scopes of their own: such a law shares no answers.
        own = segment.number if law.set_claims else None
        rules, shared = self._rules.of(segment), (law.programs, law.claims, law.caps)
        return rows, asked, own, rules, segment.in_force.revive, *map(id, shared)


class RuleNumbers:
    """Numbers of the stacking rules in force, equal for laws with equal rules."""

    def __init__(self) -> None:
        self._distinct: list[tuple[ActiveRule, ...]] = []
        self._of_segment: dict[int, int] = {}

    def of(self, segment: LawSegment) -> int:
        """Number of the rules of a segment."""
        if segment.number not in self._of_segment:
            rules = segment.in_force.rules
            if rules not in self._distinct:
                self._distinct.append(rules)
            self._of_segment[segment.number] = self._distinct.index(rules)
        return self._of_segment[segment.number]


def _cost_of(law: Law, line: ResolvedLine) -> Outcome:
    try:
        return _cost(price(law, line, profile_of(law, line)))
    except InputError as error:
        return error


def _cost(quote: Quote) -> Outcome:
    if quote.prohibited:
        names = ", ".join(quote.prohibited)
        return InputError("BOM_PROHIBITED", f"The goods may not enter: {names}.", field="origin")
    landed = quote.landed
    charges = landed.freight + landed.insurance + landed.adcvd + landed.excise + landed.other
    fees = landed.mpf + landed.hmf
    duties = quote.assessed, quote.owed, quote.min, quote.max
    authorities: dict[str, Decimal] = {}
    for layer in quote.layers:
        if layer.amount:
            authorities[layer.authority] = authorities.get(layer.authority, ZERO) + layer.amount
    amounts = BillAmounts(landed.customs_value, charges, *duties, fees, landed.total)
    return RowCost(amounts, authorities, quote.missing_claims)


def _mixed(parts: Sequence[tuple[Decimal, Mapping[int, Outcome]]], row: int) -> Outcome:
    """Expected cost of a row, in cents: duty is the sum of its authorities, landed cost that of its parts."""
    costs: list[tuple[Decimal, RowCost]] = []
    for weight, outcomes in parts:
        cost = outcomes[row]
        if isinstance(cost, TariffsError):
            return cost
        costs.append((weight, cost))
    authorities = {
        name: cents(sum((weight * cost.authorities.get(name, ZERO) for weight, cost in costs), ZERO))
        for name in dict.fromkeys(name for _, cost in costs for name in cost.authorities)
    }
    means = BillAmounts._make(
        cents(sum((weight * cost.amounts[place] for weight, cost in costs), ZERO))
        for place in range(len(BillAmounts._fields))
    )
    duty = sum(authorities.values(), ZERO)
    landed = means.value + means.charges + duty + means.fees
    missing = tuple(dict.fromkeys(name for _, cost in costs for name in cost.missing))
    return RowCost(means._replace(duty=duty, landed=landed), authorities, missing)


def cents(amount: Decimal) -> Decimal:
    """Round to the cent, half up."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def total(amounts: Sequence[BillAmounts]) -> BillAmounts:
    """Sum amounts."""
    return (
        BillAmounts._make(sum(column, ZERO) for column in zip(*amounts, strict=True))
        if amounts
        else BillAmounts()
    )


def scaled(line: EntryLine, units: Decimal) -> EntryLine:
    """Multiply one unit of goods, whose amounts are decimals, to an entry line of some units."""
    charges = tuple(
        one if one.amount is None else replace(one, amount=_number(one.amount) * units)
        for one in line.other_charges
    )
    return line._replace(
        value=_number(line.value) * units,
        freight=_number(line.freight) * units,
        insurance=_number(line.insurance) * units,
        quantity=None if line.quantity is None else _number(line.quantity) * units,
        other_charges=charges,
    )


def _number(value: object) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value).replace(",", ""))
