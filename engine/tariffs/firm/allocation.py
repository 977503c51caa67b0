"""Allocate the need of parts over the rows that may buy them, at the least landed cost, by HiGHS.

A part whose rows have no limits is bought whole from the cheapest row of each use, which is exact, as duty follows the
value and fees never rise faster. With limits, the landed cost of a row is linear in what it buys, and its fees are paid
whole if it buys anything; the plan is then quoted, and the best single source takes its place if that is no dearer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from typing import NamedTuple

import highspy

from tariffs.engine.errors import InputError, TariffsError
from tariffs.firm.bill import Bill, BillRow, Limits, Use, source_of
from tariffs.firm.bill_costs import ZERO, BillAmounts, Outcome, RowCost, total

INFINITY = float("inf")
_GAP, _SECONDS = 1e-6, 20.0
_UNMET = 1_000.0
"""Cost of need that is not met, in multiples of the dearest row of its part: none is left if it can be met."""
_NEAR = 1e-6
Price = Callable[[int, Fraction], Outcome]
"""Cost of some units of a row."""
Quoted = Mapping[int, RowCost]


class Purchase(NamedTuple):
    """Purchase from a row: its units, their share of the need of its use, and their amounts."""

    row: int
    units: Fraction
    share: Fraction
    amounts: BillAmounts


@dataclass(frozen=True, slots=True)
class Allocation:
    """Least landed cost of the parts that can be bought.

    Attributes:
        purchases: by row.
        amounts: their sum.
        listed: landed cost of the same parts as listed first; None where one of these rows has no cost.
        single: landed cost of the same parts each from its best single source; None where limits leave a part none.
        gap: relative gap between the plan of the parts with limits and the solver's bound; 0 without limits.
        failures: parts that are left out, with the reason.
    """

    purchases: tuple[Purchase, ...]
    amounts: BillAmounts
    listed: Decimal | None
    single: Decimal | None
    gap: float
    failures: Mapping[str, TariffsError]


class _Part(NamedTuple):
    """Part to buy: its uses, and the rows with a cost in each."""

    name: str
    uses: list[Use]
    limited: bool


def allocate(bill: Bill, rows: Sequence[BillRow], costs: Mapping[int, Outcome], price: Price) -> Allocation:
    """Allocate all parts that are bought.

    Args:
        costs: cost of each row that buys the whole need of its use.
        price: quotes a row that buys less.
    """
    quoted = {row: cost for row, cost in costs.items() if isinstance(cost, RowCost)}
    failures: dict[str, TariffsError] = {}
    parts = []
    for name, uses in _bought(bill).items():
        own = [row for use in uses for row in use.rows]
        if all(any(row in quoted for row in use.rows) for use in uses):
            parts.append(_Part(name, uses, any(rows[row].limits != Limits() for row in own)))
        else:
            failures[name] = next(
                (cost for row in own if isinstance(cost := costs[row], TariffsError)),
                bill.refused.get(uses[0].listed) or _unmet(name),
            )
    singles = {part.name: _single(part, bill, rows, quoted) for part in parts}
    plans = {part.name: _whole(singles[part.name] or (), bill, quoted) for part in parts if not part.limited}
    solved, gap = _solved([part for part in parts if part.limited], bill, rows, quoted)
    for name, shares in solved.items():
        plan, single = _bought_by(shares, bill, quoted, price), singles[name]
        if plan is None and single is None:
            failures[name] = _unmet(name)
            continue
        whole = None if single is None else _whole(single, bill, quoted)
        plans[name] = min((one for one in (whole, plan) if one is not None), key=_landed)
    met = [part for part in parts if part.name in plans]
    listed = [quoted[use.listed].amounts.landed for part in met for use in part.uses if use.listed in quoted]
    alone = [_landed(_whole(one, bill, quoted)) for part in met if (one := singles[part.name]) is not None]
    purchases = tuple(sorted(one for part in met for one in plans[part.name]))
    return Allocation(
        purchases,
        total([one.amounts for one in purchases]),
        sum(listed, ZERO) if len(listed) == sum(len(part.uses) for part in met) else None,
        sum(alone, ZERO) if len(alone) == len(met) else None,
        gap,
        failures,
    )


def _bought(bill: Bill) -> dict[str, list[Use]]:
    uses: dict[str, list[Use]] = {}
    for use in bill.uses:
        if not use.made:
            uses.setdefault(use.part, []).append(use)
    return uses


def _unmet(name: str) -> InputError:
    return InputError(
        "BOM_NEED_UNMET",
        f"The rows of {name} cannot buy what is needed within their capacities, least orders and shares.",
        field="capacity",
        fix="Raise a capacity or share, lower a least order or share, or add a row.",
    )


def _landed(plan: Sequence[Purchase]) -> Decimal:
    return sum((one.amounts.landed for one in plan), ZERO)


def _whole(chosen: Sequence[int], bill: Bill, quoted: Quoted) -> list[Purchase]:
    return [Purchase(row, bill.units[row], Fraction(1), quoted[row].amounts) for row in chosen]


def _single(part: _Part, bill: Bill, rows: Sequence[BillRow], quoted: Quoted) -> tuple[int, ...] | None:
    """Cheapest rows that buy a part whole, of one source if it has limits; None if they forbid it."""
    landed = {row: quoted[row].amounts.landed for use in part.uses for row in use.rows if row in quoted}
    if not part.limited:
        return tuple(
            min((row for row in use.rows if row in landed), key=landed.__getitem__) for use in part.uses
        )
    sources: dict[tuple[str, str], list[int]] = {}
    for use in part.uses:
        for row in use.rows:
            sources.setdefault(source_of(rows[row]), []).append(row)
    limits = {source: _joined(rows[row].limits for row in own) for source, own in sources.items()}
    able = []
    for source, own in sources.items():
        units, limit = sum(bill.units[row] for row in own), limits[source]
        others = any(each.min_share for name, each in limits.items() if name != source)
        is_whole = len(own) == len(part.uses) and all(row in landed for row in own)
        if is_whole and not others and _within(units, limit):
            able.append(tuple(own))
    return min(able, key=lambda own: sum(landed[row] for row in own), default=None)


def _within(units: Fraction | int, limit: Limits) -> bool:
    most, least = limit.capacity, limit.min_order
    fits = (most is None or units <= Fraction(most)) and (least is None or units >= Fraction(least))
    return fits and (limit.max_share is None or limit.max_share >= 1)


def _joined(limits: Iterable[Limits]) -> Limits:
    """Strictest of the limits that the rows of a source state."""
    given = list(limits)
    strictest: list[Decimal | None] = []
    for name, choose in zip(Limits._fields, (min, max, max, min), strict=True):
        values = [value for one in given if (value := getattr(one, name)) is not None]
        strictest.append(choose(values) if values else None)
    return Limits(*strictest)


# -- the programme ---------------------------------------------------------------------------------------------


class _QuietHighs(highspy.Highs):
    """Solver that prints nothing: on its own it greets on standard output when it is made."""

    def enableCallbacks(self) -> None:  # noqa: N802 - a name of HiGHS
        """Turn output off before callbacks are set."""
        self.silent()
        super().enableCallbacks()  # type: ignore[no-untyped-call]  # of HiGHS


class _Programme:
    """Mixed-integer programme: columns with costs, whole or not, and rows of coefficients with bounds."""

    def __init__(self) -> None:
        self.costs: list[float] = []
        self._kinds: list[highspy.HighsVarType] = []
        self._rows: list[tuple[Mapping[int, float], float, float]] = []

    def share(self, cost: float) -> int:
        """Add a column from 0 to 1; returns its place."""
        return self._column(cost, highspy.HighsVarType.kContinuous)

    def choice(self, cost: float) -> int:
        """Add a column that is 0 or 1; returns its place."""
        return self._column(cost, highspy.HighsVarType.kInteger)

    def _column(self, cost: float, kind: highspy.HighsVarType) -> int:
        self.costs.append(cost)
        self._kinds.append(kind)
        return len(self.costs) - 1

    def row(self, terms: Mapping[int, float], low: float, high: float) -> None:
        """Add a constraint."""
        self._rows.append((terms, low, high))

    def solve(self) -> tuple[list[float], float]:
        """Solve it: the columns, empty if no solution was found, and the relative gap that is left."""
        count, lp = len(self.costs), highspy.HighsLp()
        lp.num_col_, lp.num_row_ = count, len(self._rows)
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = self.costs, [0.0] * count, [1.0] * count
        lp.row_lower_, lp.row_upper_ = [low for _, low, _ in self._rows], [high for *_, high in self._rows]
        lp.integrality_ = self._kinds
        matrix = lp.a_matrix_
        matrix.format_, matrix.num_col_, matrix.num_row_ = (
            highspy.MatrixFormat.kRowwise,
            count,
            len(self._rows),
        )
        matrix.start_ = [0, *accumulate(len(terms) for terms, _, _ in self._rows)]
        matrix.index_ = [column for terms, _, _ in self._rows for column in terms]
        matrix.value_ = [value for terms, _, _ in self._rows for value in terms.values()]
        solver = _QuietHighs()  # type: ignore[no-untyped-call]  # of HiGHS
        solver.setOptionValue("mip_rel_gap", _GAP)
        solver.setOptionValue("time_limit", _SECONDS)
        # One thread: the same plan on every machine.
        solver.setOptionValue("threads", 1)
        solver.passModel(lp)
        solver.run()
        info = solver.getInfo()
        if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
            return [], INFINITY
        return list(solver.getSolution().col_value), info.mip_gap


def _solved(
    parts: Sequence[_Part], bill: Bill, rows: Sequence[BillRow], quoted: Quoted
) -> tuple[dict[str, dict[int, Fraction]], float]:
    """Shares that the rows of each part buy of their use, none for a part whose need cannot be met; and the gap."""
    shares: dict[str, dict[int, Fraction]] = {part.name: {} for part in parts}
    left, gap = list(parts), 0.0
    while left:
        programme = _Programme()
        columns = {part.name: _added(programme, part, bill, rows, quoted) for part in left}
        values, gap = programme.solve()
        met = [part for part in left if values and all(values[one] < _NEAR for one in columns[part.name][1])]
        if len(met) == len(left) or not values:
            for part in met:
                shares[part.name] = _exact(part, columns[part.name][0], values, bill, rows)
            break
        # The cost of unmet need would hide the gap of the others.
        left, gap = met, 0.0
    return shares, gap


def _added(
    programme: _Programme, part: _Part, bill: Bill, rows: Sequence[BillRow], quoted: Quoted
) -> tuple[dict[int, int], list[int]]:
    """Add a part: the column of each row's share of its use, and the columns of need that is not met."""
    columns: dict[int, int] = {}
    unmet: list[int] = []
    listed = {use.listed: float(use.units) for use in part.uses}
    need = sum(listed.values())
    dear = max(float(quoted[row].amounts.landed) for use in part.uses for row in use.rows if row in quoted)
    penalty = _UNMET * max(dear, 1.0)
    sources: dict[tuple[str, str], dict[int, float]] = {}
    for use in part.uses:
        unmet.append(programme.share(penalty))
        terms = {unmet[-1]: 1.0}
        for row in use.rows:
            if row in quoted:
                amounts = quoted[row].amounts
                share = programme.share(float(amounts.landed - amounts.fees))
                bought = programme.choice(float(amounts.fees))
                programme.row({share: 1.0, bought: -1.0}, -INFINITY, 0.0)
                columns[row] = share
                terms[share] = 1.0
                sources.setdefault(source_of(rows[row]), {})[row] = listed[use.listed] / need
        programme.row(terms, 1.0, 1.0)
    for own in sources.values():
        limit = _joined(rows[row].limits for row in own)
        units = {columns[row]: float(bill.units[row]) for row in own}
        shares = {columns[row]: part_of_need for row, part_of_need in own.items()}
        if limit.capacity is not None:
            programme.row(units, -INFINITY, float(limit.capacity))
        if limit.min_order:
            orders = programme.choice(0.0)
            programme.row(units | {orders: -float(limit.min_order)}, 0.0, INFINITY)
            for share in units:
                programme.row({share: 1.0, orders: -1.0}, -INFINITY, 0.0)
        if limit.max_share is not None:
            programme.row(shares, -INFINITY, float(limit.max_share))
        if limit.min_share:
            unmet.append(programme.share(penalty))
            programme.row(shares | {unmet[-1]: 1.0}, float(limit.min_share), INFINITY)
    return columns, unmet


