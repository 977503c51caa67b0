"""Limits on quantities the law itself holds: export licensing, and promises to buy (law/constraints.yaml).

Each hangs on a measure and holds while that stands and is not suspended, so that the verbs of scenarios move it. They
enter a response as constraints (`limits_at`) and as floors; see `bounds`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from tariffs.engine.law.commitments import CommitmentStep, commitment_steps
from tariffs.engine.law.law import CONTROL, Law
from tariffs.engine.law.law_edits import Constraint
from tariffs.engine.law.model import Scope
from tariffs.engine.law.values import digits

LIMIT, FLOOR = "limit", "floor"
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class QuantityRule:
    """A limit or floor in force, on goods that go in `direction`; a limit promises nothing."""

    measure: str
    kind: str
    direction: str
    scope: Scope
    promise: CommitmentStep | None
    citations: tuple[str, ...]
    conf: str


def quantity_rules(
    law: Law, instant: datetime, known_on: date | None = None, direction: str = ""
) -> list[QuantityRule]:
    """The limits and floors in force at an (aware) instant by the acts known on a day, in the order of the law.

    Args:
        law: the law, after any scenario.
        instant: the instant.
        known_on: the day whose acts count; None is the law's as-of day.
        direction: import or export for those that bear on goods going that way; empty for all.
    """
    found: list[QuantityRule] = []
    for entry in law.limits:
        stands = law.standing(law.measures[entry["measure"]], instant, known_on or law.as_of)
        if stands is None or stands.suspended or direction not in {"", entry["direction"]}:
            continue
        rule = _rule(entry)
        if rule.kind == LIMIT:
            found.append(rule)
        promises = commitment_steps(entry, law.zones[CONTROL])
        found += [replace(rule, promise=one) for one in promises if one.start <= instant < one.end]
    return found


def _rule(entry: Mapping[str, Any]) -> QuantityRule:
    products = frozenset(digits(code) for code in entry["products"])
    return QuantityRule(
        measure=entry["measure"],
        kind=entry["kind"],
        direction=entry["direction"],
        scope=Scope(origins=(frozenset(entry["origins"]),), products=(products,)),
        promise=None,
        citations=tuple(entry["cite"]),
        conf=entry["conf"],
    )


def limits_at(law: Law, instant: datetime, known_on: date, direction: str) -> tuple[Constraint, ...]:
    """The limits in force as constraints on quantities, by what the law's assumptions say is let through.

    No act says that share, so a limit without an assumption cuts nothing.
    """
    shares = law.assumptions.let_through
    return tuple(
        Constraint(rule.scope, shares[rule.measure], None, ONE, instant, None)
        for rule in quantity_rules(law, instant, known_on, direction)
        if rule.kind == LIMIT and rule.measure in shares
    )
