"""Limits on quantities the law itself holds: export licensing, and promises to buy (law/constraints.yaml).

Each hangs on a measure and holds while that stands and is not suspended, so that the verbs of scenarios move it. They
enter a response by `limited` (the law with constraints on what is let through) and `at_least` (a floor under a model's
quantity).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from tariffs.engine.errors import InputError
from tariffs.engine.law.edits import Constraint
from tariffs.engine.law.law import Law
from tariffs.engine.law.model import Scope
from tariffs.engine.law.text import read_amount, read_instant

LIMIT, FLOOR = "limit", "floor"
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class QuantityRule:
    """A limit or floor in force. `quantity` and `unit` are of a floor, over [start, end); a limit has none."""

    measure: str
    kind: str
    scope: Scope
    quantity: Decimal | None
    unit: str
    start: datetime | None
    end: datetime | None
    citations: tuple[str, ...]
    conf: str


def quantity_rules(law: Law, instant: datetime, known_on: date | None = None) -> list[QuantityRule]:
    """The limits and floors in force at an (aware) instant by the acts known on a day, in the order of the law."""
    found = []
    for entry in law.limits:
        measure = law.measures[entry["measure"]]
        stands = law.standing(measure, instant, known_on or law.as_of)
        if stands is None or stands.suspended:
            continue
        scope = Scope(
            origins=(frozenset(entry["origins"]),),
            products=(frozenset(code.replace(".", "") for code in entry["products"]),),
        )
        zone = law.context(measure.direction).zone
        rule = QuantityRule(
            measure.id, entry["kind"], scope, None, "", None, None, tuple(entry["cite"]), entry["conf"]
        )
        if entry["kind"] == LIMIT:
            found.append(rule)
        for step in entry.get("floors", ()):
            start, end = (read_instant(f"{step[key]}T00:00", zone) for key in ("from", "to"))
            if start <= instant < end:
                quantity, unit = read_amount(step["quantity"])
                found.append(replace(rule, quantity=quantity, unit=unit, start=start, end=end))
    return found


def limited(
    law: Law, instant: datetime, let_through: Mapping[str, Decimal], *, known_on: date | None = None
) -> Law:
    """The law with its limits as constraints on quantities, for the response.

    Args:
        law: the law, after any scenario.
        instant: the (aware) instant of the run.
        let_through: by measure of a limit, the share of the baseline quantity that licences let through; a limit
            that is not named cuts nothing.
        known_on: the day whose acts count; None is the law's as-of day.

    Raises:
        InputError: PARAMETER_INVALID for a share outside [0, 1] or a measure that is no limit.
    """
    names = {entry["measure"] for entry in law.limits if entry["kind"] == LIMIT}
    for name, share in let_through.items():
        if name not in names or not 0 <= share <= 1:
            raise InputError(
                "PARAMETER_INVALID",
                f"The share let through under {name} is {share}.",
                field="let_through",
                fix=f"Give a share from 0 to 1 for one of: {', '.join(sorted(names))}.",
            )
    added = tuple(
        Constraint(rule.scope, let_through[rule.measure], None, ONE, instant, None)
        for rule in quantity_rules(law, instant, known_on)
        if rule.kind == LIMIT and rule.measure in let_through
    )
    return replace(law, constraints=(*law.constraints, *added))


def at_least(quantity: Decimal, floor: Decimal, compliance: Decimal = ONE) -> Decimal:
    """A model's quantity raised towards a promised one: the promise counts as far as it is kept.

    Args:
        quantity: what a model gives, in the unit of the floor.
        floor: the quantity promised.
        compliance: the part of the promise that is kept, in [0, 1].

    Raises:
        InputError: PARAMETER_INVALID for a compliance outside [0, 1].
    """
    if not 0 <= compliance <= 1:
        raise InputError(
            "PARAMETER_INVALID",
            f"compliance is {compliance}.",
            field="compliance",
            fix="Give a share from 0 to 1.",
        )
    return max(quantity, floor * compliance)
