"""Constrain the quantities of a response: scenario constraints, quantity limits of the law, purchase commitments.

A commitment is a floor: the model's quantity, or the committed quantity times compliance if that is more. A table
covers a year, so a commitment counts per year. It applies to its goods in total: each line is raised in proportion, at
the prices of the model. The law's assumptions give compliance with limits and commitments, which else have no effect.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from tariffs.engine.base.array_utils import F64, Bools
from tariffs.engine.law.commitments import CommitmentStep
from tariffs.engine.law.law import Law
from tariffs.engine.law.notes import Note
from tariffs.engine.law.quantity_rules import FLOOR, LIMIT, QuantityRule, quantity_rules
from tariffs.engine.response.trade_response import (
    TradeVolume,
    apply_constraints,
    limit_quantity,
)
from tariffs.engine.table_duty.duties import Dated
from tariffs.engine.tables.mfn_rates import quantity_in
from tariffs.engine.tables.prepare import PreparedTable, amount_of
from tariffs.engine.tables.scope_masks import scope_mask

DOLLARS = "USD"


@dataclass(frozen=True)
class QuantityFloor:
    """Commitment on a table: the lines in its scope, and their quantity at the baseline in its unit.

    `compliance` is None without an assumption.
    """

    measure: str
    promise: CommitmentStep
    mask: Bools
    amount: F64
    compliance: Decimal | None

    @property
    def wanted(self) -> float:
        """Committed quantity per year times compliance; 0 without an assumption."""
        return float(self.promise.yearly * (self.compliance or 0))

    @property
    def known(self) -> bool:
        """True if every line in its scope has a quantity in its unit."""
        return not np.isnan(self.amount[self.mask]).any()

    @property
    def text(self) -> str:
        """Description of the commitment and its compliance."""
        promise = self.promise
        compliance = (
            "without an assumption on compliance"
            if self.compliance is None
            else f"compliance {self.compliance:%}"
        )
        span = f"from {promise.start:%Y-%m-%d} to {promise.end:%Y-%m-%d}"
        return (
            f"{self.measure} commits to {promise.quantity:,f} {promise.unit} {span}, "
            f"{promise.yearly:,.0f} a year, {compliance}"
        )

    def raised(self, hat: F64) -> F64:
        """Raise the quantities of its lines to the floor, if it binds."""
        traded = self._traded(hat)
        return np.where(self.mask, hat * (self.wanted / traded), hat) if 0.0 < traded < self.wanted else hat

    def note(self, hat: F64) -> Note:
        """Describe the effect of the floor on the quantities of a model."""
        traded = self._traded(hat)
        if not self.known:
            effect = f"It has no effect: lines in its scope have no quantity in {self.promise.unit}."
        elif self.compliance is None:
            effect = f"It has no effect: the model gives {traded:,.0f} a year."
        elif traded >= self.wanted:
            effect = f"It does not bind: the model gives {traded:,.0f} a year."
        elif traded <= 0.0:
            effect = "It has no effect: there is no trade to raise."
        else:
            effect = (
                f"It binds: the model gives {traded:,.0f} a year, raised to {self.wanted:,.0f} at the prices of the "
                "model; surplus and welfare of these goods are unknown."
            )
        return Note("QUANTITY_FLOOR", f"{self.text}. {effect}")

    def _traded(self, hat: F64) -> float:
        """Sum the yearly quantity that a model gives; NaN if it is unknown."""
        return float((self.amount * hat)[self.mask].sum())


@dataclass(frozen=True)
class QuantityConstraints:
    """Constraints on the quantities of a table under one law."""

    law: Law
    dated: Dated
    table: PreparedTable
    floors: tuple[QuantityFloor, ...]
    limits: tuple[Note, ...]

    @classmethod
    def of(cls, law: Law, dated: Dated, table: PreparedTable) -> QuantityConstraints | None:
        """Find the constraints of a law on a table; None if there are none."""
        floors, limits = _floors(law, dated, table), _limits(law, dated, table)
        return cls(law, dated, table, floors, limits) if law.constraints or floors or limits else None

    def __call__(self, volume: TradeVolume) -> TradeVolume:
        """Cut a volume to the limits, and raise it to every floor that binds."""
        volume = apply_constraints(volume, self.law, self.dated, self.table.lines)
        hat = volume.quantity_hat
        for floor in self.floors:
            hat = floor.raised(hat)
        return limit_quantity(volume, hat)

    def notes(self, volume: TradeVolume) -> tuple[Note, ...]:
        """Describe the effects of the law's limits and commitments on a volume."""
        hat = apply_constraints(volume, self.law, self.dated, self.table.lines).quantity_hat
        return (*self.limits, *(floor.note(hat) for floor in self.floors))

    def promised(self) -> tuple[Note, ...]:
        """Describe the limits and commitments with an assumption, for any volume."""
        floors = [floor for floor in self.floors if floor.compliance is not None]
        return (*self.limits, *(Note("QUANTITY_FLOOR", f"{floor.text}.") for floor in floors))


def _reached(law: Law, dated: Dated, table: PreparedTable, kind: str) -> list[tuple[QuantityRule, Bools]]:
    """List the rules of a kind in force, with the lines in the scope of each."""
    lines, reached = table.lines, []
    for index, moment in enumerate(dated.moments):
        in_force = law.in_force(*moment)
        for rule in quantity_rules(law, *moment):
            if rule.kind != kind:
                continue
            mask = scope_mask(rule.scope, lines, in_force) & (lines.value > 0)
            mask = mask if dated.of_line is None else mask & (dated.of_line == index)
            if mask.any():
                reached.append((rule, mask))
    return reached


def _floors(law: Law, dated: Dated, table: PreparedTable) -> tuple[QuantityFloor, ...]:
    floors: dict[tuple[str, CommitmentStep], QuantityFloor] = {}
    for rule, mask in _reached(law, dated, table, FLOOR):
        if rule.promise is None:
            continue
        key = rule.measure, rule.promise
        compliance = law.assumptions.compliance.get(rule.measure)
        known = floors.get(key) or QuantityFloor(*key, mask, _amount(table, rule.promise.unit), compliance)
        floors[key] = replace(known, mask=known.mask | mask)
    return tuple(floors.values())


def _amount(table: PreparedTable, unit: str) -> F64:
    """Take each line's quantity in a unit; in dollars, its customs value."""
    if unit == DOLLARS:
        return amount_of(table.frame, "customs_value", table.lines.count)
    return quantity_in(table.frame, unit)


def _limits(law: Law, dated: Dated, table: PreparedTable) -> tuple[Note, ...]:
    shares = law.assumptions.let_through
    if not shares:
        return ()
    notes = {
        rule.measure: Note(
            "QUANTITY_LIMIT",
            f"{rule.measure}: licences are assumed to admit {shares[rule.measure]:%} of the baseline quantity. "
            "Where that binds, surplus and welfare are unknown, and other origins do not replace it.",
        )
        for rule, _ in _reached(law, dated, table, LIMIT)
        if rule.measure in shares
    }
    return tuple(notes.values())
