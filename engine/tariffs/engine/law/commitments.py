"""Limits and floors on quantities that hang on a measure (law/constraints.yaml), parsed once at load."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from tariffs.engine.law.amendments import read_scope, read_words
from tariffs.engine.law.model import EXPORT, IMPORT, Scope
from tariffs.engine.law.raw_fields import Raw, check_keys, each, keys, one_of, read_required
from tariffs.engine.law.values import read_amount, read_day

LIMIT, FLOOR = "limit", "floor"
_YEAR = 12
_KEYS = keys("measure kind direction destination origins products floors cite conf")


@dataclass(frozen=True, slots=True)
class CommitmentStep:
    """A commitment to buy at least `quantity` in `unit` over [start, end), whole months."""

    quantity: Decimal
    unit: str
    start: datetime
    end: datetime

    @property
    def yearly(self) -> Decimal:
        """The quantity at the rate of a year."""
        months = _YEAR * (self.end.year - self.start.year) + self.end.month - self.start.month
        return self.quantity * _YEAR / months


@dataclass(frozen=True, slots=True)
class QuantityRule:
    """A limit or floor on goods of a market; a limit has no steps.

    `promise` is the step in force where the rule is one in force (`quantity_rules`).
    """

    measure: str
    kind: str
    market: str
    scope: Scope
    citations: tuple[str, ...]
    conf: str
    steps: tuple[CommitmentStep, ...] = ()
    promise: CommitmentStep | None = None


def read_quantity_rules(raw: Sequence[Raw], zone: ZoneInfo, destination: str) -> tuple[QuantityRule, ...]:
    """Read constraints.yaml; days of commitments begin at midnight in the zone.

    `destination` is that of exports where none is written.
    """
    return each(raw, lambda item, path: _read_rule(item, zone, destination, path), "constraints")


def _read_rule(raw: Raw, zone: ZoneInfo, destination: str, path: str) -> QuantityRule:
    check_keys(raw, _KEYS, path)
    direction = read_required(raw, "direction", one_of(IMPORT, EXPORT), path)
    return QuantityRule(
        measure=read_required(raw, "measure", str, path),
        kind=read_required(raw, "kind", one_of(LIMIT, FLOOR), path),
        market=direction if direction == IMPORT else raw.get("destination", destination),
        scope=read_scope(raw, path),
        citations=read_words(raw.get("cite", []), f"{path}.cite"),
        conf=raw.get("conf", "C"),
        steps=each(
            raw.get("floors", []), lambda item, place: _read_step(item, zone, place), f"{path}.floors"
        ),
    )


def _read_step(raw: Raw, zone: ZoneInfo, path: str) -> CommitmentStep:
    start, end = (
        datetime.combine(read_required(raw, key, read_day, path), time(0), zone) for key in ("from", "to")
    )
    return CommitmentStep(*read_required(raw, "quantity", read_amount, path), start, end)


def commitment_moments(rules: Sequence[QuantityRule]) -> Iterable[datetime]:
    """List every instant at which a commitment begins or ends."""
    return [moment for rule in rules for step in rule.steps for moment in (step.start, step.end)]
