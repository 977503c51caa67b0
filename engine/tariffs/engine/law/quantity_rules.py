"""Limits and floors on quantities in force: export licensing, and commitments to buy (law/constraints.yaml).

Each hangs on a measure and holds while the measure is in force and not suspended, so that the verbs of scenarios move
it. They enter a response as constraints (`limits_at`) and as floors; see `response.quantity_constraints`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from tariffs.engine.law.amendments import EXPORTER
from tariffs.engine.law.commitments import FLOOR, LIMIT, QuantityRule
from tariffs.engine.law.law import Law
from tariffs.engine.law.law_edits import Constraint

ONE = Decimal(1)


def quantity_rules(
    law: Law, instant: datetime, known_on: date | None = None, market: str = ""
) -> list[QuantityRule]:
    """List the limits and floors in force at an (aware) instant by the acts known on a day, in the order of the law.

    Args:
        law: the law, after any scenario.
        known_on: the day whose acts count; None is the law's as-of day.
        market: that of the goods; empty for all.
    """
    rules: list[QuantityRule] = []
    for rule in law.limits:
        state = law.state_of(law.measures[rule.measure], instant, known_on or law.as_of)
        if state is None or state.suspended or market not in {"", rule.market}:
            continue
        if rule.kind == LIMIT:
            rules.append(rule)
        rules += [replace(rule, promise=step) for step in rule.steps if step.start <= instant < step.end]
    return rules


def limits_at(law: Law, instant: datetime, known_on: date, market: str) -> tuple[Constraint, ...]:
    """List the limits in force as constraints on quantities, with the shares that the law's assumptions let through.

    No act states such a share, so a limit without an assumption has no effect. The origin's government issues the
    licences, so the rents are the exporter's without an assumption. A constraint starts when its limit last took force.
    """
    shares, rents = law.assumptions.let_through, law.assumptions.rents
    return tuple(
        Constraint(
            rule.scope,
            shares[rule.measure],
            None,
            None,
            ONE,
            rents.get(rule.measure, EXPORTER),
            _last_start(law, rule.measure, instant, known_on),
            None,
        )
        for rule in quantity_rules(law, instant, known_on, market)
        if rule.kind == LIMIT and rule.measure in shares
    )


def _last_start(law: Law, measure: str, instant: datetime, known_on: date) -> datetime:
    """Find the boundary of the law from which a measure in force at an instant has been in force."""
    start = instant
    for boundary in sorted((each for each in law.boundaries if each <= instant), reverse=True):
        start = boundary
        state = law.state_of(law.measures[measure], boundary - timedelta(microseconds=1), known_on)
        if state is None or state.suspended:
            break
    return start


__all__ = ["FLOOR", "LIMIT", "QuantityRule", "limits_at", "quantity_rules"]
