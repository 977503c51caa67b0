"""Rate a bill of materials under a scenario: landed cost and duty by part, supplier, origin and authority, and changes.

A part is bought by its row listed first; what it costs is added up to the finished goods. An amount of parts that are
used in several parents is divided over the uses by units, to the cent, so that any level sums to its leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from tariffs.engine.errors import TariffsError
from tariffs.engine.line_duty.entry_line import EntryLine
from tariffs.engine.line_duty.fees import prorate
from tariffs.engine.runs.law_history.law_changes import ChangeWindow, Notice, TableGoods
from tariffs.firm.allocation import Allocation, allocate
from tariffs.firm.bill import Bill, BillRow, Use, source_of
from tariffs.firm.bill_costs import ZERO, BillAmounts, Outcome, Pricing, RowCost, scaled, total
from tariffs.firm.law_days import Laws, acts_by_day


class UseCost(NamedTuple):
    """Cost of a use: amounts of what is bought for it, and the rows below it that are left out of them."""

    use: Use
    amounts: BillAmounts
    left_out: int


class GroupCost(NamedTuple):
    """BillAmounts of the rows of a supplier or origin."""

    name: str
    amounts: BillAmounts
    rows: int


class DutyChange(NamedTuple):
    """Change of the duty on the bill on a day, over rows rated before and after; `left_out` were rated before."""

    day: date
    before: Decimal
    after: Decimal
    left_out: int
    acts: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class RatedBill:
    """Bill under one scenario.

    Attributes:
        amounts: those of the finished goods.
        uses: cost of each use, parents before their parts.
        suppliers, origins: costs of what is bought, the dearest first.
        authorities: duty by authority.
        missing: by row facts that are not declared and would move the duty.
        left_out: rows that the amounts leave out, with the reason.
        changes: days ahead on which the duty changes.
        allocation: what to buy from whom.
    """

    amounts: BillAmounts
    uses: tuple[UseCost, ...]
    suppliers: tuple[GroupCost, ...]
    origins: tuple[GroupCost, ...]
    authorities: Mapping[str, Decimal]
    missing: Mapping[int, tuple[str, ...]]
    left_out: Mapping[int, TariffsError]
    changes: tuple[DutyChange, ...]
    allocation: Allocation


class BillRater:
    """Rates a bill under scenarios; what scenarios have in common is rated once.

    Args:
        bill: the bill of them.
        day: day of entry of all rows.
        until: last day on which changes are looked for.
        known_on: as in `quote_line`.
        cancelled: asked before each day; True ends early.
    """

    def __init__(
        self, rows: Sequence[BillRow], bill: Bill, day: date, until: date, *,
        known_on: str | date | None = None, cancelled: Callable[[], bool] = lambda: False,
    ) -> None:  # fmt: skip
        self._rows, self._bill, self._day, self._until = rows, bill, day, until
        self._cancelled = cancelled
        self._bought = [use for use in bill.uses if not use.made]
        self.pricing = Pricing({row: _line(rows[row], units) for row, units in bill.units.items()}, known_on)
        self._goods = TableGoods.of(self.pricing.goods)
        # The costs are kept, so that their identities are not reused.
        self._rated: dict[int, tuple[Mapping[int, Outcome], RatedBill]] = {}
        self._duties: dict[int, tuple[Mapping[int, Outcome], Mapping[int, Decimal]]] = {}

    def rate(self, laws: Laws) -> RatedBill:
        """Rate the bill under the laws of a scenario."""
        costs = self.pricing.on(laws, self._day)
        if id(costs) not in self._rated:
            self._rated[id(costs)] = costs, self._rate(laws, costs)
        return replace(self._rated[id(costs)][1], changes=self._changes(laws, costs))

    def _rate(self, laws: Laws, costs: Mapping[int, Outcome]) -> RatedBill:
        bill, rows = self._bill, self._rows
        known = {use: cost for use in self._bought if isinstance(cost := costs.get(use.listed), RowCost)}
        left_out = _left_out(bill, rows, costs)
        uses = _rolled_up(bill, rows, known, left_out)
        authorities: dict[str, Decimal] = {}
        for cost in known.values():
            for name, duty in cost.authorities.items():
                authorities[name] = authorities.get(name, ZERO) + duty
        goods = [(source_of(rows[use.listed]), cost.amounts) for use, cost in known.items()]

        def price(row: int, units: Fraction) -> Outcome:
            return self.pricing.one(laws, self._day, _line(rows[row], units))

        return RatedBill(
            total([one.amounts for one in uses if not one.use.parent]),
            uses,
            _grouped((supplier, amounts) for (supplier, _), amounts in goods),
            _grouped((origin, amounts) for (_, origin), amounts in goods),
            dict(sorted(authorities.items(), key=lambda item: (-item[1], item[0]))),
            {use.listed: cost.missing for use, cost in known.items() if cost.missing},
            left_out,
            (),
            allocate(bill, rows, costs, price),
        )

    def _changes(self, laws: Laws, before: Mapping[int, Outcome]) -> tuple[DutyChange, ...]:
        found: list[DutyChange] = []
        if self._until <= self._day:
            return ()
        window = ChangeWindow(self._day + timedelta(days=1), self._until)
        for day, acts in acts_by_day(laws, window, self._goods).items():
            if self._cancelled():
                break
            after = self.pricing.on(laws, day)
            if after is not before:
                old, new = self._duties_of(before), self._duties_of(after)
                both = [row for row in old if row in new]
                sums = (sum([duties[row] for row in both], ZERO) for duties in (old, new))
                change = DutyChange(day, next(sums), next(sums), len(old) - len(both), tuple(acts))
                if change.before != change.after or change.left_out:
                    found.append(change)
            before = after
        return tuple(found)

    def _duties_of(self, costs: Mapping[int, Outcome]) -> Mapping[int, Decimal]:
        if id(costs) not in self._duties:
            listed = {use.listed for use in self._bought}
            duties = {
                row: cost.amounts.duty
                for row, cost in costs.items()
                if isinstance(cost, RowCost) and row in listed
            }
            self._duties[id(costs)] = costs, duties
        return self._duties[id(costs)][1]


def _line(row: BillRow, units: Fraction) -> EntryLine:
    assert isinstance(row.goods, EntryLine)
    return scaled(row.goods, decimal_of(units))


def decimal_of(units: Fraction) -> Decimal:
    """Convert units to a decimal, exact where it ends within 28 digits."""
    return Decimal(units.numerator) / Decimal(units.denominator)


def _left_out(bill: Bill, rows: Sequence[BillRow], costs: Mapping[int, Outcome]) -> dict[int, TariffsError]:
    """Rows whose goods the amounts leave out: refused ones but substitutes, and those listed first without a cost."""
    listed = {(use.part, use.parent): use.listed for use in bill.uses}
    found = {
        row: error
        for row, error in bill.refused.items()
        if listed.get((rows[row].part, rows[row].parent), row) == row
    }
    for row in listed.values():
        cost = costs.get(row)
        if isinstance(cost, TariffsError):
            found[row] = cost
    return dict(sorted(found.items()))


def _rolled_up(
    bill: Bill, rows: Sequence[BillRow], known: Mapping[Use, RowCost], left_out: Mapping[int, TariffsError]
) -> tuple[UseCost, ...]:
    """Add amounts up from the parts that are bought; the amounts of a part are divided over its uses by units."""
    of_part: dict[str, list[Use]] = {}
    for use in bill.uses:
        of_part.setdefault(use.part, []).append(use)
    missing: dict[str, int] = {}
    for row in left_out:
        missing[rows[row].parent] = missing.get(rows[row].parent, 0) + 1
    below: dict[str, list[BillAmounts]] = {}
    found: dict[Use, UseCost] = {}
    for part, uses in reversed(of_part.items()):
        if uses[0].made:
            parts = prorated(total(below.get(part, [])), [use.units for use in uses])
            lacks = [missing.get(part, 0)] * len(uses)
        else:
            parts = [known[use].amounts if use in known else BillAmounts() for use in uses]
            lacks = [int(use.listed in left_out) for use in uses]
        for use, amounts, lack in zip(uses, parts, lacks, strict=True):
            found[use] = UseCost(use, amounts, lack)
            below.setdefault(use.parent, []).append(amounts)
            if use.made and use.parent:
                missing[use.parent] = missing.get(use.parent, 0) + lack
    return tuple(found[use] for use in bill.uses)


def prorated(amounts: BillAmounts, units: Sequence[Fraction]) -> list[BillAmounts]:
    """Divide amounts over uses by units, each to the cent; the parts sum to the whole."""
    if len(units) == 1:
        return [amounts]
    weights = [decimal_of(one) for one in units]
    columns = [prorate(amount, weights) for amount in amounts]
    parts = [BillAmounts._make(column[place] for column in columns) for place in range(len(units))]
    return [one._replace(landed=one.value + one.charges + one.duty + one.fees) for one in parts]


def _grouped(pairs: Iterable[tuple[str, BillAmounts]]) -> tuple[GroupCost, ...]:
    groups: dict[str, list[BillAmounts]] = {}
    for name, amounts in pairs:
        groups.setdefault(name, []).append(amounts)
    found = [GroupCost(name, total(own), len(own)) for name, own in groups.items()]
    return tuple(sorted(found, key=lambda one: (-one.amounts.landed, one.name)))