def _exact(
    part: _Part, columns: Mapping[int, int], values: Sequence[float], bill: Bill, rows: Sequence[BillRow]
) -> dict[int, Fraction]:
    """Make fractions of shares that sum to 1 in each use, those at a limit of a row exactly there."""
    found: dict[int, Fraction] = {}
    for use in part.uses:
        shares: dict[int, Fraction] = {}
        free = []
        for row in use.rows:
            value = values[columns[row]] if row in columns else 0.0
            if value < _NEAR:
                continue
            limit, units = rows[row].limits, bill.units[row]
            marks = [Fraction(one) / units for one in limit[:2] if one] + [
                Fraction(one) for one in limit[2:] if one
            ]
            near = [mark for mark in marks if abs(float(mark) - value) < _NEAR]
            shares[row] = near[0] if near else Fraction(round(value, 9)).limit_denominator(10**9)
            if not near:
                free.append(row)
        rest = (free or list(shares))[0]
        shares[rest] += 1 - sum(shares.values())
        found |= shares
    return found


def _bought_by(
    shares: Mapping[int, Fraction], bill: Bill, quoted: Quoted, price: Price
) -> list[Purchase] | None:
    """Quote what rows buy; None if there is no plan, or a part of it has no quote."""
    plan = []
    for row, share in shares.items():
        units = bill.units[row] * share
        cost = quoted[row] if share == 1 else price(row, units)
        if isinstance(cost, TariffsError):
            return None
        plan.append(Purchase(row, units, share, cost.amounts))
    return plan or None
