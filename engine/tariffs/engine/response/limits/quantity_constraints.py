"""Find the limits and floors on quantities of a table under one law: edits of a scenario, limits and commitments.

A table covers a year, so a commitment counts per year. The law's assumptions give compliance with limits and
commitments, which else have no effect. What they do to trade is in `limited_response`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools
from tariffs.engine.law.amendments import IMPORTER, RENT_HOLDERS
from tariffs.engine.law.law import Law
from tariffs.engine.law.law_edits import Constraint
from tariffs.engine.law.notes import Note
from tariffs.engine.law.quantity_rules import FLOOR, LIMIT, QuantityRule, limits_at, quantity_rules
from tariffs.engine.response.elasticities.adjustment_profile import DAYS_A_YEAR
from tariffs.engine.response.limits.quotas import CEILING
from tariffs.engine.table_duty.duties import Dated
from tariffs.engine.tables.mfn_rates import quantity_in
from tariffs.engine.tables.prepare import PreparedTable, amount_of
from tariffs.engine.tables.scope_masks import scope_mask

DOLLARS = "USD"
Key = TypeVar("Key", bound=Hashable)
Scoped = TypeVar("Scoped", Constraint, QuantityRule)


@dataclass(frozen=True)
class LineCaps:
    """Limits on each variety, given per line.

    Attributes:
        share: most of the quantity at the baseline, a fraction; infinite without a limit.
        holder: who has the rents, an index into RENT_HOLDERS.
        years: age of the limit in years.
    """

    share: F64
    holder: I64
    years: F64

    @property
    def marks(self) -> Bools:
        """Mark the lines with a limit."""
        return np.isfinite(self.share)


@dataclass(frozen=True)
class JointQuantity:
    """Limit or floor on the quantity of goods together.

    Attributes:
        text: description, without its effect.
        kind: ceiling or floor.
        mask: the lines in its scope.
        amount: quantity of each line at the baseline in its unit; NaN where it is unknown.
        unit: the unit.
        wanted: the quantity it allows or asks for a year; NaN for a commitment without an assumption on compliance.
        holder: who has the rents, an index into RENT_HOLDERS.
        years: age in years.
    """

    text: str
    kind: str
    mask: Bools
    amount: F64
    unit: str
    wanted: float
    holder: int
    years: float

    @property
    def is_known(self) -> bool:
        """True if every line in its scope has a quantity in its unit."""
        return not np.isnan(self.amount[self.mask]).any()

    @property
    def has_effect(self) -> bool:
        """True if its size and the quantities it is about are known, and it asks for anything."""
        return self.is_known and self.wanted > 0.0

    def note(self, hat: F64, premium: float) -> Note:
        """Describe it and its effect, given quantity hats of lines in the model.

        `premium` is its own over the landed price, 0 where it does not bind, NaN where it cannot be kept.
        """
        traded, is_most = float((self.amount * hat)[self.mask].sum()), self.kind == CEILING
        given = f"the model gives {traded:,.0f} {self.unit} a year"
        if not self.is_known:
            effect = f"It has no effect: lines in its scope have no quantity in {self.unit}."
        elif np.isnan(self.wanted):
            effect = f"It has no effect: {given}."
        elif np.isnan(premium):
            effect = f"It cannot be kept at any price: {given}; surplus and welfare of its goods are unknown."
        elif premium == 0.0:
            effect = f"It does not bind: {given}."
        else:
            moved, price = (
                ("cut", "premium over the landed price")
                if is_most
                else ("raised", "subsidy that has this effect")
            )
            effect = (
                f"It binds: {given}, {moved} to {self.wanted:,.0f}; the {price} is {abs(premium):.1%}, "
                f"{'earned' if is_most else 'borne'} by the {RENT_HOLDERS[self.holder]}."
            )
        return Note("QUANTITY_FLOOR" if self.kind == FLOOR else "QUANTITY_LIMIT", f"{self.text}. {effect}")


@dataclass(frozen=True)
class QuantityConstraints:
    """Limits on the quantities of a table under one law.

    Attributes:
        caps: limits on each variety.
        joint: limits and floors on goods together.
        licences: descriptions of the law's limits.
    """

    caps: LineCaps
    joint: tuple[JointQuantity, ...]
    licences: tuple[Note, ...]

    @classmethod
    def of(cls, law: Law, dated: Dated, table: PreparedTable) -> QuantityConstraints | None:
        """Find the limits of a law on a table; None if there are none."""

        def edits(instant: datetime, known_on: date, market: str) -> Iterator[Constraint]:
            every = (*law.constraints, *limits_at(law, instant, known_on, market))
            return (_of_each(one) for one in every if one.holds(instant))

        def rules(*moment: Any) -> Iterator[QuantityRule]:
            return iter(quantity_rules(law, *moment))

        reached = list(_reached(law, dated, table, edits))
        in_force = list(_reached(law, dated, table, rules))
        joint = (*_joint_edits(reached, dated, table), *_commitments(law, in_force, dated, table))
        caps, licences = _caps(reached, dated, table), _licences(law, in_force)
        return cls(caps, joint, licences) if caps.marks.any() or joint or licences else None

    @property
    def effective(self) -> tuple[JointQuantity, ...]:
        """Joint limits that have an effect."""
        return tuple(each for each in self.joint if each.has_effect)

    @property
    def limited(self) -> Bools:
        """Mark the lines under a limit or floor that has an effect."""
        marks: Bools = np.logical_or.reduce([self.caps.marks, *(one.mask for one in self.effective)])
        return marks

    def notes(self, hat: F64, premiums: tuple[float, ...]) -> tuple[Note, ...]:
        """Describe the limits with their effects, given quantity hats of the model and premiums of `effective`."""
        found = iter(premiums)
        joint = [each.note(hat, next(found) if each.has_effect else 0.0) for each in self.joint]
        return (*self.licences, *joint)

    def promised(self) -> tuple[Note, ...]:
        """Describe the limits of the law and commitments with an assumption, for any volume."""
        floors = [each for each in self.joint if each.kind == FLOOR and not np.isnan(each.wanted)]
        return (*self.licences, *(Note("QUANTITY_FLOOR", f"{each.text}.") for each in floors))


def _reached(
    law: Law, dated: Dated, table: PreparedTable, at: Callable[..., Iterator[Scoped]]
) -> Iterator[tuple[Scoped, Bools]]:
    """List what `at` gives for each instant of the lines, with the lines that it reaches, if any."""
    lines = table.lines
    for index, moment in enumerate(dated.moments):
        in_force = law.in_force(*moment)
        for one in at(*moment):
            mask = scope_mask(one.scope, lines, in_force) & (lines.value > 0)
            mask = mask if dated.of_line is None else mask & (dated.of_line == index)
            if mask.any():
                yield one, mask


def _together(reached: Iterable[tuple[Key, Bools]]) -> dict[Key, Bools]:
    """Join the lines that each reaches at all instants."""
    masks: dict[Key, Bools] = {}
    for key, mask in reached:
        masks[key] = masks[key] | mask if key in masks else mask
    return masks


def _of_each(constraint: Constraint) -> Constraint:
    """Write a limit that lets nothing through as one on each variety."""
    nothing = constraint.limit == 0 and constraint.compliance == 1
    return replace(constraint, share=Decimal(0), limit=None) if nothing else constraint


def _years(start: datetime, dated: Dated) -> float:
    """Age of what began at an instant, at the latest instant of the lines."""
    return max(0.0, (max(dated.instants) - start).days / DAYS_A_YEAR)


def _caps(reached: list[tuple[Constraint, Bools]], dated: Dated, table: PreparedTable) -> LineCaps:
    """Take the least share of each line, with its holder and age."""
    count = table.lines.count
    share, holder, years = np.full(count, np.inf), np.zeros(count, dtype=np.int64), np.zeros(count)
    for constraint, mask in reached:
        if constraint.share is None:
            continue
        most = 1.0 - float(constraint.compliance) * (1.0 - float(constraint.share))
        least = mask & (most < share)
        share[least] = most
        holder[least] = RENT_HOLDERS.index(constraint.rents)
        years[least] = _years(constraint.start, dated)
    return LineCaps(share, holder, years)


def _joint_edits(
    reached: list[tuple[Constraint, Bools]], dated: Dated, table: PreparedTable
) -> Iterator[JointQuantity]:
    """Make the limits and floors of a scenario on goods together."""
    amount = _amount(table, DOLLARS)
    for constraint, mask in _together(pair for pair in reached if pair[0].share is None).items():
        compliance = float(constraint.compliance)
        if constraint.limit is not None:
            traded = float(amount[mask].sum())
            wanted = traded - compliance * max(0.0, traded - float(constraint.limit))
            kind = CEILING
        else:
            wanted, kind = float(constraint.floor or 0) * compliance, FLOOR
        kept = f"at prices of the baseline, compliance {constraint.compliance:%}"
        text = f"Goods together are {constraint.text} {kept}"
        holder, years = RENT_HOLDERS.index(constraint.rents), _years(constraint.start, dated)
        yield JointQuantity(text, kind, mask, amount, DOLLARS, wanted, holder, years)


def _commitments(
    law: Law, in_force: list[tuple[QuantityRule, Bools]], dated: Dated, table: PreparedTable
) -> Iterator[JointQuantity]:
    """Make the floors of commitments in force."""
    promised = (
        ((rule.measure, rule.promise), mask) for rule, mask in in_force if rule.kind == FLOOR and rule.promise
    )
    for (measure, promise), mask in _together(promised).items():
        compliance = law.assumptions.compliance.get(measure)
        kept = "without an assumption on compliance" if compliance is None else f"compliance {compliance:%}"
        text = (
            f"{measure} commits to {promise.quantity:,f} {promise.unit} from {promise.start:%Y-%m-%d} to "
            f"{promise.end:%Y-%m-%d}, {promise.yearly:,.0f} a year, {kept}"
        )
        wanted = np.nan if compliance is None else float(promise.yearly * compliance)
        holder = RENT_HOLDERS.index(law.assumptions.rents.get(measure, IMPORTER))
        amount, years = _amount(table, promise.unit), _years(promise.start, dated)
        yield JointQuantity(text, FLOOR, mask, amount, promise.unit, wanted, holder, years)


def _amount(table: PreparedTable, unit: str) -> F64:
    """Take each line's quantity in a unit; in dollars, its customs value."""
    if unit == DOLLARS:
        return amount_of(table.frame, "customs_value", table.lines.count)
    return quantity_in(table.frame, unit)


def _licences(law: Law, in_force: list[tuple[QuantityRule, Bools]]) -> tuple[Note, ...]:
    """Describe the law's limits with an assumption."""
    shares = law.assumptions.let_through
    limited = (rule.measure for rule, _ in in_force if rule.kind == LIMIT and rule.measure in shares)
    text = (
        "{}: licences are assumed to admit {:%} of the baseline quantity of each variety. Where that binds it has a "
        "premium, and other origins replace it in part."
    )
    found = dict.fromkeys(limited)
    return tuple(Note("QUANTITY_LIMIT", text.format(measure, shares[measure])) for measure in found)
