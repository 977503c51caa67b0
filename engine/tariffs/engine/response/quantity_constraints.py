"""What bounds the quantities of a response: a scenario's constraints, the law's limits, and promises to buy.

A promise is a floor: the model's quantity, or the part of the promise that is kept if that is more. A table stands for
a year, so a promise counts at the rate of a year. It is about its goods as a whole: each line is raised in proportion,
at the prices of the model. How far limits and promises hold is said by the law's assumptions; without one they change
nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from tariffs.engine.base.array_utils import F64, Bools
from tariffs.engine.law.commitments import CommitmentStep
from tariffs.engine.law.law import Law
from tariffs.engine.law.notes import Note
from tariffs.engine.law.quantity_rules import FLOOR, LIMIT, QuantityRule, quantity_rules
from tariffs.engine.response.trade_response import (
    Response,
    TradeVolume,
    apply_constraints,
    limit_quantity,
    without_prohibited,
)
from tariffs.engine.table_duty.duties import Dated
from tariffs.engine.tables.mfn_rates import quantity_in
from tariffs.engine.tables.prepare import PreparedTable, amount_of
from tariffs.engine.tables.scope_masks import scope_mask

DOLLARS = "USD"


@dataclass(frozen=True)
class QuantityFloor:
    """A promise as it meets a table: the lines it reaches, and their quantity at the baseline in its own unit.

    `compliance` is None where no assumption says it.
    """

    measure: str
    promise: CommitmentStep
    mask: Bools
    amount: F64
    compliance: Decimal | None

    @property
    def wanted(self) -> float:
        """The quantity of a year that is kept; 0 where no assumption says how far."""
        return float(self.promise.yearly * (self.compliance or 0))

    @property
    def known(self) -> bool:
        """Whether every line it reaches has a quantity in its unit."""
        return not np.isnan(self.amount[self.mask]).any()

    @property
    def text(self) -> str:
        """What is promised and how far it is kept."""
        promise = self.promise
        kept = (
            "without an assumption how far it is kept"
            if self.compliance is None
            else f"kept to {self.compliance:%}"
        )
        span = f"from {promise.start:%Y-%m-%d} to {promise.end:%Y-%m-%d}"
        return (
            f"{self.measure} promises {promise.quantity:,f} {promise.unit} {span}, "
            f"{promise.yearly:,.0f} a year, {kept}"
        )

    def raised(self, hat: F64) -> F64:
        """Quantities with those of its lines raised to the floor; as they are where it does not bind."""
        traded = self._traded(hat)
        return np.where(self.mask, hat * (self.wanted / traded), hat) if 0.0 < traded < self.wanted else hat

    def note(self, hat: F64) -> Note:
        """What the floor does to the quantities of a model."""
        traded = self._traded(hat)
        if not self.known:
            told = f"It has no effect: lines it reaches have no quantity in {self.promise.unit}."
        elif self.compliance is None:
            told = f"It changes nothing: the model gives {traded:,.0f} a year."
        elif traded >= self.wanted:
            told = f"It does not bind: the model gives {traded:,.0f} a year."
        elif traded <= 0.0:
            told = "It has no effect: there is no trade to raise."
        else:
            told = (
                f"It binds: the model gives {traded:,.0f} a year, raised to {self.wanted:,.0f} at the prices of the "
                "model; surplus and welfare of these goods are not known."
            )
        return Note("QUANTITY_FLOOR", f"{self.text}. {told}")

    def _traded(self, hat: F64) -> float:
        """The quantity of a year that a model gives; NaN if it is not known."""
        return float((self.amount * hat)[self.mask].sum())


@dataclass(frozen=True)
class QuantityConstraints:
    """The bounds on a table under one law."""

    law: Law
    dated: Dated
    table: PreparedTable
    floors: tuple[QuantityFloor, ...]
    limits: tuple[Note, ...]

    @classmethod
    def of(cls, law: Law, dated: Dated, table: PreparedTable) -> QuantityConstraints | None:
        """The bounds of a law on a table; None if there are none."""
        found = cls(law, dated, table, _floors(law, dated, table), _limits(law, dated, table))
        return found if law.constraints or found.floors or found.limits else None

    def __call__(self, volume: TradeVolume) -> TradeVolume:
        """A volume within the limits, and raised to every floor that binds."""
        volume = apply_constraints(volume, self.law, self.dated, self.table.lines)
        hat = volume.quantity_hat
        for floor in self.floors:
            hat = floor.raised(hat)
        return limit_quantity(volume, hat)

    def notes(self, volume: TradeVolume) -> tuple[Note, ...]:
        """What the limits and promises of the law do to a volume."""
        hat = apply_constraints(volume, self.law, self.dated, self.table.lines).quantity_hat
        return (*self.limits, *(floor.note(hat) for floor in self.floors))

    def promised(self) -> tuple[Note, ...]:
        """The limits and promises that an assumption lets bear on the table, whatever a model gives."""
        floors = [floor for floor in self.floors if floor.compliance is not None]
        return (*self.limits, *(Note("QUANTITY_FLOOR", f"{floor.text}.") for floor in floors))


def adjusting(
    response: Response | None, prohibited: F64, bounds: QuantityConstraints | None
) -> Callable[[TradeVolume], TradeVolume] | None:
    """The cut of a volume by prohibitions, given their value per line, and by bounds; None if there are none."""
    if response is None or not prohibited.any():
        return bounds

    def adjust(volume: TradeVolume) -> TradeVolume:
        cut = without_prohibited(volume, response, prohibited)
        return bounds(cut) if bounds else cut

    return adjust


def _reached(law: Law, dated: Dated, table: PreparedTable, kind: str) -> list[tuple[QuantityRule, Bools]]:
    """The rules of a kind in force, and the lines of the table that each reaches."""
    lines, found = table.lines, []
    for index, when in enumerate(zip(dated.instants, dated.known_on, strict=True)):
        in_force = law.in_force(*when, dated.direction)
        for rule in quantity_rules(law, *when, dated.direction):
            if rule.kind != kind:
                continue
            mask = scope_mask(rule.scope, lines, in_force) & (lines.value > 0)
            mask = mask if dated.of_line is None else mask & (dated.of_line == index)
            if mask.any():
                found.append((rule, mask))
    return found


def _floors(law: Law, dated: Dated, table: PreparedTable) -> tuple[QuantityFloor, ...]:
    found: dict[tuple[str, CommitmentStep], QuantityFloor] = {}
    for rule, mask in _reached(law, dated, table, FLOOR):
        if rule.promise is None:
            continue
        key = rule.measure, rule.promise
        compliance = law.assumptions.compliance.get(rule.measure)
        known = found.get(key) or QuantityFloor(*key, mask, _amount(table, rule.promise.unit), compliance)
        found[key] = replace(known, mask=known.mask | mask)
    return tuple(found.values())


def _amount(table: PreparedTable, unit: str) -> F64:
    """Each line's quantity in a unit; of dollars, its value at the port of export."""
    if unit == DOLLARS:
        return amount_of(table.frame, "customs_value", table.lines.count)
    return quantity_in(table.frame, unit)


def _limits(law: Law, dated: Dated, table: PreparedTable) -> tuple[Note, ...]:
    shares = law.assumptions.let_through
    if not shares:
        return ()
    found = {
        rule.measure: Note(
            "QUANTITY_LIMIT",
            f"{rule.measure}: licences are taken to let {shares[rule.measure]:%} of the baseline quantity through. "
            "Where that binds, surplus and welfare are not known, and other origins do not make up for it.",
        )
        for rule, _ in _reached(law, dated, table, LIMIT)
        if rule.measure in shares
    }
    return tuple(found.values())
